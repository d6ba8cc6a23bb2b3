//! The fold: how each log entry changes the state. Nothing else changes it, and nothing here
//! decides, evaluates expressions or reads a clock.

mod containers;
mod lifecycle;
mod map_run;
mod task;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::frame::{Current, Phase, Trouble};
use super::work::{Status, TimerId, TimerPurpose};
use super::{Execution, ReplayError};
use crate::failure::Failure;
use crate::log::{Event, FrameId, LogEntry, StateKind};
use crate::payload::Payload;

/// `None` where an entry does not fit the state.
type Fits = Option<()>;

impl Execution {
    pub(super) fn apply(&mut self, entry: &LogEntry) -> Result<(), ReplayError> {
        if entry.sequence != self.next_sequence {
            return Err(ReplayError::OutOfOrder { expected: self.next_sequence, found: entry.sequence });
        }
        self.fold(entry).ok_or(ReplayError::DoesNotFit { sequence: entry.sequence })?;
        self.next_sequence += 1;
        if let Some(id) = entry.event_id {
            self.next_event_id = id + 1;
        }
        Ok(())
    }

    fn fold(&mut self, entry: &LogEntry) -> Fits {
        match &entry.event {
            Event::ExecutionStarted { input, .. } => self.fold_started(input, entry.at),
            Event::ExecutionSucceeded { output } => self.close(Status::Succeeded, Some(output), &Failure::default()),
            Event::ExecutionFailed { failure } => self.close(Status::Failed, None, failure),
            Event::ExecutionAborted { failure } => self.close(Status::Aborted, None, failure),
            Event::ExecutionTimedOut { failure } => self.close(Status::TimedOut, None, failure),
            Event::ExecutionRedriven { redrive_count } => self.fold_redriven(*redrive_count, entry),
            Event::StateEntered { name, input, .. } => self.fold_entered(entry, name, input),
            Event::StateExited { output, assigned, next, .. } => {
                let variables = &mut self.frames.get_mut(&entry.frame)?.variables;
                if !assigned.is_empty() {
                    Arc::make_mut(variables).extend(assigned.clone());
                }
                self.fold_exited(entry, output, next.as_deref())
            }
            Event::StateAborted { .. } | Event::FlowAborted => self.fold_aborted(entry),
            Event::WaitScheduled { due } => {
                let timer = TimerId { entry: entry.sequence, purpose: TimerPurpose::Wait };
                self.set_phase(entry.frame, Phase::Waiting { timer, due: *due })
            }
            Event::RetryScheduled { due, rule } => self.fold_retry(entry, *due, *rule),
            Event::MapRun(event) => self.fold_map_run(entry, event),
            Event::EvaluationFailed { failure, is_final, .. } => self.fold_evaluation_failed(entry, failure, *is_final),
            other => self.fold_task(entry, other),
        }
    }

    fn fold_entered(&mut self, entry: &LogEntry, name: &str, input: &Payload) -> Fits {
        let frame = self.frames.get_mut(&entry.frame)?;
        let state = frame.flow.states.get(name)?.clone();
        let attempts = vec![0; state.retry.len()];
        frame.current = Some(Current {
            state,
            input: input.clone(),
            entered_event_id: entry.event_id?,
            previous_event_id: entry.previous_event_id,
            entered_at: entry.at,
            retry_count: 0,
            attempts,
            map_run: None,
            task: None,
        });
        self.move_cursor(entry)?;
        self.set_phase(entry.frame, Phase::Executing)
    }

    fn fold_exited(&mut self, entry: &LogEntry, output: &Payload, next: Option<&str>) -> Fits {
        self.move_cursor(entry)?;
        self.drop_container(entry.frame);
        let frame = self.frames.get_mut(&entry.frame)?;
        frame.current = None;
        let phase = match next {
            Some(next) => Phase::Entering { name: next.to_owned(), input: output.clone() },
            None => Phase::Ended { output: output.clone() },
        };
        let is_end = next.is_none();
        let parent = frame.parent;
        self.set_phase(entry.frame, phase)?;
        // The history has no event for the end of a branch, so its last state's exit is that.
        match parent.and_then(|parent| self.frames.get(&parent)?.container.as_ref()) {
            Some(container) if is_end && container.items.is_none() => self.complete_child(entry.frame),
            _ => Some(()),
        }
    }

    fn fold_aborted(&mut self, entry: &LogEntry) -> Fits {
        let frame = self.frames.get_mut(&entry.frame)?;
        let before = std::mem::take(&mut frame.phase);
        self.close_work(&before);
        self.set_phase(entry.frame, Phase::Aborted(Box::new(before)))
    }

    fn fold_retry(&mut self, entry: &LogEntry, due: Timestamp, rule: usize) -> Fits {
        self.drop_container(entry.frame);
        let current = self.frames.get_mut(&entry.frame)?.current.as_mut()?;
        current.retry_count += 1;
        current.map_run = None;
        *current.attempts.get_mut(rule)? += 1;
        let timer = TimerId { entry: entry.sequence, purpose: TimerPurpose::Retry };
        self.set_phase(entry.frame, Phase::RetryWaiting { timer, due })
    }

    /// A Map or Parallel that fails before its children are there says so itself.
    fn fold_evaluation_failed(&mut self, entry: &LogEntry, failure: &Failure, is_final: bool) -> Fits {
        self.move_cursor(entry)?;
        let frame = self.frames.get(&entry.frame)?;
        let kind = frame.current.as_ref()?.state.kind.name();
        let is_untold = matches!(kind, StateKind::Map | StateKind::Parallel)
            && matches!(frame.phase, Phase::Executing | Phase::Containing);
        let trouble = Trouble { failure: failure.clone(), child: None, is_untold, is_final };
        self.set_phase(entry.frame, Phase::Failing(trouble))
    }

    fn fail(&mut self, id: FrameId, failure: &Failure) -> Fits {
        self.set_phase(id, Phase::Failing(Trouble::told(failure.clone())))
    }

    fn set_phase(&mut self, id: FrameId, phase: Phase) -> Fits {
        self.unready(id);
        let frame = self.frames.get_mut(&id)?;
        let before = std::mem::replace(&mut frame.phase, phase);
        let (task, timers) = (frame.phase.task(), frame.phase.timers());
        self.close_work(&before);
        if let Some(task) = task {
            self.work.open_task(task, id);
        }
        for (timer, _) in timers.into_iter().flatten() {
            self.work.open_timer(timer, id);
        }
        self.touch(id)
    }

    fn close_work(&mut self, phase: &Phase) {
        if let Some(task) = phase.task() {
            self.work.drop_task(task);
        }
        for (timer, _) in phase.timers().into_iter().flatten() {
            self.work.drop_timer(timer);
        }
    }

    /// Puts a flow at the end of the queue, if it can go on by itself. Failing flows go first, so
    /// that no branch starts new work while its neighbour is failing.
    fn touch(&mut self, id: FrameId) -> Fits {
        self.unready(id);
        let sequence = self.next_sequence;
        let frame = self.frames.get_mut(&id)?;
        frame.touched = if matches!(frame.phase, Phase::Failing(_)) { 0 } else { sequence };
        if frame.phase.is_ready() {
            self.ready.insert((frame.touched, id));
        }
        Some(())
    }

    pub(super) fn unready(&mut self, id: FrameId) {
        if let Some(frame) = self.frames.get(&id) {
            self.ready.remove(&(frame.touched, id));
        }
    }

    fn move_cursor(&mut self, entry: &LogEntry) -> Fits {
        self.frames.get_mut(&entry.frame)?.cursor = entry.event_id?;
        Some(())
    }
}

fn later(from: Timestamp, seconds: u64) -> Timestamp {
    let delay = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    from.saturating_add(delay).unwrap_or(Timestamp::MAX)
}
