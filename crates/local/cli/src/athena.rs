//! Queries by Athena's API: started, waited for, their rows page by page. The same against AWS and the local cloud.

use std::time::Duration;

use anyhow::Context as _;
use aws_sdk_athena::Client;
use aws_sdk_athena::types::{
    ColumnInfo, QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row, StatementType,
};
use tokio::time::sleep;

use crate::problem::{Exit, Problem};

/// The first pause before a query is looked at; each later one is half as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause: a person waits.
const MOST_PAUSE: Duration = Duration::from_secs(1);
/// Athena's category for what whoever asked did wrong.
const USER_ERROR: i32 = 2;

/// Where and how queries run.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) work_group: String,
    pub(crate) database: String,
    /// `s3://` prefix of results.
    pub(crate) results: String,
}

/// A query that has succeeded.
#[derive(Debug)]
pub(crate) struct Done {
    id: String,
    /// Whether its first row repeats the names of the columns.
    has_header: bool,
}

/// Some rows of a result.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) columns: Vec<ColumnInfo>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    next: Option<String>,
}

impl Desk {
    /// Starts `statement` and gives its id.
    pub(crate) async fn start(&self, statement: &str) -> anyhow::Result<String> {
        let context = QueryExecutionContext::builder().database(&self.database).build();
        let results = ResultConfiguration::builder().output_location(&self.results).build();
        let request = self.client.start_query_execution().query_string(statement).query_execution_context(context);
        let started = request.work_group(&self.work_group).result_configuration(results).send().await;
        let started = started.map_err(|error| refused(statement, error))?;
        started.query_execution_id.context("the service gave the query no id")
    }

    /// Waits until the query `id` has ended; `look` sees it while it runs.
    pub(crate) async fn wait(
        &self,
        id: &str,
        statement: &str,
        mut look: impl FnMut(&QueryExecution),
    ) -> anyhow::Result<Done> {
        let mut pause = FIRST_PAUSE;
        loop {
            let output = self.client.get_query_execution().query_execution_id(id).send().await;
            let output = output.context("failed to ask for the query")?;
            let query = output.query_execution.context("the service does not know the query")?;
            match query.status().and_then(|status| status.state()) {
                Some(QueryExecutionState::Succeeded) => {
                    let has_header = query.statement_type() == Some(&StatementType::Dml);
                    return Ok(Done { id: id.to_owned(), has_header });
                }
                Some(QueryExecutionState::Failed | QueryExecutionState::Cancelled) => {
                    return Err(failed(statement, &query));
                }
                _ => look(&query),
            }
            sleep(pause).await;
            pause = MOST_PAUSE.min(pause * 3 / 2);
        }
    }

    /// Cancels the query; one that has ended meanwhile is none of our concern.
    pub(crate) async fn cancel(&self, id: &str) {
        let _ = self.client.stop_query_execution().query_execution_id(id).send().await;
    }

    /// The first page, or the one after `page`; nothing after the last.
    pub(crate) async fn page(&self, done: &Done, page: Option<&Page>) -> anyhow::Result<Option<Page>> {
        let token = match page {
            None => None,
            Some(Page { next: None, .. }) => return Ok(None),
            Some(Page { next, .. }) => next.clone(),
        };
        let request = self.client.get_query_results().query_execution_id(&done.id).set_next_token(token);
        let output = request.send().await.context("failed to read the result")?;
        let set = output.result_set.unwrap_or_else(|| aws_sdk_athena::types::ResultSet::builder().build());
        let columns = set.result_set_metadata().map(|metadata| metadata.column_info().to_vec()).unwrap_or_default();
        let mut rows: Vec<_> = set.rows().iter().map(values).collect();
        if page.is_none() && done.has_header && rows.first().is_some_and(|row| is_header(row, &columns)) {
            rows.remove(0);
        }
        Ok(Some(Page { columns, rows, next: output.next_token }))
    }

    /// Whether there is a table or view of this name.
    pub(crate) async fn has_table(&self, database: &str, table: &str) -> bool {
        let look = self.client.get_table_metadata().catalog_name("AwsDataCatalog");
        look.database_name(database).table_name(table).send().await.is_ok()
    }

    /// The names of the tables and views of the database; none where they cannot be listed.
    pub(crate) async fn tables(&self) -> Vec<String> {
        let request = self.client.list_table_metadata().catalog_name("AwsDataCatalog").database_name(&self.database);
        let mut tables = request.into_paginator().items().send();
        let mut names = Vec::new();
        while let Some(Ok(table)) = tables.next().await {
            names.push(table.name().to_owned());
        }
        names
    }
}

fn values(row: &Row) -> Vec<Option<String>> {
    row.data().iter().map(|datum| datum.var_char_value().map(str::to_owned)).collect()
}

fn is_header(row: &[Option<String>], columns: &[ColumnInfo]) -> bool {
    row.len() == columns.len() && row.iter().zip(columns).all(|(value, column)| value.as_deref() == Some(column.name()))
}

/// What a service refused before it ran.
fn refused(
    statement: &str,
    error: aws_sdk_athena::error::SdkError<aws_sdk_athena::operation::start_query_execution::StartQueryExecutionError>,
) -> anyhow::Error {
    let is_ours = error.as_service_error().is_some_and(
        aws_sdk_athena::operation::start_query_execution::StartQueryExecutionError::is_invalid_request_exception,
    );
    let message = aws_sdk_athena::error::ProvideErrorMetadata::message(&error).unwrap_or_default().to_owned();
    if is_ours {
        return wrong(statement, &message, Exit::Usage);
    }
    anyhow::Error::new(error).context("failed to start the query")
}

fn failed(statement: &str, query: &QueryExecution) -> anyhow::Error {
    let status = query.status();
    let reason = status.and_then(|status| status.state_change_reason()).unwrap_or("it was cancelled");
    let category =
        status.and_then(|status| status.athena_error()).and_then(aws_sdk_athena::types::AthenaError::error_category);
    wrong(statement, reason, if category == Some(USER_ERROR) { Exit::Usage } else { Exit::Internal })
}

/// The reason, with the line that it speaks of.
fn wrong(statement: &str, reason: &str, exit: Exit) -> anyhow::Error {
    let place = place(reason).and_then(|(line, column)| pointed(statement, line, column));
    let message = format!("failed to run the statement: {reason}{}", place.unwrap_or_default());
    let next = match exit {
        Exit::Usage => "correct the statement; `SHOW TABLES` and `DESCRIBE table` say what there is",
        _ => "try again; `SLUICE_LOG=debug` says more",
    };
    Problem::new(exit, message, next).into()
}

/// Line and column in a reason (`line 2:5: …`), from 1.
fn place(reason: &str) -> Option<(usize, usize)> {
    let behind = reason.split("line ").nth(1)?;
    let (line, rest) = behind.split_once(':')?;
    let column = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// The line with a mark below the column.
fn pointed(statement: &str, line: usize, column: usize) -> Option<String> {
    let text = crate::output::plain(statement.lines().nth(line.checked_sub(1)?)?);
    let blank = " ".repeat(line.to_string().len());
    let indent = " ".repeat(column.saturating_sub(1).min(text.chars().count()));
    Some(format!("\n  {line} | {text}\n  {blank} | {indent}^"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_with_a_place_shows_it() {
        let error = wrong("SELECT *\nFORM t", "SYNTAX_ERROR: line 2:1: expected the end", Exit::Usage);
        let (text, exit) = crate::problem::explain(&error);
        assert!(text.contains("\n  2 | FORM t\n    | ^\n"), "{text}");
        assert_eq!(exit, Exit::Usage);
        let (text, _) = crate::problem::explain(&wrong("SELECT 1", "the disk is full", Exit::Internal));
        assert!(!text.contains('|'), "{text}");
        assert!(pointed("a", 7, 1).is_none() && pointed("a", 0, 1).is_none());
    }
}
