//! A query as the API describes it.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html>

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::rows::Row;

/// The one engine version that is played.
pub(super) const ENGINE: &str = "Athena engine version 3";

/// A time on the wire: seconds since 1970 with the milliseconds behind the point.
pub(super) fn seconds(milliseconds: i64) -> Value {
    SignedDuration::from_millis(milliseconds).as_secs_f64().into()
}

/// A query, with the members that have a value.
pub(super) fn execution(row: &Row) -> Value {
    let request = &row.request;
    let mut configuration = request.result_configuration.clone();
    configuration["OutputLocation"] = request.output.as_str().into();
    let mut context = Map::new();
    for (name, value) in [("Database", &request.database), ("Catalog", &request.catalog)] {
        if let Some(value) = value {
            context.insert(name.to_owned(), value.as_str().into());
        }
    }
    let mut execution = json!({
        "QueryExecutionId": row.id,
        "Query": request.query,
        "ManagedQueryResultsConfiguration": { "Enabled": false },
        "ResultConfiguration": configuration,
        "ResultReuseConfiguration": { "ResultReuseByAgeConfiguration": { "Enabled": false } },
        "QueryExecutionContext": context,
        "Status": status(row),
        "Statistics": statistics(row),
        "WorkGroup": row.work_group,
        "EngineVersion": { "SelectedEngineVersion": ENGINE, "EffectiveEngineVersion": ENGINE },
    });
    if !request.parameters.is_empty() {
        execution["ExecutionParameters"] = json!(request.parameters);
    }
    for (name, value) in [("StatementType", &request.kind), ("SubstatementType", &request.name)] {
        if let Some(value) = value {
            execution[name] = value.as_str().into();
        }
    }
    execution
}

fn status(row: &Row) -> Value {
    let mut status = json!({ "State": row.state, "SubmissionDateTime": seconds(row.submitted_ms) });
    if let Some(completed) = row.completed_ms {
        status["CompletionDateTime"] = seconds(completed);
    }
    if let Some(reason) = &row.outcome.reason {
        status["StateChangeReason"] = reason.as_str().into();
        if row.state == "FAILED" {
            let category = if row.outcome.is_users == Some(true) { 2 } else { 1 };
            status["AthenaError"] = json!({ "ErrorCategory": category, "Retryable": false, "ErrorMessage": reason });
        }
    }
    status
}

fn statistics(row: &Row) -> Value {
    let Some(completed) = row.completed_ms else {
        return json!({ "ResultReuseInformation": { "ReusedPreviousResult": false } });
    };
    let started = row.started_ms.unwrap_or(completed);
    let engine = completed.saturating_sub(started).max(0);
    let mut statistics = json!({
        "EngineExecutionTimeInMillis": engine,
        "DataScannedInBytes": row.outcome.scanned_bytes,
        "TotalExecutionTimeInMillis": completed.saturating_sub(row.submitted_ms).max(0),
        "QueryQueueTimeInMillis": started.saturating_sub(row.submitted_ms).max(0),
        "ServicePreProcessingTimeInMillis": 0,
        "QueryPlanningTimeInMillis": row.outcome.planning_ms.min(engine),
        "ServiceProcessingTimeInMillis": 0,
        "ResultReuseInformation": { "ReusedPreviousResult": false },
    });
    if let Some(manifest) = &row.outcome.manifest {
        statistics["DataManifestLocation"] = manifest.as_str().into();
    }
    statistics
}

/// As much of a query's runtime statistics as is measured.
pub(super) fn runtime_statistics(row: &Row) -> Value {
    let all = statistics(row);
    let timeline = [
        "EngineExecutionTimeInMillis",
        "QueryPlanningTimeInMillis",
        "QueryQueueTimeInMillis",
        "ServicePreProcessingTimeInMillis",
        "ServiceProcessingTimeInMillis",
        "TotalExecutionTimeInMillis",
    ];
    let timeline: Map<String, Value> = timeline.iter().map(|name| ((*name).to_owned(), all[*name].clone())).collect();
    json!({
        "Timeline": timeline,
        "Rows": {
            "InputBytes": row.outcome.scanned_bytes,
            "OutputRows": row.outcome.output_rows,
            "OutputBytes": row.outcome.output_bytes,
        },
    })
}
