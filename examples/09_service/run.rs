//! One run: everything is started, goes on for a while, and is ended in an order that loses no answer.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use error_monitor::{LogFiles, Monitor, WithAdmin};
use error_runtime::Breakers;
use error_runtime::time::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::Arguments;
use crate::alerts::{self, Receiver};
use crate::app::{self, App, Hook, Tokens};
use crate::others::Others;
use crate::password::random_hex;
use crate::report::{self, Admin, Counts, Row};
use crate::scenario;
use crate::stop::{Stop, stop};
use crate::story::Story;
use crate::tally::Tally;
use crate::traffic::Traffic;
use crate::uploads;
use crate::upstreams::{Switches, Upstreams};

type Failure = Box<dyn Error + Send + Sync>;

/// Longer than the service may ever take: each answer is to be seen, or the numbers cannot be equal.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the clients and the monitor saw the same.
pub(crate) async fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let listener = listen(arguments.port).await?;
    let address = listener.local_addr()?;
    // Removed when it is dropped.
    let folder = tempfile::Builder::new()
        .prefix("media-service-")
        .tempdir()?;
    let (files, _) = LogFiles::new(folder.path().join("logs")).layer();
    tracing_subscriber::registry().with(files).try_init()?;
    let story = Story::new(arguments.seconds);
    let interrupted = on_interrupt(folder.path().to_owned());

    let usual = if arguments.quiet_upstreams {
        Switches::default()
    } else {
        scenario::USUAL
    };
    let upstreams = Upstreams::start(arguments.seed, usual, &story).await?;
    let mut key = vec![0; 32];
    getrandom::fill(&mut key)?;
    let secret = alerts::secret(&key);
    let (receiver, hook) = Receiver::start(key, &story).await?;
    let tokens = Tokens {
        operator: token("SERVICE_ADMIN_TOKEN")?,
        viewer: token("SERVICE_VIEWER_TOKEN")?,
    };
    let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let hook = Hook {
        address: hook,
        secret: &secret,
    };
    let monitor = app::monitor(folder.path(), &tokens, hook, &http, &upstreams).await?;
    let app = App::new(&http, &upstreams, folder.path(), &story)?;
    let (others, tally) = (Others::default(), Tally::default());
    let begun = Timestamp::now();
    let service = app::router(Arc::clone(&app), &monitor, &others);
    tokio::spawn(async move { axum::serve(listener, service).await });

    let transitions = Arc::new(Mutex::new(Counts::new()));
    let noted = Arc::clone(&transitions);
    scenario::tell_of_circuits(&story, move |event| {
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        *noted.entry(report::transition_of(event)).or_default() += 1;
    });
    introduce(address, &upstreams, &tokens, &folder.path().join("logs"));
    if !arguments.quiet_upstreams {
        println!("The scenario moves the same switches; --quiet-upstreams leaves them to you.\n");
    }

    let (end_of_traffic, traffic_stop) = stop();
    let (end_of_work, work_stop) = stop();
    let url = format!("http://{address}");
    let traffic = Traffic::new(&http, url.clone(), arguments.seed, &tally);
    let traffic = tokio::spawn(traffic.run(story.clone(), traffic_stop.clone()));
    let mut work = work(&app, &work_stop);
    if arguments.quiet_upstreams {
        story.say("the servers behind the service are as you make them");
    } else {
        let play = scenario::play(
            upstreams.clone(),
            arguments.seconds,
            story.clone(),
            traffic_stop,
        );
        tokio::spawn(play);
    }

    match arguments.seconds {
        0 => interrupted.notified().await,
        seconds => {
            let end = tokio::time::timeout(Duration::from_secs(seconds), interrupted.notified());
            // Either is an end.
            let _ = end.await;
        }
    }
    // Clients first, and with them all answers; then what goes on behind, so that no circuit moves any more.
    story.say("the end: waiting for the last answers");
    end_of_traffic.stop();
    traffic.await?;
    end_of_work.stop();
    while let Some(ended) = work.join_next().await {
        ended?;
    }
    story.end();

    let admin = Admin {
        http,
        url,
        token: tokens.viewer,
    };
    let seen = Seen {
        begun,
        app: &app,
        tally: &tally,
        others: &others,
        transitions: transitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone(),
        receiver: &receiver,
    };
    let is_equal = summary(&seen, &admin, &monitor).await?;
    monitor.shutdown().await;
    folder.close()?;
    Ok(is_equal)
}

async fn listen(port: u16) -> Result<TcpListener, Failure> {
    let taken = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} is taken by another program; choose another with --port {}, or any free one with --port 0",
            port.checked_add(1).unwrap_or(8080)
        ),
        _ => format!("port {port} cannot be had: {error}"),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    listener.map_err(|error| taken(error).into())
}

/// Of the environment, or a new one.
fn token(variable: &str) -> Result<String, Failure> {
    match std::env::var(variable) {
        Ok(token) if token.len() >= 16 => Ok(token),
        Ok(_) => Err(format!("{variable} has fewer than 16 characters").into()),
        Err(_) => Ok(random_hex()?.split_off(32)),
    }
}

/// The first Ctrl-C ends the run as its time would; the second ends the process.
fn on_interrupt(folder: PathBuf) -> Arc<Notify> {
    let interrupted = Arc::new(Notify::new());
    let notify = Arc::clone(&interrupted);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            notify.notify_one();
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            // Nothing is dropped from here on.
            let _ = std::fs::remove_dir_all(folder);
            std::process::exit(130);
        }
    });
    interrupted
}

/// What goes on behind the answers.
fn work(app: &Arc<App>, stop: &Stop) -> JoinSet<()> {
    let mut work = JoinSet::new();
    for _ in 0..4 {
        work.spawn(crate::jobs::worker(Arc::clone(app), stop.clone()));
    }
    work.spawn(crate::storage::mover(Arc::clone(app), stop.clone()));
    work
}

fn introduce(address: SocketAddr, upstreams: &Upstreams, tokens: &Tokens, logs: &std::path::Path) {
    println!("the service:    http://{address}");
    println!("the dashboard:  http://{address}/admin/");
    println!("  to act, sign in with   {}", tokens.operator);
    println!("  only to look, with     {}", tokens.viewer);
    println!("the same as JSON:");
    println!(
        "  curl -H 'Authorization: Bearer {}' 'http://{address}/admin/api/monitoring/errors/stats?group_by=code'",
        tokens.viewer
    );
    println!("the log files:  {}, until the end", logs.display());
    println!("the servers behind it, and how to make one fail by hand, or well again with false:");
    for upstream in upstreams.all() {
        println!(
            "  {:9} curl -X PUT -H 'Content-Type: application/json' -d '{{\"outage\":true}}' {}/switches",
            upstream.name(),
            upstream.url()
        );
    }
    println!();
}

/// What is known without the monitor.
struct Seen<'a> {
    begun: Timestamp,
    app: &'a App,
    tally: &'a Tally,
    others: &'a Others,
    transitions: Counts,
    receiver: &'a Receiver,
}

/// Prints it; whether everything is equal.
async fn summary(
    seen: &Seen<'_>,
    admin: &Admin,
    monitor: &Monitor<WithAdmin>,
) -> Result<bool, Failure> {
    monitor.flush().await;
    let answers = seen.tally.now();
    let by_others = report::asked_by_others(&seen.others.asked());
    let codes = admin.answers(seen.begun).await?;
    let codes = report::compare(&report::answers_of(&answers), &by_others, &codes);
    // A circuit is there from its first call on.
    let services = ["mail", "payments", "renderer", "storage"];
    let used = |service: &&str| Breakers::global().get(service).is_some();
    let changes = admin.transitions(services.into_iter().filter(used)).await?;
    let changes = report::compare(&seen.transitions, &Counts::new(), &changes);

    println!("\n== The clients, and the monitor's errors/stats?group_by=code");
    print(&report::table("answers", "clients", &codes));
    println!("\n== The circuits, and the monitor's circuit-breakers/{{service}}/events");
    print(&report::table("changes", "seen", &changes));
    println!("\n== Besides");
    let statuses = answers.by_status.iter();
    let statuses: Vec<_> = statuses
        .map(|(status, count)| format!("{count} of {status}"))
        .collect();
    println!("answers by status:  {}", statuses.join(", "));
    let (moved, local) = uploads::counts(seen.app);
    println!("uploads:            {moved} in the object storage, {local} on the local disk");
    let (sent, logged) = seen.app.mail.counts();
    println!("e-mails:            {sent} sent, {logged} in the log alone");
    let (received, refused) = seen.receiver.counts();
    println!("alerts:             {received} received, {refused} refused for their signature");
    for (error, count) in &answers.unanswered {
        println!("without an answer:  {count} requests, {error}");
    }
    Ok(verdict(
        &[codes, changes].concat(),
        answers.unanswered.is_empty(),
    ))
}

fn print(lines: &[String]) {
    for line in lines {
        println!("{line}");
    }
}

fn verdict(rows: &[Row], all_answered: bool) -> bool {
    let differing = rows.iter().filter(|row| !row.is_equal()).count();
    if differing == 0 && all_answered {
        println!("\nThe clients and the monitor saw the same.");
        true
    } else {
        println!("\nThe clients and the monitor did not see the same: {differing} lines differ.");
        false
    }
}
