//! Building a breaker, at run time or as a `static`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::config::{Config, Settings};
use super::engine::Engine;
use super::events::{Hooks, TransitionEvent, TransitionHook};
use super::rejected::ServiceName;
use super::{BreakerState, CircuitBreaker};
use crate::ConfigError;
use crate::policy::overrides::{self, Kind, Value};
use crate::time::Clock;

/// One method per rule, for both builders.
macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident: $ty:ty;)*) => {
        impl CircuitBreakerBuilder {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $name: $ty) -> Self {
                self.settings.$name = Some($name);
                self
            }
        )*}

        impl ConstCircuitBreakerBuilder {$(
            $(#[$doc])*
            #[must_use]
            pub const fn $name(mut self, $name: $ty) -> Self {
                self.settings.$name = Some($name);
                self
            }
        )*}
    };
}

/// Builds a [`CircuitBreaker`]; see there for the defaults.
#[derive(Clone)]
pub struct CircuitBreakerBuilder {
    service: ServiceName,
    settings: Settings,
    clock: Clock,
    hooks: Vec<TransitionHook>,
}

impl fmt::Debug for CircuitBreakerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerBuilder")
            .field("service", &self.service)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Builds a `static` [`CircuitBreaker`]; a mistake is a compile error.
///
/// ```
/// use error_runtime::CircuitBreaker;
/// static STRIPE: CircuitBreaker = CircuitBreaker::const_builder("stripe").failures(3).build_const();
/// assert_eq!(STRIPE.name(), "stripe");
/// ```
///
/// ```compile_fail
/// use error_runtime::CircuitBreaker;
/// static STRIPE: CircuitBreaker = CircuitBreaker::const_builder("stripe").failures(0).build_const();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ConstCircuitBreakerBuilder {
    service: &'static str,
    settings: Settings,
}

rules! {
    /// So many failures in a row open the circuit. Default 5, if no `failure_rate` is given.
    failures: u32;
    /// This share of failures, above 0 and at most 1, opens the circuit.
    failure_rate: f64;
    /// A call that takes at least so long is slow.
    slow_call: Duration;
    /// This share of slow calls opens the circuit. Default 1, if `slow_call` is given.
    slow_rate: f64;
    /// Rates are taken over the last so many calls. Default 100.
    window_calls: usize;
    /// Rates are taken over the calls of the last so long, instead.
    window_time: Duration;
    /// Fewer calls than this open nothing by rate. Default 10, or the window if that is smaller.
    min_calls: usize;
    /// How long the circuit stays open. Default 60 s.
    recovery: Duration;
    /// Each time in a row that it opens it stays open so many times longer. Default 1.
    recovery_factor: f64;
    /// The longest it stays open, however often. Default without end.
    recovery_max: Duration;
    /// So many probes at a time, and so many that must succeed. Default 3.
    half_open: u32;
    /// Probes that take longer than this, all together, open the circuit again. Default without end.
    half_open_max: Duration;
}

impl CircuitBreaker {
    /// A breaker of this name, to be given its rules. It is not registered:
    /// [`Breakers::register`](super::Breakers::register) does that.
    pub fn builder(name: impl Into<Cow<'static, str>>) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder {
            service: name.into().into(),
            settings: Settings::NONE,
            clock: Clock::SYSTEM,
            hooks: Vec::new(),
        }
    }

    /// The same for a `static`.
    pub const fn const_builder(name: &'static str) -> ConstCircuitBreakerBuilder {
        ConstCircuitBreakerBuilder {
            service: name,
            settings: Settings::NONE,
        }
    }
}

impl CircuitBreakerBuilder {
    /// Takes the time from another clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// Calls `hook` on each change of state: after it is published, outside all locks, in order. It
    /// may use the breaker.
    #[must_use]
    pub fn on_transition(
        mut self,
        hook: impl Fn(&TransitionEvent) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.push(Arc::new(hook));
        self
    }

    /// The breaker. Settings of the environment for its name come first.
    ///
    /// # Errors
    ///
    /// If a rule is out of range or contradicts another.
    pub fn build(self) -> Result<CircuitBreaker, ConfigError> {
        if self.service.is_empty() {
            return Err(ConfigError::new("service", "`service` has a name"));
        }
        let declared = self.settings.check()?;
        let overridden = Overridden::of(&self.service, self.settings, declared);
        let mut engine = Engine::new(overridden.config, self.clock, overridden.state);
        engine.began_now();
        Ok(CircuitBreaker {
            engine,
            hooks: Hooks {
                service: self.service,
                own: self.hooks,
            },
            given: overridden.settings.given(),
        })
    }
}

/// The rules with what the environment says.
struct Overridden {
    settings: Settings,
    config: Config,
    /// Disabled, if the environment says so.
    state: BreakerState,
}

impl Overridden {
    fn of(service: &str, declared: Settings, config: Config) -> Self {
        let kind = Kind::CircuitBreaker;
        let settings = overrides::settle(kind, service, declared, Settings::apply, Settings::check);
        Self {
            settings,
            config: settings.check().unwrap_or(config),
            state: if is_enabled(service) {
                BreakerState::Closed
            } else {
                BreakerState::Disabled
            },
        }
    }
}

/// Whether the environment leaves the breaker of a service on.
pub(super) fn is_enabled(service: &str) -> bool {
    let mut enabled = true;
    overrides::each(Kind::CircuitBreaker, service, |key, value| {
        if let ("ENABLED", Value::Switch(on)) = (key, value) {
            enabled = *on;
        }
    });
    enabled
}

impl ConstCircuitBreakerBuilder {
    pub(super) const fn check(&self) -> Result<(), ConfigError> {
        if self.service.is_empty() {
            return Err(ConfigError::new("service", "`service` has a name"));
        }
        match self.settings.check() {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn into_builder(self) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder {
            service: ServiceName::from_static(self.service),
            settings: self.settings,
            clock: Clock::SYSTEM,
            hooks: Vec::new(),
        }
    }

    /// The breaker.
    ///
    /// # Panics
    ///
    /// If a rule is out of range or contradicts another; in a `static` that is a compile error.
    pub const fn build_const(self) -> CircuitBreaker {
        let config = match self.settings.check() {
            Ok(config) => config,
            Err(error) => panic!("{}", error.reason),
        };
        CircuitBreaker {
            engine: Engine::new(config, Clock::SYSTEM, BreakerState::Closed),
            hooks: Hooks {
                service: ServiceName::from_static(self.service),
                own: Vec::new(),
            },
            given: self.settings.given(),
        }
    }
}
