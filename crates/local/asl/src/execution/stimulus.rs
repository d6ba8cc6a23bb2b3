//! What comes from outside: answers of tasks, timers, and orders of users.

use jiff::Timestamp;

use super::work::{Status, TaskId, TimerId, TimerPurpose};
use super::{Execution, MAX_HISTORY_EVENTS, ROOT, Step};
use crate::failure::Failure;
use crate::log::{Event, MapRunEvent};
use crate::payload::Payload;

/// The longest error name and cause that the service keeps:
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TaskFailedEventDetails.html>.
const MAX_ERROR_BYTES: usize = 256;
const MAX_CAUSE_BYTES: usize = 32_768;

/// Something that happened outside.
#[derive(Clone, Debug)]
pub enum Stimulus {
    /// Somebody began to do the task.
    TaskStarted {
        /// The task.
        task_id: TaskId,
        /// What the worker of an activity calls itself.
        worker_name: Option<String>,
    },
    /// The activity that was looked for is there.
    ActivityFound {
        /// The request.
        task_id: TaskId,
    },
    /// There is no such activity.
    ActivityMissing {
        /// The request.
        task_id: TaskId,
    },
    /// The service has answered a task that waits for more than that.
    TaskSubmitted {
        /// The task.
        task_id: TaskId,
        /// What the service answered.
        output: Payload,
    },
    /// The service refused a task that would have waited for more than its answer.
    TaskSubmitFailed {
        /// The task.
        task_id: TaskId,
        /// The error's name and cause.
        failure: Failure,
    },
    /// The task's work is done.
    TaskSucceeded {
        /// The task.
        task_id: TaskId,
        /// What it gave.
        output: Payload,
    },
    /// The task's work failed.
    TaskFailed {
        /// The task.
        task_id: TaskId,
        /// The error's name and cause.
        failure: Failure,
    },
    /// The task's worker says that its time ran out; the engine's own timers need no help.
    TaskTimedOut {
        /// The task.
        task_id: TaskId,
    },
    /// The task's worker is alive.
    TaskHeartbeat {
        /// The task.
        task_id: TaskId,
    },
    /// Every child of a Map Run that was to run has ended, and the results are written.
    MapRunSucceeded {
        /// The run's task.
        task_id: TaskId,
        /// The result of the state.
        output: Payload,
    },
    /// A Map Run failed.
    MapRunFailed {
        /// The run's task.
        task_id: TaskId,
        /// The error's name and cause.
        failure: Failure,
        /// Whether there are children that a redrive would redrive; without them it begins anew.
        redrivable: bool,
    },
    /// A timer is due.
    TimerFired {
        /// The timer.
        timer_id: TimerId,
    },
    /// A user stops the execution.
    Stop {
        /// The error's name and cause, as the user gave them.
        failure: Failure,
    },
    /// A user lets an unsuccessful execution go on from where it failed.
    Redrive,
}

impl Execution {
    /// Whether a redrive would do anything.
    #[must_use]
    pub fn is_redrivable(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Aborted | Status::TimedOut)
            && self.history_length() < MAX_HISTORY_EVENTS - 1
    }

    pub(super) fn take(
        &mut self,
        stimulus: Stimulus,
        now: Timestamp,
        random: &mut dyn FnMut() -> f64,
        step: &mut Step,
    ) {
        match stimulus {
            Stimulus::Redrive => self.redrive(now, step),
            _ if self.status != Status::Running => {}
            Stimulus::ActivityFound { task_id } => self.activity_found(task_id, now, step),
            Stimulus::ActivityMissing { task_id } => self.activity_missing(task_id, now, random, step),
            Stimulus::TaskStarted { task_id, worker_name } => self.task_started(task_id, worker_name, now, step),
            Stimulus::TaskSubmitted { task_id, output } => self.task_submitted(task_id, output, now, step),
            Stimulus::TaskSubmitFailed { task_id, failure } => {
                self.task_submit_failed(task_id, bounded(failure), now, step);
            }
            Stimulus::TaskSucceeded { task_id, output } => self.task_ended(task_id, Ok(output), now, step),
            Stimulus::TaskFailed { task_id, failure } => self.task_ended(task_id, Err(bounded(failure)), now, step),
            Stimulus::TaskTimedOut { task_id } => self.task_timed_out(task_id, Failure::timeout(), now, step),
            Stimulus::TaskHeartbeat { task_id } => self.heartbeat(task_id, now, step),
            Stimulus::MapRunSucceeded { task_id, output } => {
                self.map_run_ended(task_id, MapRunEvent::Succeeded { output }, now, step);
            }
            Stimulus::MapRunFailed { task_id, failure, redrivable } => {
                let failed = MapRunEvent::Failed { failure: bounded(failure), redrivable };
                self.map_run_ended(task_id, failed, now, step);
            }
            Stimulus::TimerFired { timer_id } => self.timer_fired(timer_id, now, random, step),
            Stimulus::Stop { failure } => {
                self.abort_map_runs(now, step);
                let last = self.history_length();
                self.emit_after(last, ROOT, Event::ExecutionAborted { failure: bounded(failure) }, now, step);
            }
        }
    }

    fn redrive(&mut self, now: Timestamp, step: &mut Step) {
        if self.is_redrivable() {
            let redrive_count = self.redrive_count() + 1;
            let last = self.history_length();
            self.emit_after(last, ROOT, Event::ExecutionRedriven { redrive_count }, now, step);
        }
    }

    fn timer_fired(&mut self, timer: TimerId, now: Timestamp, random: &mut dyn FnMut() -> f64, step: &mut Step) {
        let Some(id) = self.work.fire_timer(timer) else {
            return;
        };
        match timer.purpose {
            TimerPurpose::ExecutionTimeout => {
                self.abort_map_runs(now, step);
                let last = self.history_length();
                self.emit_after(last, ROOT, Event::ExecutionTimedOut { failure: Failure::timeout() }, now, step);
            }
            TimerPurpose::TaskTimeout | TimerPurpose::Heartbeat => {
                let is_heartbeat = timer.purpose == TimerPurpose::Heartbeat;
                let failure = if is_heartbeat { Failure::missed_heartbeat() } else { Failure::timeout() };
                if let Some(task) = self.frame(id).phase.task() {
                    self.task_timed_out(task, failure, now, step);
                }
            }
            TimerPurpose::Retry => self.execute(id, now, random, step),
            TimerPurpose::Wait => {
                #[expect(
                    clippy::redundant_closure_for_method_calls,
                    reason = "the method alone is not general enough over lifetimes"
                )]
                let exit = self.with_moment(id, now, random, |moment| moment.pass_through());
                self.exit_or_fail(id, exit, now, random, step);
            }
        }
    }
}

fn bounded(failure: Failure) -> Failure {
    let cut = |mut text: String, most: usize| {
        text.truncate(text.floor_char_boundary(most));
        text
    };
    Failure {
        error: failure.error.map(|error| cut(error, MAX_ERROR_BYTES)),
        cause: failure.cause.map(|cause| cut(cause, MAX_CAUSE_BYTES)),
        ..failure
    }
}
