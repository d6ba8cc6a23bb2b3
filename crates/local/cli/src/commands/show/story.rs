//! What `sluice show` tells a person: the facts, the way through the states, the beginning of the text.

use domain::change::Change;
use domain::extraction::Extraction;

use super::{Execution, Object, Shown};
use crate::output::{cut, plain, shell_word};

/// Lines and columns of the text that are shown: enough to recognise the file.
const TEXT_LINES: usize = 12;
const TEXT_COLUMNS: usize = 100;

/// Things of one kind that are shown by name.
const NAMED: usize = 8;

/// Width of the names of facts.
const LABEL_WIDTH: usize = 11;

/// The whole story, line by line; `option` names the deployment in the commands that are suggested.
pub(super) fn lines(shown: &Shown, option: &str) -> Vec<String> {
    let document = shown.extraction.as_ref().and_then(|value| serde_json::from_value::<Extraction>(value.clone()).ok());
    let mut lines = object(&shown.object);
    match &shown.change {
        Some(change) => lines.extend(facts(change)),
        None => lines.push(fact("status", "no change record yet")),
    }
    lines.extend(document.as_ref().map(found).unwrap_or_default());
    lines.extend(shown.execution.as_ref().map(way).unwrap_or_default());
    lines.extend(document.as_ref().map(text).unwrap_or_default());
    lines.push(String::new());
    lines.push(format!("all of it: sluice show --json{option} {}", shell_word(&shown.object.object.key)));
    lines
}

fn fact(label: &str, value: &str) -> String {
    format!("{label:LABEL_WIDTH$} {}", plain(value))
}

fn object(object: &Object) -> Vec<String> {
    let mut lines = vec![fact("object", &object.uri)];
    lines.extend(object.object.version_id.as_deref().map(|version| fact("version", version)));
    if object.removed {
        lines.push(fact("removed", &object.last_modified.map(|time| time.to_string()).unwrap_or_default()));
    } else {
        lines.push(fact("size", &format!("{} bytes", object.size_bytes)));
    }
    lines
}

fn facts(change: &Change) -> Vec<String> {
    let facts = &change.facts;
    let seconds = format!("{} in {:.1} s", change.status.as_str(), change.seconds);
    let media = change.media_type.as_deref().map(|media| match change.declared_type.as_deref() {
        Some(declared) if declared != media => format!("{media} (declared as {declared})"),
        _ => media.to_owned(),
    });
    let sensitivity = serde_json::to_value(facts.sensitivity).ok().and_then(|value| value.as_str().map(str::to_owned));
    let named = [
        ("status", Some(seconds)),
        ("reason", change.reason.clone()),
        ("type", media),
        ("language", facts.language.clone()),
        ("pages", facts.pages.map(|pages| pages.to_string())),
        ("characters", Some(facts.text_chars.to_string())),
        ("sensitivity", sensitivity),
        ("engines", Some(facts.engines.join(", ")).filter(|engines| !engines.is_empty())),
        ("document", facts.extraction_uri.clone()),
    ];
    named.into_iter().filter_map(|(label, value)| Some(fact(label, &value?))).collect()
}

fn found(document: &Extraction) -> Vec<String> {
    let entities = document.entities.iter().map(|entity| format!("{} ({})", entity.text, entity.kind.to_lowercase()));
    let pii = document.pii.iter().map(|span| span.kind.clone());
    let forms =
        document.forms.iter().map(|field| format!("{} = {}", field.key.trim_end_matches([':', ' ']), field.value));
    let tables = document.tables.iter().map(|table| format!("{} × {}", table.rows, table.columns));
    let sentiment = document.sentiment.iter().map(|sentiment| sentiment.label.to_lowercase());
    let labels = document.labels.iter().map(|label| label.name.clone());
    let metadata = document.metadata.iter().map(|(name, value)| format!("{name}: {value}"));
    let named = [
        ("sentiment", several(sentiment)),
        ("entities", several(entities)),
        ("key phrases", several(document.key_phrases.iter().map(|phrase| phrase.text.clone()))),
        ("personal", several(pii)),
        ("tables", several(tables)),
        ("fields", several(forms)),
        ("labels", several(labels)),
        ("faces", (!document.faces.is_empty()).then(|| document.faces.len().to_string())),
        ("attached", several(document.attachments.iter().map(|attachment| attachment.name.clone()))),
        ("metadata", several(metadata)),
        ("warnings", several(document.warnings.iter().cloned())),
    ];
    named.into_iter().filter_map(|(label, value)| Some(fact(label, &value?))).collect()
}

/// The first few of `things`, each once, and how many more there are.
fn several(things: impl Iterator<Item = String>) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    for thing in things {
        let thing = cut(&thing, TEXT_COLUMNS);
        if !names.contains(&thing) {
            names.push(thing);
        }
    }
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(names.join(", ")),
        (false, more) => Some(format!("{} and {more} more", names.join(", "))),
    }
}

fn way(execution: &Execution) -> Vec<String> {
    let redriven = if execution.redrive_count > 0 {
        format!(", redriven {} times", execution.redrive_count)
    } else {
        String::new()
    };
    let mut lines = vec![fact("execution", &format!("{} ({}{redriven})", execution.name, execution.status))];
    lines.push(fact("way", &execution.path.join(" → ")));
    lines.extend(execution.error.as_deref().map(|error| fact("error", error)));
    lines
}

fn text(document: &Extraction) -> Vec<String> {
    let mut shown = document.text.lines().filter(|line| !line.trim().is_empty());
    let mut lines: Vec<_> =
        shown.by_ref().take(TEXT_LINES).map(|line| format!("  {}", cut(&plain(line), TEXT_COLUMNS))).collect();
    if shown.next().is_some() {
        lines.push("  …".to_owned());
    }
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_things_a_few_are_named() {
        let things = |count: usize| several((0..count).map(|number| number.to_string()));
        assert_eq!(things(0), None);
        assert_eq!(things(2).as_deref(), Some("0, 1"));
        assert_eq!(things(10).as_deref(), Some("0, 1, 2, 3, 4, 5, 6, 7 and 2 more"));
    }

    #[test]
    fn long_texts_are_shortened() {
        let document = Extraction { text: "line\n\n".repeat(20), ..Extraction::default() };
        let lines = text(&document);
        assert_eq!(lines.len(), TEXT_LINES + 2);
        assert_eq!(lines.last().map(String::as_str), Some("  …"));
        assert!(text(&Extraction::default()).is_empty());
    }
}
