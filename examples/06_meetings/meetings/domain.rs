//! Meetings, and what makes a request for one a good one.

use std::fmt;

use error_runtime::{Pointer, Violations};
use serde::{Deserialize, Serialize, Serializer};

/// A moment of the calendar, written as RFC 3339 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(jiff::Timestamp);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A room, and how many it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) name: &'static str,
    pub(crate) capacity: usize,
}

const ROOMS: [Room; 2] = [
    Room {
        name: "attic",
        capacity: 3,
    },
    Room {
        name: "hall",
        capacity: 40,
    },
];

/// What a caller sends: nothing of it has been looked at.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MeetingRequest {
    title: String,
    room: String,
    start_time: String,
    end_time: String,
    /// Who is invited, besides the organiser.
    #[serde(default)]
    invited: Vec<String>,
}

/// The same, when every rule holds that needs no calendar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) title: String,
    pub(crate) room: Room,
    pub(crate) start_time: Moment,
    pub(crate) end_time: Moment,
    pub(crate) invited: Vec<String>,
}

impl MeetingRequest {
    /// All that is wrong is said at once.
    pub(crate) fn check(self) -> Result<Plan, Violations> {
        let mut wrong = Violations::new();
        if !(1..=80).contains(&self.title.trim().chars().count()) {
            wrong.add("title", "length", "must have 1 to 80 characters");
        }
        let room = ROOMS.into_iter().find(|room| room.name == self.room);
        if room.is_none() {
            wrong.add("room", "unknown", "must be `attic` or `hall`");
        }
        let start_time = moment(&mut wrong, "start_time", &self.start_time);
        let end_time = moment(&mut wrong, "end_time", &self.end_time);
        if let (Some(start), Some(end)) = (start_time, end_time)
            && end <= start
        {
            wrong.add("end_time", "order", "must be after the start");
        }
        for (index, name) in self.invited.iter().enumerate() {
            if name.trim().is_empty() {
                let place = Pointer::from("invited").index(index);
                wrong.add(place, "length", "must not be empty");
            }
        }
        // More than the room ever takes is a mistake of the request. A meeting that is full only now is a
        // conflict: see `MeetingError::MeetingFull`.
        if let Some(room) = room
            && self.invited.len() >= room.capacity
        {
            let most = room.capacity - 1;
            let message = format!("must be at most {most}: the room takes {}", room.capacity);
            wrong.add("invited", "capacity", message);
        }
        match (room, start_time, end_time) {
            (Some(room), Some(start_time), Some(end_time)) if wrong.is_empty() => Ok(Plan {
                title: self.title.trim().to_owned(),
                room,
                start_time,
                end_time,
                invited: self.invited,
            }),
            _ => Err(wrong),
        }
    }
}

fn moment(wrong: &mut Violations, place: &'static str, text: &str) -> Option<Moment> {
    let moment = text.parse().ok().map(Moment);
    if moment.is_none() {
        wrong.add(place, "format", "must be like 2027-03-01T09:00:00Z");
    }
    moment
}

/// A meeting in the calendar.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Meeting {
    pub(crate) id: u64,
    /// Grows with every change.
    pub(crate) version: u64,
    pub(crate) title: String,
    #[serde(serialize_with = "by_name")]
    pub(crate) room: Room,
    pub(crate) start_time: Moment,
    pub(crate) end_time: Moment,
    pub(crate) organiser: String,
    /// The organiser too.
    pub(crate) attendees: Vec<String>,
}

fn by_name<S: Serializer>(room: &Room, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(room.name)
}

impl Meeting {
    pub(crate) fn new(id: u64, version: u64, organiser: &str, plan: Plan) -> Self {
        let mut attendees = vec![organiser.to_owned()];
        attendees.extend(plan.invited);
        Self {
            id,
            version,
            title: plan.title,
            room: plan.room,
            start_time: plan.start_time,
            end_time: plan.end_time,
            organiser: organiser.to_owned(),
            attendees,
        }
    }

    /// Whether the plan wants the same room at the same time. The end is not part of a meeting.
    pub(crate) fn overlaps(&self, plan: &Plan) -> bool {
        self.room == plan.room && self.start_time < plan.end_time && plan.start_time < self.end_time
    }
}

/// Which meetings are listed.
#[derive(Debug, Deserialize)]
pub(crate) struct PageRequest {
    /// Those after this one, by id.
    #[serde(default)]
    pub(crate) after: u64,
    #[serde(default = "usual_limit")]
    limit: usize,
}

const fn usual_limit() -> usize {
    20
}

impl PageRequest {
    pub(crate) fn limit(&self) -> Result<usize, Violations> {
        let mut wrong = Violations::new();
        if !(1..=100).contains(&self.limit) {
            wrong.add("limit", "range", "must be 1 to 100");
        }
        wrong.into_result(|wrong| wrong).map(|()| self.limit)
    }
}

/// Some meetings, by id.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    pub(crate) meetings: Vec<Meeting>,
    /// The `after` of the next page, where there is one.
    pub(crate) next: Option<u64>,
}
