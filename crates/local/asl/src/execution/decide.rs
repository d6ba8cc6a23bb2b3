//! Deciding what happens next in a flow. A decision only emits events; the fold does the rest.

use std::cell::{Cell, OnceCell};

use jiff::Timestamp;
use serde_json::Value;

use super::frame::{Current, Frame, Phase, Trouble};
use super::{Execution, ROOT, Step, TaskId};
use crate::context::{ContextObject, StateFacts};
use crate::failure::{DATA_LIMIT_EXCEEDED, Failure, Fault};
use crate::integration::Pattern;
use crate::log::{Event, FrameId, MapRunEvent, StateKind};
use crate::payload::Payload;
use crate::states::{Action, Exit, Kind, Moment};
use crate::timestamp;
use crate::token::TaskToken;

/// What a flow in some phase does next.
enum Turn {
    Enter(String, Payload),
    Execute,
    Leave(Payload),
    Contain,
    StartMapRun(u64),
    LeaveMapRun,
    RedriveMapRun,
    Fail(Trouble),
    End(Payload),
    Rest,
}

impl Execution {
    /// Takes one flow one event further.
    pub(super) fn go_on(&mut self, id: FrameId, now: Timestamp, random: &mut dyn FnMut() -> f64, step: &mut Step) {
        match self.turn(id) {
            Turn::Enter(name, input) => self.enter(id, name, input, now, step),
            Turn::Execute => self.execute(id, now, random, step),
            Turn::Leave(result) => {
                let exit = self.with_moment(id, now, random, |moment| moment.leave_with_result(result));
                self.exit_or_fail(id, exit, now, random, step);
            }
            Turn::Contain => self.contain(id, now, random, step),
            Turn::StartMapRun(concurrency) => self.start_map_run(id, concurrency, now, random, step),
            Turn::LeaveMapRun => self.emit(id, Event::MapSucceeded, now, step),
            Turn::RedriveMapRun => self.redrive_map_run(id, now, step),
            Turn::Fail(trouble) => self.go_on_failing(id, trouble, now, random, step),
            Turn::End(output) => self.end(id, output, now, step),
            Turn::Rest => self.unready(id),
        }
    }

    fn turn(&self, id: FrameId) -> Turn {
        let Some(frame) = self.frames.get(&id) else {
            return Turn::Rest;
        };
        match &frame.phase {
            Phase::Entering { name, input } => Turn::Enter(name.clone(), input.clone()),
            Phase::Executing => Turn::Execute,
            Phase::Returned { result } => Turn::Leave(result.clone()),
            Phase::Containing => Turn::Contain,
            Phase::StartingMapRun { concurrency, .. } => Turn::StartMapRun(*concurrency),
            Phase::MapRunEnded { .. } => Turn::LeaveMapRun,
            Phase::RedrivingMapRun => Turn::RedriveMapRun,
            Phase::Failing(trouble) => Turn::Fail(trouble.clone()),
            Phase::Ended { output } => Turn::End(output.clone()),
            _ => Turn::Rest,
        }
    }

    fn enter(&mut self, id: FrameId, name: String, input: Payload, now: Timestamp, step: &mut Step) {
        let state = self.frames.get(&id).and_then(|frame| frame.flow.states.get(&name));
        let kind = state.expect("every transition of a checked definition has a target").kind.name();
        self.emit(id, Event::StateEntered { kind, name, input }, now, step);
    }

    /// Executes the body of the state that a flow is in.
    pub(super) fn execute(&mut self, id: FrameId, now: Timestamp, random: &mut dyn FnMut() -> f64, step: &mut Step) {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is not general enough over lifetimes"
        )]
        let action = self.with_moment(id, now, random, |moment| moment.run());
        match action {
            Ok(Action::Exit(exit)) => self.exit(id, exit, now, step),
            Ok(Action::Fail(failure)) => self.handle(id, Trouble::told(failure), now, random, step),
            Ok(Action::WaitUntil(due)) => {
                let due = timestamp::for_log(due);
                self.emit(id, Event::WaitScheduled { due }, now, step);
            }
            Ok(Action::StartTask(order)) => self.emit(id, order.event(self.start.region()), now, step),
            Ok(Action::StartBranches { input }) => {
                self.emit(id, Event::ParallelStarted { input }, now, step);
            }
            Ok(Action::StartMapRun { items, concurrency }) => {
                let length = items.as_ref().and_then(|items| items.value().as_array()).map_or(0, Vec::len);
                self.emit_map_run(id, MapRunEvent::StateStarted { length, items, concurrency }, now, step);
            }
            Ok(Action::StartItems { items, concurrency }) => {
                let length = items.value().as_array().map_or(0, Vec::len);
                self.emit(id, Event::MapStarted { length, items, concurrency }, now, step);
            }
            Err(fault) => self.handle_in_state(id, fault, now, random, step),
        }
    }

    /// Leaves a state, or handles what failed while working out how.
    pub(super) fn exit_or_fail(
        &mut self,
        id: FrameId,
        exit: Result<Exit, Fault>,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
        step: &mut Step,
    ) {
        match exit {
            Ok(exit) => self.exit(id, exit, now, step),
            Err(fault) => self.handle_in_state(id, fault, now, random, step),
        }
    }

    pub(super) fn exit(&mut self, id: FrameId, exit: Exit, now: Timestamp, step: &mut Step) {
        let state = &self.current(id).state;
        let exited = Event::StateExited {
            kind: state.kind.name(),
            name: state.name.clone(),
            output: exit.output,
            assigned: exit.assigned,
            next: exit.next,
        };
        self.emit(id, exited, now, step);
    }

    /// Handles a failure of the interpreter, whose cause begins with the place. Where an expression
    /// of JSONata failed, the history says so first.
    pub(super) fn handle_in_state(
        &mut self,
        id: FrameId,
        fault: Fault,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
        step: &mut Step,
    ) {
        let failure = self.place(id, fault.failure);
        match fault.location {
            None => self.handle(id, Trouble::told(failure), now, random, step),
            Some(location) => self.tell_evaluation_failed(id, failure, location.into(), false, now, step),
        }
    }

    /// An expression that fails as its state is entered follows what came before the state, except
    /// in a Wait: so the service numbers it.
    pub(super) fn tell_evaluation_failed(
        &mut self,
        id: FrameId,
        failure: Failure,
        location: String,
        is_final: bool,
        now: Timestamp,
        step: &mut Step,
    ) {
        let (cursor, current) = (self.frame(id).cursor, self.current(id));
        let is_entering = cursor == current.entered_event_id && current.state.kind.name() != StateKind::Wait;
        let previous = if is_entering { current.previous_event_id } else { cursor };
        let state = current.state.name.clone();
        self.emit_after(previous, id, Event::EvaluationFailed { state, location, failure, is_final }, now, step);
    }

    pub(super) fn place(&self, id: FrameId, failure: Failure) -> Failure {
        if failure.error.as_deref() == Some(DATA_LIMIT_EXCEEDED) {
            return failure;
        }
        let current = self.current(id);
        failure.in_state(&current.state.name, current.entered_event_id)
    }

    /// Starts the next iteration, ends the container, or rests until a child ends.
    fn contain(&mut self, id: FrameId, now: Timestamp, random: &mut dyn FnMut() -> f64, step: &mut Step) {
        let container = self.frame(id).container.as_ref().expect("a containing flow has a container");
        if container.can_start() {
            let index = container.next;
            match self.item_input(id, index, now, random) {
                Ok(input) => {
                    let name = self.current(id).state.name.clone();
                    let started = Event::MapIterationStarted { name, index, parent: id, input };
                    let cursor = self.frame(id).cursor;
                    self.emit_after(cursor, self.next_frame, started, now, step);
                }
                Err(fault) => self.handle_in_state(id, fault, now, random, step),
            }
        } else if container.done == container.slots.len() {
            let is_map = container.items.is_some();
            self.emit(id, if is_map { Event::MapSucceeded } else { Event::ParallelSucceeded }, now, step);
        } else {
            self.unready(id);
        }
    }

    fn item_input(
        &mut self,
        id: FrameId,
        index: usize,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
    ) -> Result<Payload, Fault> {
        let filtered = self.map_input(id, now, random)?;
        let frame = self.frame(id);
        let current = self.current(id);
        let items = frame.container.as_ref().and_then(|container| container.items.as_ref());
        let item = items.and_then(|items| items.value().get(index)).expect("the next iteration has an item");
        let context = self.context(current, Some((index, item)), now);
        let moment = moment(current, frame, &context, now, random);
        match &current.state.kind {
            Kind::Map(map) => map.item_input(item, &moment.scope(filtered.value()), moment.random),
            _ => Ok(filtered),
        }
    }

    /// The Map's input after `InputPath`, which every iteration's selector sees.
    fn map_input(&mut self, id: FrameId, now: Timestamp, random: &mut dyn FnMut() -> f64) -> Result<Payload, Fault> {
        if let Some(known) = self.frame(id).container.as_ref().and_then(|container| container.filtered_input.clone()) {
            return Ok(known);
        }
        let input = self.with_moment(id, now, random, |moment| moment.filtered_input())?;
        if let Some(container) = self.frames.get_mut(&id).and_then(|frame| frame.container.as_mut()) {
            container.filtered_input = Some(input.clone());
        }
        Ok(input)
    }

    fn end(&mut self, id: FrameId, output: Payload, now: Timestamp, step: &mut Step) {
        let frame = self.frame(id);
        let index = frame.slot;
        match frame.parent {
            None => self.emit(ROOT, Event::ExecutionSucceeded { output }, now, step),
            Some(parent) => {
                let name = self.current(parent).state.name.clone();
                self.emit(id, Event::MapIterationSucceeded { name, index }, now, step);
            }
        }
    }

    /// Gives a state what its expressions may see.
    pub(super) fn with_moment<T>(
        &self,
        id: FrameId,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
        run: impl FnOnce(&mut Moment<'_, '_>) -> T,
    ) -> T {
        let (frame, current) = (self.frame(id), self.current(id));
        let item = frame.item.as_ref().map(|(index, item)| (*index, item.value()));
        let mut context = self.context(current, item, now);
        context.task_token = self.task_token(frame, current);
        run(&mut moment(current, frame, &context, now, random))
    }

    fn context<'a>(
        &'a self,
        current: &'a Current,
        item: Option<(usize, &'a Value)>,
        now: Timestamp,
    ) -> ContextObject<'a> {
        let can_retry = current.state.kind.fields().retry;
        let state = StateFacts {
            name: &current.state.name,
            entered_at: current.entered_at,
            retry_count: can_retry.then_some(current.retry_count),
        };
        ContextObject {
            start: &self.start,
            redrive: self.redrive,
            state,
            item,
            item_source: None,
            now,
            task_token: None,
            made: OnceCell::new(),
            taken: Cell::new(0),
        }
    }

    /// The token of the task that a flow is about to start, or that it has started last.
    fn task_token(&self, frame: &Frame, current: &Current) -> Option<String> {
        let Kind::Task(task) = &current.state.kind else {
            return None;
        };
        if task.resource.pattern() != Pattern::WaitForTaskToken {
            return None;
        }
        let starts = matches!(frame.phase, Phase::Executing | Phase::RetryWaiting { .. });
        let task_id = current.task.filter(|_| !starts).unwrap_or(TaskId(self.next_sequence));
        let (execution_arn, start_time) = (self.start.execution_arn.clone(), self.start.start_time);
        Some(self.start.token_key.write(&TaskToken { execution_arn, start_time, task_id }))
    }

    pub(super) fn frame(&self, id: FrameId) -> &Frame {
        self.frames.get(&id).expect("a flow that is being decided on exists")
    }

    pub(super) fn current(&self, id: FrameId) -> &Current {
        self.frame(id).current.as_ref().expect("a flow that executes is in a state")
    }
}

fn moment<'a, 'r>(
    current: &'a Current,
    frame: &'a Frame,
    context: &'a ContextObject<'a>,
    now: Timestamp,
    random: &'r mut dyn FnMut() -> f64,
) -> Moment<'a, 'r> {
    Moment { state: &current.state, input: &current.input, context, variables: &frame.variables, now, random }
}
