//! Which of the formats on offer a request wants (RFC 9110 §12.5.1).

/// The most ranges that are read of one header: nobody needs more, and a hostile one has thousands.
const MAX_RANGES: usize = 64;

/// A media type that can be sent: `application`, `json`; in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    kind: Box<str>,
    subtype: Box<str>,
}

impl MediaType {
    /// What nothing asks for.
    pub(crate) fn none() -> Self {
        Self {
            kind: "".into(),
            subtype: "".into(),
        }
    }

    /// Of the value of a `Content-Type`.
    pub(crate) fn parse(content_type: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(content_type).ok()?;
        let essence = text.split(';').next()?.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        Some(Self {
            kind: kind.into(),
            subtype: subtype.into(),
        })
    }

    /// How closely a range names this type; nothing if it does not.
    fn closeness(&self, kind: &str, subtype: &str) -> Option<Closeness> {
        let same = |own: &str, other: &str| own.eq_ignore_ascii_case(other);
        if kind == "*" {
            return (subtype == "*").then_some(Closeness::All);
        }
        if !same(&self.kind, kind) {
            return None;
        }
        if subtype == "*" {
            return Some(Closeness::Kind);
        }
        same(&self.subtype, subtype).then_some(Closeness::Exact)
    }

    /// Whether a range names a format that is made of this type: `application/vnd.example+json` is JSON,
    /// and who asks for it can read JSON.
    fn is_base_of(&self, kind: &str, subtype: &str) -> bool {
        let suffix = subtype.rsplit_once('+').map(|(_, suffix)| suffix);
        self.kind.eq_ignore_ascii_case(kind)
            && suffix.is_some_and(|suffix| self.subtype.eq_ignore_ascii_case(suffix))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    All,
    Kind,
    Exact,
}

/// The index of the offer that an `Accept` likes best; among equals the first. Nothing if it likes none.
pub(crate) fn best<'a>(
    accept: &[u8],
    offers: &(impl Iterator<Item = &'a MediaType> + Clone),
) -> Option<usize> {
    let mut best = None;
    for (index, offer) in offers.clone().enumerate() {
        let quality = quality(accept, offer);
        if quality > best.map_or(0, |(_, quality)| quality) {
            best = Some((index, quality));
        }
    }
    let by_suffix = || {
        let mut wanted = ranges(accept).take(MAX_RANGES).filter_map(parse_range);
        wanted.find_map(|(kind, subtype, quality)| {
            let mut offers = offers.clone();
            let index = offers.position(|offer| offer.is_base_of(kind, subtype));
            index.filter(|_| quality > 0)
        })
    };
    best.map(|(index, _)| index).or_else(by_suffix)
}

/// How much an `Accept` likes a type, in thousandths: what the closest range says.
fn quality(accept: &[u8], offer: &MediaType) -> u16 {
    let mut found: Option<(Closeness, u16)> = None;
    for range in ranges(accept).take(MAX_RANGES) {
        let Some((kind, subtype, quality)) = parse_range(range) else {
            continue;
        };
        let Some(closeness) = offer.closeness(kind, subtype) else {
            continue;
        };
        found = match found {
            Some((before, _)) if before > closeness => found,
            // Named twice: the better of both.
            Some((before, other)) if before == closeness => Some((closeness, quality.max(other))),
            _ => Some((closeness, quality)),
        };
    }
    found.map_or(0, |(_, quality)| quality)
}

/// The parts between commas; a comma in a quoted parameter divides nothing.
fn ranges(accept: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    accept.split(move |byte| {
        if escaped {
            escaped = false;
            return false;
        }
        match byte {
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' => return !quoted,
            _ => {}
        }
        false
    })
}

/// Type, subtype and quality of a range; nothing if it is none.
fn parse_range(range: &[u8]) -> Option<(&str, &str, u16)> {
    let text = std::str::from_utf8(range).ok()?;
    let mut parts = text.split(';');
    let (kind, subtype) = parts.next()?.trim().split_once('/')?;
    if kind.is_empty() || subtype.is_empty() {
        return None;
    }
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name.trim().eq_ignore_ascii_case("q") {
            return Some((kind, subtype, parse_quality(value.trim())?));
        }
    }
    Some((kind, subtype, 1000))
}

/// `0`, `0.5`, `1.000` in thousandths; nothing if it is malformed.
fn parse_quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut thousandths = 0;
    for place in 0..3 {
        let digit = fraction.as_bytes().get(place).map_or(0, |byte| byte - b'0');
        thousandths = thousandths * 10 + u16::from(digit);
    }
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [&str; 3] = [
        "application/json",
        "application/problem+json",
        "text/html; charset=utf-8",
    ];

    fn chosen(accept: &[u8]) -> Option<&'static str> {
        let offers = OFFERS.map(|offer| MediaType::parse(offer.as_bytes()).unwrap());
        best(accept, &offers.iter()).map(|index| OFFERS[index])
    }

    #[test]
    fn the_best_liked_offer_is_chosen() {
        let (json, problem, html) = (Some(OFFERS[0]), Some(OFFERS[1]), Some(OFFERS[2]));
        for (accept, expected) in [
            ("*/*", json),
            ("application/json", json),
            ("APPLICATION/JSON", json),
            ("application/problem+json", problem),
            ("application/json;q=0.5, application/problem+json", problem),
            ("application/*", json),
            ("text/*", html),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                html,
            ),
            ("text/html;q=0.1, */*;q=0.2", json),
            ("*/*;q=0.9, application/json;q=0", problem),
            ("application/json;q=0, text/html;q=0.001", html),
            ("application/json;q=0", None),
            ("image/png", None),
            ("", None),
            (",,;q=1,/,*/json", None),
            ("application/vnd.example.v2+json", json),
            (
                "application/json;version=\"1,2\";q=0.3, text/html;q=0.2",
                json,
            ),
            ("application/json;q=1.5, text/html;q=0.2", html),
            ("application/json;q=0.1234, text/html;q=0.2", html),
            ("application/json ; q=0.3 , text/html;Q=0.4", html),
            ("text/html;q=.5", None),
        ] {
            assert_eq!(chosen(accept.as_bytes()), expected, "{accept}");
        }
        assert_eq!(chosen(b"\xff\xfe, text/html"), html);
    }

    #[test]
    fn a_hostile_header_costs_little() {
        let many = "x/y;q=0.1,".repeat(6_500);
        assert_eq!(chosen(many.as_bytes()), None);
        let late = format!("{many}application/json");
        assert_eq!(
            chosen(late.as_bytes()),
            None,
            "beyond the limit nothing is read"
        );
    }
}
