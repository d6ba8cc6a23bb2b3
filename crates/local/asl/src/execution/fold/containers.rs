//! Entries about Map and Parallel states, and the flows inside them.

use std::sync::Arc;

use super::super::Execution;
use super::super::frame::{Container, Frame, Phase, Slot, Trouble};
use super::Fits;
use crate::definition::Flow;
use crate::failure::Failure;
use crate::log::{Event, FrameId, LogEntry};
use crate::payload::Payload;
use crate::states::Kind;

impl Execution {
    pub(super) fn fold_container(&mut self, entry: &LogEntry, event: &Event) -> Fits {
        match event {
            Event::MapStarted { items, concurrency, .. } => self.fold_map_started(entry, items, *concurrency),
            Event::ParallelStarted { input } => self.fold_parallel_started(entry, input),
            Event::MapIterationStarted { index, parent, input, .. } => {
                self.fold_iteration_started(entry, *index, *parent, input)
            }
            Event::MapIterationSucceeded { .. } => self.complete_child(entry.frame),
            Event::MapIterationFailed { .. } | Event::MapIterationAborted { .. } => {
                self.frames.get_mut(&entry.frame)?.iteration_closed = true;
                Some(())
            }
            Event::MapSucceeded | Event::ParallelSucceeded => {
                if let Phase::MapRunEnded { output } = &self.frames.get(&entry.frame)?.phase {
                    let output = output.clone();
                    return self.fold_map_run_left(entry, output);
                }
                let slots = self.drop_container(entry.frame)?.slots;
                let outputs = slots.iter().map(|slot| match slot {
                    Slot::Done(output) => Some(output.value().clone()),
                    Slot::Pending | Slot::Running(_) => None,
                });
                let result: serde_json::Value = outputs.collect::<Option<_>>()?;
                self.set_phase(entry.frame, Phase::Returned { result: result.into() })
            }
            Event::MapFailed | Event::ParallelFailed => {
                self.move_cursor(entry)?;
                match std::mem::take(&mut self.frames.get_mut(&entry.frame)?.phase) {
                    Phase::Failing(trouble) => {
                        self.set_phase(entry.frame, Phase::Failing(Trouble { is_untold: false, ..trouble }))
                    }
                    _ => None,
                }
            }
            Event::FlowFailed { failure } => self.fold_flow_failed(entry, failure),
            _ => None,
        }
    }

    fn fold_map_started(&mut self, entry: &LogEntry, items: &Payload, concurrency: usize) -> Fits {
        self.move_cursor(entry)?;
        let slots = items.value().as_array()?.iter().map(|_| Slot::Pending).collect();
        let container = Container {
            slots,
            items: Some(items.clone()),
            filtered_input: None,
            next: 0,
            running: 0,
            done: 0,
            concurrency,
        };
        self.frames.get_mut(&entry.frame)?.container = Some(container);
        self.set_phase(entry.frame, Phase::Containing)
    }

    fn fold_parallel_started(&mut self, entry: &LogEntry, input: &Payload) -> Fits {
        self.move_cursor(entry)?;
        let frame = self.frames.get(&entry.frame)?;
        let state = frame.current.as_ref()?.state.clone();
        let item = frame.item.clone();
        let Kind::Parallel(parallel) = &state.kind else {
            return None;
        };
        let count = parallel.branches.len();
        let add = |(slot, flow)| Slot::Running(self.add_frame(Some(entry.frame), slot, item.clone(), flow, input));
        let slots = parallel.branches.iter().enumerate().map(add).collect();
        let container = Container {
            slots,
            items: None,
            filtered_input: None,
            next: count,
            running: count,
            done: 0,
            concurrency: count,
        };
        self.frames.get_mut(&entry.frame)?.container = Some(container);
        self.set_phase(entry.frame, Phase::Containing)
    }

    fn fold_iteration_started(&mut self, entry: &LogEntry, index: usize, parent: FrameId, input: &Payload) -> Fits {
        if entry.frame != self.next_frame {
            return None;
        }
        let frame = self.frames.get(&parent)?;
        let state = frame.current.as_ref()?.state.clone();
        let item = frame.container.as_ref()?.items.as_ref()?.value().get(index)?.clone();
        let Kind::Map(map) = &state.kind else {
            return None;
        };
        let child = self.add_frame(Some(parent), index, Some((index, item.into())), &map.processor, input);
        self.move_cursor(entry)?;
        let container = self.frames.get_mut(&parent)?.container.as_mut()?;
        *container.slots.get_mut(index)? = Slot::Running(child);
        container.running += 1;
        container.next = index + 1;
        self.touch(parent)
    }

    fn fold_flow_failed(&mut self, entry: &LogEntry, failure: &Failure) -> Fits {
        let frame = self.frames.get(&entry.frame)?;
        let (cursor, parent) = (frame.cursor, frame.parent?);
        self.set_phase(entry.frame, Phase::Failed)?;
        self.frames.get_mut(&parent)?.cursor = cursor;
        let child = Some(entry.frame);
        let trouble = Trouble { failure: failure.clone(), child, is_untold: true, is_final: false };
        self.set_phase(parent, Phase::Failing(trouble))
    }

    pub(super) fn add_frame(
        &mut self,
        parent: Option<FrameId>,
        slot: usize,
        item: Option<(usize, Payload)>,
        flow: &Arc<Flow>,
        input: &Payload,
    ) -> FrameId {
        let id = self.next_frame;
        self.next_frame += 1;
        let around = parent.and_then(|parent| self.frames.get(&parent));
        let frame = Frame {
            parent,
            slot,
            item,
            flow: flow.clone(),
            variables: around.map(|frame| frame.variables.clone()).unwrap_or_default(),
            cursor: around.map_or(0, |frame| frame.cursor),
            touched: self.next_sequence,
            current: None,
            phase: Phase::Entering { name: flow.start_at.clone(), input: input.clone() },
            container: None,
            iteration_closed: false,
        };
        self.frames.insert(id, frame);
        self.ready.insert((self.next_sequence, id));
        id
    }

    /// Takes a child's output into its parent's container and removes the child.
    pub(super) fn complete_child(&mut self, id: FrameId) -> Fits {
        self.unready(id);
        let child = self.frames.remove(&id)?;
        let Phase::Ended { output } = child.phase else {
            return None;
        };
        let parent_id = child.parent?;
        let parent = self.frames.get_mut(&parent_id)?;
        parent.cursor = child.cursor;
        let container = parent.container.as_mut()?;
        *container.slots.get_mut(child.slot)? = Slot::Done(output);
        container.running = container.running.checked_sub(1)?;
        container.done += 1;
        self.touch(parent_id)
    }

    pub(super) fn drop_container(&mut self, id: FrameId) -> Option<Container> {
        let container = self.frames.get_mut(&id)?.container.take()?;
        for child in container.running_frames() {
            self.drop_container(child);
            self.unready(child);
            if let Some(frame) = self.frames.remove(&child) {
                self.close_work(&frame.phase);
            }
        }
        Some(container)
    }
}
