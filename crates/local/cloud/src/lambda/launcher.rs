//! The one thread that starts processes.
//!
//! Linux ties a worker's parent-death signal to the *thread* that started it, so that thread must live as long as the
//! cloud; and starting a process takes a millisecond that no async thread should lose.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A handle on the thread, which ends with the last of them.
#[derive(Debug, Clone)]
pub(crate) struct Launcher {
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
struct Order {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Launcher {
    pub(crate) fn start() -> io::Result<Self> {
        let (orders, waiting) = mpsc::channel::<Order>();
        thread::Builder::new().name("launcher".to_owned()).spawn(move || waiting.into_iter().for_each(carry_out))?;
        Ok(Self { orders })
    }

    /// Starts `command`.
    pub(crate) async fn launch(&self, command: Command) -> io::Result<Child> {
        let (reply, child) = oneshot::channel();
        let gone = || io::Error::other("the launcher thread is gone");
        self.orders.send(Order { command, runtime: Handle::current(), reply }).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}

fn carry_out(mut order: Order) {
    let _runtime = order.runtime.enter();
    // Whoever ordered it may be gone; the child then dies as it is dropped.
    let _ = order.reply.send(order.command.spawn());
}
