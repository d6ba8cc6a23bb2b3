//! Details of the events of distributed Maps.

use serde_json::json;

use super::{Details, failure_of};
use crate::log::MapRunEvent;

pub(super) fn details(event: &MapRunEvent) -> Details {
    match event {
        MapRunEvent::StateStarted { length, .. } => Some(("mapStateStartedEventDetails", json!({ "length": length }))),
        MapRunEvent::Started { map_run_arn, .. } => {
            Some(("mapRunStartedEventDetails", json!({ "mapRunArn": map_run_arn })))
        }
        MapRunEvent::Failed { failure, .. } => Some(("mapRunFailedEventDetails", failure_of(failure))),
        MapRunEvent::Redriven { map_run_arn, redrive_count } => {
            let details = json!({ "mapRunArn": map_run_arn, "redriveCount": redrive_count });
            Some(("mapRunRedrivenEventDetails", details))
        }
        MapRunEvent::Succeeded { .. } | MapRunEvent::Aborted => None,
    }
}
