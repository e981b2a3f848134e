//! What the example tells: lines with the time since its start, above a progress bar where there is a terminal.

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Who tells it. Copies are one.
#[derive(Clone)]
pub(crate) struct Story(Arc<Inner>);

struct Inner {
    begun: Instant,
    to: To,
}

enum To {
    Bar(ProgressBar),
    Lines,
    /// For tests.
    #[cfg(test)]
    Nobody,
}

impl Story {
    /// A bar for a run of so many seconds, or something that moves for one without an end.
    pub(crate) fn new(seconds: u64) -> Self {
        let to = if std::io::stdout().is_terminal() {
            let target = ProgressDrawTarget::stdout();
            To::Bar(if seconds == 0 {
                ProgressBar::with_draw_target(None, target)
            } else {
                ProgressBar::with_draw_target(Some(seconds), target).with_style(style())
            })
        } else {
            To::Lines
        };
        Self::of(to)
    }

    #[cfg(test)]
    pub(crate) fn untold() -> Self {
        Self::of(To::Nobody)
    }

    fn of(to: To) -> Self {
        let begun = Instant::now();
        Self(Arc::new(Inner { begun, to }))
    }

    /// Tells something that has just happened.
    pub(crate) fn say(&self, text: impl Display) {
        self.print(format!("{} {text}", clock(self.0.begun.elapsed())));
    }

    /// A line without a time.
    pub(crate) fn print(&self, line: impl Into<String>) {
        match &self.0.to {
            To::Bar(bar) => bar.println(line.into()),
            To::Lines => println!("{}", line.into()),
            #[cfg(test)]
            To::Nobody => {}
        }
    }

    /// How it goes. Without a terminal nobody wants to read it every second.
    pub(crate) fn progress(&self, text: impl Display) {
        let elapsed = self.0.begun.elapsed();
        match &self.0.to {
            To::Bar(bar) => {
                bar.set_position(elapsed.as_secs());
                bar.set_message(text.to_string());
            }
            To::Lines if elapsed.as_secs() > 0 && elapsed.as_secs().is_multiple_of(10) => {
                self.say(text);
            }
            To::Lines => {}
            #[cfg(test)]
            To::Nobody => {}
        }
    }

    /// The bar goes; what is said after it are plain lines.
    pub(crate) fn end(&self) {
        if let To::Bar(bar) = &self.0.to {
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:30} {pos}/{len} s  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}
