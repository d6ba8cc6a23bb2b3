//! Which files are meant: by key, time and size. Pure.
//!
//! A pattern without a slash is for the file's name, wherever it lies; one with a slash is for the whole key, and `*`
//! does not go over a slash in it, `**` does.

use anyhow::Context as _;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;

use super::candidate::Candidate;
use super::size::Size;
use crate::arguments::Choice;
use crate::problem::{Exit, Problem};

/// What is meant.
#[derive(Debug)]
pub(crate) struct Filter {
    include: Option<Patterns>,
    exclude: Option<Patterns>,
    span: Span,
    least: Option<Size>,
    most: Option<Size>,
}

/// From a time on, and up to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
}

impl Span {
    /// Whether `time` lies in it.
    pub(crate) fn holds(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

/// Patterns of names and of whole keys.
#[derive(Debug)]
struct Patterns {
    names: GlobSet,
    keys: GlobSet,
}

impl Filter {
    /// # Errors
    /// When a pattern cannot be understood.
    pub(crate) fn new(choice: &Choice, span: Span) -> anyhow::Result<Self> {
        Ok(Self {
            include: Patterns::new(&choice.include)?,
            exclude: Patterns::new(&choice.exclude)?,
            span,
            least: choice.min_size,
            most: choice.max_size,
        })
    }

    /// Whether the file is meant.
    pub(crate) fn wants(&self, candidate: &Candidate) -> bool {
        let (key, size) = (candidate.object.key.as_str(), Size(candidate.size_bytes));
        self.include.as_ref().is_none_or(|include| include.matches(key))
            && !self.exclude.as_ref().is_some_and(|exclude| exclude.matches(key))
            && self.span.holds(candidate.modified)
            && self.least.is_none_or(|least| size >= least)
            && self.most.is_none_or(|most| size <= most)
    }
}

impl Patterns {
    fn new(globs: &[String]) -> anyhow::Result<Option<Self>> {
        if globs.is_empty() {
            return Ok(None);
        }
        let (mut names, mut keys) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for glob in globs {
            let pattern = GlobBuilder::new(glob).literal_separator(true).build().with_context(|| {
                let message = format!("failed to understand the pattern `{glob}`");
                Problem::new(Exit::Usage, message, "write one such as `*.pdf` or `scans/**/*.tif`")
            })?;
            if glob.contains('/') {
                keys.add(pattern)
            } else {
                names.add(pattern)
            };
        }
        let built = || Ok::<_, globset::Error>(Self { names: names.build()?, keys: keys.build()? });
        built().map(Some).context("failed to use the patterns")
    }

    fn matches(&self, key: &str) -> bool {
        let name = key.rsplit('/').next().unwrap_or(key);
        self.keys.is_match(key) || self.names.is_match(name)
    }
}

#[cfg(test)]
mod tests {
    use domain::object::ObjectRef;

    use super::*;
    use crate::bulk::candidate::Position;

    fn candidate(key: &str) -> Candidate {
        Candidate {
            object: ObjectRef::new("b", key),
            etag: None,
            size_bytes: 2_000,
            modified: "2026-05-01T12:00:00Z".parse().unwrap(),
            position: Position::Inventory { file: 0, rows: 0 },
        }
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn names_and_keys_are_matched() {
        let cases = [
            (&["*.pdf"][..], &[][..], "a/b/c.pdf", true),
            (&["*.pdf"], &[], "a/b/c.PDF", false),
            (&["*.{pdf,tif}"], &[], "c.tif", true),
            (&["a/*.pdf"], &[], "a/b/c.pdf", false),
            (&["a/**/*.pdf"], &[], "a/b/c.pdf", true),
            (&["a/**"], &["*.tmp"], "a/x.tmp", false),
            (&[], &["old/**"], "old/x", false),
            (&[], &["old/**"], "new/x", true),
            (&["ü*"], &[], "x/über uns.txt", true),
        ];
        for (include, exclude, key, expected) in cases {
            let choice = Choice { include: words(include), exclude: words(exclude), ..Choice::default() };
            let filter = Filter::new(&choice, Span::default()).unwrap();
            assert_eq!(filter.wants(&candidate(key)), expected, "{include:?} {exclude:?} {key}");
        }
        let bad = Choice { include: words(&["a[b"]), ..Choice::default() };
        assert!(Filter::new(&bad, Span::default()).unwrap_err().to_string().contains("`a[b`"));
    }

    #[test]
    fn times_and_sizes_bound() {
        let at = |text: &str| Some(text.parse().unwrap());
        let noon = "2026-05-01T12:00:00Z";
        let cases = [
            (None, None, None, None, true),
            (at(noon), None, None, None, true),
            (None, at(noon), None, None, false),
            (at("2026-05-02T00:00:00Z"), None, None, None, false),
            (None, None, Some(Size(2_000)), Some(Size(2_000)), true),
            (None, None, Some(Size(2_001)), None, false),
            (None, None, None, Some(Size(1_999)), false),
        ];
        for (since, until, min_size, max_size, expected) in cases {
            let choice = Choice { min_size, max_size, ..Choice::default() };
            let filter = Filter::new(&choice, Span { since, until }).unwrap();
            assert_eq!(filter.wants(&candidate("a")), expected, "{choice:?}");
        }
    }
}
