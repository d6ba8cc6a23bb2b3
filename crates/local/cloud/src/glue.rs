//! AWS Glue's catalog over that of the local lakehouse: databases, tables and partitions.
//!
//! An Iceberg table is what its metadata file says; another engine that commits through this API swaps that file under
//! the number of the catalog's entry, so nobody's commit is lost. An external table's files are described in Hive's
//! words. Views are made by `CREATE VIEW` alone. Not here: crawlers, jobs, connections, versions of tables,
//! statistics, and everything about Lake Formation.
//!
//! <https://docs.aws.amazon.com/glue/latest/webapi/Welcome.html>

mod databases;
mod partitions;
mod shape;
mod tables;

use std::future::Future;

use lakehouse::{Error, Lakehouse, TableName};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::ai::token;
use crate::ai::validate::Validation;
use crate::context::ACCOUNT;
use crate::lake::Lake;
use crate::wire::{Outcome, ServiceError};

/// How a member that breaks a constraint is told.
const VALIDATION: Validation = Validation("InvalidInputException");

/// What a pattern may grow to.
const MOST_PATTERN_BYTES: usize = 1 << 20;

/// The most entries of a page.
const MOST_LISTED: i64 = 1000;

/// How often a change is tried when others change the same name meanwhile.
const MOST_ATTEMPTS: usize = 20;

/// The Glue surface; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Glue {
    lake: Lake,
}

impl Glue {
    pub(crate) fn new(lake: Lake) -> Self {
        Self { lake }
    }

    /// Answers one operation of the API.
    ///
    /// # Errors
    /// The service's own errors; `NotAvailableLocally` for an operation that only AWS has.
    pub(crate) async fn handle(&self, operation: &str, body: Value) -> Outcome {
        check_catalog(&body)?;
        match operation {
            "GetDatabase" => databases::get(self, body).await,
            "GetDatabases" => databases::list(self, body).await,
            "CreateDatabase" => databases::create(self, body).await,
            "UpdateDatabase" => databases::update(self, body).await,
            "DeleteDatabase" => databases::delete(self, body).await,
            "GetTable" => tables::get(self, body).await,
            "GetTables" => tables::list(self, body).await,
            "SearchTables" => tables::search(self, body).await,
            "CreateTable" => tables::create(self, body).await,
            "UpdateTable" => tables::update(self, body).await,
            "DeleteTable" => tables::delete(self, body).await,
            "BatchDeleteTable" => tables::delete_batch(self, body).await,
            "GetPartition" => partitions::get(self, body).await,
            "GetPartitions" => partitions::list(self, body).await,
            "BatchGetPartition" => partitions::get_batch(self, body).await,
            "CreatePartition" => partitions::create(self, body).await,
            "BatchCreatePartition" => partitions::create_batch(self, body).await,
            "UpdatePartition" => partitions::update(self, body).await,
            "DeletePartition" => partitions::delete(self, body).await,
            "BatchDeletePartition" => partitions::delete_batch(self, body).await,
            "GetPartitionIndexes" => partitions::indexes(self, body).await,
            other => Err(ServiceError::not_available_locally(format!("`{other}` of Glue is not available locally"))),
        }
    }

    /// Does something with the lakehouse.
    async fn with<T, F, W>(&self, work: W) -> Result<T, ServiceError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Refused>> + Send + 'static,
        W: FnOnce(Lakehouse) -> F + Send + 'static,
    {
        self.lake.with(work).await?.map_err(ServiceError::from)
    }
}

/// Why something in the lakehouse was not done.
#[derive(Debug)]
enum Refused {
    Lake(Error),
    Service(ServiceError),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Lake(error)
    }
}

impl From<ServiceError> for Refused {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<Refused> for ServiceError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Service(error) => error,
            Refused::Lake(error) => match error {
                Error::Missing(message) => Self::client("EntityNotFoundException", message),
                Error::Exists(what) => Self::client("AlreadyExistsException", format!("{what} already exists")),
                Error::Conflict { .. } => Self::client("ConcurrentModificationException", error.to_string()),
                Error::Store { .. } | Error::Query { .. } | Error::Iceberg { .. } | Error::Broken(_) => {
                    Self::internal("InternalServiceException", error.chain())
                }
                other => Self::client("InvalidInputException", other.chain()),
            },
        }
    }
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::client("InvalidInputException", message)
}

fn missing(message: impl Into<String>) -> ServiceError {
    ServiceError::client("EntityNotFoundException", message)
}

fn exists(message: impl Into<String>) -> ServiceError {
    ServiceError::client("AlreadyExistsException", message)
}

fn moved() -> ServiceError {
    ServiceError::client("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
}

/// There is one catalog, that of the account.
fn check_catalog(body: &Value) -> Result<(), ServiceError> {
    match body["CatalogId"].as_str() {
        None | Some(ACCOUNT) => Ok(()),
        Some(other) => Err(missing(format!("Catalog {other} is not here: the local account is {ACCOUNT}"))),
    }
}

fn table_name(database: Option<&String>, table: Option<&String>) -> Result<TableName, ServiceError> {
    let database = VALIDATION.required(database, "databaseName")?;
    let table = VALIDATION.required(table, "name")?;
    TableName::new(database, table).map_err(|error| invalid(error.to_string()))
}

/// A pattern of names: a regular expression of the whole name, or one in which only `*` stands for something.
///
/// # Errors
/// If it is neither.
pub(crate) fn pattern(text: Option<&str>) -> Result<Regex, String> {
    let text = text.filter(|text| !text.is_empty()).unwrap_or(".*");
    let is_glob = text.contains('*') && !text.contains(['.', '^', '$', '+', '?', '(', ')', '[', ']', '{', '}', '\\']);
    let expression = if is_glob { text.replace('*', ".*") } else { text.to_owned() };
    let mut builder = RegexBuilder::new(&format!("^(?:{expression})$"));
    let built = builder.case_insensitive(true).size_limit(MOST_PATTERN_BYTES).build();
    built.map_err(|error| format!("the expression `{text}` is no pattern: {error}"))
}

/// The page of entries that are sorted by name, behind the token's name; and the next token.
fn page<T>(
    entries: Vec<(String, T)>,
    asked: Option<i64>,
    next: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ServiceError> {
    let asked = asked.unwrap_or(100);
    VALIDATION.range(asked, "maxResults", 1, MOST_LISTED)?;
    let size = usize::try_from(asked).unwrap_or(1);
    let behind: Option<String> = match next.filter(|next| !next.is_empty()) {
        Some(next) => Some(token::open(next).map_err(|_| invalid("NextToken is of another list"))?),
        None => None,
    };
    let rest = entries.into_iter().filter(|(name, _)| behind.as_ref().is_none_or(|behind| name > behind));
    let mut page: Vec<(String, T)> = rest.take(size + 1).collect();
    let more = page.len() > size;
    page.truncate(size);
    let next = page.last().filter(|_| more).map(|(name, _)| token::seal(name));
    Ok((page.into_iter().map(|(_, entry)| entry).collect(), next))
}

/// An answer with the token that leads on from it, where something follows.
fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::{page, pattern};

    #[test]
    fn patterns_are_regular_expressions_or_have_stars() {
        for (text, name, matches) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("ab*", "abcd", true),
            ("*c*", "abcd", true),
            ("ab.*", "abcd", true),
            ("a|b", "b", true),
            ("AB.", "abc", true),
        ] {
            assert_eq!(pattern(Some(text)).unwrap().is_match(name), matches, "{text} {name}");
        }
        assert!(pattern(None).unwrap().is_match("anything"));
        assert!(pattern(Some("(")).is_err());
        assert!(pattern(Some("(a{1000}){1000}")).is_err());
    }

    #[test]
    fn pages_follow_one_another() {
        let entries = || ["a", "b", "c"].map(|name| (name.to_owned(), name)).to_vec();
        let (first, next) = page(entries(), Some(2), None).unwrap();
        let (second, end) = page(entries(), Some(2), next.as_deref()).unwrap();
        assert_eq!((first, second, end), (vec!["a", "b"], vec!["c"], None));
        assert_eq!(page(entries(), Some(0), None).unwrap_err().code, "InvalidInputException");
        assert_eq!(page(entries(), None, Some("x")).unwrap_err().code, "InvalidInputException");
    }
}
