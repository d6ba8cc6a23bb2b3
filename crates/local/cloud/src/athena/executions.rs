//! Starting queries, looking at them, stopping them.
//!
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_StartQueryExecution.html>

use lakehouse::{Error, Kind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::{self, VALIDATION, invalid};
use super::rows::{self, Request, Row};
use super::{Athena, MOST_ACTIVE, groups, page, run, saved, shape};
use crate::identifier;
use crate::wire::{Outcome, Reply, ServiceError, decode};

/// Athena's limit for the text of a query, in UTF-8 bytes.
const MOST_QUERY_BYTES: usize = 262_144;

/// The most entries of a list of queries.
const MOST_LISTED: i64 = 50;

/// The group of queries that name none.
pub(super) const PRIMARY: &str = "primary";

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Context {
    database: Option<String>,
    catalog: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Start {
    query_string: Option<String>,
    client_request_token: Option<String>,
    query_execution_context: Option<Context>,
    result_configuration: Option<Value>,
    work_group: Option<String>,
    execution_parameters: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    query_execution_id: Option<String>,
    query_execution_ids: Option<Vec<String>>,
    work_group: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// A query that was started, now or by an earlier call that asked for the same.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) id: String,
}

pub(super) async fn start(athena: &Athena, body: Value) -> Outcome {
    let begun = athena.begin(None, body).await?;
    Ok(Reply::plain(json!({ "QueryExecutionId": begun.id })))
}

impl Athena {
    /// Starts a query, under an id of the caller's if there is one. The same id or token starts nothing twice.
    ///
    /// # Errors
    /// The service's own errors.
    pub(crate) async fn begin(&self, id: Option<String>, body: Value) -> Result<Begun, ServiceError> {
        let asked: Start = decode(body)?;
        let id = id.unwrap_or_else(identifier::random);
        let group = asked.work_group.clone().unwrap_or_else(|| PRIMARY.to_owned());
        let token = asked.client_request_token.clone();
        if let Some(token) = &token {
            VALIDATION.length(token, "clientRequestToken", 32, 128)?;
        }
        let request = self.request(asked, &id, &group).await?;
        if self.active().len() >= MOST_ACTIVE {
            return Err(refusal::too_many(MOST_ACTIVE));
        }
        let (row, now) = ((id.clone(), group, token, request.clone()), self.now());
        let earlier = self.write(move |database| {
            let (id, group, token, request) = row;
            rows::insert(database, &id, &group, token.as_deref(), &request, now)
        });
        match earlier.await? {
            None => {
                run::spawn(self, id.clone(), request);
                Ok(Begun { id })
            }
            Some(earlier) if is_same(&earlier.request, &request) => Ok(Begun { id: earlier.id }),
            Some(_) => Err(invalid("Idempotent parameters do not match")),
        }
    }

    /// Everything that running the query takes.
    async fn request(&self, asked: Start, id: &str, group: &str) -> Result<Request, ServiceError> {
        let query = VALIDATION.required(asked.query_string.as_ref(), "queryString")?.clone();
        check_query(&query)?;
        let context = asked.query_execution_context.unwrap_or_default();
        check_catalog(context.catalog.as_deref())?;
        let parameters = asked.execution_parameters.unwrap_or_default();
        let limits = groups::limits(self, group, asked.result_configuration).await?;
        let statement = saved::expanded(self, group, &query, &parameters).await?;
        let class = match lakehouse::class(&statement) {
            Ok(class) => Some(class),
            Err(error @ Error::Syntax { .. }) => return Err(malformed(&error)),
            // It is told when the query runs, as on AWS.
            Err(_) => None,
        };
        let ending = match class.map(|class| (class.kind, class.name)) {
            Some((Kind::Dml, _)) | None => format!("{id}.csv"),
            Some((_, "CREATE_TABLE_AS_SELECT")) => format!("tables/{id}"),
            Some(_) => format!("{id}.txt"),
        };
        Ok(Request {
            query,
            statement,
            database: context.database,
            catalog: context.catalog,
            parameters,
            output: format!("{}/{ending}", limits.output.trim_end_matches('/')),
            result_configuration: limits.configuration,
            kind: class.map(|class| kind_name(class.kind).to_owned()),
            name: class.map(|class| class.name.to_owned()),
            is_read: class.is_some_and(|class| class.is_read),
            most_bytes: limits.most_bytes,
        })
    }
}

/// Whether two requests ask for the same. Their results go to different places, because their ids differ.
fn is_same(one: &Request, other: &Request) -> bool {
    let place = |request: &Request| request.output.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    (&one.query, &one.database, &one.parameters, place(one))
        == (&other.query, &other.database, &other.parameters, place(other))
}

fn check_query(query: &str) -> Result<(), ServiceError> {
    VALIDATION.length(query, "queryString", 1, MOST_QUERY_BYTES)?;
    if query.len() > MOST_QUERY_BYTES {
        return Err(invalid(format!("the query is longer than {MOST_QUERY_BYTES} bytes")));
    }
    Ok(())
}

/// There is one catalog, which Athena names in its own way.
pub(super) fn check_catalog(name: Option<&str>) -> Result<(), ServiceError> {
    match name {
        None => Ok(()),
        Some(name) if name.eq_ignore_ascii_case("AwsDataCatalog") => Ok(()),
        Some(name) => Err(invalid(format!("Catalog {name} is not found: locally there is `AwsDataCatalog` alone"))),
    }
}

fn malformed(error: &Error) -> ServiceError {
    invalid(format!("Queries of this type are not supported or malformed: {error}"))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Ddl => "DDL",
        Kind::Dml => "DML",
        Kind::Utility => "UTILITY",
    }
}

/// The query of an id.
pub(super) async fn found(athena: &Athena, id: Option<&String>) -> Result<Row, ServiceError> {
    let id = VALIDATION.required(id, "queryExecutionId")?.clone();
    VALIDATION.length(&id, "queryExecutionId", 1, 128)?;
    let named = id.clone();
    let row = athena.read(move |database| rows::by_id(database, &named)).await?;
    row.ok_or_else(|| refusal::no_such_query(&id))
}

pub(super) async fn get(athena: &Athena, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    let row = found(athena, asked.query_execution_id.as_ref()).await?;
    Ok(Reply::plain(json!({ "QueryExecution": shape::execution(&row) })))
}

pub(super) async fn get_batch(athena: &Athena, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    let ids = VALIDATION.required(asked.query_execution_ids.as_ref(), "queryExecutionIds")?;
    if ids.is_empty() || ids.len() > 50 {
        return Err(VALIDATION.error("queryExecutionIds takes 1 to 50 ids"));
    }
    let (mut executions, mut unprocessed) = (Vec::new(), Vec::new());
    for id in ids {
        match found(athena, Some(id)).await {
            Ok(row) => executions.push(shape::execution(&row)),
            Err(error) if error.status < 500 => unprocessed.push(json!({
                "QueryExecutionId": id, "ErrorCode": error.code, "ErrorMessage": error.message,
            })),
            Err(error) => return Err(error),
        }
    }
    Ok(Reply::plain(json!({ "QueryExecutions": executions, "UnprocessedQueryExecutionIds": unprocessed })))
}

pub(super) async fn list(athena: &Athena, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    let group = asked.work_group.unwrap_or_else(|| PRIMARY.to_owned());
    groups::must_exist(athena, &group).await?;
    let (size, of) = (page::size(asked.max_results, MOST_LISTED)?, format!("queries {group}"));
    let before = page::place::<i64>(&of, asked.next_token.as_deref())?.unwrap_or(i64::MAX);
    let mut found = athena.read(move |database| rows::list(database, &group, before, size + 1)).await?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|(number, _)| page::token(&of, number));
    let ids: Vec<String> = found.into_iter().map(|(_, id)| id).collect();
    Ok(Reply::plain(with_token(json!({ "QueryExecutionIds": ids }), next)))
}

/// An answer with the token that leads on from it, where something follows.
pub(super) fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    answer
}

pub(super) async fn stop(athena: &Athena, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    let row = found(athena, asked.query_execution_id.as_ref()).await?;
    run::stop(athena, &row.id).await;
    Ok(Reply::plain(json!({})))
}

pub(super) async fn statistics(athena: &Athena, body: Value) -> Outcome {
    let asked: Named = decode(body)?;
    let row = found(athena, asked.query_execution_id.as_ref()).await?;
    Ok(Reply::plain(json!({ "QueryRuntimeStatistics": shape::runtime_statistics(&row) })))
}
