//! The tasks of activities that wait for a worker, the oldest first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asl::TaskId;
use tokio::sync::Notify;

use super::Place;

/// Waiting tasks by activity; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    lines: Arc<Mutex<HashMap<String, Line>>>,
}

#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Place>,
    changed: Arc<Notify>,
}

impl Queue {
    /// Puts a task at the end, unless it waits already: an execution that comes into memory again offers its task again.
    pub(crate) fn offer(&self, arn: &str, place: Place) {
        let mut lines = self.lines();
        let line = lines.entry(arn.to_owned()).or_default();
        if !line.waiting.contains(&place) {
            line.waiting.push_back(place);
            line.changed.notify_one();
        }
    }

    /// Puts a task back that its worker could not be given.
    pub(crate) fn put_back(&self, arn: &str, place: Place) {
        let mut lines = self.lines();
        let line = lines.entry(arn.to_owned()).or_default();
        line.waiting.push_front(place);
        line.changed.notify_one();
    }

    /// Takes a task out that nobody wants done any more.
    pub(crate) fn withdraw(&self, number: i64, task_id: TaskId) {
        self.lines().values_mut().for_each(|line| line.waiting.retain(|place| *place != (number, task_id)));
    }

    /// The next task; waits for as long as there is none.
    pub(crate) async fn take(&self, arn: &str) -> Place {
        loop {
            let changed = {
                let mut lines = self.lines();
                let line = lines.entry(arn.to_owned()).or_default();
                if let Some(place) = line.waiting.pop_front() {
                    if !line.waiting.is_empty() {
                        line.changed.notify_one();
                    }
                    return place;
                }
                Arc::clone(&line.changed)
            };
            changed.notified().await;
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use asl::TaskId;
    use futures::FutureExt as _;

    use super::Queue;

    #[tokio::test]
    async fn tasks_come_in_order_and_once() {
        let queue = Queue::default();
        for number in [1, 2, 1, 3] {
            queue.offer("a", (number, TaskId(7)));
        }
        queue.withdraw(2, TaskId(7));
        assert_eq!(queue.take("a").await, (1, TaskId(7)));
        queue.put_back("a", (1, TaskId(7)));
        assert_eq!((queue.take("a").await, queue.take("a").await), ((1, TaskId(7)), (3, TaskId(7))));
        assert_eq!(queue.take("a").now_or_never(), None);
        assert_eq!(queue.take("b").now_or_never(), None);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken() {
        let queue = Queue::default();
        let wait = || {
            let queue = queue.clone();
            tokio::spawn(async move { queue.take("a").await })
        };
        let waiting = [wait(), wait()];
        tokio::task::yield_now().await;
        queue.offer("a", (1, TaskId(1)));
        queue.offer("a", (2, TaskId(1)));
        let mut taken = Vec::new();
        for worker in waiting {
            taken.push(worker.await.unwrap().0);
        }
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
    }
}
