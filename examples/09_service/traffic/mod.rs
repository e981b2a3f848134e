//! Clients: some sixty requests a second, most of them sensible.

mod client;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::stop::Stop;
use crate::story::Story;
use crate::tally::Tally;
use crate::uploads::MAX_BYTES;

const EVERY: Duration = Duration::from_millis(16);
/// More at a time are not sent, so that a service that is slow is not buried.
const MOST_AT_ONCE: usize = 64;
const PASSWORD: &str = "correct horse battery";

/// The clients. Copies are one.
#[derive(Clone)]
pub(crate) struct Traffic(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    url: String,
    tally: Tally,
    /// What is done next; apart from the rest, which is asked in the order of the answers.
    acts: Mutex<fastrand::Rng>,
    random: Mutex<fastrand::Rng>,
    sent: AtomicU64,
    known: Mutex<Known>,
}

/// What earlier answers have told.
#[derive(Default)]
struct Known {
    tokens: Vec<String>,
    emails: Vec<String>,
    uploads: Vec<Own>,
    jobs: Vec<Own>,
}

/// Something, and the token of whom it belongs to: others do not see it.
#[derive(Clone)]
struct Own {
    token: Option<String>,
    id: u64,
}

/// What somebody does, and how often of a hundred times.
const ACTS: [(Act, u32); 22] = [
    (Act::Me, 16),
    (Act::Register, 3),
    (Act::RegisterTaken, 2),
    (Act::RegisterNonsense, 2),
    (Act::SignIn, 3),
    (Act::WrongPassword, 2),
    (Act::WrongToken, 2),
    (Act::Pay, 13),
    (Act::PayAgain, 2),
    (Act::PayWithBadCard, 3),
    (Act::PayWithoutKey, 1),
    (Act::Upload, 13),
    (Act::UploadTooMuch, 2),
    (Act::UploadText, 2),
    (Act::ReadUpload, 6),
    (Act::Render, 7),
    (Act::RenderNothing, 1),
    (Act::ReadJob, 8),
    (Act::ReadVideo, 6),
    (Act::WrongPath, 3),
    (Act::WrongMethod, 1),
    (Act::BrokenJson, 2),
];

#[derive(Clone, Copy, Debug)]
enum Act {
    Me,
    Register,
    RegisterTaken,
    RegisterNonsense,
    SignIn,
    WrongPassword,
    WrongToken,
    Pay,
    PayAgain,
    PayWithBadCard,
    PayWithoutKey,
    Upload,
    UploadTooMuch,
    UploadText,
    ReadUpload,
    Render,
    RenderNothing,
    ReadJob,
    ReadVideo,
    WrongPath,
    WrongMethod,
    BrokenJson,
}

impl Traffic {
    pub(crate) fn new(http: &reqwest::Client, url: String, seed: u64, tally: &Tally) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        Self(Arc::new(Inner {
            http: http.clone(),
            url,
            tally: tally.clone(),
            acts: Mutex::new(random.fork()),
            random: Mutex::new(random),
            sent: AtomicU64::new(0),
            known: Mutex::default(),
        }))
    }

    /// Goes on until it is stopped, then waits for the answers that are still to come.
    pub(crate) async fn run(self, story: Story, mut stop: Stop) {
        // Somebody is there from the beginning.
        for _ in 0..3 {
            self.join().await;
        }
        let mut sending = JoinSet::new();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = stop.stopped() => break,
                _ = ticks.tick() => {
                    if sending.len() < MOST_AT_ONCE {
                        let (traffic, act) = (self.clone(), self.act());
                        sending.spawn(async move { traffic.perform(act).await });
                    }
                }
                Some(_) = sending.join_next() => {}
                _ = seconds.tick() => {
                    let now = self.0.tally.now();
                    let failed = now.codes.values().sum::<u64>();
                    story.progress(format_args!("{} answers, {failed} of them errors", now.requests));
                }
            }
        }
        sending.join_all().await;
    }

    async fn join(&self) {
        self.perform(Act::Register).await;
        self.perform(Act::SignIn).await;
    }

    /// Everything that clients do, one after the other.
    #[cfg(test)]
    pub(crate) async fn each_once(&self) {
        self.join().await;
        for (act, _) in ACTS {
            self.perform(act).await;
        }
    }

    fn pick(&self, below: usize) -> usize {
        let mut random = self.0.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.usize(..below.max(1))
    }

    fn act(&self) -> Act {
        let mut acts = self.0.acts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = acts.u32(..100);
        for (act, times) in ACTS {
            if left < times {
                return act;
            }
            left -= times;
        }
        Act::Me
    }

    async fn perform(&self, act: Act) {
        match act {
            Act::Me => self.get("/accounts/me").await,
            Act::Register => self.register().await,
            Act::RegisterTaken => {
                let email = self.one_of(|known| &known.emails);
                self.post(
                    "/accounts",
                    &json!({ "email": email, "password": PASSWORD }),
                )
                .await;
            }
            Act::RegisterNonsense => {
                self.post(
                    "/accounts",
                    &json!({ "email": "nobody", "password": "short" }),
                )
                .await;
            }
            Act::SignIn => {
                self.sign_in(self.one_of(|known| &known.emails), PASSWORD)
                    .await;
            }
            Act::WrongPassword => {
                self.sign_in(self.one_of(|known| &known.emails), "a wrong password")
                    .await;
            }
            Act::WrongToken => {
                let request = self.request(Method::GET, "/accounts/me");
                self.send(request.bearer_auth("guessed")).await;
            }
            Act::Pay => self.pay(&self.key(), "4242424242424242", 1).await,
            Act::PayAgain => self.pay(&self.key(), "4242424242424242", 2).await,
            Act::PayWithBadCard => self.pay(&self.key(), "4000000000000002", 1).await,
            Act::PayWithoutKey => self.pay("", "4242424242424242", 1).await,
            Act::Upload => self.upload("image/png", 2000 + self.pick(20_000)).await,
            Act::UploadTooMuch => {
                self.upload("video/mp4", MAX_BYTES + 1 + self.pick(50_000))
                    .await;
            }
            Act::UploadText => self.upload("text/plain", 200).await,
            Act::ReadUpload => {
                let upload = self.one_of(|known| &known.uploads);
                self.get_own(upload, |id| format!("/uploads/{id}")).await;
            }
            Act::Render => self.render(self.one_of(|known| &known.uploads)).await,
            Act::RenderNothing => self.render(None).await,
            Act::ReadJob => {
                let job = self.one_of(|known| &known.jobs);
                self.get_own(job, |id| format!("/jobs/{id}")).await;
            }
            Act::ReadVideo => {
                let job = self.one_of(|known| &known.jobs);
                self.get_own(job, |id| format!("/jobs/{id}/video")).await;
            }
            Act::WrongPath => self.get("/acounts/me").await,
            Act::WrongMethod => {
                let request = self.request(Method::DELETE, "/jobs");
                self.send(request).await;
            }
            Act::BrokenJson => {
                let request = self.signed_in(Method::POST, "/jobs");
                let request = request.header("content-type", "application/json");
                self.send(request.body("{\"upload\":")).await;
            }
        }
    }
}
