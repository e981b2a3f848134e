//! The writer of an answer's details: no intermediate value, each field straight into the body.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Impossible, SerializeMap, SerializeStruct};

use crate::fault::{self, FaultPart};
use crate::json_text;
use crate::json_value::{self, Limit, Refused as Refusal};
use crate::{ErrorSpec, Violation};

/// The details of one answer while they are written: a JSON object.
///
/// A field that cannot be serialised is left out and reported as a
/// [`RenderFault`](crate::RenderFault); the others stay. Details that would be larger than 256 KiB
/// ([`max_details`](crate::ErrorLayer::max_details) of the layer changes that) are cut off before the field
/// that is too much, with `"truncated":true` as a mark; so is a field of more than a hundred levels.
pub struct Details<'a> {
    out: &'a mut Vec<u8>,
    /// For reports, and so that a flattened field cannot replace a declared one.
    spec: &'static ErrorSpec,
    code: &'a str,
    part: Part,
    /// Nothing is written yet; the object's brace comes with the first field.
    empty: bool,
    has_violations: bool,
    /// The longest that `out` may become.
    limit: usize,
    /// A limit because of which something was left out; from that of the size on, everything.
    beyond: Option<Limit>,
    /// The keys that flattened fields have brought: of two the first stands.
    flattened: Vec<Box<str>>,
}

/// Which details a format asks for. Problem+json sends violations apart from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    WithoutViolations,
    Violations,
}

impl fmt::Debug for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details")
            .field("code", &self.code)
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

impl<'a> Details<'a> {
    pub(crate) fn new(
        out: &'a mut Vec<u8>,
        spec: &'static ErrorSpec,
        code: &'a str,
        part: Part,
        most: usize,
    ) -> Self {
        Self {
            limit: out.len().saturating_add(most),
            beyond: None,
            out,
            spec,
            code,
            part,
            empty: true,
            has_violations: false,
            flattened: Vec::new(),
        }
    }

    /// Adds a member.
    #[inline]
    pub fn field<T: DetailValue + ?Sized>(&mut self, key: &str, value: &T) {
        if self.part != Part::Violations {
            self.member(key, value);
        }
    }

    /// The same for generated code: the key comes as `,"key":`, already escaped.
    #[doc(hidden)]
    #[inline]
    pub fn __field<T: DetailValue + ?Sized>(&mut self, fragment: &'static str, value: &T) {
        if self.part == Part::Violations || self.is_full() {
            return;
        }
        let start = self.out.len();
        self.out.extend_from_slice(fragment.as_bytes());
        if self.empty {
            self.out[start] = b'{';
        }
        match json_value::write(self.out, self.limit, value) {
            Ok(()) => self.empty = false,
            Err(error) => {
                self.out.truncate(start);
                let key = fragment.trim_matches([',', '"', ':']);
                self.fault(key, &error);
            }
        }
    }

    fn is_full(&self) -> bool {
        self.beyond == Some(Limit::Size)
    }

    #[cold]
    fn fault(&mut self, key: &str, error: &Refusal) {
        if let Refusal::Limit(limit) = error {
            self.beyond = Some(*limit);
        }
        fault::report(self.code, FaultPart::Detail(key.to_owned()), error);
    }

    /// Adds every entry of a struct or map; `None` adds nothing. An entry whose key is declared by
    /// the error itself is left out: the declared one stands.
    pub fn flatten<T: DetailValue + ?Sized>(&mut self, value: &T) {
        if self.part == Part::Violations {
            return;
        }
        let start = self.checkpoint();
        if let Err(error) = value.serialize(Flatten {
            details: self,
            key: None,
        }) {
            self.restore(start);
            fault::report(self.code, FaultPart::Flattened, error);
        }
    }

    /// Adds the violations as the member `errors`; none add nothing.
    pub fn violations<V: ViolationsField + ?Sized>(&mut self, violations: &V) {
        let violations = violations.as_ref();
        if violations.is_empty() {
            return;
        }
        if std::mem::replace(&mut self.has_violations, true) {
            let key = FaultPart::Detail("errors".to_owned());
            return fault::report(self.code, key, "violations were given twice");
        }
        match self.part {
            Part::WithoutViolations => {}
            Part::All => self.member("errors", violations),
            Part::Violations => {
                let start = self.out.len();
                self.empty = !self.value("errors", violations);
                if self.empty {
                    self.out.truncate(start);
                }
            }
        }
    }

    /// Closes the object. False if nothing was written.
    pub(crate) fn finish(mut self) -> bool {
        if self.beyond.is_some() && self.part != Part::Violations {
            let mark: &[u8] = if self.empty {
                b"{\"truncated\":true"
            } else {
                b",\"truncated\":true"
            };
            self.out.extend_from_slice(mark);
            self.empty = false;
        }
        if !self.empty && self.part != Part::Violations {
            self.out.push(b'}');
        }
        !self.empty
    }

    fn member<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        if self.is_full() {
            return;
        }
        let start = self.checkpoint();
        self.out.push(if self.empty { b'{' } else { b',' });
        self.empty = false;
        json_text::string(self.out, key);
        self.out.push(b':');
        if !self.value(key, value) {
            self.restore(start);
        }
    }

    #[inline]
    fn value<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> bool {
        match json_value::write(self.out, self.limit, value) {
            Ok(()) => true,
            Err(error) => {
                self.fault(key, &error);
                false
            }
        }
    }

    fn checkpoint(&self) -> (usize, bool) {
        (self.out.len(), self.empty)
    }

    fn restore(&mut self, (length, empty): (usize, bool)) {
        self.out.truncate(length);
        self.empty = empty;
    }
}

/// The type of a field that goes into the details: whatever implements `serde::Serialize`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot go into the details: it does not implement `serde::Serialize`",
    label = "not `Serialize`",
    note = "add `#[derive(serde::Serialize)]` to `{Self}`, or keep the field out with `#[api(skip)]`"
)]
pub trait DetailValue: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> DetailValue for T {}

/// The type of a field marked `#[api(violations)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of violations",
    label = "a field marked `#[api(violations)]` is a `Violations`, a `Vec<Violation>` or another `AsRef<[Violation]>`"
)]
pub trait ViolationsField: AsRef<[Violation]> {}

#[diagnostic::do_not_recommend]
impl<V: AsRef<[Violation]> + ?Sized> ViolationsField for V {}

/// Serialises the entries of a struct or map as members of the details.
struct Flatten<'d, 'a> {
    details: &'d mut Details<'a>,
    /// The key whose value comes next, of a map that serialises them apart.
    key: Option<String>,
}

type Refused = Impossible<(), json::Error>;

fn not_a_map() -> json::Error {
    ser::Error::custom("a flattened field must serialise as a struct or a map")
}

macro_rules! refuse {
    ($($method:ident($ty:ty);)*) => {$(
        fn $method(self, _: $ty) -> Result<(), json::Error> {
            Err(not_a_map())
        }
    )*};
}

impl ser::Serializer for Flatten<'_, '_> {
    type Ok = ();
    type Error = json::Error;
    type SerializeSeq = Refused;
    type SerializeTuple = Refused;
    type SerializeTupleStruct = Refused;
    type SerializeTupleVariant = Refused;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Refused;

    refuse! {
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32);
        serialize_i64(i64); serialize_u8(u8); serialize_u16(u16); serialize_u32(u32);
        serialize_u64(u64); serialize_f32(f32); serialize_f64(f64); serialize_char(char);
        serialize_str(&str); serialize_bytes(&[u8]);
    }

    fn serialize_none(self) -> Result<(), json::Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), json::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), json::Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), json::Error> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), json::Error> {
        Err(not_a_map())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), json::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), json::Error> {
        self.entry(variant, value);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Refused, json::Error> {
        Err(not_a_map())
    }

    fn serialize_tuple(self, _: usize) -> Result<Refused, json::Error> {
        Err(not_a_map())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Refused, json::Error> {
        Err(not_a_map())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Refused, json::Error> {
        Err(not_a_map())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, json::Error> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, json::Error> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Refused, json::Error> {
        Err(not_a_map())
    }
}

impl Flatten<'_, '_> {
    fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        let details = &mut *self.details;
        let taken = details.spec.details.contains(&key)
            || (details.has_violations && key == "errors")
            || details.flattened.iter().any(|other| **other == *key);
        if !taken && !details.is_full() {
            details.flattened.push(key.into());
            details.member(key, value);
        }
    }
}

impl SerializeMap for Flatten<'_, '_> {
    type Ok = ();
    type Error = json::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), json::Error> {
        self.key = Some(match json::to_value(key)? {
            json::Value::String(key) => key,
            json::Value::Number(key) => key.to_string(),
            json::Value::Bool(key) => key.to_string(),
            _ => {
                return Err(ser::Error::custom(
                    "the key of a flattened map must be a string",
                ));
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), json::Error> {
        let key = self
            .key
            .take()
            .ok_or_else(|| <json::Error as ser::Error>::custom("a value without a key"))?;
        self.entry(&key, value);
        Ok(())
    }

    fn end(self) -> Result<(), json::Error> {
        Ok(())
    }
}

impl SerializeStruct for Flatten<'_, '_> {
    type Ok = ();
    type Error = json::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), json::Error> {
        self.entry(key, value);
        Ok(())
    }

    fn end(self) -> Result<(), json::Error> {
        Ok(())
    }
}
