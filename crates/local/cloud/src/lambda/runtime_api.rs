//! The Runtime API, as workers see it: `/_lambda/FUNCTION/WORKER/2018-06-01/runtime/…`.
//!
//! A poll stays open until there is work; it is never answered with nothing.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::pool::{Delivery, Pool, Refused};
use super::{Functions, Invocation, MOST_PAYLOAD_BYTES, failure};
use crate::server::body::{self, Request, Response};

/// An answer that is larger than allowed is still read up to here, so that the worker hears why it was refused.
const MOST_ANSWER_BYTES: usize = 4 * MOST_PAYLOAD_BYTES;

/// Answers a worker. `rest` is the path after `/_lambda/`.
pub(crate) async fn handle(functions: &Functions, request: Request, rest: &str) -> Response {
    let parts: Vec<&str> = rest.splitn(5, '/').collect();
    let [function, worker, "2018-06-01", "runtime", call] = parts[..] else {
        return refusal(StatusCode::NOT_FOUND, "NotFound", "no such call of the Runtime API");
    };
    let (Some(pool), Ok(worker)) = (functions.pools.get(function), worker.parse()) else {
        return refused(Refused::Unknown);
    };
    let call: Vec<&str> = call.split('/').collect();
    match (request.method(), &call[..]) {
        (&Method::GET, ["invocation", "next"]) => {
            pool.next(worker).await.map_or_else(refused, |next| deliver(pool, next))
        }
        (&Method::POST, ["invocation", id, "response"]) => answered(pool, worker, id, request).await,
        (&Method::POST, ["invocation", id, "error"]) => failed(pool, worker, id, request).await,
        (&Method::POST, ["init", "error"]) => init_failed(pool, worker, request).await,
        _ => refusal(StatusCode::NOT_FOUND, "NotFound", "no such call of the Runtime API"),
    }
}

fn deliver(pool: &Pool, delivery: Delivery) -> Response {
    let trace = format!("Root=1-{:08x}-{:024x};Sampled=0", delivery.deadline / 1000, fastrand::u128(..) >> 32);
    let mut response = http::Response::builder();
    if let Some(context) = delivery.client_context {
        response = response.header("lambda-runtime-client-context", context);
    }
    response
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", delivery.request_id)
        .header("lambda-runtime-deadline-ms", delivery.deadline)
        .header("lambda-runtime-invoked-function-arn", &pool.config().arn)
        .header("lambda-runtime-trace-id", trace)
        .body(delivery.payload.into())
        .unwrap_or_else(|_| refused(Refused::Unknown))
}

async fn answered(pool: &Pool, worker: u64, id: &str, request: Request) -> Response {
    let (invocation, status) = match body::read(request, MOST_ANSWER_BYTES).await {
        Ok(payload) if payload.len() <= MOST_PAYLOAD_BYTES => {
            (Invocation { payload, function_error: None }, StatusCode::ACCEPTED)
        }
        Ok(_) | Err(_) => (failure::response_too_large(), StatusCode::PAYLOAD_TOO_LARGE),
    };
    pool.answer(worker, id, invocation).map_or_else(refused, |()| accepted(status))
}

async fn failed(pool: &Pool, worker: u64, id: &str, request: Request) -> Response {
    let invocation = match body::read(request, MOST_PAYLOAD_BYTES).await {
        Ok(error) => failure::reported(error),
        Err(_) => failure::response_too_large(),
    };
    pool.answer(worker, id, invocation).map_or_else(refused, |()| accepted(StatusCode::ACCEPTED))
}

async fn init_failed(pool: &Pool, worker: u64, request: Request) -> Response {
    let Ok(error) = body::read(request, MOST_PAYLOAD_BYTES).await else {
        return refused(Refused::OutOfTurn);
    };
    pool.init_failed(worker, error).map_or_else(refused, |()| accepted(StatusCode::ACCEPTED))
}

fn accepted(status: StatusCode) -> Response {
    body::json(status, &json!({"status": "OK"}))
}

fn refused(refused: Refused) -> Response {
    match refused {
        Refused::Unknown => refusal(StatusCode::GONE, "UnknownWorker", "this worker is not of a pool, and shall end"),
        Refused::OutOfTurn => refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "the call is out of turn"),
    }
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response {
    let error: Value = json!({"errorType": error_type, "errorMessage": message});
    body::json(status, &error)
}
