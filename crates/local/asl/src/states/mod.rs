//! The eight kinds of states, one file each: their fields and what they do when executed.
//!
//! Spec: <https://states-language.net/#statetypes>.

pub(crate) mod choice;
pub(crate) mod fail;
pub(crate) mod map;
pub(crate) mod parallel;
pub(crate) mod pass;
pub(crate) mod task;
pub(crate) mod wait;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::catch::{Catcher, error_output};
use crate::context::ContextObject;
use crate::definition::{Language, Reader, State};
use crate::failure::{Failure, Fault};
use crate::log::StateKind;
use crate::payload::{MAX_PAYLOAD_BYTES, Payload};
use crate::scope::{Scope, Variables};
use crate::template::Template;

/// The most bytes of all variables that a state can see:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>.
const MAX_VARIABLES_BYTES: usize = 10 * 1_048_576;

/// What a kind of state adds to the common fields.
#[derive(Debug)]
pub(crate) enum Kind {
    Task(task::Task),
    Pass(pass::Pass),
    Choice(choice::Choice),
    Wait(wait::Wait),
    Succeed,
    Fail(fail::Fail),
    Parallel(parallel::Parallel),
    Map(Box<map::MapState>),
}

/// Which of the common fields a kind of state has.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one column each of the specification's table")]
pub(crate) struct Fields {
    pub(crate) paths: bool,
    pub(crate) parameters: bool,
    pub(crate) arguments: bool,
    pub(crate) result_selector: bool,
    pub(crate) result_path: bool,
    pub(crate) transition: bool,
    pub(crate) retry: bool,
    pub(crate) assign: bool,
}

/// What a state does once it is entered.
pub(crate) enum Action {
    Exit(Exit),
    /// A Fail state fails by intent, so its words are its own.
    Fail(Failure),
    StartTask(task::Order),
    WaitUntil(Timestamp),
    StartBranches {
        input: Payload,
    },
    /// A distributed Map: its items are an array, or still to be read.
    StartMapRun {
        items: Option<Payload>,
        concurrency: u64,
    },
    StartItems {
        items: Payload,
        concurrency: usize,
    },
}

/// How a state is left.
pub(crate) struct Exit {
    pub(crate) output: Payload,
    pub(crate) assigned: BTreeMap<String, Payload>,
    /// `None` ends the flow.
    pub(crate) next: Option<String>,
}

/// A state, its input, and what its expressions may see.
pub(crate) struct Moment<'a, 'r> {
    pub(crate) state: &'a State,
    pub(crate) input: &'a Payload,
    pub(crate) context: &'a ContextObject<'a>,
    pub(crate) variables: &'a Variables,
    pub(crate) now: Timestamp,
    pub(crate) random: &'r mut dyn FnMut() -> f64,
}

impl Kind {
    pub(crate) fn read(type_name: &str, reader: &mut Reader<'_, '_>) -> Option<Self> {
        match type_name {
            "Task" => task::Task::read(reader).map(Self::Task),
            "Pass" => Some(Self::Pass(pass::Pass::read(reader))),
            "Choice" => choice::Choice::read(reader).map(Self::Choice),
            "Wait" => wait::Wait::read(reader).map(Self::Wait),
            "Succeed" => Some(Self::Succeed),
            "Fail" => Some(Self::Fail(fail::Fail::read(reader))),
            "Parallel" => parallel::Parallel::read(reader).map(Self::Parallel),
            "Map" => map::MapState::read(reader).map(|map| Self::Map(Box::new(map))),
            other => {
                reader.problem("Type", format!("there is no state type `{other}`"));
                None
            }
        }
    }

    pub(crate) fn name(&self) -> StateKind {
        match self {
            Self::Task(_) => StateKind::Task,
            Self::Pass(_) => StateKind::Pass,
            Self::Choice(_) => StateKind::Choice,
            Self::Wait(_) => StateKind::Wait,
            Self::Succeed => StateKind::Succeed,
            Self::Fail(_) => StateKind::Fail,
            Self::Parallel(_) => StateKind::Parallel,
            Self::Map(_) => StateKind::Map,
        }
    }

    /// The table at <https://states-language.net/#state-type-table>. `paths` also stands for
    /// JSONata's `Output`.
    pub(crate) fn fields(&self) -> Fields {
        let (work, pass) =
            (matches!(self, Self::Task(_) | Self::Parallel(_) | Self::Map(_)), matches!(self, Self::Pass(_)));
        let end = matches!(self, Self::Succeed | Self::Fail(_));
        Fields {
            paths: !matches!(self, Self::Fail(_)),
            // A Map's `Parameters` are the old name of its `ItemSelector`.
            parameters: pass || work && !matches!(self, Self::Map(_)),
            arguments: work && !matches!(self, Self::Map(_)),
            result_selector: work,
            result_path: pass || work,
            transition: !end && !matches!(self, Self::Choice(_)),
            retry: work,
            assign: !end,
        }
    }
}

impl<'a> Moment<'a, '_> {
    /// The scope of expressions over a document.
    pub(crate) fn scope<'s>(&self, input: &'s Value) -> Scope<'s>
    where
        'a: 's,
    {
        Scope { input, context: self.context, variables: self.variables, result: None, error_output: None }
    }

    /// The scope of `Assign` and of the output: `JSONPath` sees the document itself, JSONata the
    /// state's input, and the document as `$states.result` where the state does work.
    fn outcome_scope<'s>(&self, document: &'s Value) -> Scope<'s>
    where
        'a: 's,
    {
        match self.state.language {
            Language::JsonPath => self.scope(document),
            Language::Jsonata => {
                Scope { result: self.state.kind.fields().retry.then_some(document), ..self.scope(self.input.value()) }
            }
        }
    }

    /// The state's input after `InputPath`.
    pub(crate) fn filtered_input(&self) -> Result<Payload, Fault> {
        self.state.data.filtered_input(self.input, &self.scope(self.input.value()))
    }

    /// The state's input after `InputPath` and `Parameters`, or its `Arguments`.
    pub(crate) fn effective_input(&mut self) -> Result<Payload, Fault> {
        let scope = self.scope(self.input.value());
        let input = self.state.data.effective_input(self.input, &scope, self.random)?;
        if input.is_too_large() { Err(Failure::too_large_parameters(&self.state.name).into()) } else { Ok(input) }
    }

    /// Executes the state, up to where it must wait for somebody.
    pub(crate) fn run(&mut self) -> Result<Action, Fault> {
        match &self.state.kind {
            Kind::Pass(pass) => pass.run(self).map(Action::Exit),
            Kind::Task(task) => task.run(self).map(Action::StartTask),
            Kind::Choice(choice) => choice.run(self).map(Action::Exit),
            Kind::Wait(wait) => wait.run(self).map(Action::WaitUntil),
            Kind::Succeed => self.pass_through().map(Action::Exit),
            Kind::Fail(fail) => fail.failure(self).map(Action::Fail),
            Kind::Parallel(_) => self.effective_input().map(|input| Action::StartBranches { input }),
            Kind::Map(map) => map.run(self),
        }
    }

    /// Leaves the state with its input after `InputPath` and `OutputPath`.
    pub(crate) fn pass_through(&mut self) -> Result<Exit, Fault> {
        let input = self.filtered_input()?;
        self.leave(&input, self.state.next.clone())
    }

    /// Leaves the state with a document as its effective output.
    pub(crate) fn leave(&mut self, document: &Payload, next: Option<String>) -> Result<Exit, Fault> {
        let scope = self.outcome_scope(document.value());
        let output = self.state.data.output(document, &scope, self.random)?;
        let assigned = self.assigned(self.state.assign.as_ref(), &scope)?;
        self.bounded(Exit { output, assigned, next })
    }

    /// Leaves the state by a rule of its own, with that rule's `Output` and `Assign`.
    pub(crate) fn leave_by_rule(
        &mut self,
        document: &Payload,
        output: Option<&Template>,
        assign: Option<&Template>,
        next: &str,
    ) -> Result<Exit, Fault> {
        let scope = self.outcome_scope(document.value());
        let output = match output {
            None => self.state.data.filtered_output(document, &scope)?,
            Some(template) => template.evaluate(&scope, self.random)?.into(),
        };
        let assigned = self.assigned(assign, &scope)?;
        self.bounded(Exit { output, assigned, next: Some(next.to_owned()) })
    }

    /// Leaves the state with the raw result of its work.
    pub(crate) fn leave_with_result(&mut self, result: Payload) -> Result<Exit, Fault> {
        let data = &self.state.data;
        let result = data.selected(result, &self.scope(self.input.value()), self.random)?;
        let combined = data.combined(self.input, &result)?;
        let scope = self.outcome_scope(result.value());
        let output = data.output(&combined, &scope, self.random)?;
        let assigned = self.assigned(self.state.assign.as_ref(), &scope)?;
        self.bounded(Exit { output, assigned, next: self.state.next.clone() })
    }

    /// Leaves the state by a `Catch` rule.
    pub(crate) fn leave_caught(&mut self, catcher: &Catcher, failure: &Failure) -> Result<Exit, Fault> {
        let error = error_output(failure);
        let scope = match self.state.language {
            Language::JsonPath => self.scope(error.value()),
            Language::Jsonata => Scope { error_output: Some(error.value()), ..self.scope(self.input.value()) },
        };
        let output = match &catcher.output {
            None => catcher.result_path.combine(self.input, &error)?,
            Some(template) => template.evaluate(&scope, self.random)?.into(),
        };
        let assigned = self.assigned(catcher.assign.as_ref(), &scope)?;
        self.bounded(Exit { output, assigned, next: Some(catcher.next.clone()) })
    }

    /// The variables that an `Assign` field sets; all of them see the old values.
    fn assigned(&mut self, assign: Option<&Template>, scope: &Scope<'_>) -> Result<BTreeMap<String, Payload>, Fault> {
        let Some(template) = assign else {
            return Ok(BTreeMap::new());
        };
        let Value::Object(values) = template.evaluate(scope, self.random)? else {
            return Err(Failure::runtime("The Assign field must be an object.").into());
        };
        let assigned: BTreeMap<String, Payload> =
            values.into_iter().map(|(name, value)| (name, value.into())).collect();
        if self.is_within_limits(&assigned) { Ok(assigned) } else { Err(Failure::too_large(&self.state.name).into()) }
    }

    /// Whether the variables are small enough: those of one `Assign`, and all of the flow's.
    fn is_within_limits(&self, assigned: &BTreeMap<String, Payload>) -> bool {
        let new: usize = assigned.values().map(Payload::size_bytes).sum();
        let kept = self.variables.iter().filter(|(name, _)| !assigned.contains_key(*name));
        let old: usize = kept.map(|(_, value)| value.size_bytes()).sum();
        let are_small = !assigned.values().any(Payload::is_too_large);
        are_small && new <= MAX_PAYLOAD_BYTES && new + old <= MAX_VARIABLES_BYTES
    }

    fn bounded(&self, exit: Exit) -> Result<Exit, Fault> {
        if exit.output.is_too_large() { Err(Failure::too_large(&self.state.name).into()) } else { Ok(exit) }
    }
}
