//! What can go wrong, by the names that Athena gives it.
//! A statement that is wrong or refused says where and what to write instead; nothing is left half done.
//! Names: <https://docs.aws.amazon.com/athena/latest/ug/error-reference.html>.

use std::fmt::Write as _;

use datafusion::error::DataFusionError;

use crate::sql::Position;

/// What an operation of this crate gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a statement failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no statement.
    #[error("{position}: {message}")]
    Syntax {
        /// Where reading stopped.
        position: Position,
        /// What was found and what was expected.
        message: String,
    },
    /// The statement asks for what this engine does not do.
    #[error("{position}: {what} is not supported; {instead}")]
    Unsupported {
        /// Where it stands.
        position: Position,
        /// What was asked for, by name.
        what: String,
        /// What to write instead.
        instead: String,
    },
    /// A database, table, column, snapshot or function that is named does not exist.
    #[error("{0}")]
    Missing(String),
    /// A database or table of this name exists already.
    #[error("{0} already exists")]
    Exists(String),
    /// Values of one type are put where another is declared.
    #[error("{0}")]
    Mismatch(String),
    /// The statement can be read, and makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A column that is to be stored has no name.
    #[error("Column name not specified at position {place}; give it one with AS")]
    Unnamed {
        /// Which column it is, from 1.
        place: usize,
    },
    /// Two columns that are to be stored have one name.
    #[error("Column name '{name}' specified more than once, at positions {} and {}; give one of them another with AS", places.0, places.1)]
    NamedTwice {
        /// The name.
        name: String,
        /// Which columns they are, from 1.
        places: (usize, usize),
    },
    /// Two rows of the source would change one row of the target.
    #[error("one row of `{0}` matches more than one row of the source; keep one source row for each key")]
    MergeTwice(String),
    /// Other writers were faster, each time.
    #[error("`{table}` was changed by others during each of {attempts} attempts; nothing was written, try again")]
    Conflict {
        /// The table.
        table: String,
        /// How often it was tried.
        attempts: usize,
    },
    /// Somebody stopped the statement.
    #[error("the statement was stopped")]
    Stopped,
    /// The statement broke off by a fault of this program's; nothing that was not committed took effect.
    #[error("the statement broke off: {0}")]
    Broken(String),
    /// A file of a table is missing or cannot be read.
    #[error("{what} is damaged or missing; no other file was touched")]
    Damaged {
        /// The file.
        what: String,
        /// What reading it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A data file of an external table does not fit its declaration.
    #[error("{file}: {message}")]
    BadData {
        /// The file, with the line where there are lines.
        file: String,
        /// What is wrong with it.
        message: String,
    },
    /// The query engine failed.
    #[error("failed to {doing}")]
    Query {
        /// What was being done.
        doing: &'static str,
        /// What the engine said.
        #[source]
        source: Box<DataFusionError>,
    },
    /// Reading or writing Iceberg files failed.
    #[error("failed to {doing}")]
    Iceberg {
        /// What was being done.
        doing: &'static str,
        /// What the library said.
        #[source]
        source: Box<iceberg::Error>,
    },
    /// The object store failed.
    #[error("failed to {doing}")]
    Store {
        /// What was being done.
        doing: String,
        /// What the store said.
        #[source]
        source: Box<object_store::Error>,
    },
}

impl Error {
    /// The stable name, as Athena writes it in `StateChangeReason`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "SYNTAX_ERROR",
            Self::Unsupported { .. } => "NOT_SUPPORTED",
            Self::Missing(_) => "NOT_FOUND",
            Self::Exists(_) => "ALREADY_EXISTS",
            Self::Mismatch(_) => "TYPE_MISMATCH",
            Self::Invalid(_) => "INVALID_ARGUMENTS",
            Self::Unnamed { .. } => "MISSING_COLUMN_NAME",
            Self::NamedTwice { .. } => "DUPLICATE_COLUMN_NAME",
            Self::MergeTwice(_) => "MERGE_TARGET_ROW_MULTIPLE_MATCHES",
            Self::Conflict { .. } => "ICEBERG_COMMIT_ERROR",
            Self::Stopped => "USER_CANCELLED",
            Self::Damaged { .. } => "ICEBERG_BAD_DATA",
            Self::BadData { .. } => "HIVE_BAD_DATA",
            Self::Broken(_) | Self::Query { .. } | Self::Iceberg { .. } | Self::Store { .. } => {
                "GENERIC_INTERNAL_ERROR"
            }
        }
    }

    /// The message with those of its causes, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = format!("{}: {self}", self.name());
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // Writing to a string does not fail.
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        text
    }

    pub(crate) fn unsupported(position: Position, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Unsupported { position, what: what.into(), instead: instead.into() }
    }

    pub(crate) fn damaged(what: impl Into<String>, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Damaged { what: what.into(), source: Box::new(source) }
    }
}

/// Errors of the query engine: one of ours that went through it comes out again as what it was.
pub(crate) fn query(doing: &'static str) -> impl Fn(DataFusionError) -> Error {
    move |error| unwrap(doing, error)
}

fn unwrap(doing: &'static str, error: DataFusionError) -> Error {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::Query { doing, source: Box::new(DataFusionError::External(other)) },
        },
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => unwrap(doing, *inner),
        DataFusionError::Shared(shared) => match std::sync::Arc::try_unwrap(shared) {
            Ok(inner) => unwrap(doing, inner),
            Err(shared) => Error::Query { doing, source: Box::new(DataFusionError::Shared(shared)) },
        },
        DataFusionError::ArrowError(inner, backtrace) => match *inner {
            datafusion::arrow::error::ArrowError::ExternalError(boxed) => {
                unwrap(doing, DataFusionError::External(boxed))
            }
            other => Error::Query { doing, source: Box::new(DataFusionError::ArrowError(Box::new(other), backtrace)) },
        },
        other => Error::Query { doing, source: Box::new(other) },
    }
}

/// Errors of the Iceberg library.
pub(crate) fn iceberg(doing: &'static str) -> impl Fn(iceberg::Error) -> Error {
    move |source| Error::Iceberg { doing, source: Box::new(source) }
}

/// Errors of the object store.
pub(crate) fn store(doing: impl Into<String>) -> impl FnOnce(object_store::Error) -> Error {
    let doing = doing.into();
    move |source| Error::Store { doing, source: Box::new(source) }
}

/// An error of ours on its way through the query engine.
pub(crate) fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
