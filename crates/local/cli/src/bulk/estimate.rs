//! What files would cost, before anything is spent: counts by kind, and a list price between two bounds. Pure.
//!
//! Only names and sizes are known, so what is in a file is guessed from its size, at least and at most; each guess
//! stands beside its number below. The prices are those of the services in `services`; that of Step Functions is here.
//! Not in it: Lambda, S3, SQS and storage, which cost less than the rest by far, discounts, free tiers, and taxes.

use std::collections::BTreeMap;

use domain::media::Family;
use domain::object::ObjectRef;
use domain::plan::{Subject, Track};
use domain::settings::Settings;
use serde::Serialize;
use services::{Amount, registry};

use super::candidate::Candidate;
use crate::upload::declared_type;

/// A state transition, us-east-1: <https://aws.amazon.com/step-functions/pricing/>.
const TRANSITION_USD: f64 = 0.000_025;

/// Transitions of a run that extracts nothing, and of one that does, its tracks and tasks apart: see ARCHITECTURE.md.
const SHORT_RUN: u64 = 3;
const LONG_RUN: u64 = 5;
const TRACK: u64 = 1;
const TASK: u64 = 2;
const POLL: u64 = 3;

/// A job is asked about so often at most: a recording of four hours.
const MOST_POLLS: u64 = 30;

/// A scanned page has about this much, a page of text a hundredth.
const SCAN_BYTES: u64 = 100_000;

/// A page of text.
const PAGE_CHARS: u64 = 3_000;

/// Words that are spoken in a second.
const SPOKEN_CHARS: u64 = 15;

/// Transcribe takes four hours.
const MOST_SECONDS: u64 = 4 * 3600;

/// Suffixes that are told apart; the others are one.
const MOST_SUFFIXES: usize = 200;

/// Files of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Kind {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) least_usd: f64,
    pub(crate) most_usd: f64,
}

/// All files, by what their suffixes say.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Estimate {
    pub(crate) families: BTreeMap<Family, Kind>,
    /// How many files have each suffix, in small letters; none is the empty one.
    pub(crate) suffixes: BTreeMap<String, u64>,
    pub(crate) total: Kind,
    #[serde(skip)]
    settings: Settings,
}

impl Estimate {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Counts one file in.
    pub(crate) fn add(&mut self, candidate: &Candidate) {
        let subject = subject(candidate);
        let (least_usd, most_usd) = price(&subject, &self.settings);
        let one = Kind { files: 1, bytes: candidate.size_bytes, least_usd, most_usd };
        self.families.entry(subject.family).or_default().add(one);
        self.total.add(one);
        let suffix = suffix(&candidate.object);
        let known = self.suffixes.len() < MOST_SUFFIXES || self.suffixes.contains_key(&suffix);
        *self.suffixes.entry(if known { suffix } else { "*".to_owned() }).or_default() += 1;
    }
}

impl Kind {
    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.least_usd += other.least_usd;
        self.most_usd += other.most_usd;
    }
}

fn suffix(object: &ObjectRef) -> String {
    let suffix = object.file_name().rsplit_once('.').map(|(_, suffix)| suffix.to_lowercase());
    suffix.filter(|suffix| suffix.len() <= 16).unwrap_or_default()
}

/// What classification would find if the suffix told the truth.
fn subject(candidate: &Candidate) -> Subject {
    let media_type = declared_type(candidate.object.file_name().as_ref());
    let media_type = media_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    Subject {
        object: candidate.object.clone(),
        etag: candidate.etag.clone().unwrap_or_default(),
        size_bytes: candidate.size_bytes,
        family: Family::of(&media_type),
        media_type,
        declared_type: None,
    }
}

/// The least and the most that a file costs.
fn price(subject: &Subject, settings: &Settings) -> (f64, f64) {
    let tracks = if subject.size_bytes == 0 { Vec::new() } else { tracks(subject, settings) };
    if tracks.is_empty() {
        return (usd(SHORT_RUN), usd(SHORT_RUN));
    }
    let (least, most) = amounts(subject);
    let services = |amount: &Amount| -> f64 {
        let tasks = tracks.iter().flat_map(|track| &track.tasks);
        let priced =
            tasks.filter_map(|task| Some(registry::find(&task.service)?.list_price_usd(&task.features, amount)));
        priced.sum()
    };
    let states: u64 = LONG_RUN + tracks.iter().map(|track| TRACK + TASK * track.tasks.len() as u64).sum::<u64>();
    let polls = if most.seconds > 0 || most.pages > 1 { MOST_POLLS } else { 0 };
    (usd(states) + services(&least), usd(states + POLL * polls) + services(&most))
}

/// The plan for a file, unless a service would refuse it.
fn tracks(subject: &Subject, settings: &Settings) -> Vec<Track> {
    let tracks = registry::plan(subject, settings).unwrap_or_default();
    let mut tasks = tracks.iter().flat_map(|track| &track.tasks);
    let refused =
        tasks.any(|task| registry::find(&task.service).is_some_and(|service| service.check(subject, task).is_err()));
    if refused { Vec::new() } else { tracks }
}

/// How much may be in a file: at least, and at most.
fn amounts(subject: &Subject) -> (Amount, Amount) {
    let bytes = subject.size_bytes;
    let text = |text_chars| Amount { text_chars, ..Amount::default() };
    match subject.family {
        // In UTF-8 a character has four bytes at most.
        Family::Text => (text(bytes / 4), text(bytes)),
        // Much of it is marks, or a picture in Base64.
        Family::Html | Family::Mail => (text(bytes / 50), text(bytes)),
        // Text is packed to a third; or it is hardly there beside pictures.
        Family::Office => (text(bytes / 100), text(bytes * 3)),
        // All pages have text of their own, or all are scans.
        Family::Pdf => {
            let pages = bytes.div_ceil(SCAN_BYTES);
            (text(pages * PAGE_CHARS / 2), Amount { pages, text_chars: pages * PAGE_CHARS, seconds: 0 })
        }
        Family::Image => {
            (Amount { pages: 1, ..Amount::default() }, Amount { pages: 1, text_chars: PAGE_CHARS, seconds: 0 })
        }
        Family::Audio | Family::Video => speech(bytes, rates(subject)),
        Family::Other => (Amount::default(), Amount::default()),
    }
}

/// The most and the fewest bytes in a second: of a compact disc and of speech in plain samples, of 320 and 16 kbit/s,
/// of a good film and of a poor one.
fn rates(subject: &Subject) -> (u64, u64) {
    match (subject.family, subject.media_type.as_str()) {
        (Family::Video, _) => (1_000_000, 30_000),
        (_, "audio/wav" | "audio/flac") => (176_400, 16_000),
        _ => (40_000, 2_000),
    }
}

fn speech(bytes: u64, (most_rate, least_rate): (u64, u64)) -> (Amount, Amount) {
    let spoken = |seconds: u64| {
        let seconds = seconds.min(MOST_SECONDS);
        Amount { seconds, text_chars: seconds * SPOKEN_CHARS, pages: 0 }
    };
    (spoken(bytes.div_ceil(most_rate)), spoken(bytes.div_ceil(least_rate)))
}

#[expect(clippy::cast_precision_loss, reason = "no run has 2^52 transitions")]
fn usd(transitions: u64) -> f64 {
    transitions as f64 * TRANSITION_USD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::candidate::Position;

    fn candidate(key: &str, size_bytes: u64) -> Candidate {
        Candidate {
            object: ObjectRef::new("b", key),
            etag: None,
            size_bytes,
            modified: jiff::Timestamp::UNIX_EPOCH,
            position: Position::Inventory { file: 0, rows: 0 },
        }
    }

    fn priced(key: &str, size_bytes: u64) -> (f64, f64) {
        price(&subject(&candidate(key, size_bytes)), &Settings::default())
    }

    #[test]
    fn what_nothing_reads_costs_three_transitions() {
        for (key, bytes) in [("a.zip", 1_000), ("a", 1_000), ("a.txt", 0), ("a.png", 40 << 20), ("a.mp3", 3 << 30)] {
            assert_eq!(priced(key, bytes), (usd(SHORT_RUN), usd(SHORT_RUN)), "{key} {bytes}");
        }
    }

    #[test]
    fn the_price_follows_what_may_be_inside() {
        // Ten states, five features of 300 and 1,000 characters.
        let (least, most) = priced("a.txt", 1_000);
        assert!((least - (usd(10) + 5.0 * 3.0 * 0.0001)).abs() < 1e-9, "{least}");
        assert!((most - (usd(10) + 5.0 * 10.0 * 0.0001)).abs() < 1e-9, "{most}");
        // Two pages of a PDF cost 0.065 each where they are scans, and nothing where they have text.
        let (least, most) = priced("a.pdf", 200_000);
        assert!(least < 0.05 && most > 0.13, "{least} {most}");
        // One minute of speech in plain samples, at least.
        let (least, most) = priced("a.wav", 176_400 * 60);
        assert!(least > 0.024 && least < 0.04 && most > 0.2, "{least} {most}");
    }

    #[test]
    fn kinds_and_suffixes_are_counted() {
        let mut estimate = Estimate::new(Settings::default());
        for key in ["a.PDF", "b.pdf", "c/d.e/readme", "x.tar.gz", "y.jpeg"] {
            estimate.add(&candidate(key, 10));
        }
        let files = |family| estimate.families.get(&family).map(|kind| kind.files);
        assert_eq!((files(Family::Pdf), files(Family::Image), files(Family::Other)), (Some(2), Some(1), Some(2)));
        assert_eq!((estimate.suffixes["pdf"], estimate.suffixes[""], estimate.suffixes["gz"]), (2, 1, 1));
        assert_eq!((estimate.total.files, estimate.total.bytes), (5, 50));
        for place in 0..2 * MOST_SUFFIXES {
            estimate.add(&candidate(&format!("a.{place}"), 10));
        }
        assert_eq!(estimate.suffixes.len(), MOST_SUFFIXES + 1);
    }
}
