//! Statements that change rows, by copy on write: which rows are meant is found out first, reading only the columns
//! that it takes; then the files that hold them are written anew, and one commit puts the new ones in the place of the
//! old. Memory grows with the number of changed rows, not with the table.
//! <https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-updating-iceberg-table-data.html>.

mod assign;
mod delete;
mod insert;
mod marks;
mod merge;
mod prune;
mod update;

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, TableFactor};

pub(crate) use delete::delete;
pub(crate) use insert::insert;
pub(crate) use merge::merge;
pub(crate) use update::update;

use crate::catalog::TableName;
use crate::error::{Error, Result};
use crate::query::provider::Snapshot;
use crate::query::{Scope, Shared};
use crate::sql::{Name, Position};
use crate::table::Loaded;

/// How many rows a statement changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that are new.
    pub inserted: u64,
    /// Rows that have other values.
    pub updated: u64,
    /// Rows that are gone.
    pub deleted: u64,
}

/// A table that a statement changes, and the name by which its expressions speak of it.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) name: TableName,
    pub(crate) alias: Ident,
}

impl Changed {
    pub(crate) fn of(factor: &TableFactor, database: &str) -> Result<Self> {
        let TableFactor::Table { name, alias, version: None, args: None, .. } = factor else {
            return Err(Error::Invalid(format!("`{factor}` cannot be changed; name a table")));
        };
        let written = name_of(name)?;
        let last = name.0.last().and_then(|part| part.as_ident().cloned());
        let alias = alias.as_ref().map(|alias| alias.name.clone()).or(last);
        let alias = alias.unwrap_or_else(|| Ident::new(&written.table));
        Ok(Self { name: written.full(database)?, alias })
    }
}

/// A name as sqlparser keeps it.
pub(crate) fn name_of(name: &ObjectName) -> Result<Name> {
    let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
    let parts = parts.ok_or_else(|| Error::Invalid(format!("`{name}` is no table")))?;
    let start = parts.first().map(|ident| ident.span.start);
    let position = start.map_or(Position { line: 1, column: 1 }, |start| Position {
        line: start.line.max(1),
        column: start.column.max(1),
    });
    Name::new(parts.into_iter().map(|ident| ident.value.to_lowercase()).collect(), position)
}

/// The session of one attempt: the changed table is the one that the attempt is made on, wherever it is named.
pub(crate) fn attempt_scope(shared: &Arc<Shared>, database: &str, base: &Loaded) -> Result<Scope> {
    let own = Shared::new(Arc::clone(&shared.tables), Arc::clone(&shared.runtime), shared.limits, &shared.meter);
    let provider: Arc<dyn TableProvider> = Arc::new(Snapshot::newest(base.table.clone(), &own.file_io)?);
    own.fix(&base.name, provider);
    Scope::new(&own, database, 0)
}

/// The columns of a table.
pub(crate) fn columns_of(base: &Loaded) -> Vec<String> {
    base.metadata().current_schema().as_struct().fields().iter().map(|field| field.name.clone()).collect()
}

/// A name in quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
