//! Entries about tasks that somebody else does.

use jiff::Timestamp;

use super::super::Execution;
use super::super::frame::{Flight, Phase};
use super::super::work::{TaskId, TimerId, TimerPurpose};
use super::{Fits, later};
use crate::integration::Resource;
use crate::log::{Event, FrameId, LogEntry};

impl Execution {
    pub(super) fn fold_task(&mut self, entry: &LogEntry, event: &Event) -> Fits {
        match event {
            Event::ActivityRequested { .. } => self.fold_requested(entry),
            Event::TaskScheduled { .. } => self.fold_scheduled(entry),
            Event::TaskStarted { .. } => self.fold_task_started(entry),
            Event::TaskSubmitted { output, .. } => {
                self.move_cursor(entry)?;
                let flight = self.flight_of(entry.frame)?;
                flight.submitted = Some(output.clone());
                let task = flight.task;
                self.work.submit_task(task);
                Some(())
            }
            Event::CallbackReceived { outcome } => {
                self.flight_of(entry.frame)?.callback = Some(outcome.clone());
                Some(())
            }
            Event::HeartbeatReceived => self.fold_heartbeat(entry),
            Event::TaskSucceeded { output, .. } => {
                self.fold_answered(entry)?;
                self.set_phase(entry.frame, Phase::Returned { result: output.clone() })
            }
            Event::TaskFailed { failure, .. } | Event::TaskSubmitFailed { failure, .. } => {
                self.fold_answered(entry)?;
                self.fail(entry.frame, failure)
            }
            Event::TaskTimedOut { failure, .. } => {
                self.move_cursor(entry)?;
                self.fail(entry.frame, failure)
            }
            other => self.fold_container(entry, other),
        }
    }

    fn fold_requested(&mut self, entry: &LogEntry) -> Fits {
        let flight = flight(entry)?;
        self.set_phase(entry.frame, Phase::Requested(flight))
    }

    fn fold_scheduled(&mut self, entry: &LogEntry) -> Fits {
        self.move_cursor(entry)?;
        if let Phase::Requested(request) = &self.frames.get(&entry.frame)?.phase {
            self.work.answer_task(request.task);
        }
        let mut flight = flight(entry)?;
        // The time of an activity's task begins when a worker takes it.
        if !matches!(flight.resource, Resource::Activity { .. }) {
            flight.set_timers(entry);
        }
        self.frames.get_mut(&entry.frame)?.current.as_mut()?.task = Some(flight.task);
        self.set_phase(entry.frame, Phase::InFlight(flight))
    }

    fn fold_task_started(&mut self, entry: &LogEntry) -> Fits {
        self.move_cursor(entry)?;
        let flight = self.flight_of(entry.frame)?;
        flight.started = true;
        if matches!(flight.resource, Resource::Activity { .. }) {
            flight.set_timers(entry);
            let timers = [flight.timeout, flight.heartbeat];
            timers.into_iter().flatten().for_each(|(timer, _)| self.work.open_timer(timer, entry.frame));
        }
        Some(())
    }

    fn fold_heartbeat(&mut self, entry: &LogEntry) -> Fits {
        let flight = self.flight_of(entry.frame)?;
        let next = timer(entry, TimerPurpose::Heartbeat, flight.heartbeat_seconds?);
        let (old, _) = flight.heartbeat.replace(next)?;
        self.work.drop_timer(old);
        self.work.open_timer(next.0, entry.frame);
        Some(())
    }

    fn fold_answered(&mut self, entry: &LogEntry) -> Fits {
        self.move_cursor(entry)?;
        let task = self.flight_of(entry.frame)?.task;
        self.work.answer_task(task);
        Some(())
    }

    fn flight_of(&mut self, id: FrameId) -> Option<&mut Flight> {
        match &mut self.frames.get_mut(&id)?.phase {
            Phase::InFlight(flight) => Some(flight),
            _ => None,
        }
    }
}

impl Flight {
    fn set_timers(&mut self, entry: &LogEntry) {
        self.timeout = self.timeout_seconds.map(|seconds| timer(entry, TimerPurpose::TaskTimeout, seconds));
        self.heartbeat = self.heartbeat_seconds.map(|seconds| timer(entry, TimerPurpose::Heartbeat, seconds));
    }
}

/// The task that an entry asks for; its timers are not set yet.
fn flight(entry: &LogEntry) -> Option<Flight> {
    let (Event::TaskScheduled { resource, parameters, timeout_seconds, heartbeat_seconds, role_arn, .. }
    | Event::ActivityRequested { resource, parameters, timeout_seconds, heartbeat_seconds, role_arn }) = &entry.event
    else {
        return None;
    };
    Some(Flight {
        task: TaskId(entry.sequence),
        resource: resource.clone(),
        input: parameters.clone(),
        role_arn: role_arn.clone(),
        started: false,
        submitted: None,
        callback: None,
        timeout_seconds: *timeout_seconds,
        heartbeat_seconds: *heartbeat_seconds,
        timeout: None,
        heartbeat: None,
    })
}

fn timer(entry: &LogEntry, purpose: TimerPurpose, seconds: u64) -> (TimerId, Timestamp) {
    (TimerId { entry: entry.sequence, purpose }, later(entry.at, seconds))
}
