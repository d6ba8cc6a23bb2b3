//! How a task goes on: it is looked for, started, submitted, answered, or too late.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html>. The history tells
//! these in that order, so an answer that comes before the service's own waits in the log for it.

use jiff::Timestamp;

use super::frame::{Flight, Phase};
use super::work::TaskId;
use super::{Execution, Step};
use crate::failure::Failure;
use crate::integration::Resource;
use crate::log::{Event, FrameId};
use crate::payload::Payload;

impl Execution {
    /// Whether a task waits for an answer.
    #[must_use]
    pub fn is_open(&self, task: TaskId) -> bool {
        self.flight(task).is_some_and(|(_, flight)| flight.callback.is_none())
    }

    /// Who does a task that is in flight, its input, and whether it is begun.
    #[must_use]
    pub fn task(&self, task: TaskId) -> Option<(&Resource, &Payload, bool)> {
        self.flight(task).map(|(_, flight)| (&flight.resource, &flight.input, flight.started))
    }

    fn flight(&self, task: TaskId) -> Option<(FrameId, &Flight)> {
        let id = self.work.task_frame(task)?;
        match &self.frames.get(&id)?.phase {
            Phase::InFlight(flight) => Some((id, flight)),
            _ => None,
        }
    }

    fn request(&self, task: TaskId) -> Option<(FrameId, &Flight)> {
        let id = self.work.task_frame(task)?;
        match &self.frames.get(&id)?.phase {
            Phase::Requested(flight) => Some((id, flight)),
            _ => None,
        }
    }

    pub(super) fn activity_found(&mut self, task: TaskId, now: Timestamp, step: &mut Step) {
        let Some((id, request)) = self.request(task) else {
            return;
        };
        let scheduled = Event::TaskScheduled {
            resource: request.resource.clone(),
            region: self.start.region().to_owned(),
            parameters: request.input.clone(),
            timeout_seconds: request.timeout_seconds,
            heartbeat_seconds: request.heartbeat_seconds,
            role_arn: request.role_arn.clone(),
        };
        self.emit(id, scheduled, now, step);
    }

    pub(super) fn activity_missing(
        &mut self,
        task: TaskId,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
        step: &mut Step,
    ) {
        if let Some((id, request)) = self.request(task) {
            let failure = Failure::runtime(format!("The activity {} does not exist.", request.resource.label()));
            self.handle_in_state(id, failure.into(), now, random, step);
        }
    }

    pub(super) fn task_started(&mut self, task: TaskId, worker_name: Option<String>, now: Timestamp, step: &mut Step) {
        if let Some((id, flight)) = self.flight(task)
            && !flight.started
        {
            let resource = flight.resource.clone();
            self.emit(id, Event::TaskStarted { resource, worker_name }, now, step);
        }
    }

    /// A task in flight after the history says that it was started.
    fn begun(&mut self, task: TaskId, now: Timestamp, step: &mut Step) -> Option<(FrameId, Resource)> {
        self.task_started(task, None, now, step);
        self.flight(task).map(|(id, flight)| (id, flight.resource.clone()))
    }

    pub(super) fn task_submitted(&mut self, task: TaskId, output: Payload, now: Timestamp, step: &mut Step) {
        let Some((id, resource)) = self.begun(task, now, step) else {
            return;
        };
        if output.is_too_large() {
            let failure = Failure::too_large(resource.label());
            return self.task_submit_failed(task, failure, now, step);
        }
        if self.flight(task).is_some_and(|(_, flight)| flight.submitted.is_none()) {
            self.emit(id, Event::TaskSubmitted { resource, output }, now, step);
            self.settle(task, now, step);
        }
    }

    /// A call that failed after its task was answered has done its work.
    pub(super) fn task_submit_failed(&mut self, task: TaskId, failure: Failure, now: Timestamp, step: &mut Step) {
        if self.settle(task, now, step) {
            return;
        }
        if let Some((id, resource)) = self.begun(task, now, step) {
            self.emit(id, Event::TaskSubmitFailed { resource, failure }, now, step);
        }
    }

    pub(super) fn task_ended(
        &mut self,
        task: TaskId,
        outcome: Result<Payload, Failure>,
        now: Timestamp,
        step: &mut Step,
    ) {
        let Some((id, flight)) = self.flight(task).filter(|(_, flight)| flight.callback.is_none()) else {
            return;
        };
        if flight.resource.pattern().is_request_response() || flight.submitted.is_some() {
            self.end_task(task, outcome, now, step);
        } else {
            self.emit(id, Event::CallbackReceived { outcome }, now, step);
        }
    }

    fn end_task(&mut self, task: TaskId, outcome: Result<Payload, Failure>, now: Timestamp, step: &mut Step) {
        let Some((id, resource)) = self.begun(task, now, step) else {
            return;
        };
        let event = match outcome {
            Ok(output) if output.is_too_large() => {
                let failure = Failure::too_large(resource.label());
                Event::TaskFailed { resource, failure }
            }
            Ok(output) => Event::TaskSucceeded { resource, output },
            Err(failure) => Event::TaskFailed { resource, failure },
        };
        self.emit(id, event, now, step);
    }

    /// Ends a task whose answer came before the service's; says whether it had one.
    fn settle(&mut self, task: TaskId, now: Timestamp, step: &mut Step) -> bool {
        let Some(outcome) = self.flight(task).and_then(|(_, flight)| flight.callback.clone()) else {
            return false;
        };
        self.end_task(task, outcome, now, step);
        true
    }

    /// After a restart nobody is left to tell what the service answered.
    pub(super) fn settle_callbacks(&mut self, now: Timestamp, step: &mut Step) {
        for task in self.work.tasks().collect::<Vec<_>>() {
            self.settle(task, now, step);
        }
    }

    pub(super) fn task_timed_out(&mut self, task: TaskId, failure: Failure, now: Timestamp, step: &mut Step) {
        if self.settle(task, now, step) {
            return;
        }
        if let Some((id, flight)) = self.flight(task) {
            let resource = flight.resource.clone();
            self.emit(id, Event::TaskTimedOut { resource, failure }, now, step);
        }
    }

    pub(super) fn heartbeat(&mut self, task: TaskId, now: Timestamp, step: &mut Step) {
        if let Some((id, flight)) = self.flight(task)
            && flight.heartbeat.is_some()
        {
            self.emit(id, Event::HeartbeatReceived, now, step);
        }
    }
}
