//! The attributes as written: which keys were given, and the rules that look at several.

use darling::error::Accumulator;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Ident, LitStr, Path};

use super::stack::Written;
use super::value::{Jitter, Window, check_expression};
use crate::attribute::keys::{Entries, Entry, Place, arguments, assigned};
use crate::attribute::value::{At, Duration, Given};
use crate::diagnostics::rule;

/// The longest wait of a retry where none is given, in nanoseconds.
const DEFAULT_MAX: u128 = 60_000_000_000;
/// How long a circuit stays open where it is not given, in nanoseconds.
const DEFAULT_RECOVERY: u128 = 60_000_000_000;

/// One attribute, with its arguments read.
pub(super) struct Policy {
    pub(super) place: Place,
    /// The name in the attribute.
    pub(super) span: Span,
    /// `crate = …`.
    pub(super) runtime: Option<Path>,
    pub(super) rules: Rules,
}

pub(super) enum Rules {
    Fallback(Fallback),
    Retry(Retry),
    CircuitBreaker(CircuitBreaker),
    RateLimit {
        calls: u32,
        per: Duration,
    },
    Timeout {
        limit: Duration,
    },
    Bulkhead {
        max: u32,
    },
    Recover(Fallback, Retry, CircuitBreaker),
    /// The arguments are wrong; that was said.
    Broken,
}

/// What to do instead.
pub(super) struct Fallback {
    pub(super) expression: TokenStream,
    pub(super) when: Option<TokenStream>,
}

/// Which errors are retried, if not by `Classify`.
pub(super) enum Condition {
    When(TokenStream),
    On(TokenStream),
}

#[derive(Default)]
pub(super) struct Retry {
    /// The builder's methods.
    pub(super) rules: TokenStream,
    pub(super) jitter: Option<Jitter>,
    pub(super) condition: Option<Condition>,
    pub(super) clones: Vec<Ident>,
    pub(super) operation: Option<String>,
    pub(super) budget: Option<String>,
    pub(super) hook: Option<Path>,
    pub(super) attempt_timeout: Option<Span>,
}

#[derive(Default)]
pub(super) struct CircuitBreaker {
    /// The builder's methods.
    pub(super) rules: TokenStream,
    pub(super) service: Option<String>,
    pub(super) breaker: Option<Path>,
    pub(super) when: Option<TokenStream>,
}

impl Policy {
    pub(super) fn read(written: Written, errors: &mut Accumulator) -> Self {
        let Written {
            place,
            span,
            arguments: tokens,
        } = written;
        let (first, entries) = arguments(tokens, place, errors);
        let mut reader = Reader {
            place,
            span,
            entries,
            errors,
            runtime: None,
            broken: false,
        };
        let rules = reader.rules(&first);
        Self {
            place,
            span,
            runtime: reader.runtime,
            rules: rules.unwrap_or(Rules::Broken),
        }
    }
}

/// Reads the entries of one attribute.
struct Reader<'e> {
    place: Place,
    span: Span,
    entries: Entries,
    errors: &'e mut Accumulator,
    runtime: Option<Path>,
    broken: bool,
}

impl Reader<'_> {
    fn rules(&mut self, first: &TokenStream) -> Option<Rules> {
        match self.place {
            Place::Fallback => self.fallback(first),
            Place::Retry => {
                let mut retry = RetryKeys::default();
                self.each(|entry| retry.read(entry));
                Some(Rules::Retry(retry.finish(self)))
            }
            Place::CircuitBreaker => {
                let mut breaker = BreakerKeys::default();
                self.each(|entry| breaker.read(entry));
                Some(Rules::CircuitBreaker(breaker.finish(self)))
            }
            Place::Recover => self.recover(),
            Place::RateLimit => self.rate_limit(),
            Place::Timeout => self.timeout(first),
            Place::Bulkhead => {
                let mut max = None;
                self.each(|entry| {
                    max = Some(entry.count()?.value);
                    Ok(())
                });
                self.missing("max", "max = 10");
                max.map(|max| Rules::Bulkhead { max })
            }
            Place::Enum | Place::Struct | Place::Variant | Place::Field => None,
        }
    }

    /// Reads each entry but those of all attributes.
    fn each(&mut self, mut read: impl FnMut(&Entry) -> darling::Result<()>) {
        for entry in &self.entries.read {
            let done = if entry.name() == "crate" {
                entry.path().map(|path| self.runtime = Some(path))
            } else {
                read(entry)
            };
            if let Err(error) = done {
                self.broken = true;
                self.errors.push(error);
            }
        }
    }

    /// A key that has to be there, unless something that was broken may have been it.
    fn missing(&mut self, key: &str, example: &str) {
        let given = self.entries.read.iter().any(|entry| entry.name() == key);
        if !given && !self.entries.may_mean(&[key]) {
            self.errors.push(rule!(
                missing_key,
                self.span,
                "{} needs `{key}`; add `{example}`",
                self.place.name()
            ));
        }
    }

    fn fallback(&mut self, first: &TokenStream) -> Option<Rules> {
        let mut when = None;
        self.each(|entry| {
            when = Some(entry.raw()?);
            Ok(())
        });
        if first.is_empty() {
            self.errors.push(rule!(
                missing_fallback,
                self.span,
                "`#[fallback]` needs the expression to use instead; write `#[fallback(default_value())]`"
            ));
            return None;
        }
        let tokens: Vec<TokenTree> = first.clone().into_iter().collect();
        // As an expression it would be an assignment, which gives no `Result`.
        let checked = match assigned(&tokens) {
            Some(key) => Err(rule!(
                fallback_key,
                key.span(),
                "`#[fallback]` takes the expression without a key; remove `{key} =`"
            )),
            None => check_expression(first, "fallback", "#[fallback(default_value())]"),
        };
        self.errors.handle(checked)?;
        Some(Rules::Fallback(Fallback {
            expression: first.clone(),
            when,
        }))
    }

    fn timeout(&mut self, first: &TokenStream) -> Option<Rules> {
        self.each(|_| Ok(()));
        let span = first
            .clone()
            .into_iter()
            .next()
            .map_or(self.span, |token| token.span());
        let limit = match syn::parse2::<LitStr>(first.clone()) {
            Ok(text) => Duration::from_text(&text),
            Err(_) => Err(rule!(
                timeout_argument,
                span,
                "`#[timeout]` takes a duration; write `#[timeout(\"2s\")]`"
            )),
        };
        let limit = self.errors.handle(limit)?;
        if limit.nanos() == 0 {
            self.errors.push(rule!(
                zero_timeout,
                span,
                "a time-out must be longer than nothing; write `#[timeout(\"2s\")]`"
            ));
            return None;
        }
        Some(Rules::Timeout { limit })
    }

    fn rate_limit(&mut self) -> Option<Rules> {
        let (mut calls, mut per) = (None, None);
        self.each(|entry| {
            match entry.name() {
                "calls" => calls = Some(entry.count()?),
                _ => per = Some(entry.span_of_time()?.value),
            }
            Ok(())
        });
        self.missing("calls", "calls = 100");
        let (calls, per) = (calls?, per.unwrap_or(Duration::SECOND));
        if per.nanos() < u128::from(calls.value) {
            self.errors.push(rule!(
                rate_too_fine,
                calls.span,
                "`calls` is more than one in a nanosecond; write fewer, or a longer `per`"
            ));
        }
        Some(Rules::RateLimit {
            calls: calls.value,
            per,
        })
    }

    fn recover(&mut self) -> Option<Rules> {
        let (mut retry, mut breaker) = (RetryKeys::default(), BreakerKeys::default());
        let mut fallback = None;
        self.each(|entry| match entry.name() {
            "fallback" => {
                fallback = Some(entry.raw()?);
                Ok(())
            }
            name if BreakerKeys::KEYS.contains(&name) => breaker.read(entry),
            _ => retry.read(entry),
        });
        self.missing("fallback", "fallback = expression");
        let retry = retry.finish(self);
        let breaker = breaker.finish(self);
        let fallback = Fallback {
            expression: fallback?,
            when: None,
        };
        Some(Rules::Recover(fallback, retry, breaker))
    }
}

#[derive(Default)]
struct RetryKeys {
    retry: Retry,
    base: Given<Duration>,
    max: Given<Duration>,
    when: Option<Span>,
    on: Option<Span>,
}

impl RetryKeys {
    fn rule(&mut self, method: &str, value: impl ToTokens) {
        let method = Ident::new(method, Span::mixed_site());
        self.retry.rules.extend(quote!(.#method(#value)));
    }

    fn read(&mut self, entry: &Entry) -> darling::Result<()> {
        match entry.name() {
            "attempts" => self.rule("attempts", entry.count()?.value),
            "base" => {
                let base = entry.parsed::<Duration>()?;
                self.rule("base", base.value);
                self.base = Some(base);
            }
            "factor" => self.rule("factor", entry.factor()?.value),
            "max" => {
                let max = entry.parsed::<Duration>()?;
                self.rule("max", max.value);
                self.max = Some(max);
            }
            "jitter" => {
                self.retry.jitter = Some(Jitter::read(entry)?);
            }
            "deadline" => self.rule("deadline", entry.span_of_time()?.value),
            "attempt_timeout" => {
                self.rule("attempt_timeout", entry.span_of_time()?.value);
                self.retry.attempt_timeout = Some(entry.span());
            }
            "max_retry_after" => {
                self.rule("max_retry_after", entry.parsed::<Duration>()?.value);
            }
            "nested" => self.rule("nested", entry.switch()?),
            "budget" => self.retry.budget = Some(entry.text()?.value),
            "operation" => self.retry.operation = Some(entry.text()?.value),
            "on_retry" => self.retry.hook = Some(entry.item()?),
            "clone" => self.retry.clones = entry.names()?,
            "when" => {
                self.when = Some(entry.span());
                self.retry.condition = Some(Condition::When(entry.raw()?));
            }
            "on" => {
                self.on = Some(entry.span());
                self.retry.condition = Some(Condition::On(entry.pattern()?));
            }
            other => unreachable!("`{other}` is in the vocabulary but is not read"),
        }
        Ok(())
    }

    fn finish(self, reader: &mut Reader<'_>) -> Retry {
        if let (Some(_), Some(on)) = (self.when, self.on) {
            reader.errors.push(rule!(
                when_and_on,
                on,
                "`when` and `on` both say what is retried; keep one"
            ));
        }
        match (&self.base, &self.max) {
            (Some(base), Some(max)) if base.value.nanos() > max.value.nanos() => {
                reader.errors.push(rule!(
                    base_above_max,
                    base.span,
                    "`base` is above `max`; write a shorter `base` or a longer `max`"
                ));
            }
            (Some(base), None) if base.value.nanos() > DEFAULT_MAX => {
                reader.errors.push(rule!(
                    base_above_default_max,
                    base.span,
                    "`base` is above `max`, which is `\"60s\"` by default; write a `max` too"
                ));
            }
            (None, Some(max)) if max.value.nanos() < Duration::SECOND.nanos() => {
                reader.errors.push(rule!(
                    max_below_default_base,
                    max.span,
                    "`max` is below `base`, which is `\"1s\"` by default; write a `base` too"
                ));
            }
            _ => {}
        }
        self.retry
    }
}

#[derive(Default)]
struct BreakerKeys {
    breaker: CircuitBreaker,
    /// The first key that is a rule.
    rule: Option<Ident>,
    failure_rate: bool,
    slow_rate: Option<Span>,
    slow_call: bool,
    window: Option<At<Window>>,
    min_calls: Given<u32>,
    /// The keys that only a rate needs.
    of_rate: Vec<Ident>,
    recovery: Given<Duration>,
    recovery_max: Given<Duration>,
    breaker_key: Option<Span>,
}

impl BreakerKeys {
    const KEYS: &'static [&'static str] = &[
        "service",
        "breaker",
        "failures",
        "failure_rate",
        "window",
        "min_calls",
        "slow_call",
        "slow_rate",
        "recovery",
        "recovery_factor",
        "recovery_max",
        "half_open",
        "half_open_max",
    ];

    fn rule(&mut self, entry: &Entry, method: &str, value: impl ToTokens) {
        let method = Ident::new(method, Span::mixed_site());
        self.breaker.rules.extend(quote!(.#method(#value)));
        self.rule.get_or_insert_with(|| entry.key.clone());
    }

    fn read(&mut self, entry: &Entry) -> darling::Result<()> {
        match entry.name() {
            "service" => {
                self.breaker.service = Some(entry.text()?.value);
            }
            "breaker" => {
                self.breaker_key = Some(entry.span());
                self.breaker.breaker = Some(entry.item()?);
            }
            "when" => self.breaker.when = Some(entry.raw()?),
            "failures" => self.rule(entry, "failures", entry.count()?.value),
            "failure_rate" => {
                self.failure_rate = true;
                self.rule(entry, "failure_rate", entry.share()?.value);
            }
            "window" => {
                let window = Window::read(entry)?;
                match &window.value {
                    Window::Calls(calls) => self.rule(entry, "window_calls", *calls as usize),
                    Window::Time(time) => self.rule(entry, "window_time", time),
                }
                self.window = Some(window);
                self.of_rate.push(entry.key.clone());
            }
            "min_calls" => {
                let calls = entry.count()?;
                self.rule(entry, "min_calls", calls.value as usize);
                self.min_calls = Some(calls);
                self.of_rate.push(entry.key.clone());
            }
            "slow_call" => {
                self.slow_call = true;
                self.rule(entry, "slow_call", entry.span_of_time()?.value);
            }
            "slow_rate" => {
                self.slow_rate = Some(entry.span());
                self.rule(entry, "slow_rate", entry.share()?.value);
            }
            "recovery" => {
                let recovery = entry.parsed::<Duration>()?;
                self.rule(entry, "recovery", recovery.value);
                self.recovery = Some(recovery);
            }
            "recovery_factor" => self.rule(entry, "recovery_factor", entry.factor()?.value),
            "recovery_max" => {
                let max = entry.parsed::<Duration>()?;
                self.rule(entry, "recovery_max", max.value);
                self.recovery_max = Some(max);
            }
            "half_open" => {
                let probes = entry.count()?;
                if probes.value > 8191 {
                    return Err(rule!(
                        half_open_range,
                        probes.span,
                        "`half_open` is at most 8191; a few probes are enough, as `half_open = 3`"
                    ));
                }
                self.rule(entry, "half_open", probes.value);
            }
            "half_open_max" => self.rule(entry, "half_open_max", entry.span_of_time()?.value),
            other => unreachable!("`{other}` is in the vocabulary but is not read"),
        }
        Ok(())
    }

    fn finish(self, reader: &mut Reader<'_>) -> CircuitBreaker {
        self.check_source(reader);
        if !reader.broken {
            self.check_rates(reader);
        }
        if let Some(max) = &self.recovery_max {
            let recovery = self
                .recovery
                .as_ref()
                .map(|recovery| recovery.value.nanos());
            if max.value.nanos() < recovery.unwrap_or(DEFAULT_RECOVERY) {
                reader.errors.push(rule!(
                    recovery_max_below,
                    max.span,
                    "`recovery_max` is below `recovery`{}; write a longer one",
                    if recovery.is_none() {
                        ", which is `\"60s\"` by default"
                    } else {
                        ""
                    }
                ));
            }
        }
        self.breaker
    }

    fn check_source(&self, reader: &mut Reader<'_>) {
        match (&self.breaker.service, self.breaker_key) {
            (Some(_), Some(span)) => {
                reader.errors.push(rule!(
                    service_and_breaker,
                    span,
                    "`breaker` is a static that has a name of its own; remove `service` or `breaker`"
                ));
            }
            (None, Some(_)) => {
                if let Some(key) = &self.rule {
                    reader.errors.push(rule!(
                        rules_beside_breaker,
                        key.span(),
                        "the static of `breaker` has its own rules; remove `{key}`, or set it there"
                    ));
                }
            }
            (None, None) if !reader.entries.may_mean(&["breaker"]) => {
                reader.missing("service", "service = \"stripe\"");
            }
            _ => {}
        }
    }

    fn check_rates(&self, reader: &mut Reader<'_>) {
        let may_mean_rate = reader
            .entries
            .may_mean(&["failure_rate", "slow_rate", "slow_call"]);
        let rated = self.failure_rate || self.slow_rate.is_some() || self.slow_call;
        if let Some(slow_rate) = self.slow_rate
            && !self.slow_call
            && !may_mean_rate
        {
            reader.errors.push(rule!(
                slow_rate_alone,
                slow_rate,
                "`slow_rate` needs to know what slow is; add `slow_call = \"2s\"`"
            ));
        }
        if !rated && !may_mean_rate {
            for key in &self.of_rate {
                reader.errors.push(rule!(
                    window_without_rate,
                    key.span(),
                    "`{key}` is for a rate; add `failure_rate = 0.5`, or remove it"
                ));
            }
        }
        let most = match &self.window {
            Some(At {
                value: Window::Calls(calls),
                ..
            }) => *calls,
            Some(At {
                value: Window::Time(_),
                ..
            }) => u32::MAX,
            None => 100,
        };
        if let Some(calls) = &self.min_calls
            && calls.value > most
        {
            reader.errors.push(rule!(
                min_calls_above_window,
                calls.span,
                "`min_calls` is more than the window of {most} calls holds, so the circuit would never open; write at most {most}"
            ));
        }
    }
}
