//! What follows a failure: neighbours are aborted, then `Retry`, then `Catch`, then the flow around.
//!
//! Spec: <https://states-language.net/#errors>.

use jiff::Timestamp;

use super::frame::{Frame, Phase, Trouble};
use super::{Execution, Step};
use crate::failure::{Failure, Fault};
use crate::log::{Event, FrameId, MapRunEvent, StateKind};
use crate::timestamp;

impl Execution {
    pub(super) fn go_on_failing(
        &mut self,
        id: FrameId,
        trouble: Trouble,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
        step: &mut Step,
    ) {
        if trouble.child.is_some()
            && let Some((frame, event)) = self.next_abort(id, trouble.child)
        {
            let previous = self.frame(id).cursor;
            return self.emit_after(previous, frame, event, now, step);
        }
        self.handle(id, trouble, now, random, step);
    }

    /// Tries again, tells, goes on elsewhere, or fails the flow, whichever comes first.
    pub(super) fn handle(
        &mut self,
        id: FrameId,
        trouble: Trouble,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
        step: &mut Step,
    ) {
        let Trouble { failure, is_untold, is_final, .. } = trouble;
        let state = self.current(id).state.clone();
        if let Some((due, rule)) = self.retry(id, &failure, now, random).filter(|_| !is_final) {
            return self.emit(id, Event::RetryScheduled { due, rule }, now, step);
        }
        // A container says that it failed, but only once nothing is tried again.
        if is_untold {
            let is_map = state.kind.name() == StateKind::Map;
            return self.emit(id, if is_map { Event::MapFailed } else { Event::ParallelFailed }, now, step);
        }
        let Some(catcher) = state.catch.iter().find(|catcher| !is_final && catcher.matches(&failure)) else {
            return self.fail_flow(id, failure, now, step);
        };
        match self.with_moment(id, now, random, |moment| moment.leave_caught(catcher, &failure)) {
            Ok(exit) => self.exit(id, exit, now, step),
            Err(fault) => self.fail_catching(id, fault, now, step),
        }
    }

    /// When the state is tried again, and by which rule.
    fn retry(
        &self,
        id: FrameId,
        failure: &Failure,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
    ) -> Option<(Timestamp, usize)> {
        let current = self.current(id);
        let rules = &current.state.retry;
        let rule = rules.iter().position(|retrier| retrier.matches(failure))?;
        let due = rules[rule].due(current.attempts[rule], now, random)?;
        Some((timestamp::for_log(due), rule))
    }

    /// What fails in a `Catch` is not caught.
    fn fail_catching(&mut self, id: FrameId, fault: Fault, now: Timestamp, step: &mut Step) {
        let failure = self.place(id, fault.failure);
        match fault.location {
            None => self.fail_flow(id, failure, now, step),
            Some(location) => self.tell_evaluation_failed(id, failure, location.into(), true, now, step),
        }
    }

    fn fail_flow(&mut self, id: FrameId, failure: Failure, now: Timestamp, step: &mut Step) {
        let is_machine = self.frame(id).parent.is_none();
        let event = if is_machine { Event::ExecutionFailed { failure } } else { Event::FlowFailed { failure } };
        self.emit(id, event, now, step);
    }

    /// The next event that aborting a container's children takes: first the neighbours of the
    /// failed child, from the inside out, and then what is to be said of the failed one.
    fn next_abort(&self, id: FrameId, failed: Option<FrameId>) -> Option<(FrameId, Event)> {
        let frame = self.frame(id);
        let container = frame.container.as_ref()?;
        let iteration = |slot: usize| {
            let name = frame.current.as_ref().map_or_else(String::new, |current| current.state.name.clone());
            container.items.is_some().then_some((name, slot))
        };
        for child in container.running_frames().filter(|child| Some(*child) != failed) {
            let neighbour = self.frame(child);
            if let Some((name, index)) = iteration(neighbour.slot).filter(|_| !neighbour.iteration_closed) {
                return Some((child, Event::MapIterationAborted { name, index }));
            }
            if let Some(inner) = self.next_abort(child, None) {
                return Some(inner);
            }
            if matches!(neighbour.phase, Phase::MapRunning { .. }) {
                return Some((child, Event::MapRun(MapRunEvent::Aborted)));
            }
            if !matches!(neighbour.phase, Phase::Aborted(_) | Phase::Failed) {
                return Some((child, abort_event(neighbour)));
            }
        }
        let child = failed?;
        let frame = self.frame(child);
        if let Some(inner) = self.next_abort(child, None) {
            return Some(inner);
        }
        let is_task = frame.current.as_ref().is_some_and(|current| current.state.kind.name() == StateKind::Task);
        if is_task && matches!(frame.phase, Phase::Failed) {
            return Some((child, Event::StateAborted { kind: StateKind::Task }));
        }
        let (name, index) = iteration(frame.slot).filter(|_| !frame.iteration_closed)?;
        Some((child, Event::MapIterationFailed { name, index }))
    }
}

/// States that take no time have no abort event in the history.
fn abort_event(frame: &Frame) -> Event {
    match frame.current.as_ref().map(|current| current.state.kind.name()) {
        Some(kind @ (StateKind::Task | StateKind::Wait | StateKind::Map | StateKind::Parallel)) => {
            Event::StateAborted { kind }
        }
        _ => Event::FlowAborted,
    }
}
