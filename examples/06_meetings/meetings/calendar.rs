//! What can be done with meetings. Nothing in here knows HTTP; that `MeetingError` becomes an answer is
//! its declaration's matter.

use std::sync::Arc;

use crate::meetings::auth::User;
use crate::meetings::domain::{Meeting, MeetingRequest, Page, PageRequest, Plan};
use crate::meetings::errors::MeetingError;
use crate::meetings::preconditions::{Expected, IdempotencyKey};
use crate::meetings::store::{Book, Store};

#[derive(Clone)]
pub(crate) struct Calendar {
    store: Arc<dyn Store>,
}

impl Calendar {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Enters a meeting. The same request under the same key gives the same meeting, and no second one.
    pub(crate) fn create(
        &self,
        user: &User,
        request: MeetingRequest,
        key: Option<IdempotencyKey>,
    ) -> Result<Meeting, MeetingError> {
        let plan = request.check()?;
        let mut book = self.store.open()?;
        let key = key.map(|key| (user.name, key));
        if let Some(key) = &key
            && let Some((answered, meeting)) = book.answered.get(key)
        {
            return if *answered == plan {
                Ok(meeting.clone())
            } else {
                Err(MeetingError::IdempotencyKeyReused)
            };
        }
        must_be_free(&book, &plan, None)?;
        let meeting = Meeting::new(book.next_id(), 1, user.name, plan.clone());
        book.meetings.insert(meeting.id, meeting.clone());
        if let Some(key) = key {
            book.answered.insert(key, (plan, meeting.clone()));
        }
        Ok(meeting)
    }

    pub(crate) fn read(&self, id: u64) -> Result<Meeting, MeetingError> {
        let mut book = self.store.open()?;
        find(&mut book, id).cloned()
    }

    pub(crate) fn list(&self, request: &PageRequest) -> Result<Page, MeetingError> {
        let limit = request.limit()?;
        let book = self.store.open()?;
        let mut rest = book.meetings.values();
        let mut rest = rest.by_ref().filter(|meeting| meeting.id > request.after);
        let meetings: Vec<Meeting> = rest.by_ref().take(limit).cloned().collect();
        // A page that ends with the last meeting is the last.
        let next = rest.next().and(meetings.last()).map(|last| last.id);
        Ok(Page { meetings, next })
    }

    /// Replaces a meeting. Those who have joined are invited anew, or not.
    pub(crate) fn change(
        &self,
        user: &User,
        id: u64,
        expected: &Expected,
        request: MeetingRequest,
    ) -> Result<Meeting, MeetingError> {
        let plan = request.check()?;
        let mut book = self.store.open()?;
        let meeting = find(&mut book, id)?;
        must_organise(user, meeting)?;
        let version = meeting.version;
        if !expected.fits(version) {
            return Err(MeetingError::StaleVersion {
                id,
                current_version: version,
            });
        }
        must_be_free(&book, &plan, Some(id))?;
        let changed = Meeting::new(id, version + 1, user.name, plan);
        book.meetings.insert(id, changed.clone());
        Ok(changed)
    }

    /// Takes a meeting out of the calendar, and gives it back as it was.
    pub(crate) fn cancel(&self, user: &User, id: u64) -> Result<Meeting, MeetingError> {
        let mut book = self.store.open()?;
        must_organise(user, find(&mut book, id)?)?;
        let cancelled = book.meetings.remove(&id);
        cancelled.ok_or(MeetingError::MeetingNotFound { id })
    }

    /// Who takes part already stays so.
    pub(crate) fn join(&self, user: &User, id: u64) -> Result<Meeting, MeetingError> {
        let mut book = self.store.open()?;
        let meeting = find(&mut book, id)?;
        if !meeting.attendees.iter().any(|name| name == user.name) {
            let capacity = meeting.room.capacity;
            if meeting.attendees.len() >= capacity {
                return Err(MeetingError::MeetingFull { id, capacity });
            }
            meeting.attendees.push(user.name.to_owned());
            meeting.version += 1;
        }
        Ok(meeting.clone())
    }
}

fn find(book: &mut Book, id: u64) -> Result<&mut Meeting, MeetingError> {
    let meeting = book.meetings.get_mut(&id);
    meeting.ok_or(MeetingError::MeetingNotFound { id })
}

fn must_organise(user: &User, meeting: &Meeting) -> Result<(), MeetingError> {
    if meeting.organiser == user.name {
        return Ok(());
    }
    Err(MeetingError::NotOrganiser {
        id: meeting.id,
        user: user.name.to_owned(),
    })
}

/// Whether no meeting but `except` is in the way.
fn must_be_free(book: &Book, plan: &Plan, except: Option<u64>) -> Result<(), MeetingError> {
    let others = book.meetings.values();
    let others = others.filter(|other| Some(other.id) != except && other.overlaps(plan));
    let conflicting_meetings: Vec<u64> = others.map(|other| other.id).collect();
    if conflicting_meetings.is_empty() {
        return Ok(());
    }
    Err(MeetingError::MeetingConflict {
        start_time: plan.start_time,
        end_time: plan.end_time,
        conflicting_meetings,
    })
}
