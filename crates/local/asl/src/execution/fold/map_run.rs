//! Entries about distributed Maps and their Map Runs.

use std::sync::Arc;

use super::super::Execution;
use super::super::frame::{Phase, Trouble};
use super::super::map_run::MapRun;
use super::super::work::TaskId;
use super::Fits;
use crate::log::{FrameId, LogEntry, MapRunEvent};
use crate::map_run::MapRunOrder;
use crate::payload::Payload;

impl Execution {
    pub(super) fn fold_map_run(&mut self, entry: &LogEntry, event: &MapRunEvent) -> Fits {
        self.move_cursor(entry)?;
        match event {
            MapRunEvent::StateStarted { items, concurrency, .. } => {
                let phase = Phase::StartingMapRun { items: items.clone(), concurrency: *concurrency };
                self.set_phase(entry.frame, phase)
            }
            MapRunEvent::Started { map_run_arn, order } => self.fold_map_run_started(entry, map_run_arn, order),
            MapRunEvent::Redriven { redrive_count, .. } => {
                self.map_run(entry.frame)?.redrive_count = *redrive_count;
                self.set_phase(entry.frame, Phase::MapRunning { task: TaskId(entry.sequence) })
            }
            MapRunEvent::Succeeded { output } => {
                self.fold_map_run_answered(entry.frame)?;
                self.set_phase(entry.frame, Phase::MapRunEnded { output: output.clone() })
            }
            MapRunEvent::Failed { failure, redrivable } => {
                self.fold_map_run_answered(entry.frame)?;
                if !redrivable {
                    self.frames.get_mut(&entry.frame)?.current.as_mut()?.map_run = None;
                }
                let trouble = Trouble { is_untold: true, ..Trouble::told(failure.clone()) };
                self.set_phase(entry.frame, Phase::Failing(trouble))
            }
            MapRunEvent::Aborted => self.set_phase(entry.frame, Phase::MapRunAborted),
        }
    }

    fn fold_map_run_started(&mut self, entry: &LogEntry, arn: &str, order: &MapRunOrder) -> Fits {
        let started_event_id = entry.event_id?;
        let frame = self.frames.get_mut(&entry.frame)?;
        let Phase::StartingMapRun { items, .. } = &mut frame.phase else {
            return None;
        };
        let (items, order) = (items.take(), Arc::new(order.clone()));
        let run = MapRun { arn: arn.to_owned(), order, items, started_event_id, redrive_count: 0 };
        frame.current.as_mut()?.map_run = Some(run);
        self.set_phase(entry.frame, Phase::MapRunning { task: TaskId(entry.sequence) })
    }

    /// The state's own success follows the run's; the state's exit follows the run's start.
    pub(super) fn fold_map_run_left(&mut self, entry: &LogEntry, output: Payload) -> Fits {
        let started = self.map_run(entry.frame)?.started_event_id;
        self.frames.get_mut(&entry.frame)?.cursor = started;
        self.set_phase(entry.frame, Phase::Returned { result: output })
    }

    fn fold_map_run_answered(&mut self, id: FrameId) -> Fits {
        let task = self.frames.get(&id)?.phase.task()?;
        self.work.answer_task(task);
        Some(())
    }

    fn map_run(&mut self, id: FrameId) -> Option<&mut MapRun> {
        self.frames.get_mut(&id)?.current.as_mut()?.map_run.as_mut()
    }
}
