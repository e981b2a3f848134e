//! The state machine. Healthy calls read one word; everything else happens under one short lock, in
//! which no code of the user's runs.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use super::config::{Config, Window};
use super::events::{Hooks, Transition};
use super::stripes::Stripes;
use super::window::{Counts, Mark, Marks, slice_of};
use super::word::{BreakerState, Word};
use crate::Outcome;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard};
use crate::time::{Clock, nanos};

/// How many transitions a breaker remembers.
pub(super) const HISTORY: usize = 64;
/// No end: forced open for good.
const NEVER: u64 = u64::MAX;

pub(super) struct Engine {
    word: AtomicU64,
    /// When an open circuit may let a probe through. Written under the lock before the word that it
    /// belongs to.
    deadline: AtomicU64,
    /// Of a dirty time window: the slice in which it was evaluated last.
    evaluated: AtomicU64,
    stripes: Stripes,
    config: Config,
    pace: Pace,
    clock: Clock,
    inner: Mutex<Inner>,
}

/// What a call has to know of the time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Nothing.
    Untimed,
    /// When it ended: the window is one of time.
    Ends,
    /// When it began as well: slow calls are told apart.
    Lasts,
}

impl Pace {
    const fn of(config: &Config) -> Self {
        match (config.slow_call, config.window) {
            (Some(_), _) => Self::Lasts,
            (None, Window::Nanos(_)) => Self::Ends,
            (None, Window::Calls(_)) => Self::Untimed,
        }
    }
}

/// What changes under the lock.
struct Inner {
    marks: Marks,
    totals: Totals,
    /// How often in a row the circuit opened without having closed.
    reopened: u32,
    /// When the state began; nothing for a `static` that never changed.
    since: Option<SystemTime>,
    last_error_code: Option<&'static str>,
    /// Nothing before the first transition: an idle breaker stays small.
    log: Option<Box<Log>>,
    /// Some thread runs hooks; it takes the new ones too.
    emitting: bool,
}

/// What has happened to the state.
#[derive(Default)]
struct Log {
    /// The last transitions, oldest first.
    history: VecDeque<Transition>,
    /// Those whose hooks have not run, in order.
    pending: VecDeque<Transition>,
}

/// What is counted under the lock.
#[derive(Clone, Copy)]
pub(super) struct Totals {
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) ignored: u64,
    pub(super) slow: u64,
    pub(super) rejected: u64,
    pub(super) stale: u64,
    pub(super) opened: u64,
}

impl Totals {
    const ZERO: Self = Self {
        successes: 0,
        failures: 0,
        ignored: 0,
        slow: 0,
        rejected: 0,
        stale: 0,
        opened: 0,
    };
}

/// What an admitted call has to remember.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admission {
    pub(super) episode: u32,
    /// It holds one of the half-open probes.
    pub(super) probe: bool,
    /// Only where slow calls are told apart.
    pub(super) started: Option<u64>,
}

impl Admission {
    /// Of a healthy breaker's word.
    pub(super) const fn of_word(word: u64) -> Self {
        Self {
            episode: Word(word).episode(),
            probe: false,
            started: None,
        }
    }
}

/// What became of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    Counted {
        slow: bool,
    },
    /// Of an earlier episode.
    Stale,
}

/// A refused call: the wait until a probe may pass, if there is one.
pub(super) struct Refusal(pub(super) Option<Duration>);

/// What a snapshot shows, as of one moment.
pub(super) struct View {
    pub(super) state: BreakerState,
    pub(super) since: Option<SystemTime>,
    pub(super) would_admit: bool,
    pub(super) retry_after: Option<Duration>,
    pub(super) counts: Counts,
    pub(super) totals: Totals,
    pub(super) last_error_code: Option<&'static str>,
}

impl Engine {
    pub(super) const fn new(config: Config, clock: Clock, state: BreakerState) -> Self {
        Self {
            word: AtomicU64::new(Word::first(state, !matches!(Pace::of(&config), Pace::Untimed)).0),
            deadline: AtomicU64::new(0),
            evaluated: AtomicU64::new(0),
            stripes: Stripes::new(),
            pace: Pace::of(&config),
            config,
            clock,
            inner: Mutex::new(Inner {
                marks: Marks::new(),
                totals: Totals::ZERO,
                reopened: 0,
                since: None,
                last_error_code: None,
                log: None,
                emitting: false,
            }),
        }
    }

    /// Notes when the first state began; a `static` cannot know.
    pub(super) fn began_now(&mut self) {
        self.lock().since = Some(SystemTime::now());
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    #[inline]
    fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under the lock can panic half-way; a poisoned lock holds sound data.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, word: Word) {
        self.word.store(word.0, Ordering::Release);
    }

    // --- admission ---

    /// Lets a call pass or refuses it.
    #[inline]
    pub(super) fn admit(&self, hooks: &Hooks) -> Result<Admission, Refusal> {
        let word = self.word();
        if word.state().passes() {
            return Ok(Admission {
                episode: word.episode(),
                probe: false,
                started: self.start(),
            });
        }
        self.admit_slow(hooks)
    }

    #[inline]
    fn start(&self) -> Option<u64> {
        self.config.slow_call.map(|slow| self.lap(slow))
    }

    /// The time by which a call is found slow: coarse only where its tick is small beside the limit.
    #[inline]
    fn lap(&self, slow: u64) -> u64 {
        const TICKS_MATTER: u64 = 200_000_000;
        if slow < TICKS_MATTER {
            self.clock.nanos()
        } else {
            self.clock.coarse_nanos()
        }
    }

    #[inline(never)]
    fn admit_slow(&self, hooks: &Hooks) -> Result<Admission, Refusal> {
        let now = loop {
            let word = self.word();
            let deadline = match word.state() {
                BreakerState::Open | BreakerState::ForcedOpen => {
                    self.deadline.load(Ordering::Acquire)
                }
                BreakerState::HalfOpen => {
                    let (in_flight, won) = word.probes();
                    if in_flight + won < self.config.half_open {
                        break self.clock.nanos();
                    }
                    if self.config.half_open_max.is_none() {
                        return Err(self.refuse(Some(self.probe_hint())));
                    }
                    // The end of the wait for probes that do not come back.
                    self.deadline.load(Ordering::Acquire)
                }
                _ => break 0,
            };
            if self.word() != word {
                // A transition came between; its deadline may be another's.
                continue;
            }
            if deadline == NEVER {
                return Err(self.refuse(None));
            }
            let now = self.clock.nanos();
            if now >= deadline {
                break now;
            }
            return Err(self.refuse(Some(Duration::from_nanos(deadline - now))));
        };
        self.admit_probe(now, hooks)
    }

    /// Takes a probe, if there still is one. Apart, so that a refusal is short.
    #[cold]
    #[inline(never)]
    fn admit_probe(&self, now: u64, hooks: &Hooks) -> Result<Admission, Refusal> {
        let mut inner = self.lock();
        let admitted = self.admit_locked(&mut inner, now);
        self.release(inner, hooks);
        match admitted {
            Ok((episode, probe)) => Ok(Admission {
                episode,
                probe,
                started: self.start(),
            }),
            Err(wait) => Err(self.refuse(wait)),
        }
    }

    /// The episode and whether a probe was taken, or the wait.
    fn admit_locked(&self, inner: &mut Inner, now: u64) -> Result<(u32, bool), Option<Duration>> {
        let mut word = self.word();
        if matches!(word.state(), BreakerState::Open | BreakerState::ForcedOpen) {
            let deadline = self.deadline.load(Ordering::Relaxed);
            if now < deadline {
                return Err((deadline != NEVER).then(|| Duration::from_nanos(deadline - now)));
            }
            if let Some(max) = self.config.half_open_max {
                self.deadline
                    .store(now.saturating_add(max).min(NEVER - 1), Ordering::Release);
            }
            word = self.transition(inner, BreakerState::HalfOpen);
        }
        if word.state() != BreakerState::HalfOpen {
            return Ok((word.episode(), false));
        }
        if self.config.half_open_max.is_some() && now >= self.deadline.load(Ordering::Relaxed) {
            self.open(inner, now);
            let wait = self.deadline.load(Ordering::Relaxed).saturating_sub(now);
            return Err(Some(Duration::from_nanos(wait)));
        }
        let (in_flight, won) = word.probes();
        if in_flight + won >= self.config.half_open {
            return Err(Some(self.probe_hint()));
        }
        self.publish(word.with_probes(in_flight + 1, won));
        Ok((word.episode(), true))
    }

    /// Nobody knows when the probes come back; a second is a polite guess.
    fn probe_hint(&self) -> Duration {
        let (least, most) = (Duration::from_millis(1), Duration::from_secs(1));
        Duration::from_nanos(self.config.recovery).clamp(least, most)
    }

    #[inline]
    fn refuse(&self, wait: Option<Duration>) -> Refusal {
        if !self.stripes.rejected() {
            self.refuse_shared();
        }
        Refusal(wait)
    }

    /// Counts a refusal of a thread that has no counters of its own.
    #[cold]
    fn refuse_shared(&self) {
        self.lock().totals.rejected += 1;
    }

    // --- results ---

    /// Records the result of an admitted call.
    #[inline]
    pub(super) fn record(
        &self,
        admission: Admission,
        outcome: Outcome,
        elapsed: Option<u64>,
        code: Option<&'static str>,
        hooks: &Hooks,
    ) -> Recorded {
        let word = self.word();
        // Healthy, and no rule needs to know the time.
        if outcome == Outcome::Ok
            && word.is_healthy()
            && word.episode() == admission.episode
            && self.needs_no_time()
            && self.stripes.success(admission.episode)
        {
            return Recorded::Counted { slow: false };
        }
        self.record_slow(admission, outcome, elapsed, code, hooks)
    }

    #[inline]
    fn needs_no_time(&self) -> bool {
        self.pace == Pace::Untimed
    }

    /// The word, if the breaker is healthy: then it is all that an admitted call has to remember.
    #[inline]
    pub(super) fn healthy_word(&self) -> Option<u64> {
        let word = self.word();
        word.is_healthy().then_some(word.0)
    }

    /// Counts the success of a call that [`healthy_word`](Self::healthy_word) let pass. False if
    /// something has happened since.
    #[expect(
        clippy::inline_always,
        reason = "a few loads and a store; a call costs more"
    )]
    #[inline(always)]
    pub(super) fn healthy_success(&self, word: u64) -> bool {
        self.word.load(Ordering::Acquire) == word && self.stripes.success(Word(word).episode())
    }

    /// The word, if calls pass and a success needs to know no more than when it ended.
    #[inline]
    pub(super) fn ending_word(&self) -> Option<u64> {
        let word = self.word();
        (self.pace == Pace::Ends && word.state().passes()).then_some(word.0)
    }

    /// Counts the success of a call that [`ending_word`](Self::ending_word) let pass, in its slice of
    /// time. False if there is more to do than to count.
    #[inline]
    pub(super) fn ending_success(&self, word: u64) -> bool {
        let slice = slice_of(&self.config, self.clock.coarse_nanos());
        let (now, episode) = (self.word(), Word(word).episode());
        now.episode() == episode
            && now.ignores_success(self.evaluated.load(Ordering::Relaxed) == slice)
            && self.stripes.success_at(episode, slice)
    }

    fn record_slow(
        &self,
        admission: Admission,
        outcome: Outcome,
        elapsed: Option<u64>,
        code: Option<&'static str>,
        hooks: &Hooks,
    ) -> Recorded {
        let now_coarse = if self.needs_no_time() {
            0
        } else {
            self.clock.coarse_nanos()
        };
        let slow = self.config.slow_call.is_some_and(|slow| {
            let elapsed =
                elapsed.or_else(|| Some(self.lap(slow).saturating_sub(admission.started?)));
            elapsed.is_some_and(|elapsed| elapsed >= slow)
        });
        let slice = slice_of(&self.config, now_coarse);

        // A quick success in a window of time: counted by its thread, unless older calls have just
        // left a window that holds failures.
        let word = self.word();
        if outcome == Outcome::Ok
            && !slow
            && !admission.probe
            && word.episode() == admission.episode
            && word.ignores_success(self.evaluated.load(Ordering::Relaxed) == slice)
            && self.count_success(admission.episode, slice)
        {
            return Recorded::Counted { slow: false };
        }
        // The precise clock is read only where a transition may follow.
        let now = if outcome == Outcome::Neutral && !admission.probe {
            0
        } else {
            self.clock.nanos()
        };
        let mut inner = self.lock();
        let recorded = self.record_locked(&mut inner, admission, outcome, slow, slice, now, code);
        self.release(inner, hooks);
        recorded
    }

    fn count_success(&self, episode: u32, slice: u64) -> bool {
        match self.config.window {
            Window::Calls(_) => self.stripes.success(episode),
            Window::Nanos(_) => self.stripes.success_at(episode, slice),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one result with all that is known of it"
    )]
    fn record_locked(
        &self,
        inner: &mut Inner,
        admission: Admission,
        outcome: Outcome,
        slow: bool,
        slice: u64,
        now: u64,
        code: Option<&'static str>,
    ) -> Recorded {
        let word = self.word();
        if word.episode() != admission.episode {
            inner.totals.stale += 1;
            return Recorded::Stale;
        }
        match outcome {
            Outcome::Ok => inner.totals.successes += 1,
            Outcome::Trip => {
                inner.totals.failures += 1;
                inner.last_error_code = code;
            }
            Outcome::Neutral => inner.totals.ignored += 1,
        }
        let slow = slow && outcome != Outcome::Neutral;
        inner.totals.slow += u64::from(slow);

        if admission.probe {
            self.record_probe(inner, word, outcome, now);
        } else if outcome != Outcome::Neutral && word.state().measures() {
            self.record_counted(
                inner,
                word,
                Mark {
                    failed: outcome == Outcome::Trip,
                    slow,
                },
                slice,
                now,
            );
        }
        Recorded::Counted { slow }
    }

    fn record_probe(&self, inner: &mut Inner, word: Word, outcome: Outcome, now: u64) {
        let (in_flight, won) = word.probes();
        let in_flight = in_flight.saturating_sub(1);
        match outcome {
            Outcome::Trip => self.open(inner, now),
            Outcome::Ok if won + 1 >= self.config.half_open => {
                inner.reopened = 0;
                self.transition(inner, BreakerState::Closed);
            }
            Outcome::Ok => self.publish(word.with_probes(in_flight, won + 1)),
            Outcome::Neutral => self.publish(word.with_probes(in_flight, won)),
        }
    }

    fn record_counted(&self, inner: &mut Inner, word: Word, mark: Mark, slice: u64, now: u64) {
        let streak = if mark.failed {
            word.streak().saturating_add(1)
        } else {
            0
        };
        let mut opens = self
            .config
            .failures
            .is_some_and(|failures| streak >= failures);
        let mut next = word.with_streak(streak).with_flags(false, false);
        if self.config.is_rated() {
            let episode = word.episode();
            inner
                .marks
                .record(&self.config, &self.stripes, episode, slice, mark);
            let counts = inner
                .marks
                .counts(&self.config, &self.stripes, episode, slice);
            opens |= counts.opens(&self.config);
            let timed = matches!(self.config.window, Window::Nanos(_));
            next = next.with_flags(
                counts.is_warming(&self.config),
                timed && (counts.failures > 0 || counts.slow > 0),
            );
            self.evaluated.store(slice, Ordering::Relaxed);
        }
        if opens && word.state() == BreakerState::Closed {
            self.open(inner, now);
        } else {
            self.publish(next);
        }
    }

    // --- transitions ---

    /// Opens the circuit, for longer each time in a row.
    fn open(&self, inner: &mut Inner, now: u64) {
        let mut wait = self.config.recovery;
        for _ in 0..inner.reopened {
            let longer = u128::from(wait) * u128::from(self.config.recovery_factor) / 1000;
            let longer = u64::try_from(longer)
                .unwrap_or(u64::MAX)
                .min(self.config.recovery_max);
            if longer == wait {
                break;
            }
            wait = longer;
        }
        inner.reopened = inner.reopened.saturating_add(1);
        inner.totals.opened += 1;
        self.deadline
            .store(now.saturating_add(wait).min(NEVER - 1), Ordering::Release);
        self.transition(inner, BreakerState::Open);
    }

    /// Begins the next episode, with an empty window.
    fn transition(&self, inner: &mut Inner, to: BreakerState) -> Word {
        let word = self.word();
        let next = word.next(to);
        inner.marks.clear();
        self.publish(next);
        if word.state() != to {
            let transition = Transition {
                from: word.state(),
                to,
                at: SystemTime::now(),
            };
            inner.since = Some(transition.at);
            let log = inner.log.get_or_insert_default();
            if log.history.len() == HISTORY {
                log.history.pop_front();
            }
            log.history.push_back(transition);
            log.pending.push_back(transition);
        }
        next
    }

    /// A command: closed with an empty window, whatever the state.
    pub(super) fn close(&self, hooks: &Hooks) {
        self.command(hooks, |engine, inner, _| {
            inner.reopened = 0;
            engine.transition(inner, BreakerState::Closed);
        });
    }

    /// A command: open, for good or for a time.
    pub(super) fn force_open(&self, time: Option<Duration>, hooks: &Hooks) {
        self.command(hooks, |engine, inner, now| {
            let deadline = match time {
                Some(time) => now.saturating_add(nanos(time)).min(NEVER - 1),
                None => NEVER,
            };
            engine.deadline.store(deadline, Ordering::Release);
            engine.transition(inner, BreakerState::ForcedOpen);
        });
    }

    /// A command: pass everything, measured or not.
    pub(super) fn pass(&self, state: BreakerState, hooks: &Hooks) {
        self.command(hooks, |engine, inner, _| {
            engine.transition(inner, state);
        });
    }

    fn command(&self, hooks: &Hooks, run: impl FnOnce(&Self, &mut Inner, u64)) {
        let now = self.clock.nanos();
        let mut inner = self.lock();
        run(self, &mut inner, now);
        self.release(inner, hooks);
    }

    // --- hooks ---

    /// Leaves the lock and runs the hooks of what happened under it: in order, by one thread at a
    /// time. A hook may use the breaker; what that brings about runs after it.
    fn release<'e>(&'e self, mut inner: MutexGuard<'e, Inner>, hooks: &Hooks) {
        let nothing = inner.log.as_ref().is_none_or(|log| log.pending.is_empty());
        if nothing || inner.emitting {
            return;
        }
        inner.emitting = true;
        loop {
            let next = inner.log.as_mut().and_then(|log| log.pending.pop_front());
            let Some(transition) = next else {
                inner.emitting = false;
                return;
            };
            drop(inner);
            hooks.run(&transition);
            inner = self.lock();
        }
    }

    // --- views ---

    pub(super) fn state(&self) -> BreakerState {
        self.word().state()
    }

    pub(super) fn history(&self) -> Vec<Transition> {
        let inner = self.lock();
        let log = inner.log.iter();
        log.flat_map(|log| log.history.iter().copied()).collect()
    }

    /// Closed, with nothing in mind that would be lost: no streak, and no failure or slow call in the
    /// window.
    pub(super) fn is_idle(&self) -> bool {
        let view = self.view();
        let unmarked = view.counts.failures == 0 && view.counts.slow == 0;
        view.state == BreakerState::Closed && unmarked && self.word().streak() == 0
    }

    pub(super) fn view(&self) -> View {
        let now = self.clock.nanos();
        let slice = if self.needs_no_time() {
            0
        } else {
            slice_of(&self.config, self.clock.coarse_nanos())
        };
        let mut inner = self.lock();
        let word = self.word();
        let state = word.state();
        let counts = if state.measures() && self.config.is_rated() {
            inner
                .marks
                .counts(&self.config, &self.stripes, word.episode(), slice)
        } else {
            Counts::default()
        };
        let deadline = self.deadline.load(Ordering::Relaxed);
        let wait = match state {
            BreakerState::Open | BreakerState::ForcedOpen if deadline > now => Some(deadline - now),
            BreakerState::HalfOpen => {
                let (in_flight, won) = word.probes();
                // Past its end, the next call finds the circuit open again.
                let over = self.config.half_open_max.is_some() && deadline <= now;
                (over || in_flight + won >= self.config.half_open).then_some(NEVER)
            }
            _ => None,
        };
        let (successes, rejected) = self.stripes.totals();
        let mut totals = inner.totals;
        totals.successes = totals.successes.wrapping_add(successes);
        totals.rejected = totals.rejected.wrapping_add(rejected);
        View {
            state,
            since: inner.since,
            would_admit: wait.is_none(),
            retry_after: wait
                .filter(|wait| *wait != NEVER && deadline != NEVER)
                .map(Duration::from_nanos),
            counts,
            totals,
            last_error_code: inner.last_error_code,
        }
    }
}
