//! The catalog's names for the query engine: databases and tables, `"table$snapshots"`, and views, which are planned
//! where they are named.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::datasource::ViewTable;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::runtime_env::RuntimeEnv;
use iceberg::io::FileIO;

use super::provider::Snapshot;
use super::scope::{self, Scope};
use super::{Limits, system};
use crate::catalog::{Entry, TableName, View};
use crate::error::{Error, Result, external};
use crate::external::ExternalTable;
use crate::session::Meter;
use crate::sql::parse_query;
use crate::table::Tables;
use crate::warehouse::Warehouse;

/// Views that a view may stand on, one on the other.
const DEEPEST_VIEW: usize = 10;

/// What every session of one statement shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) tables: Arc<Tables>,
    pub(crate) runtime: Arc<RuntimeEnv>,
    pub(crate) limits: Limits,
    pub(crate) meter: Meter,
    /// The warehouse, with what is read from it counted.
    pub(crate) reading: Warehouse,
    pub(crate) file_io: FileIO,
    /// The tables that the statement named so far, each as it was when it was first named.
    resolved: Mutex<HashMap<TableName, Arc<dyn TableProvider>>>,
}

impl Shared {
    pub(crate) fn new(tables: Arc<Tables>, runtime: Arc<RuntimeEnv>, limits: Limits, meter: &Meter) -> Arc<Self> {
        let reading = tables.warehouse.metered(meter);
        let (file_io, meter, resolved) = (reading.file_io(), meter.clone(), Mutex::default());
        Arc::new(Self { tables, runtime, limits, meter, reading, file_io, resolved })
    }

    /// Makes a name mean this for the rest of the statement.
    pub(crate) fn fix(&self, name: &TableName, provider: Arc<dyn TableProvider>) {
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), provider);
    }

    fn fixed(&self, name: &TableName) -> Option<Arc<dyn TableProvider>> {
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// The catalog as the query engine sees it.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) shared: Arc<Shared>,
    pub(super) depth: usize,
    /// Tables that only this statement knows.
    pub(super) temporary: Arc<MemorySchemaProvider>,
    /// Tables have their hidden column.
    pub(super) names_path: Arc<AtomicBool>,
}

/// The schema of tables that only one statement knows. No database can be named so.
pub(super) const TEMPORARY: &str = "$statement";

impl CatalogProvider for Names {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if name == TEMPORARY {
            return Some(Arc::clone(&self.temporary) as Arc<dyn SchemaProvider>);
        }
        let database = name.to_ascii_lowercase();
        let (shared, names_path) = (Arc::clone(&self.shared), Arc::clone(&self.names_path));
        Some(Arc::new(DatabaseNames { shared, depth: self.depth, database, names_path }))
    }
}

#[derive(Debug)]
struct DatabaseNames {
    shared: Arc<Shared>,
    depth: usize,
    database: String,
    names_path: Arc<AtomicBool>,
}

#[async_trait]
impl SchemaProvider for DatabaseNames {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> DataFusionResult<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let found = self.resolve(name).await.map_err(external)?;
        Ok(Some(if self.names_path.load(Ordering::Relaxed) { with_path(found) } else { found }))
    }

    fn table_exist(&self, _name: &str) -> bool {
        true
    }
}

/// A table with its hidden column; a view has none.
fn with_path(found: Arc<dyn TableProvider>) -> Arc<dyn TableProvider> {
    if let Some(table) = found.as_any().downcast_ref::<Snapshot>() {
        return Arc::new(table.with_path());
    }
    match found.as_any().downcast_ref::<ExternalTable>() {
        Some(table) => Arc::new(table.with_path()),
        None => found,
    }
}

impl DatabaseNames {
    async fn resolve(&self, name: &str) -> Result<Arc<dyn TableProvider>> {
        if let Some((table, part)) = name.split_once('$') {
            let name = TableName::new(&self.database, table)?;
            return system::provider(&self.shared.tables, &name, part).await;
        }
        let name = TableName::new(&self.database, name)?;
        if let Some(provider) = self.shared.fixed(&name) {
            return Ok(provider);
        }
        let provider = self.read(&name).await?;
        self.shared.fix(&name, Arc::clone(&provider));
        Ok(provider)
    }

    async fn read(&self, name: &TableName) -> Result<Arc<dyn TableProvider>> {
        let entry = self.shared.tables.catalog.entry(name).await?;
        match (entry.number, entry.value) {
            (Some(number), Some(Entry::Iceberg { metadata_location })) => {
                let loaded = self.shared.tables.load_at(name, number, &metadata_location).await?;
                Ok(Arc::new(Snapshot::newest(loaded.table, &self.shared.file_io)?))
            }
            (_, Some(Entry::External(table))) => Ok(Arc::new(ExternalTable::new(self.shared.reading.clone(), table))),
            (_, Some(Entry::View(view))) => self.view(name, &view).await,
            _ => Err(self.missing(name).await?),
        }
    }

    async fn missing(&self, name: &TableName) -> Result<Error> {
        let has_database = self.shared.tables.catalog.database(&name.database).await?.value.is_some();
        Ok(Error::Missing(if has_database {
            format!("the table `{name}` does not exist")
        } else {
            format!("the database `{}` does not exist", name.database)
        }))
    }

    async fn view(&self, name: &TableName, view: &View) -> Result<Arc<dyn TableProvider>> {
        if self.depth >= DEEPEST_VIEW {
            return Err(Error::Invalid(format!(
                "the view `{name}` stands on more than {DEEPEST_VIEW} views, or on itself"
            )));
        }
        let query = parse_query(&view.sql)?;
        let scope = Scope::new(&self.shared, &view.database, self.depth + 1)?;
        let plan = scope.plan(*query).await?;
        let names: Vec<String> = view.columns.iter().map(|column| column.name.clone()).collect();
        let plan = scope::renamed(plan, &names, name)?;
        Ok(Arc::new(ViewTable::new(plan, Some(view.sql.clone()))))
    }
}
