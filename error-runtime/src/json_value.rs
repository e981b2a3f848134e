//! A detail's value as JSON. Strings and numbers, which most details are, are written here; whatever
//! is made of parts goes to `serde_json`.

use json::ser::{CompactFormatter, Compound};
use serde::ser::{Serialize, Serializer};

use crate::json_text;

/// Appends `value`.
#[inline]
pub(crate) fn write<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
) -> Result<(), json::Error> {
    let mut parts = None;
    value.serialize(Value {
        out,
        parts: &mut parts,
    })
}

/// The serializer of `serde_json`, made when a value turns out to have parts.
type Parts<'a> = json::Serializer<&'a mut Vec<u8>>;

struct Value<'a> {
    out: &'a mut Vec<u8>,
    parts: &'a mut Option<Parts<'a>>,
}

impl<'a> Value<'a> {
    fn parts(self) -> &'a mut Parts<'a> {
        self.parts.insert(json::Serializer::new(self.out))
    }

    fn null(self) {
        self.out.extend_from_slice(b"null");
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

type Made<'a> = Compound<'a, &'a mut Vec<u8>, CompactFormatter>;

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
        json_text::string(self.out, value);
        Ok(())
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
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), json::Error> {
        // serde_json knows some names of its own (arbitrary precision, raw values).
        self.parts().serialize_newtype_struct(name, value)
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

    fn same(value: &impl Serialize) {
        let mut out = b"before".to_vec();
        super::write(&mut out, value).unwrap();
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
