//! The two formats of Prometheus, and which of them is wanted.

use std::fmt::Write as _;

/// Prometheus' older format: a counter is described by its whole name, and there is no end.
pub(super) fn plain(text: &str) -> String {
    let mut counters: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(name) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.strip_suffix(" counter"))
        {
            counters.push(name);
        }
    }
    let mut out = String::with_capacity(text.len() + 1024);
    for line in text
        .lines()
        .filter(|line| *line != "# EOF" && !line.starts_with("# UNIT "))
    {
        let described = line
            .strip_prefix("# HELP ")
            .or_else(|| line.strip_prefix("# TYPE "));
        match described.and_then(|rest| rest.split_once(' ')) {
            Some((name, rest)) if counters.contains(&name) => {
                let _ = writeln!(out, "{} {name}_total {rest}", &line[..6]);
            }
            _ => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// Whether somebody who says this in `Accept` would rather have the format of `OpenMetrics`.
pub(crate) fn prefers_open_metrics(accept: &str) -> bool {
    let quality = |wanted: &str| {
        accept
            .split(',')
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let name = parts.next()?;
                let weight = parts.find_map(|part| part.strip_prefix("q="));
                let weight: f32 = weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0);
                name.eq_ignore_ascii_case(wanted).then_some(weight)
            })
            .fold(None, |best: Option<f32>, weight| {
                Some(best.map_or(weight, |best| best.max(weight)))
            })
    };
    let open = quality("application/openmetrics-text").unwrap_or(0.0);
    open > 0.0 && open >= quality("text/plain").unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_decides() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert!(prefers_open_metrics(prometheus));
        assert!(prefers_open_metrics("application/openmetrics-text"));
        for plain in [
            "",
            "*/*",
            "text/plain",
            "application/openmetrics-text;q=0",
            "text/plain, application/openmetrics-text;q=0.5",
        ] {
            assert!(!prefers_open_metrics(plain), "{plain}");
        }
    }

    #[test]
    fn counters_are_described_by_their_whole_name() {
        let open = "# HELP a Some.\n# TYPE a counter\na_total{x=\"# TYPE b counter\"} 1\n# HELP b Other.\n# TYPE b gauge\nb 2\n# EOF\n";
        assert_eq!(
            plain(open),
            "# HELP a_total Some.\n# TYPE a_total counter\na_total{x=\"# TYPE b counter\"} 1\n# HELP b Other.\n# TYPE b gauge\nb 2\n"
        );
    }
}
