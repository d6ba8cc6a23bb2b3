//! One execution of a state machine, driven from outside: stimuli come in, log entries and effects
//! go out, nothing happens by itself.
//!
//! The caller commits the entries of a [`Step`] and only then performs its effects. State changes
//! in one place only, the fold of a log entry, so [`Execution::replay`] of a committed log gives
//! the state that wrote it; [`Execution::resume`] then goes on.

mod decide;
mod failing;
mod fold;
mod frame;
mod map_run;
mod stimulus;
mod task;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use self::frame::Frame;
pub use self::map_run::{MapInputs, MapItem};
pub use self::stimulus::Stimulus;
pub use self::work::{Effect, Finish, Status, TaskId, TimerId, TimerPurpose};
use crate::context::StartContext;
use crate::definition::Definition;
use crate::failure::Failure;
use crate::log::{Event, FrameId, LogEntry};
use crate::timestamp;

/// The most events that a history may hold:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>.
pub const MAX_HISTORY_EVENTS: u64 = 25_000;

/// The flow of the machine itself.
const ROOT: FrameId = 0;

/// What a stimulus led to.
#[derive(Debug, Default)]
pub struct Step {
    /// To be committed first.
    pub events: Vec<LogEntry>,
    /// To be performed after the events are committed.
    pub effects: Vec<Effect>,
}

/// A log that this engine did not write, or not whole, or for another definition.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReplayError {
    /// The log has no entry.
    #[error("replay the log: it is empty")]
    Empty,
    /// An entry is missing or out of order.
    #[error("replay the log: found entry `{found}` where `{expected}` belongs")]
    OutOfOrder {
        /// The sequence number that belongs there.
        expected: u64,
        /// The sequence number that is there.
        found: u64,
    },
    /// An entry does not follow from those before it and the definition.
    #[error("replay the log: entry `{sequence}` does not fit the definition or the entries before it")]
    DoesNotFit {
        /// The sequence number of the entry.
        sequence: u64,
    },
}

/// An execution: a definition, the facts of its start, and the fold of its log.
#[derive(Debug)]
pub struct Execution {
    definition: Arc<Definition>,
    start: StartContext,
    status: Status,
    finish: Option<Finish>,
    redrive: Option<(u32, Timestamp)>,
    deadline: Option<(TimerId, Timestamp)>,
    frames: BTreeMap<FrameId, Frame>,
    /// Flows that can go on by themselves, the one that rested longest first.
    ready: BTreeSet<(u64, FrameId)>,
    work: work::OpenWork,
    next_sequence: u64,
    next_event_id: u64,
    next_frame: FrameId,
}

impl Execution {
    /// Starts an execution.
    pub fn start(
        definition: Arc<Definition>,
        start: StartContext,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
    ) -> (Self, Step) {
        let started = Event::ExecutionStarted { input: start.input.clone(), role_arn: start.role_arn.clone() };
        let mut execution = Self::new(definition, start);
        let mut step = Step::default();
        execution.emit(ROOT, started, now, &mut step);
        execution.drive(now, random, &mut step);
        execution.finish_step(&mut step);
        (execution, step)
    }

    /// Folds a committed log. Follow with [`Self::open_work`] and [`Self::resume`].
    ///
    /// # Errors
    /// When the log has a gap or does not fit the definition.
    pub fn replay(
        definition: Arc<Definition>,
        start: StartContext,
        log: impl IntoIterator<Item = LogEntry>,
    ) -> Result<Self, ReplayError> {
        let mut execution = Self::new(definition, start);
        for entry in log {
            execution.apply(&entry)?;
        }
        if execution.next_sequence == 0 {
            return Err(ReplayError::Empty);
        }
        execution.work.forget_changes();
        Ok(execution)
    }

    /// Goes on after a replay whose log ends in the middle of a step; otherwise does nothing.
    pub fn resume(&mut self, now: Timestamp, random: &mut dyn FnMut() -> f64) -> Step {
        let now = timestamp::for_log(now);
        let mut step = Step::default();
        self.settle_callbacks(now, &mut step);
        self.drive(now, random, &mut step);
        self.finish_step(&mut step);
        step
    }

    /// Takes one stimulus. What refers to a task or timer that is not open is ignored, so a
    /// stimulus may be delivered twice.
    pub fn advance(&mut self, stimulus: Stimulus, now: Timestamp, random: &mut dyn FnMut() -> f64) -> Step {
        let now = timestamp::for_log(now);
        let mut step = Step::default();
        self.take(stimulus, now, random, &mut step);
        self.drive(now, random, &mut step);
        self.finish_step(&mut step);
        step
    }

    /// Every effect that is outstanding: tasks in flight and timers with their due times.
    #[must_use]
    pub fn open_work(&self) -> Vec<Effect> {
        let timers = self.work.timers().filter_map(|timer| self.timer_effect(timer));
        self.work.tasks().filter_map(|task| self.task_effect(task)).chain(timers).collect()
    }

    /// Whether the execution runs, or how it ended.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// How the execution ended, with its output or its failure.
    #[must_use]
    pub fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// How often the execution was redriven.
    #[must_use]
    pub fn redrive_count(&self) -> u32 {
        self.redrive.map_or(0, |(count, _)| count)
    }

    /// How many events the service's history of it would hold.
    #[must_use]
    pub fn history_length(&self) -> u64 {
        self.next_event_id - 1
    }

    fn new(definition: Arc<Definition>, start: StartContext) -> Self {
        Self {
            definition,
            start,
            status: Status::Running,
            finish: None,
            redrive: None,
            deadline: None,
            frames: BTreeMap::new(),
            ready: BTreeSet::new(),
            work: work::OpenWork::default(),
            next_sequence: 0,
            next_event_id: 1,
            next_frame: ROOT,
        }
    }

    /// Lets every flow go on, in turn, until all of them wait for somebody.
    fn drive(&mut self, now: Timestamp, random: &mut dyn FnMut() -> f64, step: &mut Step) {
        while self.status == Status::Running {
            let Some((_, frame)) = self.ready.first().copied() else {
                return;
            };
            self.go_on(frame, now, random, step);
        }
    }

    /// Records an event and folds it.
    fn emit(&mut self, frame: FrameId, event: Event, now: Timestamp, step: &mut Step) {
        let previous = self.frames.get(&frame).map_or(0, |frame| frame.cursor);
        self.emit_after(previous, frame, event, now, step);
    }

    fn emit_after(&mut self, previous: u64, frame: FrameId, event: Event, now: Timestamp, step: &mut Step) {
        let is_last = event.is_closing();
        if !event.is_internal() && !is_last && self.next_event_id >= MAX_HISTORY_EVENTS {
            let cause = format!("The execution reached the maximum number of history events ({MAX_HISTORY_EVENTS}).");
            let failure = Failure::runtime(cause);
            return self.emit_after(self.history_length(), ROOT, Event::ExecutionFailed { failure }, now, step);
        }
        let entry = LogEntry {
            sequence: self.next_sequence,
            frame,
            at: timestamp::for_log(now),
            event_id: (!event.is_internal()).then_some(self.next_event_id),
            previous_event_id: previous,
            event,
        };
        self.apply(&entry).expect("an entry that was just decided on fits the state");
        step.events.push(entry);
    }

    fn finish_step(&mut self, step: &mut Step) {
        step.effects = self.take_effects();
        if step.events.iter().any(|entry| entry.event.is_closing())
            && let Some(finish) = &self.finish
        {
            step.effects.push(Effect::Finished(finish.clone()));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

#[cfg(test)]
mod task_tests;
