//! A few small expansions in full, to be read in review. Bless with `UPDATE_EXPECT=1`.

#![allow(
    clippy::needless_raw_string_hashes,
    clippy::too_many_lines,
    reason = "blessing writes hashes whether needed or not, and an expansion is as long as it is"
)]

use expect_test::{Expect, expect};

use super::{derive, guard, pretty};

#[track_caller]
fn check(item: &str, expansion: &Expect) {
    expansion.assert_eq(&pretty(derive(item)));
}

#[track_caller]
fn check_guarded(function: &str, expansion: &Expect) {
    expansion.assert_eq(&pretty(guard(function)));
}

#[test]
fn constant_texts_need_no_arms() {
    check(
        "#[api(domain = \"pots\")] enum Pot { #[api(status = 418)] Teapot, #[api(status = 404, message = \"no pot\")] NoPot { shelf: u8 } }",
        &expect![[r#"
            const _: () = {
                static __ERROR_SPECS: [::error_runtime::__private::ErrorSpec; 2usize] = ::error_runtime::__private::specs(
                    "pots",
                    [
                        (
                            "TEAPOT",
                            418u16,
                            "Teapot",
                            "Teapot",
                            "",
                            ::error_runtime::__private::MessageSource::Status,
                        ),
                        (
                            "NO_POT",
                            404u16,
                            "NoPot",
                            "No pot",
                            "",
                            ::error_runtime::__private::MessageSource::Text("no pot"),
                        ),
                    ],
                );
                #[automatically_derived]
                impl ::error_runtime::__private::Declared for Pot {
                    const SPECS: &'static [::error_runtime::__private::ErrorSpec] = &__ERROR_SPECS;
                    #[inline]
                    fn spec_index(&self) -> ::core::primitive::usize {
                        match self {
                            Self::Teapot { .. } => 0usize,
                            Self::NoPot { .. } => 1usize,
                        }
                    }
                }
                #[automatically_derived]
                impl ::core::fmt::Display for Pot {
                    fn fmt(
                        &self,
                        __error_formatter: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        ::error_runtime::__private::fmt_text(self, __error_formatter)
                    }
                }
                #[automatically_derived]
                impl ::core::error::Error for Pot {}
                #[automatically_derived]
                impl ::error_runtime::__private::ApiError for Pot {
                    fn spec(&self) -> &'static ::error_runtime::__private::ErrorSpec {
                        ::error_runtime::__private::spec(self)
                    }
                    fn __generated(&self) -> ::core::primitive::bool {
                        true
                    }
                    fn __typed(
                        &self,
                    ) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                        ::error_runtime::__private::typed(self)
                    }
                }
                ::error_runtime::__private::impl_responses! {
                    [] [Pot] []
                }
                ::error_runtime::__private::register!(__ERROR_SPECS);
            };
        "#]],
    );
}

#[test]
fn fields_that_speak() {
    check(
        r#"
        #[api(domain = "jobs", crate = ::api, status = 429, message = "{owner} waits", details)]
        struct Busy<T> {
            owner: T,
            #[api(retry_after)]
            wait: Duration,
            #[source]
            cause: Option<Cause>,
        }
        "#,
        &expect![[r#"
            const _: () = {
                static __ERROR_SPECS: [::api::__private::ErrorSpec; 1usize] = {
                    let mut __error_specs = ::api::__private::specs(
                        "jobs",
                        [
                            (
                                "BUSY",
                                429u16,
                                "Busy",
                                "Busy",
                                "",
                                ::api::__private::MessageSource::Display("{owner} waits"),
                            ),
                        ],
                    );
                    __error_specs[0usize] = __error_specs[0usize]
                        .with_details(&["owner", "wait"])
                        .with_source_type("Option<Cause>");
                    __error_specs
                };
                #[automatically_derived]
                impl<T> ::api::__private::Declared for Busy<T> {
                    const SPECS: &'static [::api::__private::ErrorSpec] = &__ERROR_SPECS;
                    #[inline]
                    fn spec_index(&self) -> ::core::primitive::usize {
                        match self {
                            Self { .. } => 0usize,
                        }
                    }
                }
                #[automatically_derived]
                impl<T> ::core::fmt::Display for Busy<T>
                where
                    T: ::core::fmt::Display,
                {
                    fn fmt(
                        &self,
                        __error_formatter: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        match self {
                            Self { owner: __error_0, .. } => {
                                __error_formatter
                                    .write_fmt(::core::format_args!("{0} waits", __error_0))
                            }
                        }
                    }
                }
                #[automatically_derived]
                impl<T> ::core::error::Error for Busy<T>
                where
                    Self: ::core::fmt::Debug + ::core::fmt::Display,
                {
                    fn source(
                        &self,
                    ) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                        use ::api::__private::AsDynError as _;
                        match self {
                            Self { cause: __error_2, .. } => {
                                match __error_2 {
                                    ::core::option::Option::Some(__error_2) => {
                                        ::core::option::Option::Some(__error_2.__as_dyn_error())
                                    }
                                    ::core::option::Option::None => ::core::option::Option::None,
                                }
                            }
                        }
                    }
                }
                #[automatically_derived]
                impl<T> ::api::__private::ApiError for Busy<T>
                where
                    Self: ::core::error::Error,
                    T: ::api::__private::DetailValue,
                {
                    fn spec(&self) -> &'static ::api::__private::ErrorSpec {
                        ::api::__private::spec(self)
                    }
                    fn __generated(&self) -> ::core::primitive::bool {
                        true
                    }
                    fn __details(&self, __error_details: &mut ::api::__private::Details<'_>) {
                        match self {
                            Self { owner: __error_0, wait: __error_1, .. } => {
                                ::api::__private::Details::__field(
                                    __error_details,
                                    ",\"owner\":",
                                    __error_0,
                                );
                                ::api::__private::Details::__field(
                                    __error_details,
                                    ",\"wait\":",
                                    __error_1,
                                );
                            }
                        }
                    }
                    fn __retry_after(&self) -> ::core::option::Option<::core::time::Duration> {
                        match self {
                            Self { wait: __error_1, .. } => ::api::__private::retry_after(__error_1),
                        }
                    }
                }
                ::api::__private::impl_responses! {
                    [< T >] [Busy < T >] [Self : ::api::__private::ApiError,]
                }
                ::api::__private::register!(__ERROR_SPECS);
            };
        "#]],
    );
}

#[test]
fn transparent_and_from() {
    check(
        "#[api(impl_response = false)] enum Edge { #[api(transparent)] Inner(#[from] Inner) }",
        &expect![[r#"
            const _: () = {
                static __ERROR_SPECS: [::error_runtime::__private::ErrorSpec; 0usize] = ::error_runtime::__private::specs(
                    ::error_runtime::__private::domain(::core::option_env!("CARGO_PKG_NAME")),
                    [],
                );
                #[automatically_derived]
                impl ::error_runtime::__private::Declared for Edge {
                    const SPECS: &'static [::error_runtime::__private::ErrorSpec] = &__ERROR_SPECS;
                    #[inline]
                    fn spec_index(&self) -> ::core::primitive::usize {
                        match self {
                            Self::Inner { .. } => ::core::primitive::usize::MAX,
                        }
                    }
                }
                #[automatically_derived]
                impl ::core::fmt::Display for Edge {
                    fn fmt(
                        &self,
                        __error_formatter: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        match self {
                            Self::Inner { 0: __error_0 } => {
                                ::core::fmt::Display::fmt(
                                    {
                                        let __error_inner: &dyn ::error_runtime::__private::ApiError = __error_0;
                                        __error_inner
                                    },
                                    __error_formatter,
                                )
                            }
                        }
                    }
                }
                #[automatically_derived]
                impl ::core::error::Error for Edge {
                    fn source(
                        &self,
                    ) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                        match self {
                            Self::Inner { 0: __error_0 } => {
                                ::core::error::Error::source({
                                    let __error_inner: &dyn ::error_runtime::__private::ApiError = __error_0;
                                    __error_inner
                                })
                            }
                        }
                    }
                }
                #[automatically_derived]
                impl ::core::convert::From<Inner> for Edge {
                    fn from(__error_source: Inner) -> Self {
                        Self::Inner { 0: __error_source }
                    }
                }
                #[automatically_derived]
                impl ::error_runtime::__private::ApiError for Edge {
                    fn spec(&self) -> &'static ::error_runtime::__private::ErrorSpec {
                        ::error_runtime::__private::spec(self)
                    }
                    fn __generated(&self) -> ::core::primitive::bool {
                        true
                    }
                    fn __typed(
                        &self,
                    ) -> ::core::option::Option<&(dyn ::core::error::Error + 'static)> {
                        ::error_runtime::__private::typed(self)
                    }
                    fn __inner(
                        &self,
                    ) -> ::core::option::Option<&dyn ::error_runtime::__private::ApiError> {
                        match self {
                            Self::Inner { 0: __error_0 } => {
                                ::core::option::Option::Some({
                                    let __error_inner: &dyn ::error_runtime::__private::ApiError = __error_0;
                                    __error_inner
                                })
                            }
                        }
                    }
                }
                ::error_runtime::__private::register!(__ERROR_SPECS);
            };
        "#]],
    );
}

#[test]
fn a_mistake_leaves_minimal_impls() {
    check(
        "struct Missing { #[from] io: Io }",
        &expect![[r#"
            ::core::compile_error! {
                "missing `status`; add `#[api(status = 404)]` to this struct"
            }
            const _: () = {
                #[automatically_derived]
                impl ::error_runtime::__private::Declared for Missing {
                    const SPECS: &'static [::error_runtime::__private::ErrorSpec] = &[];
                    fn spec_index(&self) -> ::core::primitive::usize {
                        0
                    }
                }
                #[automatically_derived]
                impl ::core::fmt::Display for Missing {
                    fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        ::core::result::Result::Ok(())
                    }
                }
                #[automatically_derived]
                impl ::core::error::Error for Missing {}
                #[automatically_derived]
                impl ::core::convert::From<Io> for Missing {
                    fn from(_: Io) -> Self {
                        loop {}
                    }
                }
                #[automatically_derived]
                impl ::error_runtime::__private::ApiError for Missing {
                    fn spec(&self) -> &'static ::error_runtime::__private::ErrorSpec {
                        ::error_runtime::__private::spec(self)
                    }
                }
                ::error_runtime::__private::impl_responses! {
                    [] [Missing] []
                }
            };
        "#]],
    );
}

#[test]
fn a_retried_function() {
    check_guarded(
        "#[retry(attempts = 4, base = \"200ms\")] fn read(path: &Path) -> Result<Vec<u8>, ReadError> { Ok(open(path)?.bytes) }",
        &expect![[r#"
            fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
                static __ERROR_RETRY: ::error_runtime::__private::RetrySite = ::error_runtime::__private::RetrySite::new(
                    ::core::concat!(::core::module_path!(), "::read"),
                    ::error_runtime::__private::RetryPolicy::const_builder()
                        .attempts(4u32)
                        .base(::core::time::Duration::new(0u64, 200000000u32)),
                );
                let mut __error_retry = ::error_runtime::__private::RetrySite::start(&__ERROR_RETRY);
                let mut __error_call = ::error_runtime::__private::fn_mut(|| -> Result<
                    Vec<u8>,
                    ReadError,
                > { Ok(open(path)?.bytes) });
                loop {
                    let __error_outcome: Result<Vec<u8>, ReadError> = ::error_runtime::__private::Retry::run(
                        &__error_retry,
                        || __error_call(),
                    );
                    let __error_wait = match ::error_runtime::__private::Retry::after(
                        &mut __error_retry,
                        __error_outcome,
                    ) {
                        ::core::ops::ControlFlow::Break(__error_outcome) => break __error_outcome,
                        ::core::ops::ControlFlow::Continue(__error_wait) => __error_wait,
                    };
                    ::error_runtime::__private::Wait::block(__error_wait);
                }
            }
        "#]],
    );
}

#[test]
fn a_retried_future_under_a_breaker() {
    check_guarded(
        r#"#[retry(operation = "pay", clone(note), on(PaymentError::Away))]
        #[circuit_breaker(service = "stripe", failures = 5)]
        pub async fn pay(&self, amount: u64, note: String) -> Result<Receipt, PaymentError> {
            self.client.post(amount, note).await?.read()
        }
        "#,
        &expect![[r#"
            pub async fn pay(&self, amount: u64, note: String) -> Result<Receipt, PaymentError> {
                #[circuit_breaker(__error_taken)]
                const _: () = ();
                static __ERROR_RETRY: ::error_runtime::__private::RetrySite = ::error_runtime::__private::RetrySite::new(
                    "pay",
                    ::error_runtime::__private::RetryPolicy::const_builder(),
                );
                static __ERROR_BREAKER: ::error_runtime::__private::BreakerSite = ::error_runtime::__private::BreakerSite::new(
                    ::error_runtime::__private::CircuitBreaker::const_builder("stripe")
                        .failures(5u32),
                );
                let mut __error_retry = ::error_runtime::__private::RetrySite::start(&__ERROR_RETRY);
                loop {
                    let __error_outcome: Result<Receipt, PaymentError> = ::error_runtime::__private::Retry::attempt(
                            &__error_retry,
                            ::error_runtime::__private::BreakerSite::guard(
                                &__ERROR_BREAKER,
                                async {
                                    if false {
                                        let __error_return: Result<Receipt, PaymentError> = ::error_runtime::__private::never();
                                        return __error_return;
                                    }
                                    let note = ::core::clone::Clone::clone(&note);
                                    self.client.post(amount, note).await?.read()
                                },
                            ),
                        )
                        .await;
                    let __error_wait = match ::error_runtime::__private::Retry::after_when(
                        &mut __error_retry,
                        __error_outcome,
                        |__error_failure| {
                            use ::error_runtime::__private::ViaClassify as _;
                            use ::error_runtime::__private::ViaNothing as _;
                            (&::error_runtime::__private::Hint(__error_failure))
                                .__classification(
                                    ::core::matches!(__error_failure, PaymentError::Away),
                                )
                        },
                    ) {
                        ::core::ops::ControlFlow::Break(__error_outcome) => break __error_outcome,
                        ::core::ops::ControlFlow::Continue(__error_wait) => __error_wait,
                    };
                    ::error_runtime::__private::Wait::sleep(__error_wait).await;
                }
            }
        "#]],
    );
}

#[test]
fn a_fallback() {
    check_guarded(
        "#[fallback(cached(id, error).await)] async fn load(id: u64) -> Result<User, StoreError> { ask(id).await }",
        &expect![[r#"
            async fn load(id: u64) -> Result<User, StoreError> {
                let __error_done: Result<User, StoreError> = match ::error_runtime::__private::caught(
                    async {
                        if false {
                            let __error_return: Result<User, StoreError> = ::error_runtime::__private::never();
                            return __error_return;
                        }
                        ask(id).await
                    }
                        .await,
                ) {
                    ::core::ops::ControlFlow::Break(__error_result) => __error_result,
                    ::core::ops::ControlFlow::Continue(error) => {
                        let _ = &error;
                        cached(id, error).await
                    }
                };
                __error_done
            }
        "#]],
    );
}
