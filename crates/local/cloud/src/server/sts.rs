//! As much of STS as tools ask for before they begin: who am I?
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

use super::body::{self, Request, Response};
use crate::context::ACCOUNT;

/// A form of STS is short.
const MOST_FORM_BYTES: usize = 16 * 1024;

/// Whether the body is a form, as the query protocol has it. S3's own form uploads are multipart.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/x-www-form-urlencoded")
}

pub(super) async fn handle(request: Request) -> Response {
    let form = body::read(request, MOST_FORM_BYTES).await.unwrap_or_default();
    let asked = form.split(|byte| *byte == b'&').any(|pair| pair == b"Action=GetCallerIdentity");
    if asked { identity() } else { unknown() }
}

fn identity() -> Response {
    let request_id = crate::identifier::random();
    let text = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>{ACCOUNT}</UserId><Account>{ACCOUNT}</Account>\
         </GetCallerIdentityResult><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>\
         </GetCallerIdentityResponse>"
    );
    body::bytes(StatusCode::OK, "text/xml", text.into())
}

fn unknown() -> Response {
    let text = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code>\
                <Message>of the query services only GetCallerIdentity is available locally</Message></Error></ErrorResponse>";
    body::bytes(StatusCode::BAD_REQUEST, "text/xml", text.into())
}
