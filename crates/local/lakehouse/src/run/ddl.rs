//! Statements that change names: databases, tables, views, columns, partitions.

use super::{Run, create, create_hive, partitions};
use crate::catalog::{Column, Database, Entry, Versioned, View};
use crate::change::Counts;
use crate::error::{Error, Result};
use crate::lakehouse::{Answer, Kind};
use crate::query::labels::check_stored;
use crate::sql::{Alteration, Name, Statement, parse_query};
use crate::table::alter::{SchemaChange, alter};
use crate::table::dropping::remove_files;
use crate::types::ColumnType;

/// As often a change of a name is tried when others change it too.
const MOST_ATTEMPTS: usize = 20;

pub(super) async fn define(run: &Run<'_>, statement: Statement) -> Result<Answer> {
    let counts = match statement {
        Statement::CreateTableAs(mut statement) => {
            if !create::is_iceberg(&mut statement.properties, statement.name.position)? {
                let written = create_hive::table_as(run, statement).await?;
                return Ok(Answer::of_files(Kind::Ddl, written));
            }
            create::table_as(run, statement).await?
        }
        other => {
            change_name(run, other).await?;
            Counts::default()
        }
    };
    Ok(Answer::empty(Kind::Ddl, counts))
}

async fn change_name(run: &Run<'_>, statement: Statement) -> Result<()> {
    match statement {
        Statement::CreateDatabase { name, if_not_exists, comment, location } => {
            create_database(run, &name, if_not_exists, &Database { comment, location }).await
        }
        Statement::DropDatabase { name, if_exists, cascade } => drop_database(run, &name, if_exists, cascade).await,
        Statement::CreateIceberg(statement) => create::iceberg(run, statement).await,
        Statement::CreateExternal(statement) => create::external(run, *statement).await,
        Statement::CreateView { name, or_replace, query, columns } => {
            create_view(run, &name, or_replace, query, &columns).await
        }
        Statement::DropTable { name, if_exists } => drop_table(run, &name, if_exists).await,
        Statement::DropView { name, if_exists } => drop_view(run, &name, if_exists).await,
        Statement::Alter { name, change } => alter_table(run, &name, change).await,
        Statement::Repair(name) => partitions::repair(run, &name).await,
        _ => Err(Error::Invalid("this changes no name".to_owned())),
    }
}

/// Tries a change of a name until no other change comes between.
pub(super) async fn until_done<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    for _ in 0..MOST_ATTEMPTS {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
    }
    Err(Error::Conflict { table: what.to_owned(), attempts: MOST_ATTEMPTS })
}

async fn create_database(run: &Run<'_>, name: &str, if_not_exists: bool, database: &Database) -> Result<()> {
    let catalog = &run.shop.tables.catalog;
    until_done(name, async || {
        let was = catalog.database(name).await?;
        if was.value.is_some() {
            let exists = Error::Exists(format!("the database `{name}`"));
            return if if_not_exists { Ok(Some(())) } else { Err(exists) };
        }
        Ok(catalog.set_database(name, was.number, Some(database)).await?.then_some(()))
    })
    .await
}

async fn drop_database(run: &Run<'_>, name: &str, if_exists: bool, cascade: bool) -> Result<()> {
    let catalog = &run.shop.tables.catalog;
    let was = catalog.database(name).await?;
    if was.value.is_none() {
        return if if_exists { Ok(()) } else { Err(Error::Missing(format!("the database `{name}` does not exist"))) };
    }
    let tables = catalog.tables(name).await?;
    if !cascade && !tables.is_empty() {
        let message = format!("the database `{name}` has {} tables; write CASCADE to drop them too", tables.len());
        return Err(Error::Invalid(message));
    }
    for (table, entry) in tables {
        let position = crate::sql::Position { line: 1, column: 1 };
        let table = Name { database: Some(name.to_owned()), table, position };
        match entry {
            Entry::View(_) => drop_view(run, &table, true).await?,
            _ => drop_table(run, &table, true).await?,
        }
    }
    until_done(name, async || {
        let was = catalog.database(name).await?;
        Ok(catalog.set_database(name, was.number, None).await?.then_some(()))
    })
    .await
}

/// The entry of a name that must be in a database that exists.
pub(super) async fn was(run: &Run<'_>, name: &crate::catalog::TableName) -> Result<Versioned<Entry>> {
    if run.shop.tables.catalog.database(&name.database).await?.value.is_none() {
        return Err(Error::Missing(format!("the database `{}` does not exist", name.database)));
    }
    run.shop.tables.catalog.entry(name).await
}

async fn create_view(run: &Run<'_>, name: &Name, or_replace: bool, sql: String, names: &[String]) -> Result<()> {
    let name = name.full(run.database)?;
    let plan = run.scope()?.plan(*parse_query(&sql)?).await?;
    let fields = plan.schema().fields();
    if !names.is_empty() && names.len() != fields.len() {
        let message = format!("the view names {} columns and its query gives {}", names.len(), fields.len());
        return Err(Error::Invalid(message));
    }
    if names.is_empty() {
        check_stored(plan.schema().as_arrow())?;
    }
    let column = |(nth, field): (usize, &std::sync::Arc<datafusion::arrow::datatypes::Field>)| {
        let name = names.get(nth).unwrap_or(field.name()).clone();
        Ok(Column { name, column_type: ColumnType::of_arrow(field.data_type())?, comment: None })
    };
    let columns = fields.iter().enumerate().map(column).collect::<Result<_>>()?;
    let view = Entry::View(View { sql, database: run.database.to_owned(), columns });
    until_done(&name.to_string(), async || {
        let was = was(run, &name).await?;
        match was.value {
            Some(Entry::View(_)) if or_replace => {}
            Some(_) => return Err(Error::Exists(format!("`{name}`"))),
            None => {}
        }
        Ok(run.shop.tables.catalog.set_entry(&name, was.number, &view).await?.then_some(()))
    })
    .await
}

async fn drop_view(run: &Run<'_>, name: &Name, if_exists: bool) -> Result<()> {
    let name = name.full(run.database)?;
    let catalog = &run.shop.tables.catalog;
    until_done(&name.to_string(), async || {
        let was = catalog.entry(&name).await?;
        match was.value {
            Some(Entry::View(_)) => {}
            Some(_) => return Err(Error::Invalid(format!("`{name}` is a table; write DROP TABLE"))),
            None if if_exists => return Ok(Some(())),
            None => return Err(Error::Missing(format!("the view `{name}` does not exist"))),
        }
        Ok(catalog.set_entry(&name, was.number, &Entry::Dropped).await?.then_some(()))
    })
    .await
}

async fn drop_table(run: &Run<'_>, name: &Name, if_exists: bool) -> Result<()> {
    let name = name.full(run.database)?;
    let tables = &run.shop.tables;
    let dropped = until_done(&name.to_string(), async || {
        let was = tables.catalog.entry(&name).await?;
        match was.value {
            Some(Entry::View(_)) => return Err(Error::Invalid(format!("`{name}` is a view; write DROP VIEW"))),
            None if if_exists => return Ok(Some(None)),
            None => return Err(Error::Missing(format!("the table `{name}` does not exist"))),
            Some(_) => {}
        }
        // The location is asked for first; a table whose metadata are damaged can still be dropped.
        let location = tables.load(&name).await.ok().map(|loaded| loaded.metadata().location().to_owned());
        let done = tables.catalog.set_entry(&name, was.number, &Entry::Dropped).await?;
        Ok(done.then_some(location))
    })
    .await?;
    if let Some(location) = dropped
        && let Err(error) = remove_files(tables, &location).await
    {
        tracing::warn!(table = %name, %error, "the table is dropped, and some of its files stay");
    }
    Ok(())
}

async fn alter_table(run: &Run<'_>, name: &Name, change: Alteration) -> Result<()> {
    let full = name.full(run.database)?;
    let entry = was(run, &full).await?;
    match entry.value {
        Some(Entry::External(_)) => partitions::alter(run, &full, change).await,
        Some(Entry::View(_)) => Err(Error::Invalid(format!("`{full}` is a view; write CREATE OR REPLACE VIEW"))),
        Some(Entry::Iceberg { .. }) => alter(&run.shop.tables, &full, &of_iceberg(name, change)?).await,
        _ => Err(Error::Missing(format!("the table `{full}` does not exist"))),
    }
}

fn of_iceberg(name: &Name, change: Alteration) -> Result<SchemaChange> {
    Ok(match change {
        Alteration::AddColumns(columns) => SchemaChange::Add(columns),
        Alteration::DropColumn(column) => SchemaChange::Drop(column),
        Alteration::RenameColumn { from, to } => SchemaChange::Change { from, to, column_type: None },
        Alteration::ChangeColumn { from, to, column_type } => {
            SchemaChange::Change { from, to, column_type: Some(column_type) }
        }
        Alteration::SetProperties(properties) => SchemaChange::Set(properties),
        Alteration::UnsetProperties(names) => SchemaChange::Unset(names),
        Alteration::AddPartitions { .. } | Alteration::DropPartitions { .. } => {
            let instead = "an Iceberg table knows its partitions; write INSERT or DELETE";
            return Err(Error::unsupported(name.position, "a partition of an Iceberg table", instead));
        }
        Alteration::SetLocation(_) => {
            let instead = "write CREATE TABLE … AS SELECT with another location";
            return Err(Error::unsupported(name.position, "a new location of an Iceberg table", instead));
        }
    })
}
