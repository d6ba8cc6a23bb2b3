//! Whether a run succeeded, by what it found and what failed: pure.

use domain::answer::Outcome;
use domain::extraction::{Extraction, TaskRecord};
use domain::failure::Failure;

/// How the run ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All that was asked for was found, or is not available here.
    Succeeds,
    /// Something was found, something failed; the reason says what.
    Partial(String),
    /// Nothing was found because of this.
    Fails(Failure),
}

/// Weighs the document against what stopped tracks.
pub(crate) fn verdict(document: &Extraction, failures: &[Failure]) -> Verdict {
    let reasons = reasons(document);
    match failures.first() {
        Some(failure) if document.says_nothing() => Verdict::Fails(Failure::new(failure.name, reasons.join("; "))),
        _ if !reasons.is_empty() => Verdict::Partial(reasons.join("; ")),
        _ => nothing_available(document).map_or(Verdict::Succeeds, Verdict::Partial),
    }
}

/// What failed, task by task, with the features that failed inside a task that worked.
fn reasons(document: &Extraction) -> Vec<String> {
    document.tasks.iter().flat_map(task_reasons).collect()
}

fn task_reasons(task: &TaskRecord) -> Vec<String> {
    let unknown = "no reason was given";
    if task.outcome == Outcome::Failed {
        return vec![format!("{}: {}", task.service, task.reason.as_deref().unwrap_or(unknown))];
    }
    let failed = task.features.iter().filter(|feature| feature.outcome == Outcome::Failed);
    failed
        .map(|feature| {
            format!("{} {}: {}", task.service, feature.feature, feature.reason.as_deref().unwrap_or(unknown))
        })
        .collect()
}

/// Why the result is partial although nothing failed: no engine here does any of what was asked.
fn nothing_available(document: &Extraction) -> Option<String> {
    let unavailable = |task: &&TaskRecord| task.outcome == Outcome::Unavailable;
    let first = document.tasks.iter().find(unavailable)?;
    let answered = document.tasks.iter().any(|task| task.outcome == Outcome::Succeeded);
    (!answered).then(|| format!("{}: {}", first.service, first.reason.as_deref().unwrap_or("not available")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::answer::FeatureOutcome;
    use domain::failure::FailureName;

    fn task(service: &str, outcome: Outcome, reason: &str) -> TaskRecord {
        serde_json::from_value(serde_json::json!({
            "track": "t", "service": service, "pages": 0, "cost_usd": 0.0, "outcome": outcome, "reason": reason
        }))
        .unwrap()
    }

    fn document(text: &str, tasks: Vec<TaskRecord>) -> Extraction {
        Extraction { text: text.into(), tasks, ..Extraction::default() }
    }

    fn failure() -> Failure {
        Failure::new(FailureName::EncryptedObject, "locked")
    }

    #[test]
    fn a_failure_that_left_nothing_is_the_verdict() {
        let document = document("", vec![task("reader", Outcome::Failed, "locked")]);
        let expected = Failure::new(FailureName::EncryptedObject, "reader: locked");
        assert_eq!(verdict(&document, &[failure()]), Verdict::Fails(expected));
    }

    #[test]
    fn a_failure_beside_text_is_partial() {
        let document =
            document("words", vec![task("reader", Outcome::Succeeded, ""), task("judge", Outcome::Failed, "locked")]);
        assert_eq!(verdict(&document, &[failure()]), Verdict::Partial("judge: locked".into()));
    }

    #[test]
    fn a_feature_that_failed_is_partial() {
        let mut judge = task("judge", Outcome::Succeeded, "");
        judge.features =
            vec![FeatureOutcome { feature: "mood".into(), outcome: Outcome::Failed, reason: Some("odd".into()) }];
        assert_eq!(verdict(&document("words", vec![judge]), &[]), Verdict::Partial("judge mood: odd".into()));
    }

    #[test]
    fn what_is_not_available_counts_only_alone() {
        let lacking = task("seer", Outcome::Unavailable, "no engine");
        let reader = task("reader", Outcome::Succeeded, "");
        assert_eq!(verdict(&document("", vec![lacking.clone()]), &[]), Verdict::Partial("seer: no engine".into()));
        assert_eq!(verdict(&document("", vec![lacking, reader]), &[]), Verdict::Succeeds);
    }
}
