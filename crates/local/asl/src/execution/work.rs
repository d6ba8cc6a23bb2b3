//! What an execution waits for: tasks that others do, and timers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::frame::{Flight, Phase};
use super::{Execution, ROOT};
use crate::failure::Failure;
use crate::integration::Resource;
use crate::log::FrameId;
use crate::map_run::MapRunOrder;
use crate::payload::Payload;

/// A task of one execution; never used again, not even for a retry of the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub u64);

/// A timer of one execution; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TimerId {
    /// The log entry that set it.
    pub entry: u64,
    /// What it is for.
    pub purpose: TimerPurpose,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TimerPurpose {
    /// The end of a Wait state.
    Wait,
    /// The next attempt of a state.
    Retry,
    /// The end of a task's time.
    TaskTimeout,
    /// The latest moment for a task's next sign of life.
    Heartbeat,
    /// The end of the execution's time.
    ExecutionTimeout,
}

/// Whether an execution runs, or how it ended, named as `DescribeExecution` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the service's")]
pub enum Status {
    Running,
    Succeeded,
    Failed,
    Aborted,
    TimedOut,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finish {
    /// Any but [`Status::Running`].
    pub status: Status,
    /// What a succeeded execution gave.
    pub output: Option<Payload>,
    /// What an unsuccessful one failed of; empty for a succeeded one.
    pub failure: Failure,
}

/// Something that the caller is to do once the step's events are committed.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Do a task and bring the answer as a stimulus.
    InvokeTask {
        /// Names the task in the answer.
        task_id: TaskId,
        /// Who does the work.
        resource: Resource,
        /// What it is given: a function's input, or a service action's parameters.
        input: Payload,
        /// The role to act as, when the state names one.
        role_arn: Option<String>,
        /// How long it may take; the engine itself keeps the time.
        timeout_seconds: Option<u64>,
        /// How long it may be silent; the engine itself keeps the time.
        heartbeat_seconds: Option<u64>,
        /// Whether a worker has it already; only an activity's task can be.
        started: bool,
    },
    /// Say whether there is such an activity: [`super::Stimulus::ActivityFound`] or
    /// [`super::Stimulus::ActivityMissing`].
    FindActivity {
        /// Names the request in the stimulus.
        task_id: TaskId,
        /// The activity.
        arn: String,
    },
    /// The service has answered, and the task waits: for the end of the job that was started, or
    /// for somebody who has its token.
    AwaitTask {
        /// The task.
        task_id: TaskId,
        /// Who does the work.
        resource: Resource,
        /// What the service answered.
        submitted: Payload,
    },
    /// Run a Map Run, or go on with one that was begun, and bring its end as
    /// [`super::Stimulus::MapRunSucceeded`] or [`super::Stimulus::MapRunFailed`].
    RunMap {
        /// Names the run in the stimulus.
        task_id: TaskId,
        /// The run's name; it stays the same when the run is redriven.
        map_run_arn: String,
        /// What is to be run.
        order: Arc<MapRunOrder>,
        /// The array to go over, unless it is still to be read.
        items: Option<Payload>,
        /// How often the run was redriven.
        redrive_count: u32,
    },
    /// The task's answer is no longer wanted.
    CancelTask {
        /// The task.
        task_id: TaskId,
    },
    /// Give [`super::Stimulus::TimerFired`] at the due time, or at once where that has passed.
    SetTimer {
        /// Names the timer in the stimulus.
        timer_id: TimerId,
        /// The absolute time.
        due: Timestamp,
    },
    /// The timer is no longer wanted.
    CancelTimer {
        /// The timer.
        timer_id: TimerId,
    },
    /// The execution is closed. It may be dropped; a replay brings it back for a redrive.
    Finished(Finish),
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Open tasks and timers by id, and what changed since the step began.
#[derive(Debug, Default)]
pub(super) struct OpenWork {
    tasks: BTreeMap<TaskId, FrameId>,
    timers: BTreeMap<TimerId, FrameId>,
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    TaskOpened(TaskId),
    TaskSubmitted(TaskId),
    TaskDropped(TaskId),
    TimerOpened(TimerId),
    TimerDropped(TimerId),
}

impl OpenWork {
    pub(super) fn open_task(&mut self, task: TaskId, frame: FrameId) {
        self.tasks.insert(task, frame);
        self.changes.push(Change::TaskOpened(task));
    }

    /// The service has begun what the task waits for.
    pub(super) fn submit_task(&mut self, task: TaskId) {
        self.changes.push(Change::TaskSubmitted(task));
    }

    /// The task was answered, so nobody needs to be told.
    pub(super) fn answer_task(&mut self, task: TaskId) {
        self.tasks.remove(&task);
    }

    pub(super) fn drop_task(&mut self, task: TaskId) {
        if self.tasks.remove(&task).is_some() {
            self.changes.push(Change::TaskDropped(task));
        }
    }

    pub(super) fn open_timer(&mut self, timer: TimerId, frame: FrameId) {
        self.timers.insert(timer, frame);
        self.changes.push(Change::TimerOpened(timer));
    }

    /// The timer fired, so nobody needs to be told; gives the flow that it was set for.
    pub(super) fn fire_timer(&mut self, timer: TimerId) -> Option<FrameId> {
        self.timers.remove(&timer)
    }

    pub(super) fn drop_timer(&mut self, timer: TimerId) {
        if self.timers.remove(&timer).is_some() {
            self.changes.push(Change::TimerDropped(timer));
        }
    }

    pub(super) fn task_frame(&self, task: TaskId) -> Option<FrameId> {
        self.tasks.get(&task).copied()
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = TaskId> {
        self.tasks.keys().copied()
    }

    pub(super) fn timers(&self) -> impl Iterator<Item = TimerId> {
        self.timers.keys().copied()
    }

    pub(super) fn forget_changes(&mut self) {
        self.changes.clear();
    }
}

impl Execution {
    /// The effects of the changes since the last call. Work that was opened and dropped in
    /// between has none.
    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        let changes = std::mem::take(&mut self.work.changes);
        changes.iter().filter_map(|change| self.effect(*change, &changes)).collect()
    }

    fn effect(&self, change: Change, all: &[Change]) -> Option<Effect> {
        match change {
            Change::TaskOpened(task) | Change::TaskSubmitted(task) => self.task_effect(task),
            Change::TimerOpened(timer) => self.timer_effect(timer),
            Change::TaskDropped(task_id) => {
                (!all.contains(&Change::TaskOpened(task_id))).then_some(Effect::CancelTask { task_id })
            }
            Change::TimerDropped(timer_id) => {
                (!all.contains(&Change::TimerOpened(timer_id))).then_some(Effect::CancelTimer { timer_id })
            }
        }
    }

    pub(super) fn task_effect(&self, task: TaskId) -> Option<Effect> {
        let frame = self.frames.get(&self.work.task_frame(task)?)?;
        match &frame.phase {
            Phase::Requested(flight) => {
                Some(Effect::FindActivity { task_id: task, arn: flight.resource.label().to_owned() })
            }
            Phase::InFlight(flight) => flight.effect(),
            Phase::MapRunning { task } => frame.current.as_ref()?.map_run.as_ref().map(|run| run.effect(*task)),
            _ => None,
        }
    }

    pub(super) fn timer_effect(&self, timer: TimerId) -> Option<Effect> {
        let frame = *self.work.timers.get(&timer)?;
        let due = match self.deadline {
            Some((deadline, due)) if frame == ROOT && deadline == timer => due,
            _ => self.frames.get(&frame)?.phase.due(timer)?,
        };
        Some(Effect::SetTimer { timer_id: timer, due })
    }
}

impl Flight {
    fn effect(&self) -> Option<Effect> {
        let (task_id, resource) = (self.task, self.resource.clone());
        match (&self.submitted, &self.callback) {
            (Some(submitted), _) => Some(Effect::AwaitTask { task_id, resource, submitted: submitted.clone() }),
            // It was answered before the call was; to call again would ask for the answer again.
            (None, Some(_)) => None,
            (None, None) => Some(Effect::InvokeTask {
                task_id,
                resource,
                input: self.input.clone(),
                role_arn: self.role_arn.clone(),
                timeout_seconds: self.timeout_seconds,
                heartbeat_seconds: self.heartbeat_seconds,
                started: self.started,
            }),
        }
    }
}
