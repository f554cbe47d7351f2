//! Under which key is what kept, whose is it, and for how long?
//!
//! | key | owner | value | life |
//! | --- | --- | --- | --- |
//! | `{journal}:delivery:<seconds>-<sha256>`, `zoom-<sha256>`, or `entry-<name>` | one signed request of Slack, and when that was; one event of Zoom; one entry that no job has | a mark | 15 min, an event 3 h |
//! | `{journal}:audit` | everybody; one log | plain JSON, one [`AuditEntry`](crate::audit::AuditEntry) each | the newest million, or as long as the settings say |
//! | `{journal}:audit:head` | everybody | the number and hash of the log's newest entry | as long as the log |
//! | `{journal}:audit:anchor` | everybody | the number and hash of the last entry that the log has lost by its age | as long as the log |
//! | `{journal}:job:<id>` | one accepted command | sealed [`Job`](crate::journal::Job), with its holder's name | until it is answered |
//! | `{journal}:due` | everybody; one queue | the ids of all jobs by when they may be taken over | while there is a job |
//! | `state:<sha256 of the token>` | one offered connection | sealed [`Pending`](crate::grant::Pending) | 10 min |
//! | `setup:<sha256 of the token>` | one offered page of `setup` | sealed [`Invitation`](crate::destination::Invitation) | 10 min, anew when it is opened |
//! | `install:<sha256 of the state>` | one installation that was made | a mark, so that it is made once | 10 min |
//! | `installation:<enterprise>/<team>`, or `-` for the team | one workspace, or a whole organization | sealed [`Installation`](crate::installation::Installation) | until uninstalled |
//! | `gone:<enterprise>/<team>`, or `-` for the team | one place where the app was taken out | plain JSON, one [`Removed`](crate::installation::Removed) | 25 h |
//! | `{link}:person:<enterprise>/<team>/<user>` | one Slack user | the `{link}:zoom:` key it belongs to | until unlinked |
//! | `{link}:zoom:<zoom user>` | one Zoom user | the `{link}:person:` keys that belong to it | while there is one |
//! | `grant:<zoom user>` | one Zoom user | sealed [`Grant`](crate::grant::Grant) | until deleted |
//! | `lease:refresh:<zoom user>` | who refreshes that user's tokens | the owner's name | given when taken |
//! | `lease:unused` | who looked for unused grants lately | the owner's name | 1 h |
//! | `lease:removal:<enterprise>/<team>`, or `-` for the team | who forgets what belongs to that place | the owner's name | given when taken |
//! | `turn:<number>` | one meeting or webinar, in all workspaces | plain JSON, one [`Turn`](crate::turn::Turn) | 20 s while Zoom is asked, renewed; then 35 min |
//! | `zoom:proven` | everybody | plain JSON, when Zoom last signed with the webhooks' secret, a minute old at the most while it does | for good |
//! | `webinar:<number>` | one webinar | a mark | 30 days |
//! | `stream:<number>` | one meeting or webinar, in all workspaces | sealed [`Stream`](crate::stream::Stream) | 7 days after its last change |
//! | `streams:{<enterprise>/<team>}` | one workspace | plain JSON, one [`StreamRecord`](crate::reply::StreamRecord) per meeting | 24 h each |
//! | `presets:<enterprise>/<team>/<user>` | one Slack user | sealed [`Presets`](crate::preset::Presets) | until the last one is forgotten |
//! | `policy:<enterprise>/<team>` | one workspace | plain JSON, a [`Policy`](crate::policy::Policy) | until it is changed |
//! | `lendings:{<enterprise>/<team>}` | one workspace | plain JSON, one [`Lending`](crate::lend::Lending) per meeting, lender and colleague | each until its end |
//! | `ping` | nobody | a mark that shows that writing works; Redis alone | 60 s |
//!
//! Keys that belong together share a hash tag; but whatever is written down in the log is written with it, in one step, so
//! one Redis has them all, and no Redis Cluster does. On Redis every key stands behind the namespace (`onair:`), and a
//! shelf such as `streams:` or `lendings:` becomes two keys, `…:at` (sorted by expiry) and `…:value`. The namespace is no part of the
//! key that a value is sealed to: a store may be renamed or carried to the other engine as it is.
//!
//! A job has no life, because what was accepted must not end unanswered while the service is away. What is in work is
//! bounded by the places in each instance's queue, what waits for a next try by one for each meeting, and the keepers of
//! streams by one for each. What waits for Slack is bounded by its age: a `response_url` is dead after 30 minutes, and an
//! answer that the bot could post in another way is given up after a day. One that nobody can read is deleted after a day
//! and a half.

use std::fmt;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::grant::StateToken;
use crate::id::{DeliveryId, JobId, Person, Workspace, ZoomUserId};
use crate::installation::Site;
use crate::meeting::MeetingId;

/// Longer than a signature is accepted for, counted from either side of the clock.
pub(crate) const DELIVERY_LIFE: Duration = Duration::from_secs(15 * 60);

/// Longer than Zoom goes on to deliver a report again: an hour and a half after the first time.
pub(crate) const REPORT_LIFE: Duration = Duration::from_secs(3 * 60 * 60);

/// As long as [`Pending::LIFE`](crate::grant::Pending::LIFE) [`Invitation::LIFE`](crate::destination::Invitation::LIFE)
/// and [`Begun::LIFE`](crate::installation::Begun::LIFE).
pub(crate) const STATE_LIFE: Duration = Duration::from_secs(10 * 60);

/// A webinar stays one; after this long it is asked again, in case its number was given to a meeting.
pub(crate) const WEBINAR_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The full name of one record, without the namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    prefix: &'static str,
    text: String,
}

impl Key {
    /// Before the person in the key of their link.
    pub(crate) const PERSON: &str = "{link}:person:";

    /// Before the name of every lease.
    pub(crate) const LEASES: &str = "lease:";

    /// Before the Zoom user in the key of those who are linked to them.
    pub(crate) const LINKED: &str = "{link}:zoom:";

    /// Before the number of a meeting in the key of its stream.
    pub(crate) const STREAMS: &str = "stream:";

    /// Before every offered connection.
    pub(crate) const STATES: &str = "state:";

    /// Before every offered page of `setup`.
    pub(crate) const INVITATIONS: &str = "setup:";

    /// Before the saved names of every person.
    pub(crate) const PRESETS: &str = "presets:";

    /// Before the Zoom user in the key of their grant.
    pub(crate) const GRANTS: &str = "grant:";

    /// Before the workspace in the key of its rules.
    pub(crate) const POLICIES: &str = "policy:";

    /// Before the id in the key of every job.
    pub(crate) const JOBS: &str = "{journal}:job:";

    /// Before every key whose value is sealed, or is a job with a sealed body.
    pub(crate) const SEALED: &[&str] =
        &[Self::JOBS, Self::STATES, Self::INVITATIONS, "installation:", Self::GRANTS, Self::STREAMS, Self::PRESETS];

    fn new(prefix: &'static str, rest: impl fmt::Display) -> Self {
        Self { prefix, text: format!("{prefix}{rest}") }
    }

    /// The key of a record that the store was found to hold; none where it has another prefix.
    pub(crate) fn found(prefix: &'static str, text: String) -> Option<Self> {
        text.starts_with(prefix).then_some(Self { prefix, text })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of record it is; safe to print, since it names nobody.
    pub(crate) fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// What is behind the prefix.
    pub(crate) fn rest(&self) -> &str {
        &self.text[self.prefix.len()..]
    }

    pub(crate) fn ping() -> Self {
        Self::new("ping", "")
    }

    pub(crate) fn delivery(id: &DeliveryId) -> Self {
        Self::new("{journal}:delivery:", id)
    }

    pub(crate) fn job(id: &JobId) -> Self {
        Self::new(Self::JOBS, id)
    }

    /// What stands before the id in the key of every job.
    pub(crate) fn jobs() -> Self {
        Self::new(Self::JOBS, "")
    }

    pub(crate) fn due() -> Self {
        Self::new("{journal}:due", "")
    }

    pub(crate) fn audit() -> Self {
        Self::new("{journal}:audit", "")
    }

    pub(crate) fn audit_head() -> Self {
        Self::new("{journal}:audit:head", "")
    }

    pub(crate) fn audit_anchor() -> Self {
        Self::new("{journal}:audit:anchor", "")
    }

    /// The token itself is a bearer link and must not be readable in the store, not even as a key.
    pub(crate) fn state(token: &StateToken) -> Self {
        Self::new(Self::STATES, hex::encode(Sha256::digest(token.expose())))
    }

    /// As secret as [`Key::state`].
    pub(crate) fn invitation(token: &StateToken) -> Self {
        Self::new(Self::INVITATIONS, hex::encode(Sha256::digest(token.expose())))
    }

    /// As secret as [`Key::state`].
    pub(crate) fn used(token: &StateToken) -> Self {
        Self::new("install:", hex::encode(Sha256::digest(token.expose())))
    }

    /// What the state of an installation is sealed for; nothing lies there.
    pub(crate) fn begun() -> Self {
        Self::new("begun", "")
    }

    pub(crate) fn gone(site: &Site) -> Self {
        Self::new("gone:", site.key())
    }

    pub(crate) fn installation(site: &Site) -> Self {
        Self::new("installation:", site.key())
    }

    pub(crate) fn person(person: &Person) -> Self {
        Self::new(Self::PERSON, person.key())
    }

    pub(crate) fn linked(user: &ZoomUserId) -> Self {
        Self::new(Self::LINKED, user)
    }

    /// Reads the person back out of what [`Key::person`] made.
    pub(crate) fn linked_person(text: &str) -> Option<Person> {
        Person::from_key(text.strip_prefix(Self::PERSON)?)
    }

    /// Reads the Zoom user back out of what [`Key::linked`] made.
    pub(crate) fn linked_user(text: &str) -> Option<ZoomUserId> {
        text.strip_prefix(Self::LINKED).map(ZoomUserId::new)
    }

    pub(crate) fn grant(user: &ZoomUserId) -> Self {
        Self::new(Self::GRANTS, user)
    }

    pub(crate) fn webinar(meeting: MeetingId) -> Self {
        Self::new("webinar:", meeting.number())
    }

    pub(crate) fn webhooks_proven() -> Self {
        Self::new("zoom:proven", "")
    }

    pub(crate) fn turn(meeting: MeetingId) -> Self {
        Self::new("turn:", meeting.number())
    }

    pub(crate) fn stream(meeting: MeetingId) -> Self {
        Self::new(Self::STREAMS, meeting.number())
    }

    pub(crate) fn presets(person: &Person) -> Self {
        Self::new(Self::PRESETS, person.key())
    }

    pub(crate) fn policy(workspace: &Workspace) -> Self {
        Self::new(Self::POLICIES, workspace.key())
    }

    pub(crate) fn lendings(workspace: &Workspace) -> Self {
        Self::new("lendings:", format_args!("{{{}}}", workspace.key()))
    }

    pub(crate) fn streams(person: &Person) -> Self {
        Self::new("streams:", format_args!("{{{}}}", person.workspace().key()))
    }
}

/// What one instance at a time may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseName(pub(crate) Key);

impl LeaseName {
    /// Buying the next tokens of a Zoom user, whose refresh token is good for one use.
    pub fn refresh(user: &ZoomUserId) -> Self {
        Self(Key::new("lease:refresh:", user))
    }

    /// Forgetting what belongs to a place where the app was taken out, which Slack tells by two events at once.
    pub fn removal(site: &Site) -> Self {
        Self(Key::new("lease:removal:", site.key()))
    }

    /// Looking for grants that nobody uses. It is left to end by itself, so that they are looked for once in its life.
    pub fn unused() -> Self {
        Self(Key::new("lease:unused", ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::Invitation;
    use crate::grant::Pending;
    use crate::id::{EnterpriseId, TeamId, UserId};
    use crate::installation::Begun;

    #[test]
    fn an_offer_is_kept_as_long_as_it_stands() {
        assert_eq!(Pending::LIFE.unsigned_abs(), STATE_LIFE);
        assert_eq!(Invitation::LIFE.unsigned_abs(), STATE_LIFE);
        assert_eq!(Begun::LIFE.unsigned_abs(), STATE_LIFE);
    }

    #[test]
    fn a_state_token_cannot_be_read_from_its_key() {
        let token = StateToken::new("bearer");
        assert!(!Key::state(&token).as_str().contains("bearer"));
        assert!(!Key::invitation(&token).as_str().contains("bearer"));
        assert_eq!(Key::state(&token), Key::state(&StateToken::new("bearer")));
    }

    #[test]
    fn whatever_the_table_calls_sealed_comes_under_a_new_key() {
        let rows = include_str!("key.rs").lines().filter(|line| line.starts_with("//! | `"));
        let sealed = rows.filter(|row| row.split(" | ").nth(3).is_some_and(|value| value.contains("sealed")));
        let mut prefixes: Vec<&str> = sealed.filter_map(|row| row.split(['`', '<']).nth(1)).collect();
        prefixes.sort_unstable();
        let mut listed = Key::SEALED.to_vec();
        listed.sort_unstable();
        assert_eq!(prefixes, listed);
    }

    #[test]
    fn the_same_user_id_in_two_workspaces_is_two_people() {
        let person = |enterprise: Option<&str>, team: &str| Person {
            enterprise: enterprise.map(EnterpriseId::new),
            team: TeamId::new(team),
            user: UserId::new("U1"),
        };
        let keys = [person(None, "T1"), person(None, "T2"), person(Some("E1"), "T1")].map(|who| Key::person(&who));
        assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
    }
}
