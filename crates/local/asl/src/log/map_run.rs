//! What can happen to a distributed Map: the events of its Map Run.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::map_run::MapRunOrder;
use crate::payload::Payload;

/// What can happen to a distributed Map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "events and their fields are named as in the service's HistoryEvent")]
pub enum MapRunEvent {
    /// `MapStateStarted`: a distributed Map knows its length only where its input holds the items.
    StateStarted {
        length: usize,
        /// Internal: the array itself, unless it is still to be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        items: Option<Payload>,
        /// Internal: how many children may run at once.
        concurrency: u64,
    },
    Started {
        map_run_arn: String,
        /// Internal: what is to be run.
        order: Box<MapRunOrder>,
    },
    Succeeded {
        /// Internal: the result of the state.
        output: Payload,
    },
    Failed {
        failure: Failure,
        /// Internal: whether there are children that a redrive would redrive.
        redrivable: bool,
    },
    Aborted,
    Redriven {
        map_run_arn: String,
        redrive_count: u32,
    },
}

impl MapRunEvent {
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::StateStarted { .. } => "MapStateStarted",
            Self::Started { .. } => "MapRunStarted",
            Self::Succeeded { .. } => "MapRunSucceeded",
            Self::Failed { .. } => "MapRunFailed",
            Self::Aborted => "MapRunAborted",
            Self::Redriven { .. } => "MapRunRedriven",
        }
    }
}
