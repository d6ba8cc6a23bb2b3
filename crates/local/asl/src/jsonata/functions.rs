//! The functions that Step Functions adds to JSONata, those it takes away, and those that must
//! not read a clock or draw randomness of their own.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>, "JSONata
//! functions provided by Step Functions".

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::parser;
use jsonata_core::value::JValue;

use super::{Query, bounds, convert};
use crate::intrinsic::{self, Random};
use crate::random::{self, JavaRandom};

type Answer = Result<JValue, EvaluatorError>;

/// Numbers for one evaluation, from one draw of the caller's randomness.
#[derive(Debug)]
pub(super) struct Dice(JavaRandom);

impl Dice {
    pub(super) fn new(random: Random<'_>) -> Self {
        Self(JavaRandom::new(i64::from_ne_bytes(random().to_ne_bytes())))
    }

    fn roll(&mut self) -> f64 {
        self.0.fraction()
    }
}

/// A function of its arguments alone.
type Plain = fn(&[JValue]) -> Answer;

/// Gives an evaluation the functions that its expression names.
pub(super) fn register(
    evaluator: &mut Evaluator,
    query: &Query,
    now: Timestamp,
    dice: &Rc<RefCell<Dice>>,
) -> Result<(), EvaluatorError> {
    let plain: [(&str, Plain); 4] = [("partition", partition), ("range", range), ("hash", hash), ("parse", parse)];
    for (name, function) in plain.into_iter().filter(|(name, _)| query.names(name)) {
        evaluator.register_fn(name, function)?;
    }
    if query.names("uuid") {
        let dice = dice.clone();
        let uuid = move |_: &[JValue]| Ok(random::uuid(&mut || dice.borrow_mut().roll()).into());
        evaluator.register_fn("uuid", uuid)?;
    }
    override_impure(evaluator, query, now, dice)
}

fn override_impure(
    evaluator: &mut Evaluator,
    query: &Query,
    now: Timestamp,
    dice: &Rc<RefCell<Dice>>,
) -> Result<(), EvaluatorError> {
    if query.names("eval") {
        evaluator.register_fn_override("eval", no_function)?;
    }
    if query.names("random") {
        let dice = dice.clone();
        evaluator.register_fn_override("random", move |arguments: &[JValue]| random_number(arguments, &dice))?;
    }
    if query.names("shuffle") {
        let dice = dice.clone();
        evaluator.register_fn_override("shuffle", move |arguments: &[JValue]| shuffle(arguments, &dice))?;
    }
    if query.names("millis") {
        evaluator.register_fn_override("millis", move |_: &[JValue]| Ok(now.as_millisecond().into()))?;
    }
    if query.names("now") {
        evaluator.register_fn_override("now", move |arguments: &[JValue]| written(now, arguments))?;
    }
    Ok(())
}

fn no_function(_: &[JValue]) -> Answer {
    Err(EvaluatorError::TypeError("T1006: Attempted to invoke a non-function".to_owned()))
}

fn mismatch(argument: usize, function: &str) -> EvaluatorError {
    EvaluatorError::TypeError(format!(
        "T0410: Argument {argument} of function \"{function}\" does not match function signature"
    ))
}

/// The argument; `None` where it is undefined or not given.
fn given(arguments: &[JValue], at: usize) -> Option<&JValue> {
    arguments.get(at).filter(|argument| !argument.is_undefined())
}

/// A number without its fraction: the service cuts rather than rounds.
fn whole(argument: &JValue, at: usize, function: &str) -> Result<i64, EvaluatorError> {
    let number = argument.as_f64().filter(|number| number.is_finite()).ok_or_else(|| mismatch(at, function))?;
    #[expect(clippy::cast_possible_truncation, reason = "cut on purpose; out of range saturates as in Java")]
    Ok(number as i64)
}

fn partition(arguments: &[JValue]) -> Answer {
    let (Some(list), Some(size)) = (given(arguments, 0), given(arguments, 1)) else {
        return Ok(JValue::Undefined);
    };
    let single = [list.clone()];
    let items = list.as_array().map_or(&single[..], Vec::as_slice);
    let size = usize::try_from(whole(size, 2, "partition")?).ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| mismatch(2, "partition"))?;
    if items.is_empty() {
        return Ok(JValue::Undefined);
    }
    Ok(JValue::array(items.chunks(size).map(|chunk| JValue::array(chunk.to_vec())).collect()))
}

fn range(arguments: &[JValue]) -> Answer {
    let (Some(first), Some(last), Some(step)) = (given(arguments, 0), given(arguments, 1), given(arguments, 2)) else {
        return Ok(JValue::Undefined);
    };
    let (first, last) = (whole(first, 1, "range")?, whole(last, 2, "range")?);
    let step = whole(step, 3, "range")?;
    let is_empty = step == 0 || (step > 0 && first > last) || (step < 0 && first < last);
    if is_empty {
        return Ok(JValue::Undefined);
    }
    let (first, last, step) = (i128::from(first), i128::from(last), i128::from(step));
    let count = usize::try_from((last - first) / step + 1).ok().filter(|count| *count <= bounds::MAX_SEQUENCE);
    let count = count.ok_or_else(bounds::too_long)?;
    #[expect(clippy::cast_precision_loss, reason = "JSONata's numbers are doubles")]
    Ok(JValue::array((0..count).map(|at| JValue::Number((first + step * at as i128) as f64)).collect()))
}

fn hash(arguments: &[JValue]) -> Answer {
    let (Some(data), Some(algorithm)) = (given(arguments, 0), given(arguments, 1)) else {
        return Ok(JValue::Undefined);
    };
    let algorithm = algorithm.as_str().ok_or_else(|| mismatch(2, "hash"))?;
    let data = match data.as_str() {
        Some(text) => text.to_owned(),
        None => convert::to_json(data).map_err(|_| mismatch(1, "hash"))?.to_string(),
    };
    let digest = intrinsic::digest(data.as_bytes(), algorithm);
    digest.map(JValue::from).ok_or_else(|| mismatch(2, "hash"))
}

fn parse(arguments: &[JValue]) -> Answer {
    let Some(text) = given(arguments, 0) else {
        return Ok(JValue::Undefined);
    };
    let text = text.as_str().ok_or_else(|| mismatch(1, "parse"))?;
    let value = serde_json::from_str(text)
        .map_err(|_| EvaluatorError::EvaluationError(format!("unable to parse `{text}` as JSON")))?;
    Ok(convert::from_json(&value))
}

fn random_number(arguments: &[JValue], dice: &RefCell<Dice>) -> Answer {
    Ok(match given(arguments, 0) {
        None => dice.borrow_mut().roll(),
        Some(seed) => JavaRandom::new(whole(seed, 1, "random")?).fraction(),
    }
    .into())
}

#[expect(clippy::unnecessary_wraps, reason = "all functions have one shape")]
fn shuffle(arguments: &[JValue], dice: &RefCell<Dice>) -> Answer {
    let Some(list) = given(arguments, 0) else {
        return Ok(JValue::Undefined);
    };
    let mut items = list.as_array().cloned().unwrap_or_else(|| vec![list.clone()]);
    for at in (1..items.len()).rev() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a fraction of a length is an index"
        )]
        let other = (dice.borrow_mut().roll() * (at + 1) as f64) as usize;
        items.swap(at, other.min(at));
    }
    Ok(JValue::array(items))
}

/// `$now` with a picture and a time zone is `$fromMillis` of the moment.
fn written(now: Timestamp, arguments: &[JValue]) -> Answer {
    let names = ["picture", "timezone"];
    let asked: Vec<_> = names.iter().zip(arguments).filter(|(_, value)| !value.is_undefined()).collect();
    if asked.is_empty() {
        return Ok(now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into());
    }
    let tree = parser::parse("$fromMillis($moment, $picture, $timezone)")
        .map_err(|why| EvaluatorError::EvaluationError(why.to_string()))?;
    let mut context = jsonata_core::evaluator::Context::new();
    context.bind("moment".to_owned(), now.as_millisecond().into());
    for (name, value) in names.iter().zip(arguments) {
        context.bind((*name).to_owned(), value.clone());
    }
    Evaluator::with_options(context, bounds::options()).evaluate(&tree, &JValue::Undefined)
}
