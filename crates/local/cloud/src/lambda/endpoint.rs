//! Functions that are served elsewhere on this machine: an address that speaks the Invoke API, as Step Functions Local
//! had it, and as `cargo lambda watch` or the runtime interface emulator serve it.
//!
//! One connection for each call, plain HTTP, bounded in time and size. It never retries: that is the caller's choice.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Invocation, MOST_PAYLOAD_BYTES};
use crate::wire::ServiceError;

/// The longest that a function may take.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LONGEST: Duration = Duration::from_mins(15);

/// What is on this machine answers a connection at once or not at all.
const CONNECT: Duration = Duration::from_secs(5);

/// The port of HTTP where an address names none.
const HTTP_PORT: u16 = 80;

/// The code of a call that did not reach the service.
pub(crate) const UNREACHABLE: &str = "SdkClientException";

/// Where functions are served that the cloud does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    /// Before the path of the Invoke API; without a slash at its end.
    base: String,
}

/// An address that functions cannot be served at.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("failed to read the address `{0}`: write it as http://HOST:PORT")]
pub struct EndpointError(String);

/// One invocation over the Invoke API.
#[derive(Debug, Clone, Default)]
pub(crate) struct Call {
    pub(crate) function: String,
    pub(crate) qualifier: Option<String>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) client_context: Option<String>,
    pub(crate) wants_log: bool,
    pub(crate) payload: Bytes,
}

/// What came back, beside what a function of the cloud's own gives.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) invocation: Invocation,
    pub(crate) status: u16,
    pub(crate) executed_version: Option<String>,
    pub(crate) log_result: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || EndpointError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(refused)?;
        if uri.scheme_str() != Some("http") || uri.query().is_some() {
            return Err(refused());
        }
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { host: host.to_owned(), port: uri.port_u16().unwrap_or(HTTP_PORT), base })
    }
}

impl Endpoint {
    /// Invokes a function there.
    ///
    /// # Errors
    /// The service's own refusals; [`UNREACHABLE`] when nothing, or nothing that makes sense, came back.
    pub(crate) async fn invoke(&self, call: &Call) -> Result<Answered, ServiceError> {
        let answered = timeout(LONGEST, self.exchange(call)).await;
        let (status, headers, body) = answered.unwrap_or_else(|_| Err(self.unreachable("Read timed out")))?;
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        if !(200..300).contains(&status) {
            return Err(refusal(status, text("x-amzn-errortype"), &body));
        }
        Ok(Answered {
            invocation: Invocation { payload: body, function_error: text("x-amz-function-error") },
            status,
            executed_version: text("x-amz-executed-version"),
            log_result: text("x-amz-log-result"),
            request_id: text("x-amzn-requestid"),
        })
    }

    async fn exchange(&self, call: &Call) -> Result<(u16, HeaderMap, Bytes), ServiceError> {
        let connected = timeout(CONNECT, TcpStream::connect((self.host.trim_matches(['[', ']']), self.port))).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(self.unreachable(&error.to_string())),
            Err(_) => return Err(self.unreachable("connect timed out")),
        };
        let broken = |error: &dyn std::error::Error| self.unreachable(&error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        let request = self.request(call).map_err(|error| broken(&error))?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
            let (parts, body) = response.into_parts();
            let collected = Limited::new(body, MOST_PAYLOAD_BYTES).collect().await;
            let body = collected.map_err(|error| self.unreachable(&error.to_string()))?.to_bytes();
            Ok((parts.status.as_u16(), parts.headers, body))
        };
        tokio::pin!(answer);
        tokio::pin!(connection);
        tokio::select! {
            biased;
            answered = &mut answer => answered,
            // The connection may end with the last byte, which the answer has then read.
            _ = &mut connection => answer.await,
        }
    }

    fn request(&self, call: &Call) -> http::Result<Request<Full<Bytes>>> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let query = call.qualifier.as_deref().map(|qualifier| format!("?Qualifier={}", encoded(qualifier)));
        let function = utf8_percent_encode(&call.function, NAME);
        let path = format!("{}/2015-03-31/functions/{function}/invocations{}", self.base, query.unwrap_or_default());
        let mut request = Request::post(path)
            .header("host", format!("{}:{}", self.host, self.port))
            .header("content-type", "application/json");
        let headers = [
            ("x-amz-invocation-type", call.kind),
            ("x-amz-client-context", call.client_context.as_deref()),
            ("x-amz-log-type", call.wants_log.then_some("Tail")),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.body(Full::new(call.payload.clone()))
    }

    fn unreachable(&self, why: &str) -> ServiceError {
        let message = format!("Unable to execute HTTP request: {}:{}: {why}", self.host, self.port);
        ServiceError { status: 503, code: UNREACHABLE.into(), message }
    }
}

/// What stands in a function's name as it is.
const NAME: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

fn refusal(status: u16, error_type: Option<String>, body: &Bytes) -> ServiceError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let code = error_type.or_else(|| text("__type").map(str::to_owned));
    let code = code.map_or_else(|| "ServiceException".to_owned(), |code| short(&code).to_owned());
    let message = text("Message").or_else(|| text("message")).unwrap_or("the service gave no message").to_owned();
    ServiceError { status, code: code.into(), message }
}

/// `NAME` of `NAMESPACE#NAME:WHERE`.
fn short(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.split(':').next().unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::{Call, Endpoint, EndpointError, UNREACHABLE, refusal};

    #[test]
    fn an_address_is_plain_http() {
        for good in ["http://127.0.0.1:9555", "http://localhost", "http://[::1]:9001/base/"] {
            assert!(good.parse::<Endpoint>().is_ok(), "{good}");
        }
        for bad in ["", "127.0.0.1:9555", "https://127.0.0.1", "http://", "http://host/?x=1", "ftp://host"] {
            assert_eq!(bad.parse::<Endpoint>(), Err(EndpointError(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn a_call_names_the_function_in_its_path() {
        let endpoint: Endpoint = "http://127.0.0.1:9555/base/".parse().unwrap();
        let call = Call {
            function: "arn:aws:lambda:us-east-1:1:function:f-1_x".to_owned(),
            qualifier: Some("$LATEST".to_owned()),
            wants_log: true,
            ..Call::default()
        };
        let request = endpoint.request(&call).unwrap();
        let path = "/base/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af-1_x/invocations?Qualifier=%24LATEST";
        assert_eq!(request.uri(), path);
        assert_eq!(request.headers()["x-amz-log-type"], "Tail");
        assert!(!request.headers().contains_key("x-amz-client-context"));
    }

    #[test]
    fn a_refusal_bears_the_services_name() {
        let body = bytes::Bytes::from_static(b"{\"Message\":\"Function not found: f\"}");
        let named = refusal(404, Some("ResourceNotFoundException:http://internal/".to_owned()), &body);
        assert_eq!(
            (named.code.as_ref(), named.message.as_str()),
            ("ResourceNotFoundException", "Function not found: f")
        );
        assert_eq!(refusal(500, None, &bytes::Bytes::new()).code, "ServiceException");
    }

    #[tokio::test]
    async fn nobody_there_is_said_so() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let endpoint: Endpoint = format!("http://{address}").parse().unwrap();
        let call = Call { function: "f".to_owned(), ..Call::default() };
        assert_eq!(endpoint.invoke(&call).await.unwrap_err().code, UNREACHABLE);
    }
}
