//! Faults that a user or a test switches on: throttles, errors, delays, killed workers, odd event delivery.
//!
//! A fault strikes a call that comes in over the wire. It never strikes the Runtime API nor the cloud's own inner
//! calls, and it never changes what a call that goes through does.

mod refusal;
#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fastrand::Rng;

pub(crate) use refusal::Refusal;

/// A part of the cloud that faults can be switched on for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// Buckets and objects.
    S3,
    /// The Step Functions API.
    States,
    /// The Invoke API.
    Lambda,
    /// Speech to text.
    Transcribe,
    /// Language.
    Comprehend,
    /// OCR.
    Textract,
    /// Pictures.
    Rekognition,
    /// Sending to the queue.
    Sqs,
    /// Queries.
    Athena,
    /// The catalog of tables.
    Glue,
    /// Delivery of bucket notifications.
    Queue,
}

/// Each surface under the word that stands before the colon.
const SURFACES: [(&str, Surface); 11] = [
    ("s3", Surface::S3),
    ("states", Surface::States),
    ("lambda", Surface::Lambda),
    ("transcribe", Surface::Transcribe),
    ("comprehend", Surface::Comprehend),
    ("textract", Surface::Textract),
    ("rekognition", Surface::Rekognition),
    ("sqs", Surface::Sqs),
    ("athena", Surface::Athena),
    ("glue", Surface::Glue),
    ("queue", Surface::Queue),
];

/// Why a fault word was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    /// No `=`, or a word that is no fault.
    #[error(
        "failed to read the fault `{0}`: write `throttle=0.3`, `error=0.1`, `delay=200ms`, `kill-workers=0.02`, `duplicate-events=0.2` or `reorder-events=0.5`, with `SURFACE:` before it where it is for one surface"
    )]
    Unknown(String),
    /// The word before the colon is no surface.
    #[error(
        "failed to read the fault `{0}`: the surface is one of s3, states, lambda, transcribe, comprehend, textract, rekognition, sqs, athena, glue, queue"
    )]
    Surface(String),
    /// The fault cannot strike that surface.
    #[error(
        "failed to read the fault `{0}`: kill-workers is for lambda, duplicate-events and reorder-events are for queue, and queue takes no other"
    )]
    Misplaced(String),
    /// Not a chance between 0 and 1.
    #[error("failed to read the fault `{0}`: a chance lies between 0 and 1")]
    Chance(String),
    /// Not a time.
    #[error("failed to read the fault `{0}`: a delay is a number with `ms` or `s`, a minute at most")]
    Delay(String),
}

/// The longest delay: more would run into every client's own timeout and show nothing further.
const MOST_DELAY: Duration = Duration::from_mins(1);

/// One word of the command line.
#[derive(Debug, Clone, PartialEq)]
struct Rule {
    surface: Option<Surface>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Throttle(f64),
    Error(f64),
    Delay(Duration),
    KillWorkers(f64),
    DuplicateEvents(f64),
    ReorderEvents(f64),
}

/// The faults of one running cloud; cheap to clone. The default has none.
#[derive(Debug, Clone)]
pub struct Faults {
    rules: Arc<[Rule]>,
    random: Arc<Mutex<Rng>>,
}

/// What happens to one call: it waits, then it may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) delay: Duration,
    pub(crate) refusal: Option<Refusal>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { rules: Arc::new([]), random: Arc::new(Mutex::new(Rng::with_seed(0))) }
    }
}

impl Faults {
    /// Reads command-line words such as `textract:throttle=0.3`; `random` decides when they strike.
    ///
    /// # Errors
    /// When a word is no fault, names no surface, or its value is out of bounds.
    pub fn parse<W: AsRef<str>>(words: &[W], random: Rng) -> Result<Self, FaultError> {
        let rules = words.iter().map(|word| word.as_ref().parse()).collect::<Result<Vec<Rule>, _>>()?;
        Ok(Self { rules: rules.into(), random: Arc::new(Mutex::new(random)) })
    }

    /// Whether any fault is switched on.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Decides about one call to `surface`.
    pub(crate) fn strike(&self, surface: Surface) -> Strike {
        let mut strike = Strike { delay: Duration::ZERO, refusal: None };
        for rule in self.rules.iter().filter(|rule| rule.covers(surface)) {
            match rule.kind {
                Kind::Delay(delay) => strike.delay += delay,
                Kind::Throttle(chance) if self.happens(chance) => {
                    strike.refusal = Some(Refusal::Throttled);
                }
                Kind::Error(chance) if self.happens(chance) => {
                    strike.refusal = Some(Refusal::Failed);
                }
                _ => {}
            }
        }
        strike
    }

    /// Decides whether the worker that takes the next invocation is killed, and how long after it took it.
    #[must_use]
    pub fn kills_worker(&self) -> Option<Duration> {
        let killed =
            self.rules.iter().any(|rule| matches!(rule.kind, Kind::KillWorkers(chance) if self.happens(chance)));
        killed.then(|| Duration::from_millis(self.below(MOST_LIFE_MILLISECONDS)))
    }

    /// Decides whether an event is delivered twice.
    #[must_use]
    pub fn duplicates_event(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.kind, Kind::DuplicateEvents(chance) if self.happens(chance)))
    }

    /// Decides whether an event lets later ones pass.
    #[must_use]
    pub fn reorders_event(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.kind, Kind::ReorderEvents(chance) if self.happens(chance)))
    }

    fn happens(&self, chance: f64) -> bool {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).f64() < chance
    }

    fn below(&self, bound: u64) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).u64(..bound)
    }
}

/// A worker doomed by `kill-workers` dies within this time, so that it is hit before, amid and after its effects.
const MOST_LIFE_MILLISECONDS: u64 = 50;

impl Rule {
    /// Whether a call to `surface` can be struck. The queue is no call: only its own faults strike it.
    fn covers(&self, surface: Surface) -> bool {
        self.surface.is_none_or(|own| own == surface) && surface != Surface::Queue
    }
}

impl FromStr for Rule {
    type Err = FaultError;

    fn from_str(word: &str) -> Result<Self, FaultError> {
        let (surface, fault) = match word.split_once(':') {
            Some((name, fault)) => {
                (Some(surface_named(name).ok_or_else(|| FaultError::Surface(word.to_owned()))?), fault)
            }
            None => (None, word),
        };
        let (name, value) = fault.split_once('=').ok_or_else(|| FaultError::Unknown(word.to_owned()))?;
        let kind = match name {
            "throttle" => Kind::Throttle(chance(word, value)?),
            "error" => Kind::Error(chance(word, value)?),
            "delay" => Kind::Delay(delay(word, value)?),
            "kill-workers" => Kind::KillWorkers(chance(word, value)?),
            "duplicate-events" => Kind::DuplicateEvents(chance(word, value)?),
            "reorder-events" => Kind::ReorderEvents(chance(word, value)?),
            _ => return Err(FaultError::Unknown(word.to_owned())),
        };
        let rule = Self { surface, kind };
        if rule.is_well_placed() { Ok(rule) } else { Err(FaultError::Misplaced(word.to_owned())) }
    }
}

impl Rule {
    fn is_well_placed(&self) -> bool {
        match self.kind {
            Kind::KillWorkers(_) => matches!(self.surface, None | Some(Surface::Lambda)),
            Kind::DuplicateEvents(_) | Kind::ReorderEvents(_) => {
                matches!(self.surface, None | Some(Surface::Queue))
            }
            Kind::Throttle(_) | Kind::Error(_) | Kind::Delay(_) => self.surface != Some(Surface::Queue),
        }
    }
}

fn surface_named(name: &str) -> Option<Surface> {
    SURFACES.iter().find(|(word, _)| *word == name).map(|(_, surface)| *surface)
}

fn chance(word: &str, value: &str) -> Result<f64, FaultError> {
    let parsed = value.parse().ok().filter(|chance| (0.0..=1.0).contains(chance));
    parsed.ok_or_else(|| FaultError::Chance(word.to_owned()))
}

fn delay(word: &str, value: &str) -> Result<Duration, FaultError> {
    let refused = || FaultError::Delay(word.to_owned());
    let (number, unit) = value.split_at(value.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(refused)?);
    let number: u64 = number.parse().map_err(|_| refused())?;
    let delay = match unit {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        _ => return Err(refused()),
    };
    if delay <= MOST_DELAY { Ok(delay) } else { Err(refused()) }
}
