//! How `PostgreSQL` is reached.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::StoreError;

const CONNECTIONS: usize = 6;

/// A pool for this URL, and a name for it without its password.
pub(super) fn pool(url: &str) -> Result<(String, Pool), StoreError> {
    let (url, authority) = take_authority(url);
    let unreadable = |why: String| StoreError::Failed(format!("the URL of PostgreSQL: {why}"));
    // What the parser says may quote a part of the password.
    let mut config: Config = url.parse().map_err(|_: tokio_postgres::Error| {
        unreadable("it cannot be read; expected postgres://user:password@host/database".to_owned())
    })?;
    if config.get_hosts().is_empty() {
        return Err(unreadable("it names no host".to_owned()));
    }
    let has_at = |host: &Host| matches!(host, Host::Tcp(host) if host.contains('@'));
    if config.get_hosts().iter().any(has_at) {
        return Err(unreadable(
            "an `@` in a password is written as %40".to_owned(),
        ));
    }
    let is_local = |host: &Host| !matches!(host, Host::Tcp(_));
    if config.get_ssl_mode() == SslMode::Prefer {
        if url.contains("sslmode") {
            let why = "`sslmode=prefer` does without encryption when it is told to; say `require` or `disable`";
            return Err(unreadable(why.to_owned()));
        }
        // Who stands between could say that there is no encryption, and would be given the password.
        let local = config.get_hosts().iter().all(is_local);
        config.ssl_mode(if local {
            SslMode::Disable
        } else {
            SslMode::Require
        });
    }
    config
        .connect_timeout(Duration::from_secs(3))
        .keepalives_idle(Duration::from_secs(30))
        .tcp_user_timeout(Duration::from_secs(15));
    if config.get_application_name().is_none() {
        config.application_name("error-monitor");
    }
    if config.get_options().is_none() {
        // What we have stopped waiting for, the server should stop too.
        config.options("-c statement_timeout=20s -c lock_timeout=4s -c idle_in_transaction_session_timeout=30s");
    }
    let name = name(&config);
    let tls = MakeRustlsConnect::new(tls(authority.as_deref())?);
    let manager_config = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = Manager::from_config(config, tls, manager_config);
    let wait = Some(Duration::from_secs(4));
    let pool = Pool::builder(manager)
        .max_size(CONNECTIONS)
        .timeouts(Timeouts {
            wait,
            create: wait,
            recycle: wait,
        })
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok((name, pool))
}

/// The URL without `sslrootcert=…`, which is read here.
fn take_authority(url: &str) -> (String, Option<String>) {
    const KEY: &str = "sslrootcert=";
    let Some(start) = url.find(KEY) else {
        return (url.to_owned(), None);
    };
    let value = &url[start + KEY.len()..];
    let end = value.find(['&', ' ']).unwrap_or(value.len());
    let decoded =
        form_urlencoded::parse(&value.as_bytes()[..end]).map(|(name, _)| name.into_owned());
    let mut rest = format!(
        "{}{}",
        &url[..start],
        value[end..].trim_start_matches(['&', ' '])
    );
    while rest.ends_with(['&', '?', ' ']) {
        rest.pop();
    }
    (rest, decoded.last())
}

fn name(config: &Config) -> String {
    let host = config
        .get_hosts()
        .first()
        .map_or_else(String::new, |host| match host {
            Host::Tcp(host) => host.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
    format!(
        "postgres {host}/{}",
        config.get_dbname().unwrap_or("postgres")
    )
}

fn tls(authority: Option<&str>) -> Result<ClientConfig, StoreError> {
    let mut roots = RootCertStore::empty();
    match authority {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let unreadable = |why: String| StoreError::Failed(format!("sslrootcert {file}: {why}"));
            let certificates = CertificateDer::pem_file_iter(file)
                .map_err(|error| unreadable(error.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
                roots
                    .add(certificate)
                    .map_err(|error| unreadable(error.to_string()))?;
            }
        }
    }
    // Named, since a program may have several, and then none is the default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Failed(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

pub(super) fn explain_pool(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(error) => match super::explain(&error) {
            // Whatever a server says to one who knocks, it may say something else later.
            StoreError::Failed(why) => StoreError::Unavailable(why),
            other => other,
        },
        other => StoreError::Unavailable(other.to_string()),
    }
}

/// An error with its causes: tokio-postgres says little by itself.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_taken_out() {
        for (url, rest, authority) in [
            ("postgres://h/db", "postgres://h/db", None),
            (
                "postgres://h/db?sslrootcert=%2Fca.pem",
                "postgres://h/db",
                Some("/ca.pem"),
            ),
            (
                "postgres://h/db?sslrootcert=/ca.pem&sslmode=require",
                "postgres://h/db?sslmode=require",
                Some("/ca.pem"),
            ),
            (
                "postgres://h/db?sslmode=require&sslrootcert=/ca.pem",
                "postgres://h/db?sslmode=require",
                Some("/ca.pem"),
            ),
        ] {
            assert_eq!(
                take_authority(url),
                (rest.to_owned(), authority.map(str::to_owned)),
                "{url}"
            );
        }
    }

    #[test]
    fn a_name_has_no_password() {
        let (name, _) = pool("postgres://me:hunter2@db.example:5433/app").unwrap();
        assert_eq!(name, "postgres db.example/app");
        assert!(
            pool("postgres://me:hunter2@")
                .is_err_and(|error| !error.to_string().contains("hunter2"))
        );
        assert!(pool("what").is_err());
        assert!(pool("postgres://db.example/app?sslmode=prefer").is_err());
        assert!(pool("postgres://db.example/app?sslmode=disable").is_ok());
    }
}
