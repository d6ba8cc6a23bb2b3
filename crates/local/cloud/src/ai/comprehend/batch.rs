//! Up to 25 texts in one request; what is wrong with one text is said beside the answers to the others.

use serde_json::{Value, json};

use super::answer::{MOST_BYTES_SMALL, Task, members, unavailable};
use super::request::{BatchRequest, check_language, check_text, missing};
use crate::wire::{Outcome, Reply, ServiceError};

/// <https://docs.aws.amazon.com/comprehend/latest/dg/guidelines-and-limits.html>
const MOST_TEXTS: usize = 25;

pub(super) fn answer(operation: &str, task: Task, request: BatchRequest) -> Outcome {
    let texts = request.text_list.ok_or_else(|| missing("textList"))?;
    check_size(&texts)?;
    let language = check_language(operation, task, request.language_code.as_deref())?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    for (index, text) in texts.iter().enumerate() {
        match check_text(text, MOST_BYTES_SMALL) {
            Ok(()) => results.push(result(operation, task, index, text, &language)?),
            Err(error) => errors.push(item_error(index, &error)),
        }
    }
    Ok(Reply::from_engine(json!({"ResultList": results, "ErrorList": errors}), task.engine()))
}

fn check_size(texts: &[String]) -> Result<(), ServiceError> {
    if texts.is_empty() {
        let message = "1 validation error detected: Value '[]' at 'textList' failed to satisfy constraint: Member must have length greater than or equal to 1";
        return Err(ServiceError::client("ValidationException", message));
    }
    if texts.len() > MOST_TEXTS {
        let message = format!("The batch has {} documents; at most {MOST_TEXTS} are allowed", texts.len());
        return Err(ServiceError::client("BatchSizeLimitExceededException", message));
    }
    Ok(())
}

fn result(operation: &str, task: Task, index: usize, text: &str, language: &str) -> Result<Value, ServiceError> {
    let mut members = members(task, text, language).map_err(|refusal| unavailable(operation, &refusal))?;
    members.insert("Index".to_owned(), index.into());
    Ok(Value::Object(members))
}

fn item_error(index: usize, error: &ServiceError) -> Value {
    let code = match error.code.as_ref() {
        "TextSizeLimitExceededException" => "TEXT_SIZE_LIMIT_EXCEEDED",
        _ => "INVALID_REQUEST",
    };
    json!({"Index": index, "ErrorCode": code, "ErrorMessage": error.message})
}
