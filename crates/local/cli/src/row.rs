//! One file's outcome: what `run --json` prints, and what a row of the table is made of.

use domain::change::{Change, Counts, Status};
use serde::Serialize;

use crate::executions::Ended;

/// A status of ours beside the catalog's: the file had not ended when the command stopped waiting.
const UNFINISHED: &str = "UNFINISHED";

/// What became of one file. The members are a contract with scripts: they may grow, none may go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// As the user named it.
    pub(crate) file: String,
    /// Key in the raw bucket.
    pub(crate) key: Option<String>,
    pub(crate) version_id: Option<String>,
    /// The catalog's status, or `UNFINISHED`.
    pub(crate) status: String,
    /// Why, unless it succeeded.
    pub(crate) reason: Option<String>,
    pub(crate) media_type: Option<String>,
    pub(crate) declared_type: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) pages: Option<u32>,
    pub(crate) text_chars: u64,
    pub(crate) sensitivity: Option<String>,
    pub(crate) counts: Counts,
    pub(crate) extraction_uri: Option<String>,
    pub(crate) execution_arn: Option<String>,
    /// From the start of the execution to its record.
    pub(crate) seconds: Option<f64>,
}

impl Row {
    fn unknown(file: &str, key: Option<&str>, status: &str, reason: String) -> Self {
        Self {
            file: file.to_owned(),
            key: key.map(str::to_owned),
            version_id: None,
            status: status.to_owned(),
            reason: Some(reason),
            media_type: None,
            declared_type: None,
            language: None,
            pages: None,
            text_chars: 0,
            sensitivity: None,
            counts: Counts::default(),
            extraction_uri: None,
            execution_arn: None,
            seconds: None,
        }
    }

    /// A file that never got into the raw bucket.
    pub(crate) fn refused(file: &str, key: Option<&str>, reason: String) -> Self {
        Self::unknown(file, key, Status::Failed.as_str(), reason)
    }

    /// A file whose execution had not ended when the command stopped waiting.
    pub(crate) fn unfinished(file: &str, key: &str, reason: String) -> Self {
        Self::unknown(file, Some(key), UNFINISHED, reason)
    }

    /// A file whose execution ended and left no record.
    pub(crate) fn lost(file: &str, key: &str, ended: &Ended) -> Self {
        let row = Self::unknown(file, Some(key), Status::Failed.as_str(), ended.reason.clone());
        Self { execution_arn: Some(ended.arn.clone()), seconds: ended.seconds, ..row }
    }

    /// A file with its record.
    pub(crate) fn recorded(file: &str, change: &Change) -> Self {
        Self {
            file: file.to_owned(),
            key: Some(change.object.key.clone()),
            version_id: change.object.version_id.clone(),
            status: change.status.as_str().to_owned(),
            reason: change.reason.clone(),
            media_type: change.media_type.clone(),
            declared_type: change.declared_type.clone(),
            language: change.facts.language.clone(),
            pages: change.facts.pages,
            text_chars: change.facts.text_chars,
            sensitivity: serde_json::to_value(change.facts.sensitivity)
                .ok()
                .and_then(|value| value.as_str().map(str::to_owned)),
            counts: change.facts.counts,
            extraction_uri: change.facts.extraction_uri.clone(),
            execution_arn: Some(change.execution_arn.clone()),
            seconds: Some(change.seconds),
        }
    }

    /// Whether the program's exit code tells of this file.
    pub(crate) fn has_failed(&self) -> bool {
        self.status == Status::Failed.as_str() || self.status == UNFINISHED
    }

    /// What was found, in a few words: `3 tables, 12 entities`.
    pub(crate) fn found(&self) -> String {
        let counts = &self.counts;
        let kinds = [
            (counts.tables, "table", "tables"),
            (counts.forms, "field", "fields"),
            (counts.faces, "face", "faces"),
            (counts.labels, "label", "labels"),
            (counts.attachments, "attachment", "attachments"),
            (counts.pii, "personal datum", "personal data"),
            (counts.entities, "entity", "entities"),
            (counts.key_phrases, "key phrase", "key phrases"),
        ];
        let named = kinds.iter().filter(|(count, ..)| *count > 0);
        let words = named.map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }));
        words.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_with_scripts_is_kept() {
        let row = serde_json::to_value(Row::refused("a.txt", None, "gone".into())).unwrap();
        let members = [
            "file",
            "key",
            "status",
            "reason",
            "media_type",
            "declared_type",
            "language",
            "pages",
            "text_chars",
            "sensitivity",
            "extraction_uri",
            "execution_arn",
            "seconds",
        ];
        for member in members {
            assert!(row.get(member).is_some(), "{member}");
        }
    }

    #[test]
    fn what_was_found_is_counted_in_words() {
        let mut row = Row::refused("a", None, String::new());
        assert_eq!(row.found(), "");
        row.counts = Counts { tables: 1, pii: 2, ..Counts::default() };
        assert_eq!(row.found(), "1 table, 2 personal data");
    }
}
