//! Measures files on their way through a chain of six functions: `chain DATA START [EXECUTIONS]`.
//!
//! Each file is put into a bucket; its event starts an execution by way of the shipped function `START`; the execution
//! invokes six functions, each with two worker processes, one after another. The time of a file is from its upload to
//! the end of its execution, and everything in between is on disk. Times have the millisecond that the API has.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use cloud::deployment::{function_arn, state_machine_arn};
use cloud::lambda::FunctionConfig;
use cloud::store::{NotificationRules, Rule};
use cloud::{Cloud, Config};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

type Error = Box<dyn std::error::Error>;

const REGION: &str = "us-east-1";
const STATES: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

/// Executions under way at once.
const CONCURRENT: usize = 200;

/// Uploads at once.
const CONNECTIONS: usize = 16;

/// How often the program looks how many have ended.
const LOOK: Duration = Duration::from_millis(2);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let data = PathBuf::from(arguments.next().ok_or("name a data directory")?);
    let start = PathBuf::from(arguments.next().ok_or("name the function that starts executions")?);
    let executions: usize = arguments.next().map_or(Ok(2000), |count| count.parse())?;
    let cloud = Cloud::start(config(&data, &start)?).await?;
    prepare(&cloud).await?;
    let mut bench = Bench { puts: Puts::connect(&cloud).await?, cloud, begun: HashMap::new() };
    bench.warm_up().await?;
    bench.floor(&data).await?;
    bench.one_by_one(executions / 10).await?;
    for per_second in [50, 100, 150, 200, 300] {
        bench.at_rate(per_second, per_second as usize * 2).await?;
    }
    bench.all_at_once(executions).await?;
    bench.cloud.shutdown().await;
    Ok(())
}

fn config(data: &Path, start: &Path) -> Result<Config, Error> {
    let mut config = Config::new(data);
    let worker = std::env::current_exe()?.with_file_name("worker");
    let pass = BTreeMap::from([("BEHAVIOUR".to_owned(), "pass".to_owned())]);
    config.functions = STATES.map(|name| function(name, worker.clone(), pass.clone())).into();
    let names = [("RAW", "raw"), ("EXTRACTED", "extracted"), ("CATALOG", "catalog")];
    let mut variables: BTreeMap<String, String> =
        names.map(|(name, bucket)| (format!("SLUICE_{name}_BUCKET"), bucket.to_owned())).into();
    variables.insert("SLUICE_STATE_MACHINE_ARN".to_owned(), state_machine_arn(REGION, "chain"));
    config.functions.push(function("start", start.canonicalize()?, variables));
    Ok(config)
}

fn function(name: &str, binary: PathBuf, environment: BTreeMap<String, String>) -> FunctionConfig {
    FunctionConfig {
        name: name.to_owned(),
        arn: function_arn(REGION, name),
        binary,
        environment,
        timeout: Duration::from_mins(1),
        memory_megabytes: 512,
        workers: 2,
    }
}

async fn prepare(cloud: &Cloud) -> Result<(), Error> {
    let states = STATES.iter().enumerate().map(|(place, name)| {
        let mut state = json!({"Type": "Task", "Resource": function_arn(REGION, name)});
        match STATES.get(place + 1) {
            Some(next) => state["Next"] = (*next).into(),
            None => state["End"] = true.into(),
        }
        ((*name).to_owned(), state)
    });
    let definition = json!({"StartAt": STATES[0], "States": states.collect::<serde_json::Map<_, _>>()}).to_string();
    let create = json!({"name": "chain", "definition": definition, "roleArn": "arn:aws:iam::000000000000:role/r"});
    cloud.states().handle("CreateStateMachine", create).await?;
    let store = &cloud.context().store;
    store.create_bucket("raw").await?;
    store.set_versioning("raw", cloud::store::Versioning::Enabled).await?;
    let rule = Rule {
        id: "start".to_owned(),
        target: function_arn(REGION, "start"),
        events: vec!["s3:ObjectCreated:*".to_owned()],
        prefix: None,
        suffix: None,
    };
    Ok(store.set_notifications("raw", &NotificationRules { rules: vec![rule], event_bridge: false }).await?)
}

struct Bench {
    cloud: Cloud,
    puts: Puts,
    /// When each key was put, in milliseconds since 1970.
    begun: HashMap<String, f64>,
}

impl Bench {
    /// Every worker process starts at its first invocation, a second one when two wait.
    async fn warm_up(&mut self) -> Result<(), Error> {
        for number in 0..60 {
            self.put(format!("warm-{number}"))?;
        }
        self.wait_for(0).await?;
        self.begun.clear();
        Ok(())
    }

    #[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark measures time and prints it")]
    async fn floor(&self, data: &Path) -> Result<(), Error> {
        let mut file = std::fs::File::create(data.join("synced"))?;
        let (mut synced, mut warm) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            let began = Instant::now();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            synced.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        for _ in 0..1000 {
            let began = Instant::now();
            self.cloud.functions().invoke(STATES[0], Bytes::from_static(b"{}")).await?;
            warm.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        let (synced, warm) = (percentile(&mut synced, 0.5), percentile(&mut warm, 0.5));
        let floor = 9.0 * synced + 7.0 * warm;
        println!(
            "floor: a synced append {synced:.3} ms, a warm invocation {warm:.3} ms; 9 of the one and 7 of the other {floor:.2} ms"
        );
        Ok(())
    }

    async fn one_by_one(&mut self, executions: usize) -> Result<(), Error> {
        for number in 0..executions {
            self.put(format!("alone-{number}"))?;
            self.wait_for(0).await?;
        }
        self.tell("one at a time").await
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
    async fn at_rate(&mut self, per_second: u32, executions: usize) -> Result<(), Error> {
        let mut due = Instant::now();
        for number in 0..executions {
            tokio::time::sleep_until(due.into()).await;
            self.put(format!("at-{per_second}-{number}"))?;
            due += Duration::from_secs(1) / per_second;
        }
        self.wait_for(0).await?;
        self.tell(&format!("{per_second} a second")).await
    }

    #[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark measures time and prints it")]
    async fn all_at_once(&mut self, executions: usize) -> Result<(), Error> {
        let began = Instant::now();
        for number in 0..executions {
            if number >= CONCURRENT {
                self.wait_for(CONCURRENT - 1).await?;
            }
            self.put(format!("crowd-{number}"))?;
        }
        self.wait_for(0).await?;
        let seconds = began.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
        let rate = executions as f64 / seconds;
        println!("{CONCURRENT} at once: {rate:.0} executions/s");
        self.tell(&format!("{CONCURRENT} at once")).await
    }

    fn put(&mut self, key: String) -> Result<(), Error> {
        let at = now_ms();
        self.puts.put(&key)?;
        self.begun.insert(key, at);
        Ok(())
    }

    /// Waits until at most `most` of what was put has not ended.
    async fn wait_for(&self, most: usize) -> Result<(), Error> {
        loop {
            let sql = "SELECT coalesce(max(number), 0) - (SELECT count(*) FROM execution WHERE status = 'RUNNING')
                       FROM execution";
            let look = |database: &rusqlite::Connection| {
                database.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))
            };
            let ended = usize::try_from(self.cloud.context().database.look(look)?)?;
            if self.puts.count - ended <= most {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    #[expect(clippy::print_stdout, reason = "a benchmark prints")]
    async fn tell(&mut self, what: &str) -> Result<(), Error> {
        let sql = "SELECT input, stopped FROM execution ORDER BY number DESC LIMIT ?1";
        let most = i64::try_from(self.begun.len())?;
        let read = self.cloud.context().database.read(move |database| {
            database
                .prepare(sql)?
                .query_map([most], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        let mut taken = Vec::new();
        for (input, stopped) in read.await? {
            let input: Value = serde_json::from_str(&input)?;
            let key = input["object"]["key"].as_str().ok_or("the input names no key")?;
            let begun = self.begun.get(key).ok_or("an execution of an unknown key")?;
            // A time of the API is cut off at the millisecond: half of one is missing on average.
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are below 2^52")]
            taken.push(stopped as f64 + 0.5 - begun);
        }
        let (half, most) = (percentile(&mut taken, 0.5), percentile(&mut taken, 0.99));
        println!("{what}: {} executions, p50 {half:.1} ms, p99 {most:.1} ms from upload to end", taken.len());
        self.begun.clear();
        Ok(())
    }
}

/// Connections that put files beside each other, each of them one after another.
struct Puts {
    connections: Vec<Arc<Mutex<http1::SendRequest<Full<Bytes>>>>>,
    host: String,
    count: usize,
    under_way: JoinSet<Result<(), String>>,
}

impl Puts {
    async fn connect(cloud: &Cloud) -> Result<Self, Error> {
        let host = cloud.endpoint().trim_start_matches("http://").to_owned();
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(&host).await?;
            stream.set_nodelay(true)?;
            let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            connections.push(Arc::new(Mutex::new(sender)));
        }
        Ok(Self { connections, host, count: 0, under_way: JoinSet::new() })
    }

    fn put(&mut self, key: &str) -> Result<(), Error> {
        let connection = Arc::clone(&self.connections[self.count % CONNECTIONS]);
        let body = Full::new(Bytes::from_static(b"a small text"));
        let request = http::Request::put(format!("/raw/{key}")).header("host", &self.host).body(body)?;
        self.count += 1;
        self.under_way.spawn(async move {
            let mut sender = connection.lock().await;
            send(&mut sender, request).await.map_err(|error| error.to_string())
        });
        while let Some(put) = self.under_way.try_join_next() {
            put??;
        }
        Ok(())
    }
}

async fn send(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    request: http::Request<Full<Bytes>>,
) -> Result<(), hyper::Error> {
    sender.ready().await?;
    let response = sender.send_request(request).await?;
    assert!(response.status().is_success(), "a put was answered with {}", response.status());
    response.into_body().collect().await.map(drop)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64() * 1000.0
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a small count"
)]
fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * share) as usize;
    values.get(place.min(values.len().saturating_sub(1))).copied().unwrap_or_default()
}
