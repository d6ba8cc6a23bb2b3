//! Which files of the catalog a replay is for, by their newest records. Pure.

use anyhow::Context as _;
use domain::change::Change;
use domain::event::EventKind;
use domain::media::Family;
use jiff::Timestamp;

use super::filter::Span;
use crate::arguments::Wanted;
use crate::problem::{Exit, Problem};

/// What is wanted, with its words understood.
#[derive(Debug)]
pub(crate) struct Selection {
    statuses: Vec<String>,
    families: Vec<String>,
    services: Vec<String>,
    engines: Vec<String>,
    outdated: Option<(String, String)>,
    prefix: Option<String>,
    reason: Option<String>,
    recorded_before: Option<Timestamp>,
    span: Span,
}

impl Selection {
    /// `span` and `recorded_before` are the times that the words mean.
    ///
    /// # Errors
    /// When an engine has no version.
    pub(crate) fn new(wanted: &Wanted, span: Span, recorded_before: Option<Timestamp>) -> anyhow::Result<Self> {
        let upper = |words: &[String]| words.iter().map(|word| word.to_ascii_uppercase()).collect();
        let lower = |words: &[String]| words.iter().map(|word| word.to_ascii_lowercase()).collect();
        Ok(Self {
            statuses: upper(&wanted.status),
            families: lower(&wanted.family),
            services: wanted.service.clone(),
            engines: wanted.engine.clone(),
            outdated: wanted.outdated.as_deref().map(engine_and_version).transpose()?,
            prefix: wanted.prefix.clone(),
            reason: wanted.reason.as_deref().map(str::to_lowercase),
            recorded_before,
            span,
        })
    }

    /// Whether the file of this record is to run anew. A removed object has nothing to run on.
    pub(crate) fn wants(&self, change: &Change) -> bool {
        change.event == EventKind::Created
            && self.span.holds(change.event_time)
            && self.recorded_before.is_none_or(|before| change.recorded < before)
            && any_or_all(&self.statuses, |status| status == change.status.as_str())
            && any_or_all(&self.families, |family| *family == family_of(change))
            && any_or_all(&self.services, |service| change.facts.services.contains(service))
            && any_or_all(&self.engines, |engine| change.facts.engines.iter().any(|one| is_engine(one, engine)))
            && self.outdated.as_ref().is_none_or(|(name, version)| is_outdated(change, name, version))
            && self.prefix.as_ref().is_none_or(|prefix| change.object.key.starts_with(prefix.as_str()))
            && self.reason.as_ref().is_none_or(|text| {
                change.reason.as_ref().is_some_and(|reason| reason.to_lowercase().contains(text.as_str()))
            })
    }
}

/// Whether `is` holds for one of them; it need not where there are none.
fn any_or_all(words: &[String], is: impl FnMut(&String) -> bool) -> bool {
    words.is_empty() || words.iter().any(is)
}

fn family_of(change: &Change) -> String {
    let family = change.media_type.as_deref().map_or(Family::Other, Family::of);
    format!("{family:?}").to_lowercase()
}

/// Whether `engine` is `wanted`, in some version or in the one that is named.
fn is_engine(engine: &str, wanted: &str) -> bool {
    engine.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

fn is_outdated(change: &Change, name: &str, version: &str) -> bool {
    let mut versions = change.facts.engines.iter().filter(|engine| is_engine(engine, name));
    versions.any(|engine| engine[name.len()..].trim() != version)
}

/// `sluice documents 0.2.0` is an engine and its version.
fn engine_and_version(text: &str) -> anyhow::Result<(String, String)> {
    let parts = text.trim().rsplit_once(' ').filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()));
    let (name, version) = parts.with_context(|| {
        let message = format!("failed to understand the engine `{text}`");
        Problem::new(Exit::Usage, message, "write name and version, such as `tesseract 5.4.0`")
    })?;
    Ok((name.trim().to_owned(), version.to_owned()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A record of a PDF that succeeded.
    pub(crate) fn change(key: &str) -> Change {
        serde_json::from_value(serde_json::json!({
            "schema_version": "1.0", "run": "r", "execution_arn": "arn", "bucket": "raw", "key": key,
            "version_id": "v1", "object_uri": format!("s3://raw/{key}"), "size_bytes": 1, "event": "created",
            "event_time": "2026-05-01T12:00:00Z", "sequencer": "0A", "status": "PARTIAL",
            "reason": "Textract: page 2 is too large", "media_type": "application/pdf", "sensitivity": "NONE",
            "text_chars": 0, "counts": {}, "services": ["document-text", "textract"],
            "engines": ["sluice documents 0.1.0", "tesseract 5.3.0"], "cost_usd": 0.0,
            "started": "2026-05-01T12:00:01Z", "recorded": "2026-05-01T12:00:02Z", "seconds": 1.0,
        }))
        .unwrap()
    }

    fn wanted(words: &[&str]) -> bool {
        use clap::Parser as _;
        let words = ["sluice", "replay", "--all"].iter().chain(words);
        let crate::arguments::Command::Replay(arguments) = crate::arguments::Arguments::parse_from(words).command
        else {
            panic!("no replay")
        };
        let time = |text: &Option<String>| text.as_deref().map(|text| text.parse().unwrap());
        let span = Span { since: time(&arguments.wanted.since), until: time(&arguments.wanted.until) };
        let recorded_before = time(&arguments.wanted.recorded_before);
        Selection::new(&arguments.wanted, span, recorded_before).unwrap().wants(&change("scans/a.pdf"))
    }

    #[test]
    fn filters_look_at_the_newest_record() {
        let cases: [(&[&str], bool); 24] = [
            (&[], true),
            (&["--status", "partial"], true),
            (&["--status", "FAILED"], false),
            (&["--status", "FAILED", "--status", "PARTIAL"], true),
            (&["--family", "PDF"], true),
            (&["--family", "image", "--family", "text"], false),
            (&["--service", "textract"], true),
            (&["--service", "transcribe"], false),
            (&["--engine", "tesseract"], true),
            (&["--engine", "tesseract 5.3.0"], true),
            (&["--engine", "tesseract 5"], false),
            (&["--engine", "tess"], false),
            (&["--outdated", "tesseract 5.4.0"], true),
            (&["--outdated", "tesseract 5.3.0"], false),
            (&["--outdated", "sluice documents 0.2.0"], true),
            (&["--outdated", "lingua 2.0"], false),
            (&["--prefix", "scans/"], true),
            (&["--prefix", "a"], false),
            (&["--reason", "textract"], true),
            (&["--reason", "throttled"], false),
            (&["--since", "2026-05-01T12:00:00Z", "--until", "2026-05-01T12:00:01Z"], true),
            (&["--until", "2026-05-01T12:00:00Z"], false),
            (&["--recorded-before", "2026-05-01T12:00:03Z"], true),
            (&["--recorded-before", "2026-05-01T12:00:02Z"], false),
        ];
        for (words, expected) in cases {
            assert_eq!(self::wanted(words), expected, "{words:?}");
        }
    }

    #[test]
    fn removed_objects_are_never_run_anew() {
        let all = Selection::new(&Wanted::default(), Span::default(), None).unwrap();
        let removed = Change { event: EventKind::Removed, ..change("a") };
        assert!(all.wants(&change("a")) && !all.wants(&removed));
    }

    #[test]
    fn an_outdated_engine_has_a_version() {
        assert_eq!(engine_and_version("sluice documents 0.2.0").unwrap(), ("sluice documents".into(), "0.2.0".into()));
        for text in ["tesseract", "tesseract new", ""] {
            assert!(engine_and_version(text).is_err(), "{text}");
        }
    }
}
