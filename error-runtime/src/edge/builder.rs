//! The builder, the same for both frameworks.

/// One method per setting, for a type that holds `plan: Plan`.
macro_rules! builder {
    ($ty:ident) => {
        impl $ty {
            /// The defaults: the envelope unless `Accept` asks for problem+json or HTML, valid ids of
            /// requests kept, failures logged under the feature `tracing`, nothing internal shown. Inside
            /// of another one, what is not set here is as it is there.
            pub fn new() -> Self {
                Self {
                    plan: $crate::edge::settings::Plan::default(),
                }
            }

            /// The format of answers to requests that ask for none, or for none that there is. Default
            /// [`JsonEnvelope`](crate::format::JsonEnvelope). A request can ask for it by its content type.
            pub fn format(mut self, format: impl $crate::Format + 'static) -> Self {
                self.plan.change().default =
                    Some($crate::edge::settings::Offer::new(format).into());
                self
            }

            /// Whether `Accept` chooses between the format set here, the envelope, problem+json and HTML.
            /// Default true.
            pub fn negotiate(mut self, negotiate: bool) -> Self {
                self.plan.change().negotiates = Some(negotiate);
                self
            }

            /// The format of all answers below a path, whatever `Accept` says: `/api` has `/api/x` and not
            /// `/apiary`; of several the longest holds. The path is the one that this layer sees.
            pub fn format_below(
                mut self,
                prefix: impl Into<String>,
                format: impl $crate::Format + 'static,
            ) -> Self {
                let offer = $crate::edge::settings::Offer::new(format);
                let paths = &mut self.plan.change().paths;
                paths.push((prefix.into().into_boxed_str(), offer.into()));
                paths.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
                self
            }

            /// A page of one's own for one status, where HTML is asked for.
            ///
            /// What the closure returns is sent as it is: pass texts of the view through
            /// [`escape_html`](crate::format::escape_html).
            pub fn page_for_status(
                mut self,
                status: u16,
                page: impl Fn(&$crate::ErrorView<'_>) -> String + Send + Sync + 'static,
            ) -> Self {
                let settings = self.plan.change();
                settings.pages = std::mem::take(&mut settings.pages).page_for_status(status, page);
                self
            }

            /// A page of one's own for one code. It goes before one for the status.
            pub fn page_for_code(
                mut self,
                code: impl Into<std::borrow::Cow<'static, str>>,
                page: impl Fn(&$crate::ErrorView<'_>) -> String + Send + Sync + 'static,
            ) -> Self {
                let settings = self.plan.change();
                settings.pages = std::mem::take(&mut settings.pages).page_for_code(code, page);
                self
            }

            /// Which ids of requests are kept; of nested layers the outermost decides. Default [`RequestIdPolicy::Validated`](crate::RequestIdPolicy).
            pub fn request_ids(mut self, policy: $crate::RequestIdPolicy) -> Self {
                self.plan.change().ids = policy;
                self
            }

            /// A handler for one type of error, also behind a transparent variant: what it returns is
            /// answered instead, and `None` leaves the error to the next handler. Of nested layers the innermost that has one for the error wins.
            ///
            /// The error of a generic enum is seen by [`map_view`](Self::map_view) alone.
            pub fn map<E: std::error::Error + 'static>(
                mut self,
                map: impl $crate::ErrorMap<E>,
            ) -> Self {
                self.plan
                    .change()
                    .maps
                    .push($crate::edge::map::Map::typed(map));
                self
            }

            /// A handler for failures that a foreign error has caused: one that a service has returned, or the
            /// source of an error, of a declared one too: its declaration stands where the handler returns
            /// `None`.
            pub fn map_foreign<E: std::error::Error + 'static>(
                mut self,
                map: impl $crate::ErrorMap<E>,
            ) -> Self {
                self.plan
                    .change()
                    .maps
                    .push($crate::edge::map::Map::foreign(map));
                self
            }

            /// A handler for any failure, the framework's own and panics too, by its public side: its
            /// status, its code. With `None` the failure stays as it is.
            pub fn map_view<R: $crate::Mapped>(
                mut self,
                map: impl Fn(&$crate::ErrorView<'_>) -> R + Send + Sync + 'static,
            ) -> Self {
                self.plan
                    .change()
                    .maps
                    .push($crate::edge::map::Map::view(map));
                self
            }

            /// Tells a reporter of every failure. Of nested layers the outermost tells; what inner ones
            /// have besides is told by it too. Two instances are two reporters: to have one on several
            /// layers, give them copies of one `Arc`.
            pub fn reporter(mut self, reporter: impl $crate::Reporter) -> Self {
                let settings = self.plan.change();
                settings.reporters = std::mem::take(&mut settings.reporters).reporter(reporter);
                self
            }

            /// Tells several reporters, which other layers may have too: each is told once.
            pub fn reporters(mut self, reporters: $crate::FanOut) -> Self {
                let settings = self.plan.change();
                settings.reporters = std::mem::take(&mut settings.reporters).and(reporters);
                self
            }

            /// Whether failures are logged under the feature `tracing`, by a
            /// [`TracingReporter`](crate::TracingReporter). Default true.
            pub fn log(mut self, log: bool) -> Self {
                self.plan.change().logs = Some(log);
                self
            }

            /// For development alone: answers show what the error is and what caused it, under `debug`.
            /// Nothing in a request can switch it on. A warning is logged.
            pub fn development(mut self, on: bool) -> Self {
                if on {
                    $crate::edge::settings::warn_of_internals();
                }
                self.plan.change().shows_internals = Some(on);
                self
            }

            /// Sends the framework's own text of a 4xx as the message, if it has at most 1 KiB. Such a text
            /// may name types of yours. Default false: the public text of the status.
            pub fn framework_text(mut self, send: bool) -> Self {
                self.plan.change().sends_framework_text = Some(send);
                self
            }

            /// How many bytes the details of an answer may have: what is more is cut off with
            /// `"truncated":true`. Default 256 KiB.
            pub fn max_details(mut self, bytes: usize) -> Self {
                self.plan.change().max_details = Some(bytes);
                self
            }
        }

        impl Default for $ty {
            fn default() -> Self {
                Self::new()
            }
        }
    };
}

pub(super) use builder;
