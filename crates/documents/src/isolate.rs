//! Runs a parser of strangers' bytes so that its panic or its endless loop stays its own.
//!
//! The work happens on a thread of its own with a deep stack. A panic becomes an error, and the
//! default report of a panic is kept off standard error, for its text may quote the document. A
//! thread that outlives its time is abandoned: Rust cannot stop it, so it burns until the process
//! ends (a Lambda is frozen or killed by its own limit; a local worker is replaced).

use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Deep enough for the recursive descents of the parsers at their own nesting limits.
const STACK_BYTES: usize = 64 << 20;
const THREAD_NAME: &str = "document-reader";

/// How work ended that gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    Panicked,
    TimedOut,
}

/// Runs `work` on a thread of its own, for at most `time`.
pub(crate) fn run<T: Send + 'static>(time: Duration, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stopped> {
    silence_readers();
    let (sender, receiver) = mpsc::sync_channel(1);
    let job = move || {
        // The receiver is gone after a timeout; nobody wants the result then.
        let _ = sender.send(panic::catch_unwind(AssertUnwindSafe(work)));
    };
    if thread::Builder::new().name(THREAD_NAME.to_owned()).stack_size(STACK_BYTES).spawn(job).is_err() {
        return Err(Stopped::Panicked);
    }
    match receiver.recv_timeout(time) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(Stopped::Panicked),
        Err(RecvTimeoutError::Timeout) => Err(Stopped::TimedOut),
    }
}

/// Runs `work` here and turns its panic into `None`; only inside [`run`].
pub(crate) fn contain<T>(work: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

fn silence_readers() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if thread::current().name() != Some(THREAD_NAME) {
                report(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_so_is_an_endless_loop() {
        assert_eq!(run(Duration::from_secs(5), || 7), Ok(7));
        assert_eq!(run(Duration::from_secs(5), || -> u8 { panic!("quoted text") }), Err(Stopped::Panicked));
        let (_keep, forever) = mpsc::channel::<()>();
        assert_eq!(run(Duration::from_millis(20), move || forever.recv().is_ok()), Err(Stopped::TimedOut));
    }
}
