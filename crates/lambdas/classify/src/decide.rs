//! The decision, from what was seen: pure.

use aws::store::Head;
use documents::{Detection, Problem};
use domain::change::Status;
use domain::failure::Failure;
use domain::media::{self, Family};
use domain::object::ObjectRef;
use domain::plan::{Subject, Track};
use domain::settings::Settings;
use domain::stage::Decision;

/// The object does not exist (any more).
pub(crate) fn removed(reason: &str) -> Decision {
    Decision::Catalog { subject: None, status: Status::Removed, reason: reason.to_owned() }
}

/// What is known of the file.
pub(crate) fn subject(object: &ObjectRef, head: Head, detection: &Detection) -> Subject {
    Subject {
        object: object.clone(),
        etag: head.etag,
        size_bytes: head.size_bytes,
        family: Family::of(&detection.media_type),
        media_type: detection.media_type.clone(),
        declared_type: head.declared_type,
    }
}

/// Whether there is something to extract, and if not, why.
///
/// # Errors
/// Where the settings switch what no service knows.
pub(crate) fn decide(subject: Subject, problem: Option<Problem>, settings: &Settings) -> Result<Decision, Failure> {
    if let Some((status, reason)) = problem.map(by_problem) {
        return Ok(Decision::Catalog { subject: Some(subject), status, reason });
    }
    let tracks = services::plan(&subject, settings)?;
    Ok(match refusal(&subject, &tracks) {
        Some((status, reason)) => Decision::Catalog { subject: Some(subject), status, reason },
        None => Decision::Extract { subject, tracks },
    })
}

fn by_problem(problem: Problem) -> (Status, String) {
    match problem {
        Problem::Empty => (Status::Empty, "the file has no bytes".to_owned()),
        Problem::Encrypted(reason) => (Status::Encrypted, reason),
        Problem::Damaged(reason) => (Status::Failed, reason),
    }
}

/// Why nothing can be done: nobody reads it, or the first task of every track refuses it.
///
/// A track that is refused beside one that is not stays in the plan: its refusal is then part of
/// the result, and nothing is spent on it.
fn refusal(subject: &Subject, tracks: &[Track]) -> Option<(Status, String)> {
    if tracks.is_empty() {
        let advice = media::advice(&subject.media_type).map(|advice| format!(": {advice}")).unwrap_or_default();
        let reason = format!("no service that is switched on reads `{}`{advice}", subject.media_type);
        return Some((Status::Unsupported, reason));
    }
    let refusals: Option<Vec<Failure>> = tracks.iter().map(|track| refused(subject, track)).collect();
    let first = refusals?.into_iter().next()?;
    Some((first.name.status(), first.message))
}

fn refused(subject: &Subject, track: &Track) -> Option<Failure> {
    let task = track.tasks.first()?;
    services::find(&task.service)?.check(subject, task).err()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide_on(media_type: &str, size_bytes: u64, problem: Option<Problem>) -> Decision {
        let head = Head { size_bytes, etag: "e".into(), declared_type: Some("text/plain".into()) };
        let detection = Detection { media_type: media_type.into(), problem: None };
        let subject = subject(&ObjectRef::new("raw", "a.txt"), head, &detection);
        decide(subject, problem, &Settings::default()).unwrap()
    }

    fn tasks(decision: &Decision) -> Vec<String> {
        let Decision::Extract { tracks, .. } = decision else { panic!("nothing to extract: {decision:?}") };
        let names = |track: &Track| track.tasks.iter().map(|task| task.service.clone()).collect::<Vec<_>>().join(" ");
        tracks.iter().map(|track| format!("{}: {}", track.name, names(track))).collect()
    }

    #[test]
    fn plans_follow_the_media_type() {
        let cases: &[(&str, &[&str])] = &[
            ("text/plain", &["text: document-text comprehend"]),
            ("message/rfc822", &["text: document-text comprehend"]),
            ("application/pdf", &["text: document-text textract comprehend"]),
            ("image/png", &["text: document-text textract comprehend", "vision: rekognition"]),
            ("image/webp", &["text: document-text textract comprehend", "vision: rekognition"]),
            ("audio/wav", &["speech: transcribe comprehend"]),
        ];
        for (media_type, expected) in cases {
            assert_eq!(tasks(&decide_on(media_type, 1000, None)), *expected, "{media_type}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let cases = [
            (decide_on("text/plain", 0, Some(Problem::Empty)), Status::Empty),
            (decide_on("application/pdf", 9, Some(Problem::Encrypted("it has a password".into()))), Status::Encrypted),
            (decide_on("application/x-executable", 9, None), Status::Unsupported),
            (decide_on("image/heic", 9, None), Status::Unsupported),
            (decide_on("audio/wav", 3 << 30, None), Status::TooLarge),
        ];
        for (decision, expected) in cases {
            let Decision::Catalog { status, reason, .. } = decision else { panic!("not refused: {decision:?}") };
            assert_eq!(status, expected);
            assert!(!reason.is_empty());
        }
    }
}
