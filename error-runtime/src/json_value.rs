//! A detail's value as JSON. Strings and numbers, which most details are, are written here; whatever
//! is made of parts goes to `serde_json`.

use std::cell::Cell;
use std::io;

use json::ser::{Compound, Formatter};
use serde::ser::{Serialize, Serializer};

use crate::json_text;

/// How deep a value may be nested: one that contains itself has no end.
const MAX_DEPTH: u8 = 100;

/// Why a value was not written.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It is beyond a limit.
    Limit(Limit),
    Other(json::Error),
}

/// What an answer may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    Size,
    Depth,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Limit(Limit::Size) => f.write_str("larger than an answer may be"),
            Self::Limit(Limit::Depth) => f.write_str("nested deeper than an answer may be"),
            Self::Other(error) => error.fmt(f),
        }
    }
}

/// The limit that was met, beside the error that cannot say so.
type Met = Cell<Option<Limit>>;

/// Notes the limit; the error only ends the writing.
#[cold]
fn beyond(met: &Met, limit: Limit) -> io::Error {
    met.set(Some(limit));
    io::Error::other("beyond a limit")
}

/// Appends `value`, if `out` does not become longer than `limit`.
#[inline]
pub(crate) fn write<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    limit: usize,
    value: &T,
) -> Result<(), Refused> {
    let mut parts = None;
    let met = Met::new(None);
    let written = value.serialize(Value {
        out,
        limit,
        met: &met,
        depth: 0,
        parts: &mut parts,
    });
    written.map_err(|error| met.get().map_or(Refused::Other(error), Refused::Limit))
}

/// The serializer of `serde_json`, made when a value turns out to have parts.
type Parts<'a> = json::Serializer<Bounded<'a>, Shallow<'a>>;

struct Value<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
    met: &'a Met,
    /// How many wrappers without a trace in JSON it is in.
    depth: u8,
    parts: &'a mut Option<Parts<'a>>,
}

impl<'a> Value<'a> {
    fn parts(self) -> &'a mut Parts<'a> {
        let bounded = Bounded {
            out: self.out,
            limit: self.limit,
            met: self.met,
        };
        let shallow = Shallow {
            depth: 0,
            met: self.met,
        };
        self.parts
            .insert(json::Serializer::with_formatter(bounded, shallow))
    }

    /// A wrapper that contains itself has no end either.
    fn deeper(mut self) -> Result<Self, json::Error> {
        if self.depth == MAX_DEPTH {
            return Err(serde::ser::Error::custom(beyond(self.met, Limit::Depth)));
        }
        self.depth += 1;
        Ok(self)
    }

    fn null(self) {
        self.out.extend_from_slice(b"null");
    }
}

/// Refuses to grow beyond a limit.
struct Bounded<'a> {
    out: &'a mut Vec<u8>,
    limit: usize,
    met: &'a Met,
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.out.len().saturating_add(bytes.len()) > self.limit {
            return Err(beyond(self.met, Limit::Size));
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes compactly, and refuses to go deep.
struct Shallow<'a> {
    depth: u8,
    met: &'a Met,
}

impl Shallow<'_> {
    fn begin<W: io::Write + ?Sized>(&mut self, out: &mut W, bracket: u8) -> io::Result<()> {
        if self.depth == MAX_DEPTH {
            return Err(beyond(self.met, Limit::Depth));
        }
        self.depth += 1;
        out.write_all(&[bracket])
    }

    fn end<W: io::Write + ?Sized>(&mut self, out: &mut W, bracket: u8) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        out.write_all(&[bracket])
    }
}

impl Formatter for Shallow<'_> {
    fn begin_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b'[')
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b']')
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b'{')
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b'}')
    }
}

/// Hands the rest to `serde_json`.
macro_rules! delegate {
    ($($method:ident($($name:ident: $ty:ty),*) -> $ok:ty;)*) => {$(
        fn $method(self, $($name: $ty),*) -> Result<$ok, json::Error> {
            self.parts().$method($($name),*)
        }
    )*};
}

macro_rules! integers {
    ($($method:ident($ty:ty);)*) => {$(
        #[inline]
        fn $method(self, value: $ty) -> Result<(), json::Error> {
            self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            Ok(())
        }
    )*};
}

type Made<'a> = Compound<'a, Bounded<'a>, Shallow<'a>>;

impl<'a> Serializer for Value<'a> {
    type Ok = ();
    type Error = json::Error;
    type SerializeSeq = Made<'a>;
    type SerializeTuple = Made<'a>;
    type SerializeTupleStruct = Made<'a>;
    type SerializeTupleVariant = Made<'a>;
    type SerializeMap = Made<'a>;
    type SerializeStruct = Made<'a>;
    type SerializeStructVariant = Made<'a>;

    integers! {
        serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64); serialize_i128(i128);
        serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64); serialize_u128(u128);
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), json::Error> {
        let start = self.out.len();
        // What has to be escaped grows: what is far too long is not even begun.
        if start.saturating_add(value.len()) <= self.limit {
            json_text::string(self.out, value);
            if self.out.len() <= self.limit {
                return Ok(());
            }
            self.out.truncate(start);
        }
        Err(serde::ser::Error::custom(beyond(self.met, Limit::Size)))
    }

    fn serialize_bool(self, value: bool) -> Result<(), json::Error> {
        self.out
            .extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_none(self) -> Result<(), json::Error> {
        self.null();
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), json::Error> {
        self.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), json::Error> {
        self.null();
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), json::Error> {
        value.serialize(self.deeper()?)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), json::Error> {
        if name.starts_with("$serde_json::") {
            // Names that serde_json gives a meaning (arbitrary precision, raw values).
            return self.parts().serialize_newtype_struct(name, value);
        }
        value.serialize(self.deeper()?)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), json::Error> {
        self.parts()
            .serialize_newtype_variant(name, index, variant, value)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<(), json::Error> {
        self.parts().collect_str(value)
    }

    delegate! {
        serialize_f32(value: f32) -> ();
        serialize_f64(value: f64) -> ();
        serialize_char(value: char) -> ();
        serialize_bytes(value: &[u8]) -> ();
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str) -> ();
        serialize_seq(length: Option<usize>) -> Made<'a>;
        serialize_tuple(length: usize) -> Made<'a>;
        serialize_tuple_struct(name: &'static str, length: usize) -> Made<'a>;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, length: usize) -> Made<'a>;
        serialize_map(length: Option<usize>) -> Made<'a>;
        serialize_struct(name: &'static str, length: usize) -> Made<'a>;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, length: usize) -> Made<'a>;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct Newtype(u8);
    #[derive(Serialize)]
    struct Tuple(u8, &'static str);
    #[derive(Serialize)]
    struct Struct {
        a: Option<u8>,
        b: Vec<Enum>,
    }
    #[derive(Serialize)]
    enum Enum {
        Unit,
        Newtype(i64),
        Tuple(u8, u8),
        Struct { x: f64 },
    }

    /// Contains itself.
    struct Endless;

    impl Serialize for Endless {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq([Endless])
        }
    }

    /// Wraps itself, which leaves no trace in JSON.
    struct Wrapped;

    impl Serialize for Wrapped {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_newtype_struct("Wrapped", &Some(Wrapped))
        }
    }

    #[test]
    fn what_is_too_large_or_has_no_end_is_refused() {
        type Write = dyn Fn(&mut Vec<u8>, usize) -> Result<(), super::Refused>;
        let refused = |limit, value: &Write| {
            let mut out = Vec::new();
            let refused = value(&mut out, limit).err();
            assert!(out.len() <= limit);
            let expected = match limit {
                usize::MAX => super::Limit::Depth,
                _ => super::Limit::Size,
            };
            assert!(matches!(refused, Some(super::Refused::Limit(met)) if met == expected));
        };
        refused(1000, &|out, limit| {
            super::write(out, limit, &"\u{1}".repeat(500))
        });
        refused(1000, &|out, limit| {
            super::write(out, limit, &"x".repeat(1001))
        });
        refused(1000, &|out, limit| super::write(out, limit, &vec![7; 1001]));
        refused(1000, &|out, limit| {
            super::write(out, limit, &vec!["x".repeat(2000)])
        });
        refused(usize::MAX, &|out, limit| super::write(out, limit, &Endless));
        refused(usize::MAX, &|out, limit| super::write(out, limit, &Wrapped));
    }

    fn same(value: &impl Serialize) {
        let mut out = b"before".to_vec();
        assert!(super::write(&mut out, usize::MAX, value).is_ok());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("before{}", json::to_string(value).unwrap())
        );
    }

    #[test]
    fn it_writes_what_serde_json_writes() {
        same(&"a\"b\n\u{1f600}");
        same(&'c');
        same(&true);
        same(&false);
        same(&());
        same(&(i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN));
        same(&i64::MIN);
        same(&u64::MAX);
        same(&u128::MAX);
        same(&i128::MIN);
        same(&u8::MAX);
        same(&1.5_f32);
        same(&f64::NAN);
        same(&None::<u8>);
        same(&Some("x"));
        same(&Some(Some(3)));
        same(&Unit);
        same(&Newtype(1));
        same(&Tuple(1, "x"));
        same(&[1, 2, 3]);
        same(&BTreeMap::from([(1, "x"), (2, "y")]));
        same(&[
            Enum::Unit,
            Enum::Newtype(-1),
            Enum::Tuple(1, 2),
            Enum::Struct { x: 0.1 },
        ]);
        same(&Enum::Unit);
        same(&Enum::Newtype(7));
        same(&Enum::Struct { x: 1e300 });
        same(&Struct {
            a: None,
            b: vec![Enum::Unit],
        });
        same(&std::time::Duration::from_millis(1500));
        same(&std::net::Ipv4Addr::LOCALHOST);
        same(&json::json!({"k": [1, null, {"x": "y"}]}));
    }
}
