//! The body of a guarded function. Every decision is the runtime's; this is the loop around it.
//!
//! ```text
//! static SITE: RetrySite = …;                         // rules, checked when compiled
//! let mut retry = RetrySite::start(&SITE);
//! loop {
//!     let outcome = Retry::attempt(&retry, guard(&BREAKER, with_timeout(…, async { body }))).await;
//!     let wait = match Retry::after(&mut retry, outcome) { Break(result) => break result, Continue(wait) => wait };
//!     Wait::sleep(wait).await;
//! }
//! ```
//!
//! The body is never rewritten: it is spliced into a closure or an `async` block, so `?` and `return`
//! keep their meaning.

use darling::error::Accumulator;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::spanned::Spanned as _;

use super::function::{Function, Guarded, Mode};
use super::rules::{CircuitBreaker, Condition, Fallback, Retry};
use super::stack::Stack;
use crate::context::Runtime;
use crate::diagnostics::{near_miss_or_list, rule};

/// Tokens of ours: what they name is out of sight of the user's code, and the other way round.
macro_rules! ours {
    ($($tokens:tt)*) => { quote_spanned!(Span::mixed_site()=> $($tokens)*) };
}

/// Names of which every body that is guarded already has one.
const GUARDED: &[&str] = &[
    "__ERROR_RETRY",
    "__ERROR_BREAKER",
    "__ERROR_RATE_LIMIT",
    "__ERROR_BULKHEAD",
    "__error_return",
    "__error_done",
];

/// Whether one of our attributes has expanded this body before: then this one goes by a name that the other
/// did not know, and would go around it.
pub(super) fn is_guarded(body: &TokenStream) -> bool {
    mentions(body, &|name| GUARDED.contains(&name))
}

/// The rules that need to see both the attributes and the function.
pub(super) fn check(
    stack: &Stack,
    function: &Function,
    guarded: &Guarded,
    errors: &mut Accumulator,
) {
    if let Mode::Sync = guarded.mode {
        if let Some((_, span)) = stack.timeout {
            errors.push(rule!(
                timeout_on_sync,
                span,
                "`#[timeout]` can only give up a call that waits; make the function `async`, or set a time-out on the client that it calls"
            ));
        }
        if let Some(span) = stack.retry.as_ref().and_then(|retry| retry.attempt_timeout) {
            errors.push(rule!(
                attempt_timeout_on_sync,
                span,
                "`attempt_timeout` can only give up a call that waits; make the function `async`, or use `deadline`"
            ));
        }
    }
    let arguments = function.arguments();
    for name in stack.retry.iter().flat_map(|retry| &retry.clones) {
        if name == "self" {
            errors.push(rule!(
                clone_self,
                name.span(),
                "`self` cannot be cloned for each attempt; take `&self`"
            ));
        } else if !arguments.contains(name) {
            let known: Vec<String> = arguments.iter().map(Ident::to_string).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let instead = match known.as_slice() {
                [] | ["self"] => "; remove it".to_owned(),
                known => near_miss_or_list(&name.to_string(), known),
            };
            errors.push(rule!(
                unknown_argument,
                name.span(),
                "`{name}` is no argument of `{}`{instead}",
                function.sig.ident
            ));
        }
    }
}

/// What the parts of an expansion share.
struct Context<'s> {
    stack: &'s Stack,
    /// The path to the runtime; where a bound fails, rustc points at the return type.
    runtime: TokenStream,
    guarded: Guarded,
    /// Names of ours, at the return type.
    span: Span,
    asynchronous: bool,
}

/// The new body.
pub(super) fn body(stack: &Stack, function: &Function, guarded: Guarded) -> TokenStream {
    let span = Span::mixed_site().located_at(guarded.result_span);
    let context = Context {
        stack,
        runtime: Runtime::new(stack.runtime.clone()).located_at(span),
        span,
        asynchronous: !matches!(guarded.mode, Mode::Sync),
        guarded,
    };
    let statics = context.statics(function);
    let guarded = context.result(function);
    match &context.guarded.mode {
        Mode::Sync | Mode::Async => ours!(#statics #guarded),
        Mode::Block(block) => {
            let (before, head) = (&block.before, &block.head);
            let moves = frozen(&block.moves, &only_copied(stack));
            let inside = ours!(#head { #moves #statics #guarded });
            match &block.wrap {
                Some(wrap) => ours!(#before #wrap(#inside)),
                None => ours!(#before #inside),
            }
        }
    }
}

impl Context<'_> {
    /// One `static` for each policy that has a state.
    fn statics(&self, function: &Function) -> TokenStream {
        let Self { runtime, stack, .. } = self;
        let mut statics = stack.marks();
        if let Some(retry) = &stack.retry {
            let Retry {
                rules,
                jitter,
                condition: _,
                clones: _,
                operation,
                budget,
                hook,
                attempt_timeout: _,
            } = retry;
            let operation = match operation {
                Some(operation) => ours!(#operation),
                None => {
                    let name = function.sig.ident.to_string();
                    let name = format!("::{}", name.trim_start_matches("r#"));
                    ours!(::core::concat!(::core::module_path!(), #name))
                }
            };
            let jitter = jitter
                .iter()
                .map(|jitter| ours!(.jitter(#runtime::Jitter::#jitter)));
            let budget = budget.iter().map(|budget| ours!(.budget(#budget)));
            let hook = hook.iter().map(|hook| ours!(.on_retry(#hook)));
            statics.extend(ours! {
                static __ERROR_RETRY: #runtime::RetrySite = #runtime::RetrySite::new(
                    #operation,
                    #runtime::RetryPolicy::const_builder() #rules #(#jitter)*,
                ) #(#budget)* #(#hook)*;
            });
        }
        if let Some(breaker) = &stack.breaker {
            let CircuitBreaker {
                rules,
                service,
                breaker,
                when: _,
            } = breaker;
            let site = match breaker {
                // A static of another type is reported at its name.
                Some(path) => {
                    let reference = quote_spanned!(path.span()=> &#path);
                    ours!(of(|| #reference))
                }
                None => ours!(new(#runtime::CircuitBreaker::const_builder(#service) #rules)),
            };
            statics.extend(
                ours!(static __ERROR_BREAKER: #runtime::BreakerSite = #runtime::BreakerSite::#site;),
            );
        }
        if let Some((calls, per)) = &stack.rate_limit {
            statics.extend(ours! {
                static __ERROR_RATE_LIMIT: #runtime::RateLimiter =
                    #runtime::RateLimiter::const_new(#calls, #per);
            });
        }
        if let Some(max) = &stack.bulkhead {
            statics.extend(ours! {
                static __ERROR_BULKHEAD: #runtime::Bulkhead = #runtime::Bulkhead::const_new(#max);
            });
        }
        statics
    }

    /// The statements that give the function's result.
    fn result(&self, function: &Function) -> TokenStream {
        let called = match &self.stack.retry {
            Some(retry) => self.retried(retry, function),
            None => self.awaited(&self.attempt(function)),
        };
        let Some(Fallback { expression, when }) = &self.stack.fallback else {
            return called;
        };
        let (runtime, span, result) = (&self.runtime, self.span, &self.guarded.result);
        let (statements, value) = match &self.stack.retry {
            Some(_) => (
                quote_spanned!(span=> let __error_result = #called;),
                quote_spanned!(span=> __error_result),
            ),
            None => (TokenStream::new(), called),
        };
        let caught = match when {
            None => quote_spanned!(span=> #runtime::caught(#value)),
            Some(when) => quote_spanned!(span=> #runtime::caught_when(#value, #when)),
        };
        let error = error_name(expression);
        // The word may stand there for something else, as in `tracing::error!`: no warning of that.
        let mentioned = error.as_ref().map(|error| ours!(let _ = &#error;));
        let error = error.map_or_else(|| ours!(_), |error| ours!(#error));
        ours! {
            #statements
            let __error_done: #result = match #caught {
                ::core::ops::ControlFlow::Break(__error_result) => __error_result,
                ::core::ops::ControlFlow::Continue(#error) => {
                    #mentioned
                    #expression
                }
            };
            __error_done
        }
    }

    fn awaited(&self, attempt: &TokenStream) -> TokenStream {
        if self.asynchronous {
            let span = self.span;
            quote_spanned!(span=> #attempt.await)
        } else {
            attempt.clone()
        }
    }

    /// The loop.
    fn retried(&self, retry: &Retry, function: &Function) -> TokenStream {
        let (runtime, span, result) = (&self.runtime, self.span, &self.guarded.result);
        let attempt = self.attempt(function);
        let limit = match retry.attempt_timeout {
            Some(_) => ours!(limited),
            None => ours!(attempt),
        };
        // A closure made once: an argument that the body moves out of is then one error, on its line.
        let operation = match self.guarded.mode {
            Mode::Sync => {
                let closure = self.closure(function);
                quote_spanned!(span=> let mut __error_call = #runtime::fn_mut(#closure);)
            }
            _ => TokenStream::new(),
        };
        let (attempt, wait) = if self.asynchronous {
            (
                quote_spanned!(span=> #runtime::Retry::#limit(&__error_retry, #attempt).await),
                ours!(#runtime::Wait::sleep(__error_wait).await;),
            )
        } else {
            (
                quote_spanned!(span=> #runtime::Retry::run(&__error_retry, || #attempt)),
                ours!(#runtime::Wait::block(__error_wait);),
            )
        };
        let after = match &retry.condition {
            None => {
                quote_spanned!(span=> #runtime::Retry::after(&mut __error_retry, __error_outcome))
            }
            Some(condition) => {
                let retryable = match condition {
                    Condition::When(when) => ours!(#runtime::says(__error_failure, #when)),
                    Condition::On(pattern) => ours!(::core::matches!(__error_failure, #pattern)),
                };
                // What the error says of waits and rejections holds all the same, if it says any.
                quote_spanned! {span=> #runtime::Retry::after_when(
                    &mut __error_retry,
                    __error_outcome,
                    |__error_failure| {
                        use #runtime::ViaClassify as _;
                        use #runtime::ViaNothing as _;
                        (&#runtime::Hint(__error_failure)).__classification(#retryable)
                    },
                )}
            }
        };
        let in_loop = ours! {
            let __error_outcome: #result = #attempt;
            let __error_wait = match #after {
                ::core::ops::ControlFlow::Break(__error_outcome) => break __error_outcome,
                ::core::ops::ControlFlow::Continue(__error_wait) => __error_wait,
            };
            #wait
        };
        let start = ours! {
            let mut __error_retry = #runtime::RetrySite::start(&__ERROR_RETRY);
            #operation
        };
        match &self.stack.fallback {
            // The loop is the value of a block, which a `let` takes.
            Some(_) => ours!({ #start loop { #in_loop } }),
            None => ours!(#start loop { #in_loop }),
        }
    }

    /// One attempt with all that is inside the retry: a future, or a value.
    fn attempt(&self, function: &Function) -> TokenStream {
        let (runtime, span, stack) = (&self.runtime, self.span, self.stack);
        let mut call = match (&self.guarded.mode, &stack.retry) {
            (Mode::Sync, Some(_)) => ours!(__error_call()),
            (Mode::Sync, None) => {
                let closure = self.closure(function);
                quote_spanned!(span=> #runtime::fn_once(#closure)())
            }
            _ => self.block(function),
        };
        let mut wrap = |of: TokenStream, before: TokenStream| {
            call = if self.asynchronous {
                quote_spanned!(span=> #of(#before #call))
            } else {
                quote_spanned!(span=> #of(#before || #call))
            };
        };
        let method = |ty: &str, sync: &str, asynchronous: &str| {
            let (ty, sync) = (Ident::new(ty, span), Ident::new(sync, span));
            let asynchronous = Ident::new(asynchronous, span);
            if self.asynchronous {
                quote_spanned!(span=> #runtime::#ty::#asynchronous)
            } else {
                quote_spanned!(span=> #runtime::#ty::#sync)
            }
        };
        if stack.bulkhead.is_some() {
            wrap(
                method("Bulkhead", "call", "call_async"),
                ours!(&__ERROR_BULKHEAD,),
            );
        }
        if let Some((limit, _)) = &stack.timeout {
            wrap(
                quote_spanned!(span=> #runtime::with_timeout),
                ours!(#limit,),
            );
        }
        if stack.rate_limit.is_some() {
            wrap(
                method("RateLimiter", "call", "call_async"),
                ours!(&__ERROR_RATE_LIMIT,),
            );
        }
        if let Some(breaker) = &stack.breaker {
            match &breaker.when {
                None => wrap(
                    method("BreakerSite", "call", "guard"),
                    ours!(&__ERROR_BREAKER,),
                ),
                Some(when) => {
                    let call = method("BreakerSite", "call_when", "guard_when");
                    // Without its type a closure could not call a method of the result.
                    let result = &self.guarded.result;
                    let types = if self.asynchronous {
                        quote_spanned!(span=> ::<_, #result, _, _>)
                    } else {
                        quote_spanned!(span=> ::<#result, _, _>)
                    };
                    wrap(ours!(#call #types), ours!(&__ERROR_BREAKER, #when,));
                }
            }
        }
        call
    }

    /// The body as a closure.
    fn closure(&self, function: &Function) -> TokenStream {
        let (result, body, clones) = (
            &self.guarded.result,
            &self.guarded.body,
            self.clones(function),
        );
        quote_spanned!(self.span=> || -> #result { #clones #body })
    }

    /// The body as an `async` block. A `return` that never happens tells rustc its type, so that a
    /// mistake in the body is reported there.
    fn block(&self, function: &Function) -> TokenStream {
        let runtime = &self.runtime;
        let (result, body, clones) = (
            &self.guarded.result,
            &self.guarded.body,
            self.clones(function),
        );
        let span = self.span;
        let moves = self
            .runs_once(function)
            .then(|| quote_spanned!(span=> move));
        quote_spanned! {span=>
            async #moves {
                if false {
                    let __error_return: #result = #runtime::never();
                    return __error_return;
                }
                #clones
                #body
            }
        }
    }

    /// Whether nothing outside the body needs the arguments, so that it may own them: a reference to
    /// one that is not `Sync` would take `Send` from the future.
    fn runs_once(&self, function: &Function) -> bool {
        let fallback_needs = |fallback: &Fallback| {
            let names: Vec<String> = function.arguments().iter().map(Ident::to_string).collect();
            mentions(&fallback.expression, &|name| {
                name == "self" || name == "__self" || names.iter().any(|known| known == name)
            })
        };
        self.stack.retry.is_none() && !self.stack.fallback.as_ref().is_some_and(fallback_needs)
    }

    /// A copy of each argument that an attempt uses up.
    fn clones(&self, function: &Function) -> TokenStream {
        let Some(retry) = &self.stack.retry else {
            return TokenStream::new();
        };
        let bindings = function.bindings();
        // With the tokens of the argument, so that rustc warns of them there.
        let one = |name: &Ident| {
            let copy = quote_spanned!(name.span()=> ::core::clone::Clone::clone(&#name));
            let binding = bindings.iter().find(|binding| binding.ident == *name);
            let bound = binding.map_or(name, |binding| &binding.ident);
            let mutability = match &self.guarded.mode {
                Mode::Block(block) => mut_before(&block.moves, name).map(TokenStream::from),
                _ => binding.map(|binding| binding.mutability.to_token_stream()),
            };
            ours!(let #mutability #bound = #copy;)
        };
        retry.clones.iter().map(one).collect()
    }
}

/// The arguments that only their copies are used of, so that a `mut` on them would be called unused.
pub(super) fn only_copied(stack: &Stack) -> Vec<Ident> {
    let needed = |name: &Ident| {
        stack
            .fallback
            .as_ref()
            .is_some_and(|fallback| mentions(&fallback.expression, &|mentioned| *name == mentioned))
    };
    let copied = stack.retry.iter().flat_map(|retry| &retry.clones);
    copied.filter(|name| !needed(name)).cloned().collect()
}

/// The `mut` of `let mut name`, as `#[async_trait]` moves an argument into its block.
fn mut_before(moves: &TokenStream, name: &Ident) -> Option<TokenTree> {
    let tokens: Vec<TokenTree> = moves.clone().into_iter().collect();
    let at = tokens.windows(2).position(|pair| {
        matches!(pair, [TokenTree::Ident(word), TokenTree::Ident(bound)] if word == "mut" && bound == name)
    })?;
    Some(tokens[at].clone())
}

/// The moves without the `mut` before these names.
fn frozen(moves: &TokenStream, names: &[Ident]) -> TokenStream {
    let mut tokens = moves.clone().into_iter().peekable();
    let mut frozen = TokenStream::new();
    while let Some(token) = tokens.next() {
        let is_mut = matches!(&token, TokenTree::Ident(word) if word == "mut");
        let of = matches!(tokens.peek(), Some(TokenTree::Ident(next)) if names.contains(next));
        if !(is_mut && of) {
            frozen.extend([token]);
        }
    }
    frozen
}

/// `error` as the expression means it, if it mentions it.
fn error_name(expression: &TokenStream) -> Option<Ident> {
    fn find(tokens: &TokenStream) -> Option<Ident> {
        tokens.clone().into_iter().find_map(|token| match token {
            TokenTree::Ident(ident) if ident == "error" => Some(ident),
            TokenTree::Group(group) => find(&group.stream()),
            _ => None,
        })
    }
    find(expression).or_else(|| in_format_string(expression))
}

/// `error` inside a text, which may be a format string, as in `format!("{error}")`.
fn in_format_string(tokens: &TokenStream) -> Option<Ident> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            text.contains("error")
                .then(|| Ident::new("error", literal.span()))
        }
        TokenTree::Group(group) => in_format_string(&group.stream()),
        _ => None,
    })
}

/// Whether a name occurs, also inside a format string.
fn mentions(tokens: &TokenStream, is: &dyn Fn(&str) -> bool) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => is(&ident.to_string()),
        TokenTree::Group(group) => mentions(&group.stream(), is),
        TokenTree::Literal(literal) => literal
            .to_string()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(is),
        TokenTree::Punct(_) => false,
    })
}
