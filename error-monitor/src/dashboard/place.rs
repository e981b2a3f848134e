//! Where the page is, and the way from it to the endpoints.

/// What the builder was told of the page's place.
#[derive(Clone, Debug, Default)]
pub(crate) enum DashboardPlace {
    /// Nothing: it goes by the mount point.
    #[default]
    BesideMount,
    At(String),
    Nowhere,
}

impl DashboardPlace {
    /// The path, with a `/` at its end.
    pub(crate) fn resolve(self, mount: &str) -> Option<String> {
        match self {
            Self::At(path) => Some(path),
            Self::Nowhere => None,
            Self::BesideMount => Some(match mount.strip_suffix("/api/monitoring") {
                // The root is the application's.
                Some("") | None => format!("{mount}/dashboard/"),
                Some(before) => format!("{before}/"),
            }),
        }
    }
}

/// The way from the page to the endpoints. It holds wherever both are nested, and behind a proxy that adds to
/// their path.
pub(super) fn relative(place: &str, mount: &str) -> String {
    let from: Vec<_> = place.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<_> = mount.split('/').filter(|part| !part.is_empty()).collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut way = "../".repeat(from.len() - shared);
    for part in &to[shared..] {
        way.push_str(part);
        way.push('/');
    }
    if way.is_empty() { "./".to_owned() } else { way }
}

#[cfg(test)]
mod tests {
    use super::{DashboardPlace, relative};

    #[test]
    fn the_page_is_beside_its_endpoints() {
        for (mount, place) in [
            ("/admin/api/monitoring", "/admin/"),
            ("/a/b/api/monitoring", "/a/b/"),
            ("/api/monitoring", "/api/monitoring/dashboard/"),
            ("/errors", "/errors/dashboard/"),
        ] {
            let resolved = DashboardPlace::BesideMount.resolve(mount);
            assert_eq!(resolved.as_deref(), Some(place), "{mount}");
        }
    }

    #[test]
    fn the_way_to_the_endpoints_is_relative() {
        for (place, mount, way) in [
            ("/admin/", "/admin/api/monitoring", "api/monitoring/"),
            ("/errors/dashboard/", "/errors", "../"),
            ("/", "/admin/api/monitoring", "admin/api/monitoring/"),
            ("/ops/page/", "/admin/api", "../../admin/api/"),
            ("/errors/", "/errors", "./"),
        ] {
            assert_eq!(relative(place, mount), way, "{place} {mount}");
        }
    }
}
