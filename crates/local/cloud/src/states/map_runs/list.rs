//! The children of a Map Run in lists and descriptions of executions.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html>

use serde_json::{Value, json};

use super::api;
use super::children;
use crate::states::executions::rows as executions;
use crate::states::executions::summary;
use crate::states::{States, insert_token, page};
use crate::wire::{Outcome, Reply, ServiceError};

/// Which children a list shows.
#[derive(Debug)]
pub(in crate::states) struct Filter {
    pub(in crate::states) map_run_arn: String,
    pub(in crate::states) status: Option<String>,
    pub(in crate::states) redriven: Option<bool>,
    pub(in crate::states) max_results: Option<i64>,
    pub(in crate::states) next_token: Option<String>,
}

/// A page of the children that have begun, the newest first.
pub(in crate::states) async fn children(states: &States, filter: Filter) -> Outcome {
    let size = page::size(filter.max_results)?;
    let run = api::find(states, filter.map_run_arn).await?;
    let list = format!("children {} {:?} {:?}", run.number, filter.status, filter.redriven);
    let before = page::number(&list, filter.next_token.as_deref())?.unwrap_or(i64::MAX);
    let mut found = states
        .read(move |database| {
            let listed = children::Listed { run: run.number, status: filter.status, redriven: filter.redriven, before };
            let found = children::listed(database, &listed, size + 1)?;
            let rows = found.into_iter().map(|child| Ok((executions::by_number(database, child.number)?, child)));
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })
        .await?;
    let next = page::cut(&mut found, size, &list, |(_, child)| child.number.to_string());
    let items = found.into_iter().filter_map(|(row, child)| {
        let mut item = summary(&row?);
        item["mapRunArn"] = run.arn.as_str().into();
        item["itemCount"] = child.items.into();
        Some(item)
    });
    let mut answer = json!({ "executions": items.collect::<Vec<Value>>() });
    insert_token(&mut answer, next);
    Ok(Reply::plain(answer))
}

/// Puts the run that an execution is a child of into its description.
pub(in crate::states) async fn insert_run(
    states: &States,
    row: &executions::Row,
    answer: &mut Value,
) -> Result<(), ServiceError> {
    if let Some(run) = states.run_of(row).await? {
        answer["mapRunArn"] = run.arn.into();
    }
    Ok(())
}
