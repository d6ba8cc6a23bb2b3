//! A distributed Map: how its Map Run starts, ends, is aborted and redriven, and what its children
//! are given.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>. The run is one
//! task of its flow that somebody else does; its children are executions of their own.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::frame::Phase;
use super::work::{Effect, TaskId};
use super::{Execution, Step};
use crate::context::{ContextObject, StartContext, StateFacts};
use crate::definition::State;
use crate::failure::{Failure, Fault};
use crate::log::{Event, FrameId, MapRunEvent};
use crate::map_run::MapRunOrder;
use crate::payload::Payload;
use crate::scope::Variables;
use crate::states::{Kind, Moment};

/// The Map Run that a state has begun.
#[derive(Clone, Debug)]
pub(super) struct MapRun {
    pub(super) arn: String,
    pub(super) order: Arc<MapRunOrder>,
    pub(super) items: Option<Payload>,
    pub(super) started_event_id: u64,
    pub(super) redrive_count: u32,
}

impl MapRun {
    pub(super) fn effect(&self, task_id: TaskId) -> Effect {
        Effect::RunMap {
            task_id,
            map_run_arn: self.arn.clone(),
            order: self.order.clone(),
            items: self.items.clone(),
            redrive_count: self.redrive_count,
        }
    }
}

impl Execution {
    /// The items may be read, so the order is worked out; what fails here fails the state.
    pub(super) fn start_map_run(
        &mut self,
        id: FrameId,
        concurrency: u64,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
        step: &mut Step,
    ) {
        let order = self.with_moment(id, now, random, |moment| match &moment.state.kind {
            Kind::Map(map) => map.order(concurrency, moment),
            _ => Err(Failure::runtime("only a Map state has a Map Run").into()),
        });
        match order {
            Ok(order) => {
                let map_run_arn = self.map_run_arn(&order.label, random);
                self.emit_map_run(id, MapRunEvent::Started { map_run_arn, order: Box::new(order) }, now, step);
            }
            Err(fault) => self.handle_in_state(id, fault, now, random, step),
        }
    }

    pub(super) fn redrive_map_run(&mut self, id: FrameId, now: Timestamp, step: &mut Step) {
        let run = self.current(id).map_run.as_ref().expect("a Map Run that is redriven was started");
        let redriven = MapRunEvent::Redriven { map_run_arn: run.arn.clone(), redrive_count: run.redrive_count + 1 };
        self.emit_map_run(id, redriven, now, step);
    }

    pub(super) fn emit_map_run(&mut self, id: FrameId, event: MapRunEvent, now: Timestamp, step: &mut Step) {
        self.emit(id, Event::MapRun(event), now, step);
    }

    pub(super) fn map_run_ended(&mut self, task: TaskId, ended: MapRunEvent, now: Timestamp, step: &mut Step) {
        if let Some(id) = self.map_run_frame(task) {
            self.emit_map_run(id, ended, now, step);
        }
    }

    /// Tells of every Map Run that ends with the execution.
    pub(super) fn abort_map_runs(&mut self, now: Timestamp, step: &mut Step) {
        let running: Vec<FrameId> = self.work.tasks().filter_map(|task| self.map_run_frame(task)).collect();
        for id in running {
            self.emit_map_run(id, MapRunEvent::Aborted, now, step);
        }
    }

    fn map_run_frame(&self, task: TaskId) -> Option<FrameId> {
        let id = self.work.task_frame(task)?;
        matches!(self.frames.get(&id)?.phase, Phase::MapRunning { .. }).then_some(id)
    }

    /// The run's name is random, so it stands in the log.
    fn map_run_arn(&self, label: &str, random: &mut dyn FnMut() -> f64) -> String {
        let machine = self.start.state_machine_arn.replacen(":stateMachine:", ":mapRun:", 1);
        // A child's machine is named after its parent's and the label.
        let machine = machine.split('/').next().unwrap_or_default();
        format!("{machine}/{label}:{}", crate::random::uuid(random))
    }

    /// What the children of a Map Run are given. It holds what it needs, so it may outlive the
    /// execution's stay in memory.
    #[must_use]
    pub fn map_inputs(&self, task: TaskId) -> Option<MapInputs> {
        let frame = self.frames.get(&self.map_run_frame(task)?)?;
        let current = frame.current.as_ref()?;
        Some(MapInputs {
            state: current.state.clone(),
            input: current.input.clone(),
            start: self.start.clone(),
            redrive: self.redrive,
            entered_at: current.entered_at,
            entered_event_id: current.entered_event_id,
            retry_count: current.retry_count,
            variables: frame.variables.clone(),
        })
    }
}

/// Works out what each child of a Map Run is given: its item, or what `ItemSelector` makes of it.
#[derive(Clone, Debug)]
pub struct MapInputs {
    state: Arc<State>,
    input: Payload,
    start: StartContext,
    redrive: Option<(u32, Timestamp)>,
    entered_at: Timestamp,
    entered_event_id: u64,
    retry_count: u32,
    variables: Variables,
}

/// An item, with what `$$.Map.Item` tells of it.
#[derive(Clone, Copy, Debug)]
pub struct MapItem<'a> {
    /// The place among all items, from 0.
    pub index: usize,
    /// The item itself.
    pub value: &'a Value,
    /// Where it was read: `STATE_DATA`, or the URI of an object or a bucket.
    pub source: &'a str,
}

impl MapInputs {
    /// What an item becomes before it is put into a batch or given to a child.
    ///
    /// # Errors
    /// When the state's `ItemSelector` fails on it.
    pub fn item(
        &self,
        item: &MapItem<'_>,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
    ) -> Result<Payload, Failure> {
        let state =
            StateFacts { name: &self.state.name, entered_at: self.entered_at, retry_count: Some(self.retry_count) };
        let context = ContextObject {
            start: &self.start,
            redrive: self.redrive,
            state,
            item: Some((item.index, item.value)),
            item_source: Some(item.source),
            now,
            task_token: None,
            made: OnceCell::new(),
            taken: Cell::new(0),
        };
        let mut moment = Moment {
            state: &self.state,
            input: &self.input,
            context: &context,
            variables: &self.variables,
            now,
            random,
        };
        self.select(item.value, &mut moment).map_err(|fault| self.place(fault.failure))
    }

    /// The failure of results that are too large to be the state's own.
    #[must_use]
    pub fn too_large(&self) -> Failure {
        Failure::too_large(&self.state.name)
    }

    fn select(&self, item: &Value, moment: &mut Moment<'_, '_>) -> Result<Payload, Fault> {
        let Kind::Map(map) = &self.state.kind else {
            return Ok(item.clone().into());
        };
        let filtered = moment.filtered_input()?;
        let scope = moment.scope(moment.input.value());
        map.item_input(item, &scope.over(filtered.value()), moment.random)
    }

    fn place(&self, failure: Failure) -> Failure {
        failure.in_state(&self.state.name, self.entered_event_id)
    }
}
