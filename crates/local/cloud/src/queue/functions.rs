//! The cloud's own functions as what answers deliveries.

use bytes::Bytes;

use super::{Invoke, Invoked};
use crate::lambda::{Functions, Invocation};
use crate::wire::ServiceError;

impl Invoke for Functions {
    async fn invoke(&self, function: &str, payload: Bytes) -> Result<Invoked, ServiceError> {
        let Invocation { payload, function_error } = Self::invoke(self, function, payload).await?;
        Ok(Invoked { payload, function_error })
    }
}
