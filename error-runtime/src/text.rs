//! How generated code shows fields: piece by piece, strings and integers without `core::fmt`, whose
//! machinery costs more than all the rest of an answer's body.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::ApiError;

/// Where a text goes: the log, or the body of an answer.
pub struct Text<'a> {
    out: &'a mut dyn fmt::Write,
    /// What was written is incomplete.
    failed: bool,
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text")
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

impl<'a> Text<'a> {
    pub(crate) fn new(out: &'a mut dyn fmt::Write) -> Self {
        Self { out, failed: false }
    }

    pub(crate) fn finish(self) -> fmt::Result {
        if self.failed { Err(fmt::Error) } else { Ok(()) }
    }

    /// Adds a text.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.failed |= self.out.write_str(text).is_err();
    }

    /// Adds a text and what a format string makes of a field.
    pub fn args(&mut self, before: &'static str, args: fmt::Arguments<'_>) {
        self.text(before);
        self.failed |= self.out.write_fmt(args).is_err();
    }

    /// Adds the `Display` of an inner error.
    pub fn display(&mut self, inner: &dyn ApiError) {
        self.args("", format_args!("{inner}"));
    }
}

/// A field to be shown. Which of the two traits below shows it is decided by method resolution: the
/// fast one needs no reference to it, so it goes first.
#[derive(Debug)]
pub struct Show<'a, T: ?Sized>(pub &'a T);

/// Shows what needs no `core::fmt`.
pub trait ShowFast {
    /// Adds the text before the field, and the field.
    fn __show(&self, out: &mut Text<'_>, before: &'static str);
}

/// Shows all else by its `Display`.
pub trait ShowAny {
    /// The field's type.
    type Field: ?Sized;

    /// Adds the text before the field, and the field.
    fn __show(&self, out: &mut Text<'_>, before: &'static str)
    where
        Self::Field: fmt::Display;
}

impl<T: ?Sized> ShowAny for &Show<'_, T> {
    type Field = T;

    fn __show(&self, out: &mut Text<'_>, before: &'static str)
    where
        T: fmt::Display,
    {
        out.args(before, format_args!("{}", self.0));
    }
}

macro_rules! strings {
    ($($ty:ty),*) => {$(
        impl ShowFast for Show<'_, $ty> {
            #[inline]
            fn __show(&self, out: &mut Text<'_>, before: &'static str) {
                out.text(before);
                out.text(self.0);
            }
        }
    )*};
}
strings!(str, &str, String, Cow<'_, str>, Box<str>, Arc<str>);

macro_rules! integers {
    ($($ty:ty),*) => {$(
        impl ShowFast for Show<'_, $ty> {
            #[inline]
            fn __show(&self, out: &mut Text<'_>, before: &'static str) {
                out.text(before);
                out.text(itoa::Buffer::new().format(*self.0));
            }
        }
    )*};
}
integers!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

/// The texts of a derived error that depend on the occurrence.
pub trait Shown {
    /// Writes what `Display` says.
    fn show(&self, out: &mut Text<'_>);
}

/// `Display` of a derived error.
///
/// # Errors
///
/// As the formatter does.
pub fn display<E: Shown + ?Sized>(error: &E, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = Text::new(f);
    error.show(&mut text);
    text.finish()
}
