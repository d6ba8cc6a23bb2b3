//! One running cloud: takes the data directory and the port, opens what is stored, deploys, and goes on where the last
//! one ended.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::ai::media::{Media, MediaConfig};
use crate::athena::Athena;
use crate::clock::Clock;
use crate::context::Context;
use crate::database::{Database, DatabaseError, DirectoryLock, LockError};
use crate::deployment::{self, DeployError, Stack};
use crate::faults::Faults;
use crate::glue::Glue;
use crate::lake::Lake;
use crate::lambda::{Endpoint, FunctionConfig, Functions, Surroundings};
use crate::queue::{EventFaults, Mapping, Queue, Settings};
use crate::recovery::{self, Recovery};
use crate::schema::SCHEMA;
use crate::server::{self, Surfaces};
use crate::states::integrations::Services;
use crate::states::{self, Retention, States};
use crate::store::{Store, StoreError};
use crate::tasks::Tasks;
use crate::wire::ServiceError;

/// How long a shutdown waits for requests and work under way; what is cut off is done again at the next start.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// What a cloud is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Everything that is kept lies here; it is made if need be.
    pub data_directory: PathBuf,
    /// The address to listen on: loopback unless somebody asks for another.
    pub address: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Region in ARNs and answers.
    pub region: String,
    /// What is deployed; without it the cloud starts with what its data directory holds.
    pub stack: Option<Stack>,
    /// Further functions.
    pub functions: Vec<FunctionConfig>,
    /// Where functions are served that are not deployed here.
    pub lambda_endpoint: Option<Endpoint>,
    /// Workers of each function of the stack, and engines of each kind at once; 0 takes two workers and
    /// one engine for each processor.
    pub workers_per_function: usize,
    /// The `sluice-speech` program, which the speech engine runs in.
    pub speech_worker: PathBuf,
    /// Faults that are switched on.
    pub faults: Faults,
    /// Which closed executions are kept.
    pub retention: Retention,
    /// Where the time comes from: the machine, unless a test moves it by hand.
    pub clock: Clock,
}

impl Config {
    /// A cloud without a stack, on a free loopback port.
    #[must_use]
    pub fn new(data_directory: impl Into<PathBuf>) -> Self {
        Self {
            data_directory: data_directory.into(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            region: "us-east-1".to_owned(),
            stack: None,
            functions: Vec::new(),
            lambda_endpoint: None,
            workers_per_function: 0,
            speech_worker: PathBuf::from("sluice-speech"),
            faults: Faults::default(),
            retention: Retention::default(),
            clock: Clock::default(),
        }
    }
}

/// Why a cloud did not start.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Somebody else listens there.
    #[error("failed to listen on `{0}`: the port is taken")]
    PortTaken(SocketAddr),
    /// The address cannot be listened on.
    #[error("failed to listen on `{address}`")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// The data directory cannot be made or written.
    #[error("failed to write to the data directory `{}`", path.display())]
    DataDirectory {
        /// The directory, or the one in it that failed.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another cloud uses the data directory, or its lock cannot be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The database was damaged. It lies aside now, and the next start goes on with what could be read of it.
    #[error("failed to open the database `{}`: the file is damaged ({})", .0.path.display(), .0.detail)]
    Damaged(Box<Recovery>),
    /// The database cannot be opened, or is damaged and cannot be moved aside.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The objects' folders cannot be opened.
    #[error("failed to open the object store")]
    Store(#[from] StoreError),
    /// The stack cannot be deployed.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// The executions cannot be read.
    #[error("failed to go on with the open executions")]
    Executions(#[source] ServiceError),
    /// The queries cannot be read.
    #[error("failed to go on with the open queries")]
    Queries(#[source] ServiceError),
    /// The operating system refused a thread.
    #[error("failed to start a thread")]
    Thread(#[source] io::Error),
}

/// A running cloud. Dropping it ends it at once, as a crash would; [`Cloud::shutdown`] lets requests end first.
#[derive(Debug)]
pub struct Cloud {
    address: SocketAddr,
    context: Context,
    functions: Functions,
    states: States,
    queue: Queue,
    media: Media,
    athena: Athena,
    glue: Glue,
    tasks: Tasks,
}

impl Cloud {
    /// Starts a cloud and goes on with what was open when the last one on this data directory ended.
    ///
    /// # Errors
    /// Each kind of obstacle has its own [`CloudError`].
    pub async fn start(config: Config) -> Result<Self, CloudError> {
        let functions = functions(&config)?;
        let lock = Arc::new(take_directory(&config.data_directory)?);
        let (listener, address) = listen(SocketAddr::new(config.address, config.port)).await?;
        let context = open(&config)?;
        let tasks = Tasks::new(Some(Arc::clone(&lock)));
        let surroundings = Surroundings {
            address: reachable(address).to_string(),
            region: Arc::clone(&context.region),
            logs: config.data_directory.join("logs"),
            clock: context.clock.clone(),
            faults: config.faults.clone(),
            tasks: tasks.clone(),
        };
        let functions = Functions::deploy(functions, &surroundings).map_err(CloudError::Thread)?;
        let functions = functions.or_else_at(config.lambda_endpoint.clone());
        let media = Media::new(context.clone(), tasks.clone(), media(&config));
        let lake = Lake::new(context.clone());
        let athena = Athena::new(context.clone(), lake.clone(), tasks.clone());
        let glue = Glue::new(lake);
        let s3 = crate::s3::service(&context);
        let services = Services { media: media.clone(), s3, athena: athena.clone(), glue: glue.clone() };
        let key = context.database.write(|database| states::token_key(database)).await?;
        let rules = config.stack.as_ref().map_or_else(Vec::new, |_| deployment::rules(&config.region));
        let behind_queues = config.stack.as_ref().map(|_| deployment::mapping(&config.region));
        let mappings = rules.iter().map(|rule| rule.mapping(&context.region)).chain(behind_queues).collect();
        let queue = Queue::new(&context, delivery(&config.faults, mappings));
        let (around, retention) = (context.clone(), config.retention);
        let cloud = Self {
            address,
            states: States::new(around, functions.clone(), services, key, tasks.clone(), retention, rules),
            queue,
            media,
            athena,
            glue,
            context,
            functions,
            tasks,
        };
        if let Some(stack) = &config.stack {
            stack.deploy(&cloud.context, &cloud.states).await?;
        }
        cloud.serve(listener, config.faults);
        lock.announce(&cloud.endpoint())?;
        cloud.resume().await?;
        tracing::debug!(endpoint = cloud.endpoint(), "the local cloud has started");
        Ok(cloud)
    }

    /// Goes on with what the last cloud on this data directory left open: executions, jobs, undelivered events.
    async fn resume(&self) -> Result<(), CloudError> {
        // Whoever waits for a query must find it under way.
        let queries = self.athena.resume().await.map_err(CloudError::Queries)?;
        let executions = self.states.resume().await.map_err(CloudError::Executions)?;
        let jobs = self.media.resume().await?;
        tracing::debug!(executions, jobs, queries, "open work goes on");
        self.tasks.spawn(self.queue.clone().run(self.functions.clone()));
        Ok(())
    }

    fn serve(&self, listener: TcpListener, faults: Faults) {
        let surfaces = Surfaces {
            context: self.context.clone(),
            functions: self.functions.clone(),
            states: self.states.clone(),
            media: self.media.clone(),
            queue: self.queue.clone(),
            athena: self.athena.clone(),
            glue: self.glue.clone(),
            s3: crate::s3::service(&self.context),
            faults,
            tasks: self.tasks.clone(),
        };
        self.tasks.spawn(server::serve(listener, surfaces));
        let Context { store, database, .. } = self.context.clone();
        self.tasks.spawn(async move {
            if let Err(error) = store.sweep().await {
                tracing::warn!(%error, "failed to take away unused object files");
            }
        });
        self.tasks.spawn(async move {
            if let Err(error) = database.check().await {
                tracing::error!(%error, "the database is damaged: stop, and move it aside to start afresh");
            }
        });
    }

    /// Where clients find it: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", reachable(self.address))
    }

    /// The functions, for calls that need no wire.
    #[must_use]
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// The state machines, for calls that need no wire.
    #[must_use]
    pub fn states(&self) -> &States {
        &self.states
    }

    /// The events that wait for delivery, and those that were given up.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Database, store and clock.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Ends the cloud: requests under way may end, executions go on at the next start.
    pub async fn shutdown(self) {
        self.tasks.close();
        self.functions.close();
        let tasks = self.tasks.clone();
        drop(self);
        if timeout(SHUTDOWN, tasks.ended()).await.is_err() {
            tracing::warn!("some work did not end in time and is cut off");
        }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.tasks.close();
        self.functions.close();
    }
}

fn functions(config: &Config) -> Result<Vec<FunctionConfig>, DeployError> {
    let mut functions = config.functions.clone();
    if let Some(stack) = &config.stack {
        // A function waits for answers half of its time.
        functions.extend(stack.functions(&config.region, asked_or(config.workers_per_function, 2 * processors()))?);
    }
    Ok(functions)
}

fn media(config: &Config) -> MediaConfig {
    let concurrency = asked_or(config.workers_per_function, processors());
    MediaConfig { speech_worker: config.speech_worker.clone(), concurrency }
}

fn asked_or(asked: usize, otherwise: usize) -> usize {
    if asked == 0 { otherwise } else { asked }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get)
}

/// How events are delivered, with the faults that strike their delivery.
fn delivery(faults: &Faults, mappings: Vec<Mapping>) -> Settings {
    let (duplicates, reorders) = (faults.clone(), faults.clone());
    let faults = EventFaults::new(move || duplicates.duplicates_event(), move || reorders.reorders_event());
    Settings { mappings, faults, ..Settings::default() }
}

fn take_directory(directory: &Path) -> Result<DirectoryLock, CloudError> {
    std::fs::create_dir_all(directory)
        .map_err(|source| CloudError::DataDirectory { path: directory.to_owned(), source })?;
    match DirectoryLock::take(directory) {
        Ok(lock) => Ok(lock),
        Err(LockError::Io { source, .. }) => Err(CloudError::DataDirectory { path: directory.to_owned(), source }),
        Err(held) => Err(held.into()),
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), CloudError> {
    let listen = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => CloudError::PortTaken(address),
        _ => CloudError::Listen { address, source },
    };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok((listener, address))
}

/// The address under which workers and clients on this machine find a server that may listen on all addresses.
fn reachable(address: SocketAddr) -> SocketAddr {
    let loopback = || IpAddr::V4(Ipv4Addr::LOCALHOST);
    SocketAddr::new(if address.ip().is_unspecified() { loopback() } else { address.ip() }, address.port())
}

fn open(config: &Config) -> Result<Context, CloudError> {
    let (directory, clock) = (config.data_directory.as_path(), config.clock.clone());
    let database = open_database(directory, &clock)?;
    let store = Store::open(database.clone(), directory, clock.clone())?;
    let scratch = directory.join("scratch");
    clear(&scratch).map_err(|source| CloudError::DataDirectory { path: scratch.clone(), source })?;
    Ok(Context { database, store, clock, scratch: Arc::new(scratch), region: config.region.as_str().into() })
}

/// Opens the database; one that is damaged is moved aside, and that is told as an error.
fn open_database(directory: &Path, clock: &Clock) -> Result<Database, CloudError> {
    let path = directory.join(recovery::FILE_NAME);
    let opened = match recovery::obstacle(directory) {
        Some(detail) => Err(DatabaseError::Damaged { path, detail }),
        None => Database::open(&path, &SCHEMA),
    };
    let Err(DatabaseError::Damaged { detail, .. }) = &opened else { return Ok(opened?) };
    match recovery::recover(directory, detail.clone(), clock.now()) {
        Ok(recovery) => Err(CloudError::Damaged(Box::new(recovery))),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the damaged database stays where it is");
            Ok(opened?)
        }
    }
}

/// What lies in the scratch directory is of requests that nobody waits for any more.
fn clear(scratch: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => std::fs::create_dir_all(scratch),
    }
}
