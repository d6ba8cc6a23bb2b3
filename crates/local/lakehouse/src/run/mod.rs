//! Each statement's way: what is read is planned and streamed, what changes rows goes to `change`, what changes names
//! or shows them is done here.

mod create;
mod create_hive;
mod ddl;
mod hive;
mod iceberg_predicate;
mod partitions;
mod show;

use std::sync::Arc;

pub use hive::HiveStorage;
pub(crate) use partitions::partitions_where;
pub(crate) use show::iceberg_columns;

use crate::change;
use crate::error::{Error, Result};
use crate::lakehouse::{Answer, Kind, Shop};
use crate::query::{Scope, Shared};
use crate::session::Meter;
use crate::sql::{self, Name, Statement};
use crate::table::optimize::optimize;
use crate::table::vacuum::vacuum;

/// Runs one statement.
pub(crate) async fn run(shop: &Arc<Shop>, database: &str, meter: &Meter, text: &str) -> Result<Answer> {
    let statement = sql::parse(text)?;
    let run = Run { shop, database, meter };
    match statement {
        Statement::Query(_) | Statement::Explain { .. } => run.read(statement).await,
        Statement::Insert(_) | Statement::Merge(_) | Statement::Update(_) | Statement::Delete(_) => {
            let counts = run.change(statement).await?;
            Ok(Answer::empty(Kind::Dml, counts))
        }
        Statement::Unload(unload) => {
            let written = create_hive::unload(&run, unload).await?;
            Ok(Answer::of_files(Kind::Dml, written))
        }
        Statement::Show(what) => show::show(&run, what).await,
        Statement::Describe { name, of } => show::describe(&run, &name, of).await,
        Statement::Optimize { name, filter } => run.optimize(&name, filter).await,
        Statement::Vacuum(name) => run.vacuum(&name).await,
        other => ddl::define(&run, other).await,
    }
}

/// One statement on its way.
pub(crate) struct Run<'a> {
    pub(crate) shop: &'a Arc<Shop>,
    pub(crate) database: &'a str,
    pub(crate) meter: &'a Meter,
}

impl Run<'_> {
    pub(crate) fn shared(&self) -> Arc<Shared> {
        let limits = self.shop.settings.limits;
        Shared::new(Arc::clone(&self.shop.tables), Arc::clone(&self.shop.runtime), limits, self.meter)
    }

    pub(crate) fn scope(&self) -> Result<Scope> {
        Scope::new(&self.shared(), self.database, 0)
    }

    async fn read(&self, statement: Statement) -> Result<Answer> {
        let scope = self.scope()?;
        match statement {
            Statement::Query(query) => {
                let plan = scope.plan(*query).await?;
                let (schema, rows) = scope.answer(plan).await?;
                Ok(Answer { kind: Kind::Dml, schema, rows, counts: change::Counts::default(), files: Vec::new() })
            }
            Statement::Explain { query, analyze } => {
                let plan = scope.plan(*query).await?;
                show::explained(&scope.explain(plan, analyze).await?)
            }
            _ => Err(Error::Invalid("this is no query".to_owned())),
        }
    }

    async fn change(&self, statement: Statement) -> Result<change::Counts> {
        match statement {
            Statement::Insert(insert) => change::insert(&self.scope()?, insert).await,
            Statement::Merge(merge) => change::merge(&self.shared(), self.database, &merge).await,
            Statement::Update(update) => change::update(&self.shared(), self.database, &update).await,
            Statement::Delete(delete) => change::delete(&self.shared(), self.database, &delete).await,
            _ => Err(Error::Invalid("this changes no rows".to_owned())),
        }
    }

    async fn optimize(
        &self,
        name: &Name,
        filter: Option<Box<datafusion::sql::sqlparser::ast::Expr>>,
    ) -> Result<Answer> {
        let name = name.full(self.database)?;
        let predicate = match filter {
            Some(filter) => Some(iceberg_predicate::of_partitions(self, &name, *filter).await?),
            None => None,
        };
        let done = optimize(&self.shop.tables, &name, predicate.as_ref()).await?;
        let row = vec![done.removed_files.to_string(), done.added_files.to_string()];
        Answer::texts(&["rewritten_files", "added_files"], &[row])
    }

    async fn vacuum(&self, name: &Name) -> Result<Answer> {
        let name = name.full(self.database)?;
        let least = crate::catalog::log::LONGEST_COMMIT_MS;
        let done = vacuum(&self.shop.tables, &name, self.shop.settings.orphan_age_ms.max(least)).await?;
        let row = vec![done.expired_snapshots.to_string(), done.removed_files.to_string()];
        Answer::texts(&["expired_snapshots", "removed_files"], &[row])
    }
}
