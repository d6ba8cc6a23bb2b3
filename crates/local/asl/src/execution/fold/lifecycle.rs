//! Entries about the execution as a whole: its start, its end, a redrive.

use jiff::Timestamp;

use super::super::frame::{Container, Phase};
use super::super::work::{Finish, Status, TimerId, TimerPurpose};
use super::super::{Execution, ROOT};
use super::{Fits, later};
use crate::failure::Failure;
use crate::log::{FrameId, LogEntry};
use crate::payload::Payload;

impl Execution {
    #[expect(clippy::unnecessary_wraps, reason = "all folds have one shape")]
    pub(super) fn fold_started(&mut self, input: &Payload, at: Timestamp) -> Fits {
        let flow = self.definition.flow.clone();
        self.set_deadline(at);
        self.add_frame(None, 0, None, &flow, input);
        Some(())
    }

    pub(super) fn fold_redriven(&mut self, redrive_count: u32, entry: &LogEntry) -> Fits {
        self.status = Status::Running;
        self.finish = None;
        self.redrive = Some((redrive_count, entry.at));
        self.set_deadline(entry.at);
        self.revive(ROOT, entry.event_id?)
    }

    /// Puts a flow back to where it was unsuccessful; what succeeded stays.
    fn revive(&mut self, id: FrameId, event_id: u64) -> Fits {
        let frame = self.frames.get_mut(&id)?;
        let before = match std::mem::take(&mut frame.phase) {
            Phase::Aborted(before) => *before,
            other => other,
        };
        frame.cursor = event_id;
        frame.iteration_closed = false;
        if let Some(current) = &mut frame.current {
            current.retry_count = 0;
            current.attempts.fill(0);
        }
        let has_map_run = frame.current.as_ref().is_some_and(|current| current.map_run.is_some());
        let children: Vec<FrameId> = frame.container.iter().flat_map(Container::running_frames).collect();
        let phase = match before {
            Phase::Entering { .. } | Phase::Ended { .. } | Phase::Returned { .. } | Phase::MapRunEnded { .. } => before,
            _ if has_map_run => Phase::RedrivingMapRun,
            _ if frame.container.is_some() => Phase::Containing,
            _ => Phase::Executing,
        };
        self.set_phase(id, phase)?;
        children.into_iter().try_for_each(|child| self.revive(child, event_id))
    }

    #[expect(clippy::unnecessary_wraps, reason = "all folds have one shape")]
    pub(super) fn close(&mut self, status: Status, output: Option<&Payload>, failure: &Failure) -> Fits {
        self.status = status;
        self.finish = Some(Finish { status, output: output.cloned(), failure: failure.clone() });
        self.deadline = None;
        self.ready.clear();
        let (tasks, timers): (Vec<_>, Vec<_>) = (self.work.tasks().collect(), self.work.timers().collect());
        for task in tasks {
            self.work.drop_task(task);
        }
        for timer in timers {
            self.work.drop_timer(timer);
        }
        Some(())
    }

    fn set_deadline(&mut self, from: Timestamp) {
        let timer_id = TimerId { entry: self.next_sequence, purpose: TimerPurpose::ExecutionTimeout };
        self.deadline = self.definition.timeout_seconds.map(|seconds| (timer_id, later(from, seconds)));
        if self.deadline.is_some() {
            self.work.open_timer(timer_id, ROOT);
        }
    }
}
