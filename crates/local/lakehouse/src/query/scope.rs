//! One statement's session: planning with the catalog's names, and running what was planned.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit};
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as Planned;
use datafusion::sql::sqlparser::ast::{self, VisitMut};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::guard::{Guard, Hiding, Version, Versioned};
use super::names::{Names, Shared, TEMPORARY};
use super::provider::Snapshot;
use super::{functions, labels, stars, unnest};
use crate::catalog::TableName;
use crate::error::{Error, Result, query as failed};
use crate::sql::Name;
use crate::table::Loaded;

/// The name of the one catalog.
const CATALOG: &str = "awsdatacatalog";

pub(crate) struct Scope {
    pub(crate) shared: Arc<Shared>,
    pub(crate) database: String,
    context: SessionContext,
    temporary: Arc<MemorySchemaProvider>,
    /// Tables have their hidden column.
    names_path: Arc<AtomicBool>,
}

impl Scope {
    pub(crate) fn new(shared: &Arc<Shared>, database: &str, depth: usize) -> Result<Self> {
        let config = config(database, shared.limits.parallelism)?;
        let context = SessionContext::new_with_config_rt(config, Arc::clone(&shared.runtime));
        functions::register(&context);
        unnest::register(&context)?;
        let temporary = Arc::new(MemorySchemaProvider::new());
        let names_path = Arc::new(AtomicBool::new(false));
        let own = (Arc::clone(&temporary), Arc::clone(&names_path));
        let names = Names { shared: Arc::clone(shared), depth, temporary: own.0, names_path: own.1 };
        context.register_catalog(CATALOG, Arc::new(names));
        Ok(Self { shared: Arc::clone(shared), database: database.to_owned(), context, temporary, names_path })
    }

    /// Makes a table that only this statement knows, and says how to name it.
    pub(crate) fn temporary(&self, name: &str, provider: Arc<dyn TableProvider>) -> Result<String> {
        let registered = self.temporary.register_table(name.to_owned(), provider);
        registered.map_err(failed("name a table of the statement"))?;
        Ok(format!("{CATALOG}.\"{TEMPORARY}\".\"{name}\""))
    }

    /// Makes a query ready for planning: refuses what would be misread, rewrites Trino's functions, finds versions, and
    /// labels columns that have no name of their own.
    pub(crate) async fn ready<T: VisitMut>(&self, tree: &mut T) -> Result<()> {
        let mut guard = Guard::default();
        if let ControlFlow::Break(refused) = tree.visit(&mut guard) {
            return Err(*refused);
        }
        if guard.names_path {
            self.names_path.store(true, Ordering::Relaxed);
            // It goes on in any case.
            let _ = tree.visit(&mut Hiding);
        }
        for (nth, versioned) in guard.versions.into_iter().enumerate() {
            self.fix_version(nth, versioned).await?;
        }
        stars::spread(tree, &self.context, &mut guard.labels).await;
        Ok(())
    }

    async fn fix_version(&self, nth: usize, versioned: Versioned) -> Result<()> {
        let name = versioned.name.full(&self.database)?;
        let loaded = self.shared.tables.load(&name).await?;
        let snapshot = match versioned.version {
            Version::Snapshot(id) => Self::known_snapshot(&loaded, id)?,
            Version::Moment(expression) => self.snapshot_at(&loaded, &expression).await?,
        };
        let provider = Snapshot::older(loaded.table, snapshot, &self.shared.file_io)?;
        let provider = if self.names_path.load(Ordering::Relaxed) { provider.with_path() } else { provider };
        self.temporary(&Guard::version_name(nth), Arc::new(provider))?;
        Ok(())
    }

    fn known_snapshot(loaded: &Loaded, id: i64) -> Result<i64> {
        let found = loaded.metadata().snapshot_by_id(id).map(|snapshot| snapshot.snapshot_id());
        found.ok_or_else(|| {
            let name = &loaded.name;
            Error::Missing(format!("`{name}` has no snapshot {id}; `\"{}$snapshots\"` lists those it has", name.table))
        })
    }

    async fn snapshot_at(&self, loaded: &Loaded, expression: &ast::Expr) -> Result<i64> {
        let moment = self.moment(expression).await?;
        let history = loaded.metadata().history().iter().rev();
        let snapshot = history.clone().find(|entry| entry.timestamp_ms() <= moment).map(|entry| entry.snapshot_id);
        snapshot.ok_or_else(|| {
            let (name, table) = (&loaded.name, &loaded.name.table);
            Error::Missing(format!(
                "no version history of `{name}` at or before {expression}; `\"{table}$history\"` says what there is"
            ))
        })
    }

    /// A constant moment, in milliseconds.
    async fn moment(&self, expression: &ast::Expr) -> Result<i64> {
        let plan = self.plan_text(&format!("SELECT CAST({expression} AS TIMESTAMP) AS moment")).await?;
        let plan = LogicalPlanBuilder::from(plan)
            .project([cast(cast(col("moment"), DataType::Timestamp(TimeUnit::Millisecond, None)), DataType::Int64)])
            .and_then(LogicalPlanBuilder::build)
            .map_err(failed("read the moment"))?;
        let batches = self.collect(plan).await?;
        let value = batches.first().map(|batch| batch.column(0).as_primitive::<Int64Type>().clone());
        match value {
            Some(values) if values.len() == 1 && values.is_valid(0) => Ok(values.value(0)),
            _ => Err(Error::Invalid(format!("`{expression}` is no moment"))),
        }
    }

    /// Plans a query.
    pub(crate) async fn plan(&self, mut query: ast::Query) -> Result<LogicalPlan> {
        self.ready(&mut query).await?;
        self.plan_ready(ast::Statement::Query(Box::new(query))).await
    }

    /// Plans a query whose parts were made ready before.
    pub(crate) async fn plan_ready(&self, statement: ast::Statement) -> Result<LogicalPlan> {
        let planned = self.context.state().statement_to_plan(Planned::Statement(Box::new(statement))).await;
        planned.map_err(failed("plan the query"))
    }

    /// Plans a query out of its text, whose parts were made ready before.
    pub(crate) async fn plan_text(&self, text: &str) -> Result<LogicalPlan> {
        let query = crate::sql::parse_query(text)?;
        self.plan_ready(ast::Statement::Query(query)).await
    }

    /// A plan with its filters where they are applied.
    pub(crate) fn optimized(&self, plan: &LogicalPlan) -> Result<LogicalPlan> {
        self.context.state().optimize(plan).map_err(failed("plan the query"))
    }

    /// Runs a plan; the rows come as they are made.
    pub(crate) async fn stream(&self, plan: LogicalPlan) -> Result<BoxStream<'static, Result<RecordBatch>>> {
        let frame = DataFrame::new(self.context.state(), plan);
        let stream = frame.execute_stream().await.map_err(failed("run the query"))?;
        Ok(stream.map(|batch| batch.map_err(failed("run the query"))).boxed())
    }

    /// Runs a plan whose rows are the answer: their columns have the names that it shows.
    pub(crate) async fn answer(
        &self,
        plan: LogicalPlan,
    ) -> Result<(SchemaRef, BoxStream<'static, Result<RecordBatch>>)> {
        let schema = labels::shown(plan.schema().inner());
        let shown = |batch: Result<RecordBatch>| {
            labels::shown_rows(&batch?).map_err(|error| failed("name the columns")(error.into()))
        };
        Ok((schema, self.stream(plan).await?.map(shown).boxed()))
    }

    /// Runs a plan whose answer is small.
    pub(crate) async fn collect(&self, plan: LogicalPlan) -> Result<Vec<RecordBatch>> {
        let mut stream = self.stream(plan).await?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    /// The full name of a table in this statement's database.
    pub(crate) fn full(&self, name: &Name) -> Result<TableName> {
        name.full(&self.database)
    }

    /// An explanation of a plan.
    pub(crate) async fn explain(&self, plan: LogicalPlan, analyze: bool) -> Result<Vec<RecordBatch>> {
        let frame = DataFrame::new(self.context.state(), plan);
        let explained = frame.explain(false, analyze).map_err(failed("explain the query"))?;
        explained.collect().await.map_err(failed("explain the query"))
    }
}

/// A plan with its columns under other names.
pub(crate) fn renamed(plan: LogicalPlan, names: &[String], of: &TableName) -> Result<LogicalPlan> {
    let columns = plan.schema().columns();
    if columns.len() != names.len() {
        let message =
            format!("the view `{of}` is stale: it was made with {} columns and has {}", names.len(), columns.len());
        return Err(Error::Invalid(message));
    }
    let named = columns.into_iter().zip(names).map(|(column, name)| Expr::Column(column).alias(name));
    let named: Vec<Expr> = named.collect();
    let built = LogicalPlanBuilder::from(plan).project(named).and_then(LogicalPlanBuilder::build);
    built.map_err(failed("name the columns"))
}

/// What differs between DataFusion's habits and Trino's.
fn config(database: &str, parallelism: usize) -> Result<SessionConfig> {
    let mut options = ConfigOptions::new();
    let settings = [
        // Trino puts nulls last whether ascending or descending.
        ("datafusion.sql_parser.default_null_ordering", "nulls_last"),
        // A literal with a point is a decimal.
        ("datafusion.sql_parser.parse_float_as_decimal", "true"),
        ("datafusion.sql_parser.map_string_types_to_utf8view", "false"),
        ("datafusion.execution.parquet.schema_force_view_types", "false"),
        ("datafusion.catalog.create_default_catalog_and_schema", "false"),
        ("datafusion.catalog.default_catalog", CATALOG),
        ("datafusion.catalog.default_schema", database),
        // It moves the access to a field below the unnesting of the list that has it.
        ("datafusion.optimizer.enable_leaf_expression_pushdown", "false"),
        ("datafusion.execution.time_zone", "+00:00"),
    ];
    for (key, value) in settings {
        options.set(key, value).map_err(failed("set up the query engine"))?;
    }
    Ok(SessionConfig::from(options).with_target_partitions(parallelism.max(1)))
}
