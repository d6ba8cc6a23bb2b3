//! A flow in progress: the machine itself, a branch of a Parallel, or an iteration of a Map.

use std::sync::Arc;

use jiff::Timestamp;

use super::map_run::MapRun;
use super::work::{TaskId, TimerId};
use crate::definition::{Flow, State};
use crate::failure::Failure;
use crate::integration::Resource;
use crate::log::FrameId;
use crate::payload::Payload;
use crate::scope::Variables;

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) parent: Option<FrameId>,
    /// The index of the branch or the iteration.
    pub(super) slot: usize,
    /// The item of the innermost Map around it, with its index.
    pub(super) item: Option<(usize, Payload)>,
    pub(super) flow: Arc<Flow>,
    pub(super) variables: Variables,
    /// The event that the next one follows.
    pub(super) cursor: u64,
    /// The last log entry that concerned it.
    pub(super) touched: u64,
    pub(super) current: Option<Current>,
    pub(super) phase: Phase,
    pub(super) container: Option<Container>,
    /// The history says how this iteration ended.
    pub(super) iteration_closed: bool,
}

/// The state that a flow is in.
#[derive(Clone, Debug)]
pub(super) struct Current {
    pub(super) state: Arc<State>,
    pub(super) input: Payload,
    pub(super) entered_event_id: u64,
    /// The event that the state's entry follows.
    pub(super) previous_event_id: u64,
    pub(super) entered_at: Timestamp,
    pub(super) retry_count: u32,
    /// The retries so far by each rule of the state's `Retry` list.
    pub(super) attempts: Vec<u32>,
    /// What a distributed Map has begun and a redrive goes on with.
    pub(super) map_run: Option<MapRun>,
    /// The task of the last attempt.
    pub(super) task: Option<TaskId>,
}

/// What a flow is about to do, or waits for.
///
/// ```text
/// Executing → StartingMapRun → MapRunning → MapRunEnded → Returned
///
/// Entering → Executing → InFlight ──→ Returned ─┐   an activity's: Requested → InFlight
///    ↑           │  ↑  → Waiting ───────────────┤
///    │           │  │  → Containing → Returned ─┤
///    │           ↓  │                           ↓
///    │        Failing → RetryWaiting         (exited) → Ended
///    │           └→ (caught) ───────────────────┤
///    │           └→ Failed                      │
///    └──────────────────────────────────────────┘      any → Aborted
/// ```
#[derive(Debug, Default)]
pub(super) enum Phase {
    Entering {
        name: String,
        input: Payload,
    },
    #[default]
    Executing,
    /// An activity's task; whether there is such an activity is not known yet.
    Requested(Flight),
    InFlight(Flight),
    Waiting {
        timer: TimerId,
        due: Timestamp,
    },
    RetryWaiting {
        timer: TimerId,
        due: Timestamp,
    },
    /// A distributed Map has begun; its Map Run has not.
    StartingMapRun {
        items: Option<Payload>,
        concurrency: u64,
    },
    MapRunning {
        task: TaskId,
    },
    /// The children have ended; the state has not said so yet.
    MapRunEnded {
        output: Payload,
    },
    MapRunAborted,
    /// A Map Run is about to be redriven.
    RedrivingMapRun,
    Containing,
    Returned {
        result: Payload,
    },
    Failing(Trouble),
    Ended {
        output: Payload,
    },
    Failed,
    Aborted(Box<Phase>),
}

/// What a failing state failed of, and what is to be done about it.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) failure: Failure,
    /// The branch or iteration that failed the state.
    pub(super) child: Option<FrameId>,
    /// The history needs a word of the state's own first, such as `MapStateFailed`.
    pub(super) is_untold: bool,
    /// Nothing is tried again, and nobody catches it.
    pub(super) is_final: bool,
}

impl Trouble {
    /// A failure that the history tells of already.
    pub(super) fn told(failure: Failure) -> Self {
        Self { failure, child: None, is_untold: false, is_final: false }
    }
}

/// A task that somebody else does.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) task: TaskId,
    pub(super) resource: Resource,
    pub(super) input: Payload,
    pub(super) role_arn: Option<String>,
    pub(super) started: bool,
    /// What the service answered when the task waits for more than that.
    pub(super) submitted: Option<Payload>,
    /// The answer to the task's token, given before the service's.
    pub(super) callback: Option<Result<Payload, Failure>>,
    pub(super) timeout_seconds: Option<u64>,
    pub(super) heartbeat_seconds: Option<u64>,
    pub(super) timeout: Option<(TimerId, Timestamp)>,
    pub(super) heartbeat: Option<(TimerId, Timestamp)>,
}

/// The branches or iterations of the current state.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) slots: Vec<Slot>,
    /// The array of a Map.
    pub(super) items: Option<Payload>,
    /// The Map's input after `InputPath`, worked out once; not part of the fold.
    pub(super) filtered_input: Option<Payload>,
    pub(super) next: usize,
    pub(super) running: usize,
    pub(super) done: usize,
    pub(super) concurrency: usize,
}

#[derive(Debug)]
pub(super) enum Slot {
    Pending,
    Running(FrameId),
    Done(Payload),
}

impl Phase {
    /// Whether the flow can go on without a stimulus. A container can when a child ended.
    pub(super) fn is_ready(&self) -> bool {
        matches!(
            self,
            Self::Entering { .. }
                | Self::Executing
                | Self::StartingMapRun { .. }
                | Self::MapRunEnded { .. }
                | Self::RedrivingMapRun
                | Self::Containing
                | Self::Returned { .. }
                | Self::Failing(_)
                | Self::Ended { .. }
        )
    }

    pub(super) fn due(&self, timer: TimerId) -> Option<Timestamp> {
        let mut timers = self.timers().into_iter().flatten();
        timers.find(|(open, _)| *open == timer).map(|(_, due)| due)
    }

    pub(super) fn timers(&self) -> [Option<(TimerId, Timestamp)>; 2] {
        match self {
            Self::Waiting { timer, due } | Self::RetryWaiting { timer, due } => [Some((*timer, *due)), None],
            Self::InFlight(flight) => [flight.timeout, flight.heartbeat],
            _ => [None, None],
        }
    }

    pub(super) fn task(&self) -> Option<TaskId> {
        match self {
            Self::Requested(flight) | Self::InFlight(flight) => Some(flight.task),
            Self::MapRunning { task } => Some(*task),
            _ => None,
        }
    }
}

impl Container {
    pub(super) fn running_frames(&self) -> impl Iterator<Item = FrameId> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Running(frame) => Some(*frame),
            Slot::Pending | Slot::Done(_) => None,
        })
    }

    /// Whether there is room and an item for one more iteration.
    pub(super) fn can_start(&self) -> bool {
        self.items.is_some() && self.next < self.slots.len() && self.running < self.concurrency
    }
}
