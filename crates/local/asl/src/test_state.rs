//! One state, executed alone: `TestState`.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html>. The state is
//! evaluated by the functions that executions use; this module only stops between them and writes
//! down what it sees. It invokes nothing and waits for nothing: a task without a mock is handed to
//! the caller, and a Wait state ends at once, unless it would outlast a test.

mod inspection;
mod map;
mod report;
mod subject;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::inspection::{Draws, Inspection};
pub use self::report::{TestReport, TestStatus};
pub use self::subject::{Subject, SubjectError};
use crate::context::{ContextObject, StartContext, clock_text};
use crate::definition::{Language, State};
use crate::failure::{Failure, Fault};
use crate::integration::Resource;
use crate::intrinsic::Random;
use crate::payload::Payload;
use crate::scope::Variables;
use crate::states::task::Order;
use crate::states::{Action, Exit, Kind, Moment};

/// The longest that a test may take.
const MAX_TEST: SignedDuration = SignedDuration::from_mins(5);

/// What stands in for the work of the state under test.
#[derive(Clone, Debug, PartialEq)]
pub enum Mock {
    /// The raw result of the work.
    Result(Payload),
    /// The work failed.
    Error(Failure),
}

/// What is said of the moment at which the state is tested.
#[derive(Clone, Debug)]
pub struct TestSetting {
    /// The input of the state.
    pub input: Payload,
    /// The execution that the state is thought to be part of.
    pub start: StartContext,
    /// The context object, where the caller gives one.
    pub context: Option<Value>,
    /// The variables that were assigned before.
    pub variables: BTreeMap<String, Payload>,
    /// How often the rule that takes the error has tried again already.
    pub retrier_retry_count: u32,
    /// How many iterations of a Map failed.
    pub map_iteration_failure_count: Option<u64>,
    /// What the reader of a distributed Map read, as the text of its source.
    pub map_item_reader_data: Option<String>,
}

/// A test that waits for a task, or its end.
#[derive(Debug)]
pub enum TestStep {
    /// Do the task and [`PendingTest::finish`] with its outcome.
    Task(Box<PendingTest>),
    /// The test is over.
    Finished(TestReport),
}

/// A test whose task somebody else does.
#[derive(Debug)]
pub struct PendingTest {
    /// Who does the work.
    pub resource: Resource,
    /// What it is given.
    pub input: Payload,
    /// How long it may take.
    pub timeout_seconds: Option<u64>,
    run: Run,
}

/// How far a state comes by itself.
enum Begun {
    Exit(Exit),
    Failed(Failure),
    Task(Order),
    /// A Map or a Parallel state, whose flows are not run.
    Flows,
}

/// A test under way.
#[derive(Debug)]
struct Run {
    state: Arc<State>,
    setting: TestSetting,
    variables: Variables,
    context: Value,
    now: Timestamp,
    seen: Inspection,
    tolerance: map::Tolerance,
}

impl Subject {
    /// Executes the state, up to the work of a task that no mock stands in for. A Map or Parallel
    /// state needs a mock; the caller refuses one that lacks it.
    pub fn test(&self, setting: TestSetting, mock: Option<Mock>, now: Timestamp, random: Random<'_>) -> TestStep {
        let mut run = Run::new(self.state().clone(), setting, now);
        let begun = run.begin(random);
        TestStep::Finished(match (begun, mock) {
            (Ok(Begun::Exit(exit)), _) => run.succeeded(exit),
            (Ok(Begun::Failed(failure)), _) | (Ok(_), Some(Mock::Error(failure))) => run.failed(failure, random),
            (Err(fault), _) => run.failed(fault.failure, random),
            (Ok(Begun::Task(order)), None) => return TestStep::Task(Box::new(PendingTest::new(run, order))),
            (Ok(Begun::Flows), None) => run.succeeded_with(&Value::Null.into(), random),
            (Ok(_), Some(Mock::Result(result))) => run.succeeded_with(&result, random),
        })
    }
}

impl PendingTest {
    fn new(run: Run, order: Order) -> Self {
        let Order { resource, input, timeout_seconds, .. } = order;
        Self { resource, input, timeout_seconds, run }
    }

    /// Goes on with the outcome of the task.
    pub fn finish(mut self, outcome: Result<Payload, Failure>, random: Random<'_>) -> TestReport {
        match outcome {
            Ok(result) if result.is_too_large() => self.run.failed(Failure::too_large(self.resource.label()), random),
            Ok(result) => self.run.succeeded_with(&result, random),
            Err(failure) => self.run.failed(failure, random),
        }
    }
}

impl Run {
    fn new(state: Arc<State>, mut setting: TestSetting, now: Timestamp) -> Self {
        let mut seen = Inspection::default();
        seen.document("input", setting.input.value());
        let context = match setting.context.take() {
            Some(context) => context,
            None => default_context(&state, &setting, now),
        };
        // Expressions read the execution's input in place, not in the context object.
        if let Some(input) = context.pointer("/Execution/Input") {
            setting.start.input = input.clone().into();
        }
        let variables = Arc::new(setting.variables.clone());
        Self { state, setting, variables, context, now, seen, tolerance: map::Tolerance::default() }
    }

    fn speaks_jsonpath(&self) -> bool {
        self.state.language == Language::JsonPath
    }

    fn begin(&mut self, random: Random<'_>) -> Result<Begun, Fault> {
        match &self.state.clone().kind {
            Kind::Pass(pass) => self.pass(pass, random).map(Begun::Exit),
            Kind::Task(task) => {
                self.see_filtered_input(random)?;
                let order = self.with_moment(random, |moment| task.run(moment))?;
                let member = if self.speaks_jsonpath() { "afterParameters" } else { "afterArguments" };
                self.seen.document(member, order.input.value());
                Ok(Begun::Task(order))
            }
            Kind::Map(map) => self.map(map, random),
            Kind::Parallel(_) => {
                #[expect(
                    clippy::redundant_closure_for_method_calls,
                    reason = "the method alone is not general enough over lifetimes"
                )]
                self.with_moment(random, |moment| moment.effective_input())?;
                Ok(Begun::Flows)
            }
            _ => {
                self.see_filtered_input(random)?;
                self.execute(random)
            }
        }
    }

    /// States that need nobody.
    fn execute(&mut self, random: Random<'_>) -> Result<Begun, Fault> {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is not general enough over lifetimes"
        )]
        match self.with_moment(random, |moment| moment.run())? {
            Action::Exit(exit) => Ok(Begun::Exit(exit)),
            Action::Fail(failure) => Ok(Begun::Failed(failure)),
            Action::WaitUntil(due) if due.duration_since(self.now) > MAX_TEST => Ok(Begun::Failed(Failure::timeout())),
            Action::WaitUntil(_) => self.with_moment(random, |moment| moment.pass_through()).map(Begun::Exit),
            _ => Ok(Begun::Flows),
        }
    }

    fn pass(&mut self, pass: &crate::states::pass::Pass, random: Random<'_>) -> Result<Exit, Fault> {
        self.see_filtered_input(random)?;
        let mut draws = Draws::new(random);
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone is not general enough over lifetimes"
        )]
        let input = self.with_moment(&mut || draws.draw(), |moment| moment.effective_input())?;
        let result = pass.result(&input);
        if self.speaks_jsonpath() {
            self.seen.document("afterParameters", input.value());
            self.seen.document("afterResultSelector", result.value());
            let combined = self.state.data.combined(&self.setting.input, &result)?;
            self.seen.document("afterResultPath", combined.value());
        }
        draws.again();
        self.with_moment(&mut || draws.draw(), |moment| pass.run(moment))
    }

    /// `InputPath`, which only one of the languages has.
    fn see_filtered_input(&mut self, random: Random<'_>) -> Result<Payload, Fault> {
        let input = self.with_moment(random, |moment| moment.filtered_input())?;
        if self.speaks_jsonpath() {
            self.seen.document("afterInputPath", input.value());
        }
        Ok(input)
    }

    /// Leaves the state with the raw result of its work.
    fn succeeded_with(&mut self, result: &Payload, random: Random<'_>) -> TestReport {
        if matches!(self.state.kind, Kind::Task(_)) {
            self.seen.document("result", result.value());
        }
        if let Some(failure) = self.tolerance.exceeded(self.setting.map_iteration_failure_count) {
            return self.failed(failure, random);
        }
        match self.leave(result, random) {
            Ok(exit) => self.succeeded(exit),
            Err(fault) => self.failed(fault.failure, random),
        }
    }

    fn leave(&mut self, result: &Payload, random: Random<'_>) -> Result<Exit, Fault> {
        let mut draws = Draws::new(random);
        if self.speaks_jsonpath() {
            let selected = self.with_moment(&mut || draws.draw(), |moment| {
                let scope = moment.scope(moment.input.value());
                moment.state.data.selected(result.clone(), &scope, moment.random)
            })?;
            self.seen.document("afterResultSelector", selected.value());
            let combined = self.state.data.combined(&self.setting.input, &selected)?;
            self.seen.document("afterResultPath", combined.value());
            draws.again();
        }
        self.with_moment(&mut || draws.draw(), |moment| moment.leave_with_result(result.clone()))
    }

    /// Gives the state what its expressions may see.
    fn with_moment<T>(&self, random: Random<'_>, run: impl FnOnce(&mut Moment<'_, '_>) -> T) -> T {
        let context = self.context_object(self.context.clone());
        run(&mut self.moment(&context, random))
    }

    fn moment<'a, 'r>(&'a self, context: &'a ContextObject<'a>, random: Random<'r>) -> Moment<'a, 'r> {
        let (input, variables) = (&self.setting.input, &self.variables);
        Moment { state: &self.state, input, context, variables, now: self.now, random }
    }

    /// A context object that says what it is told to.
    fn context_object(&self, says: Value) -> ContextObject<'_> {
        ContextObject::that_says(says, &self.setting.start, &self.state.name, self.now)
    }
}

/// The context object of an Express execution whose only state this is.
fn default_context(state: &State, setting: &TestSetting, now: Timestamp) -> Value {
    let start = &setting.start;
    let mut context = json!({
        "Execution": {
            "Id": start.execution_arn,
            "Input": setting.input.value(),
            "StartTime": clock_text(start.start_time),
            "Name": start.name,
            "RoleArn": start.role_arn,
        },
        "StateMachine": { "Id": start.state_machine_arn, "Name": start.state_machine_name },
        "State": { "Name": state.name, "EnteredTime": clock_text(now) },
    });
    if state.kind.fields().retry {
        context["State"]["RetryCount"] = setting.retrier_retry_count.into();
    }
    context
}
