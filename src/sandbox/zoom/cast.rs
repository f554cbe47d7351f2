//! Setting the scene: who there is at Zoom, and which meetings they host.

use super::meeting::{Kind, Meeting, Stream, Target, ToStrangers};
use super::world::User;
use super::{SimZoom, life};

impl SimZoom {
    /// The user with this address in the account `acct-0001`, made if new: licensed, with the webinar plan.
    pub fn user(&self, email: &str) -> User {
        self.user_in_account("acct-0001", email)
    }

    /// The user with this address in an account, made if new.
    pub fn user_in_account(&self, account_id: &str, email: &str) -> User {
        self.world.change(|state| {
            let known = state.users.iter().find(|user| user.email == email && user.account_id == account_id);
            known.cloned().unwrap_or_else(|| {
                let user = new_user(state.users.len() + 1, account_id, email);
                state.users.push(user.clone());
                user
            })
        })
    }

    /// Changes a user: licence, plan, existence.
    pub fn edit_user(&self, user: &User, edit: impl FnOnce(&mut User)) {
        self.world.change(|state| match state.users.iter_mut().find(|known| known.id == user.id) {
            Some(known) => edit(known),
            None => state.complaints.push(format!("edit_user: no user {}", user.id)),
        });
    }

    /// A scheduled meeting of this host: streaming allowed and set up, but not in progress.
    pub fn meeting(&self, host: &User) -> u64 {
        self.new_meeting(host, Kind::Meeting, None)
    }

    /// A scheduled meeting with this number.
    pub fn meeting_numbered(&self, host: &User, id: u64) -> u64 {
        self.new_meeting(host, Kind::Meeting, Some(id))
    }

    /// A meeting in progress.
    pub fn meeting_in_progress(&self, host: &User) -> u64 {
        let id = self.meeting(host);
        self.begin(id);
        id
    }

    /// A scheduled webinar: streaming allowed and set up, but not in progress.
    pub fn webinar(&self, host: &User) -> u64 {
        self.new_meeting(host, Kind::Webinar, None)
    }

    /// A scheduled webinar with this number.
    pub fn webinar_numbered(&self, host: &User, id: u64) -> u64 {
        self.new_meeting(host, Kind::Webinar, Some(id))
    }

    /// A webinar in progress.
    pub fn webinar_in_progress(&self, host: &User) -> u64 {
        let id = self.webinar(host);
        self.begin(id);
        id
    }

    fn new_meeting(&self, host: &User, kind: Kind, id: Option<u64>) -> u64 {
        let now = self.world.clock.now();
        self.world.change(|state| {
            // Eleven digits, as Zoom gives them out: they do not fit in 32 bits.
            let id = id.unwrap_or(81_200_000_001 + state.meetings.len() as u64);
            let number = state.meetings.len() + 1;
            state.meetings.push(Meeting {
                id,
                kind,
                uuid: life::uuid(id, 0),
                topic: format!("{kind:?} {number}"),
                host: host.id.clone(),
                running: false,
                e2ee: false,
                streaming_allowed: true,
                target: Some(Target::example(number as u64)),
                reachable: true,
                practice_session: false,
                to_strangers: ToStrangers::Missing,
                stream: Stream::Idle,
                begins: now,
                last_start: None,
                turn: 0,
            });
            id
        })
    }

    /// Changes a meeting or webinar. One that is in progress thereby begins, one that is no longer ends.
    pub fn edit_meeting(&self, id: u64, edit: impl FnOnce(&mut Meeting)) {
        let now = self.world.clock.now();
        self.world.change(|state| match state.meeting(id) {
            Some(meeting) => {
                let before = meeting.running;
                edit(meeting);
                match (before, meeting.running) {
                    (false, true) => state.begin(now, id),
                    (true, false) => state.end(now, id),
                    (true, true) | (false, false) => {}
                }
            }
            None => state.complaints.push(format!("edit_meeting: no meeting {id}")),
        });
    }

    /// Deletes the meeting.
    pub fn delete(&self, id: u64) {
        self.world.change(|state| state.meetings.retain(|meeting| meeting.id != id));
    }

    /// The meeting as it is now.
    pub fn meeting_now(&self, id: u64) -> Option<Meeting> {
        self.world.read(|state| state.known_meeting(id).cloned())
    }
}

fn new_user(number: usize, account_id: &str, email: &str) -> User {
    let first_name = email.split('@').next().unwrap_or_default().to_owned();
    User {
        id: format!("zuser-{number:04}"),
        account_id: account_id.to_owned(),
        email: email.to_owned(),
        display_name: format!("{first_name} Example"),
        first_name,
        last_name: "Example".to_owned(),
        licensed: true,
        webinar_plan: true,
        streaming_allowed: true,
        custom_streaming_allowed: true,
        full_hd: false,
        pmi: 5_551_230_000 + number as u64,
        exists: true,
    }
}
