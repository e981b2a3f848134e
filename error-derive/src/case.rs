//! Names in other cases: `HTTPError2` → `HTTP_ERROR2`, `http-error2`, `HTTP error2`.

/// Splits at underscores and where a new word starts: a capital after a small letter or a digit, and
/// the last of several capitals when a small letter follows.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| chars[index]);
        let after = chars.get(index + 1);
        let starts = c.is_uppercase()
            && before.is_some_and(|before| {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase())
            });
        if starts || c == '_' {
            words.push(String::new());
        }
        if let (Some(word), true) = (words.last_mut(), c != '_') {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `NotFound` → `NOT_FOUND`.
pub(crate) fn screaming_snake(name: &str) -> String {
    words(name).join("_").to_uppercase()
}

/// `NOT_FOUND` → `not-found`.
pub(crate) fn kebab_of_code(code: &str) -> String {
    code.to_lowercase().replace('_', "-")
}

/// `NotFound` → `Not found`; words in capitals stay.
pub(crate) fn humanised(name: &str) -> String {
    let mut text = String::new();
    for (index, word) in words(name).into_iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        let acronym = word.len() > 1 && word.chars().all(|c| !c.is_lowercase());
        if acronym {
            text.push_str(&word);
        } else if index == 0 {
            let mut chars = word.chars();
            text.extend(chars.next().into_iter().flat_map(char::to_uppercase));
            text.push_str(chars.as_str());
        } else {
            text.push_str(&word.to_lowercase());
        }
    }
    text
}

/// `start_time` → `startTime`.
pub(crate) fn camel(name: &str) -> String {
    let mut text = String::new();
    for (index, word) in name.split('_').filter(|word| !word.is_empty()).enumerate() {
        let mut chars = word.chars();
        if index == 0 {
            text.push_str(word);
        } else {
            text.extend(chars.next().into_iter().flat_map(char::to_uppercase));
            text.push_str(chars.as_str());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_other_cases() {
        for (name, code, title) in [
            ("NotFound", "NOT_FOUND", "Not found"),
            ("HTTPError", "HTTP_ERROR", "HTTP error"),
            ("Sha256Mismatch", "SHA256_MISMATCH", "Sha256 mismatch"),
            ("A", "A", "A"),
            ("IoError2", "IO_ERROR2", "Io error2"),
            ("Snake_Case", "SNAKE_CASE", "Snake case"),
        ] {
            assert_eq!(
                (screaming_snake(name), humanised(name)),
                (code.into(), title.into())
            );
        }
        assert_eq!(kebab_of_code("NOT_FOUND"), "not-found");
        assert_eq!(camel("start_time"), "startTime");
        assert_eq!(camel("id"), "id");
    }
}
