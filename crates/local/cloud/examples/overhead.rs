//! Measures what a warm invocation through the Runtime API costs against a bare loopback HTTP round trip, in one run:
//! `overhead DATA [ROUNDS]`.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloud::lambda::FunctionConfig;
use cloud::{Cloud, Config};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a benchmark measures time and prints it")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mut config = Config::new(arguments.next().ok_or("name a data directory")?);
    let rounds: u32 = arguments.next().map_or(Ok(2000), |rounds| rounds.parse())?;
    config.functions = vec![FunctionConfig {
        name: "worker".to_owned(),
        arn: cloud::deployment::function_arn(&config.region, "worker"),
        binary: std::env::current_exe()?.with_file_name("worker"),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(30),
        memory_megabytes: 256,
        workers: 1,
    }];
    let began = Instant::now();
    let cloud = Cloud::start(config).await?;
    let start = began.elapsed();
    let event = Bytes::from_static(br#"{"do": "echo", "value": 1}"#);
    cloud.functions().invoke("worker", event.clone()).await?;
    let mut client = connect(echo_server().await?).await?;
    let mut bare = Vec::new();
    let mut warm = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        round_trip(&mut client, event.clone()).await?;
        bare.push(began.elapsed());
        let began = Instant::now();
        cloud.functions().invoke("worker", event.clone()).await?;
        warm.push(began.elapsed());
    }
    let (bare, warm) = (median(bare), median(warm));
    println!("start {start:?}, bare {bare:?}, warm {warm:?}, ratio {:.2}", warm.as_secs_f64() / bare.as_secs_f64());
    cloud.shutdown().await;
    Ok(())
}

/// The barest server: it sends back what it got.
async fn echo_server() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).ok();
            let echo = service_fn(|request: http::Request<Incoming>| async {
                let body = request.into_body().collect().await?.to_bytes();
                Ok::<_, hyper::Error>(http::Response::new(Full::new(body)))
            });
            tokio::spawn(server::Builder::new().serve_connection(TokioIo::new(stream), echo));
        }
    });
    Ok(address)
}

async fn connect(address: SocketAddr) -> Result<http1::SendRequest<Full<Bytes>>, Error> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (client, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn round_trip(client: &mut http1::SendRequest<Full<Bytes>>, body: Bytes) -> Result<(), Error> {
    client.ready().await?;
    let request = http::Request::post("/").header("host", "localhost").body(Full::new(body))?;
    client.send_request(request).await?.into_body().collect().await?;
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
