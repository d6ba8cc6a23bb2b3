//! The lakehouse: statements in, rows out.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use futures::future::Abortable;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use crate::catalog::Catalog;
use crate::change::Counts;
use crate::effects::{Clock, Identifiers};
use crate::error::{Error, Result, query as failed};
use crate::external::write::Written;
use crate::query::Limits;
use crate::run;
use crate::session::Session;
use crate::table::Tables;
use crate::warehouse::Warehouse;

/// How the lakehouse runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What each query may use.
    pub limits: Limits,
    /// How long a file that nobody names is left to a writer that may still be about to name it. Never below the
    /// longest time that a commit may take.
    pub orphan_age_ms: i64,
    /// Where sorts and joins put what does not fit into memory; the system's folder for such files if none is named.
    pub scratch: Option<PathBuf>,
}

impl Default for Settings {
    /// A gigabyte, four threads, three days.
    fn default() -> Self {
        let limits = Limits { memory_bytes: 1 << 30, parallelism: 4 };
        Self { limits, orphan_age_ms: 3 * 24 * 60 * 60 * 1000, scratch: None }
    }
}

/// What kind of statement it was, as Athena's `StatementType` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It defines or removes something.
    Ddl,
    /// It reads or changes rows.
    Dml,
    /// It shows something or keeps house.
    Utility,
}

/// What a statement gives.
pub struct Answer {
    /// What kind of statement it was.
    pub kind: Kind,
    /// The columns of the rows.
    pub schema: SchemaRef,
    /// The rows, as they are made.
    pub rows: BoxStream<'static, Result<RecordBatch>>,
    /// What it changed.
    pub counts: Counts,
    /// The files that it wrote for others to read, by their URIs.
    pub files: Vec<String>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answer").field("kind", &self.kind).field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl Answer {
    /// An answer without rows.
    pub(crate) fn empty(kind: Kind, counts: Counts) -> Self {
        Self {
            kind,
            schema: Arc::new(Schema::empty()),
            rows: futures::stream::empty().boxed(),
            counts,
            files: Vec::new(),
        }
    }

    /// An answer without rows, whose rows went into files.
    pub(crate) fn of_files(kind: Kind, written: Written) -> Self {
        let counts = Counts { inserted: written.rows, ..Counts::default() };
        Self { files: written.files, ..Self::empty(kind, counts) }
    }

    /// An answer of texts, a column each.
    pub(crate) fn texts(names: &[&str], rows: &[Vec<String>]) -> Result<Self> {
        let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let column = |at: usize| {
            let texts = rows.iter().map(|row| row.get(at).cloned().unwrap_or_default());
            Arc::new(StringArray::from_iter_values(texts)) as ArrayRef
        };
        let columns = (0..names.len()).map(column).collect();
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| failed("show it")(error.into()))?;
        Ok(Self {
            kind: Kind::Utility,
            schema,
            rows: futures::stream::iter([Ok(batch)]).boxed(),
            counts: Counts::default(),
            files: Vec::new(),
        })
    }

    /// Every row at once, for answers that are known to be small.
    ///
    /// # Errors
    /// If making the rows fails on the way.
    pub async fn collect(self) -> Result<Vec<RecordBatch>> {
        self.rows.try_collect().await
    }
}

/// What all statements share.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) tables: Arc<Tables>,
    pub(crate) runtime: Arc<RuntimeEnv>,
    pub(crate) settings: Settings,
}

/// SQL over the tables of a warehouse.
#[derive(Debug, Clone)]
pub struct Lakehouse {
    shop: Arc<Shop>,
}

/// The planner recurses; each level of a deep statement takes some kilobytes, in a debug build many.
const STACK_BYTES: usize = 256 * 1024 * 1024;

impl Lakehouse {
    /// Opens a warehouse.
    ///
    /// # Errors
    /// If the query engine cannot be set up.
    pub fn open(
        warehouse: Warehouse,
        clock: Arc<dyn Clock>,
        identifiers: Arc<dyn Identifiers>,
        settings: Settings,
    ) -> Result<Self> {
        let mut builder = RuntimeEnvBuilder::new().with_memory_limit(settings.limits.memory_bytes, 1.0);
        if let Some(scratch) = &settings.scratch {
            builder = builder.with_temp_file_path(scratch);
        }
        let runtime = builder.build_arc().map_err(failed("set up the query engine"))?;
        let tables = Arc::new(Tables::new(warehouse, clock, identifiers));
        Ok(Self { shop: Arc::new(Shop { tables, runtime, settings }) })
    }

    /// The names of the warehouse.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.shop.tables.catalog
    }

    pub(crate) fn shop(&self) -> &Arc<Shop> {
        &self.shop
    }

    pub(crate) fn tables(&self) -> &Tables {
        &self.shop.tables
    }

    /// Runs one statement. Names without a database are in `database`. It runs to its end also if nobody waits for it.
    ///
    /// # Errors
    /// What is wrong with the statement, with its place; or what went wrong while it ran.
    pub async fn execute(&self, database: &str, statement: &str) -> Result<Answer> {
        self.execute_in(Session::of(database), statement).await
    }

    /// As [`Self::execute`], within the bounds of a session.
    ///
    /// # Errors
    /// As well [`Error::Stopped`], and [`Error::Broken`] where the statement broke off.
    pub async fn execute_in(&self, session: Session, statement: &str) -> Result<Answer> {
        let (shop, statement) = (Arc::clone(&self.shop), statement.to_owned());
        let runtime = tokio::runtime::Handle::current();
        let (send, receive) = tokio::sync::oneshot::channel();
        let work = move || {
            let Session { database, meter, stop, keep } = session;
            let database = database.to_lowercase();
            let answer = async {
                let run = run::run(&shop, &database, &meter, &statement);
                match stop {
                    Some(stop) => Abortable::new(run, stop).await.unwrap_or(Err(Error::Stopped)),
                    None => run.await,
                }
            };
            let answer = std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(answer)));
            drop(keep);
            // Nobody waits any more if this fails.
            let _ = send.send(answer.unwrap_or_else(|panic| Err(Error::Broken(said(panic.as_ref())))));
        };
        let thread = std::thread::Builder::new().name("statement".to_owned()).stack_size(STACK_BYTES).spawn(work);
        thread.map_err(|error| Error::damaged("the thread of the statement", error))?;
        receive.await.map_err(|error| Error::damaged("the thread of the statement", error))?
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the statement broke off").to_owned()
}
