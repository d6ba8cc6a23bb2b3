//! Runs a local cloud with the functions of a file until it is killed: `deployed DATA FUNCTIONS SPEECH`. It prints its
//! endpoint. Nothing else is deployed in it: buckets, state machines and what is delivered are its caller's.
//!
//! FUNCTIONS is a JSON array of objects with `name`, `binary`, `environment`, `timeout_seconds`, `memory_megabytes` and
//! `workers`; SPEECH is the program `sluice-speech`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cloud::lambda::FunctionConfig;
use cloud::{Cloud, Config};
use serde::Deserialize;

type Error = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Function {
    name: String,
    binary: PathBuf,
    environment: BTreeMap<String, String>,
    timeout_seconds: u64,
    memory_megabytes: u32,
    workers: usize,
}

impl From<Function> for FunctionConfig {
    fn from(function: Function) -> Self {
        Self {
            arn: cloud::deployment::function_arn("us-east-1", &function.name),
            name: function.name,
            binary: function.binary,
            environment: function.environment,
            timeout: Duration::from_secs(function.timeout_seconds),
            memory_megabytes: function.memory_megabytes,
            workers: function.workers,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mut config = Config::new(arguments.next().ok_or("name a data directory")?);
    config.functions = functions(Path::new(&arguments.next().ok_or("name a file of functions")?))?;
    config.speech_worker = arguments.next().ok_or("name the program `sluice-speech`")?.into();
    let cloud = Cloud::start(config).await?;
    announce(&cloud.endpoint());
    tokio::signal::ctrl_c().await?;
    cloud.shutdown().await;
    Ok(())
}

fn functions(file: &Path) -> Result<Vec<FunctionConfig>, Error> {
    let functions: Vec<Function> = serde_json::from_slice(&std::fs::read(file)?)?;
    Ok(functions.into_iter().map(FunctionConfig::from).collect())
}

#[expect(clippy::print_stdout, reason = "an example for checks, which read its endpoint")]
fn announce(endpoint: &str) {
    println!("{endpoint}");
}
