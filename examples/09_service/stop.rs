//! How tasks that go on for ever are ended.

use std::time::Duration;

use tokio::sync::watch;

/// Ends them.
pub(crate) struct Stopper(watch::Sender<bool>);

/// What such a task looks at.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

pub(crate) fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until the end.
    pub(crate) async fn stopped(&mut self) {
        // A stopper that is gone is an end too.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }

    /// Waits for so long; whether the end has come first.
    pub(crate) async fn within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.stopped()).await.is_ok()
    }

    /// What this gives, or nothing if the end comes first: the work is then dropped.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.stopped() => None,
            done = work => Some(done),
        }
    }
}
