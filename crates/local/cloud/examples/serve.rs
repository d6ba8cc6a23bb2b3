//! Runs an empty local cloud until it is killed: `serve DATA PORT [FUNCTION=BEHAVIOUR …]`. It prints its endpoint.
//!
//! The functions are the example `worker` with the behaviour in its environment. Tests kill this process outright;
//! people hold conformance suites against it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use cloud::lambda::FunctionConfig;
use cloud::{Cloud, Config};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mut config = Config::new(arguments.next().ok_or("name a data directory")?);
    config.port = arguments.next().ok_or("name a port")?.parse()?;
    config.functions = arguments.map(|argument| function(&argument)).collect::<Result<_, _>>()?;
    let cloud = Cloud::start(config).await?;
    announce(&cloud.endpoint());
    tokio::signal::ctrl_c().await?;
    cloud.shutdown().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example for people and tests, which read its endpoint")]
fn announce(endpoint: &str) {
    println!("{endpoint}");
}

fn function(argument: &str) -> Result<FunctionConfig, Error> {
    let (name, behaviour) = argument.split_once('=').unwrap_or((argument, ""));
    let binary: PathBuf = std::env::current_exe()?.with_file_name("worker");
    let variable = (!behaviour.is_empty()).then(|| ("BEHAVIOUR".to_owned(), behaviour.to_owned()));
    Ok(FunctionConfig {
        name: name.to_owned(),
        arn: cloud::deployment::function_arn("us-east-1", name),
        binary,
        environment: BTreeMap::from_iter(variable),
        timeout: Duration::from_mins(2),
        memory_megabytes: 256,
        workers: 2,
    })
}
