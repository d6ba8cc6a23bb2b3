//! `TestState`: one state of a definition, executed alone, with its work mocked or really done.
//!
//! The state is evaluated in crate `asl`; here a request is checked, and a task without a mock is done against the
//! local cloud. A Wait state does not wait. HTTP tasks are not available locally.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html>

mod mocked;
mod request;

use std::time::Duration;

use asl::test_state::{PendingTest, Subject, SubjectError, TestReport, TestSetting, TestStep};
use asl::{Failure, Payload, StartContext, TaskId, TokenKey};
use serde_json::{Value, json};

use self::request::{Asked, Level};
use super::integrations::{self, Caller};
use super::{States, refusal};
use crate::identifier;
use crate::wire::{Outcome, Reply};

/// The longest that a test may take.
const MOST: Duration = Duration::from_mins(5);

/// The role of a test that names none, which a mock allows.
const NO_ROLE: &str = "arn:aws:iam::000000000000:role/none";

pub(super) async fn test(states: &States, body: Value) -> Outcome {
    let asked = request::read(body)?;
    let subject = Subject::find(&asked.definition, asked.state_name.as_deref()).map_err(|error| match error {
        SubjectError::Definition(why) => refusal::invalid_definition(&why),
        SubjectError::NotFound => refusal::validation("State not found in definition"),
    })?;
    request::check(&asked, &subject)?;
    let mock = asked.mock.as_ref().map(|mock| mocked::read(mock, &subject)).transpose()?;
    let (level, input_text) = (asked.level, asked.input_text.clone());
    let setting = setting(states, asked);
    let now = states.context().clock.now();
    let mut report = match subject.test(setting, mock, now, &mut fastrand::f64) {
        TestStep::Finished(report) => report,
        TestStep::Task(pending) => work(states, *pending).await,
    };
    report.inspection["input"] = input_text.into();
    Ok(Reply::plain(answer(report, level)))
}

/// Does the task of a test.
async fn work(states: &States, pending: PendingTest) -> TestReport {
    let asked = pending.timeout_seconds.map_or(MOST, Duration::from_secs);
    // A test has no execution that could start another one twice.
    let caller = Caller { number: None, arn: identifier::random(), task_id: TaskId(0) };
    let done = integrations::perform(states, &caller, &pending.resource, &pending.input);
    let outcome = tokio::time::timeout(asked.min(MOST), done).await;
    let timed_out = Failure::of(Some("States.Timeout".to_owned()), None);
    pending.finish(outcome.unwrap_or(Err(timed_out)), &mut fastrand::f64)
}

/// The execution that the state is thought to be part of.
fn setting(states: &States, asked: Asked) -> TestSetting {
    let (machine, name, run) = (identifier::random(), identifier::random(), identifier::random());
    let (region, account) = (&states.context().region, &states.account);
    let configuration = asked.state_configuration;
    let start = StartContext {
        execution_arn: format!("arn:aws:states:{region}:{account}:express:{machine}:{name}:{run}"),
        state_machine_arn: format!("arn:aws:states:{region}:{account}:stateMachine:{machine}"),
        state_machine_name: machine,
        name,
        role_arn: asked.role_arn.unwrap_or_else(|| NO_ROLE.to_owned()),
        input: asked.input.clone(),
        start_time: states.context().clock.now(),
        // Nobody waits for the answer to a test's token.
        token_key: TokenKey::default(),
    };
    TestSetting {
        input: asked.input,
        start,
        context: asked.context,
        variables: asked.variables,
        retrier_retry_count: configuration.retrier_retry_count.unwrap_or(0),
        map_iteration_failure_count: configuration.map_iteration_failure_count,
        map_item_reader_data: configuration.map_item_reader_data,
    }
}

fn answer(report: TestReport, level: Level) -> Value {
    let mut answer = json!({"status": report.status.name()});
    let Failure { error, cause, .. } = report.failure;
    let members = [
        ("output", report.output.as_ref().map(Payload::to_json)),
        ("error", error),
        ("cause", cause),
        ("nextState", report.next_state),
    ];
    for (member, text) in members {
        if let Some(text) = text {
            answer[member] = text.into();
        }
    }
    if level != Level::Info {
        answer["inspectionData"] = report.inspection;
    }
    answer
}
