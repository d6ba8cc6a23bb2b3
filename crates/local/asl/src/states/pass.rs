//! Pass: hands its input, or a fixed result, to its output.
//!
//! Spec: <https://states-language.net/#pass-state>.

use super::{Exit, Moment};
use crate::definition::Reader;
use crate::failure::Fault;
use crate::payload::Payload;

#[derive(Debug)]
pub(crate) struct Pass {
    result: Option<Payload>,
}

impl Pass {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        // JSONata has `Output` for that.
        let result = if reader.is_jsonata() { None } else { reader.get("Result") };
        Self { result: result.map(|value| value.clone().into()) }
    }

    pub(crate) fn run(&self, moment: &mut Moment<'_, '_>) -> Result<Exit, Fault> {
        let input = moment.effective_input()?;
        moment.leave_with_result(self.result(&input))
    }

    /// The fixed result, else the effective input.
    pub(crate) fn result(&self, effective_input: &Payload) -> Payload {
        self.result.as_ref().unwrap_or(effective_input).clone()
    }
}
