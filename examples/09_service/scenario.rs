//! What goes wrong, and when. It moves the switches and says so; what comes of it is told by those whom it
//! happens to.

use std::time::Duration;

use error_runtime::{Breakers, TransitionEvent};

use crate::stop::Stop;
use crate::story::Story;
use crate::upstreams::{Switches, Upstreams};

/// How the servers are on a usual day.
pub(crate) const USUAL: Switches = Switches {
    latency_ms: 5,
    failure_rate: 0.02,
    outage: false,
};
/// The least that a run takes in which everything can be seen.
pub(crate) const LEAST_SECONDS: u64 = 15;
/// How long one round is where there is no end.
const ROUND: u64 = 120;

const OUTAGE: Switches = Switches {
    outage: true,
    ..USUAL
};
const SLOW: Switches = Switches {
    latency_ms: 700,
    ..USUAL
};

struct Phase {
    /// Of the whole time, in hundredths.
    share: u64,
    about: &'static str,
    payments: Switches,
    storage: Switches,
    mail: Switches,
}

const fn phase(share: u64, about: &'static str, [payments, storage, mail]: [Switches; 3]) -> Phase {
    Phase {
        share,
        about,
        payments,
        storage,
        mail,
    }
}

const PHASES: [Phase; 6] = [
    phase(
        15,
        "warm-up: everything works, but for a call in fifty",
        [USUAL; 3],
    ),
    phase(
        15,
        "storage: answers take 700 ms from now on",
        [USUAL, SLOW, USUAL],
    ),
    phase(
        20,
        "payments: outage begins; storage is quick again",
        [OUTAGE, USUAL, USUAL],
    ),
    phase(
        20,
        "storage and mail: outage begins; payments are back",
        [USUAL, OUTAGE, OUTAGE],
    ),
    phase(15, "recovery: all servers are back", [USUAL; 3]),
    phase(15, "calm: as in the beginning", [USUAL; 3]),
];

/// Plays it once in so many seconds, or again and again.
pub(crate) async fn play(upstreams: Upstreams, seconds: u64, story: Story, mut stop: Stop) {
    loop {
        for phase in &PHASES {
            story.say(phase.about);
            upstreams.payments.switch(|now| *now = phase.payments);
            upstreams.storage.switch(|now| *now = phase.storage);
            upstreams.mail.switch(|now| *now = phase.mail);
            let round = if seconds == 0 { ROUND } else { seconds };
            let time = Duration::from_millis(round * phase.share * 10);
            if stop.within(time).await {
                return;
            }
        }
        if seconds != 0 {
            return;
        }
    }
}

/// Tells of every change of a circuit, as it happens.
pub(crate) fn tell_of_circuits(
    story: &Story,
    note: impl Fn(&TransitionEvent) + Send + Sync + 'static,
) {
    let story = story.clone();
    Breakers::global().on_transition(move |event| {
        note(event);
        let service = &event.service;
        let (from, to) = (event.transition.from.as_str(), event.transition.to.as_str());
        let meaning = match to {
            "open" => ": answers come at once now",
            "half_open" => ": a few calls find out whether it works again",
            "closed" => " again",
            _ => "",
        };
        story.say(format_args!(
            "the circuit of {service} was {from} and is {to}{meaning}"
        ));
    });
}
