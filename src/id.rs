//! The vocabulary of names: who somebody is at Slack, who at Zoom, and how a message is found again.
//!
//! Every id is opaque text from its vendor and keeps its own type, so that a Slack user can never be passed where a
//! Zoom user is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the vendor's text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The vendor's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id! {
    /// A Slack Enterprise organization, `E…`.
    EnterpriseId
}
opaque_id! {
    /// A Slack workspace, `T…`.
    TeamId
}
opaque_id! {
    /// A Slack user, `U…` or `W…`; unique only together with the team.
    UserId
}
opaque_id! {
    /// A Slack conversation, `C…`, `G…` or `D…`.
    ChannelId
}
opaque_id! {
    /// A Zoom user, the `id` of [`GET /users/me`](https://developers.zoom.us/docs/api/users/).
    ZoomUserId
}
opaque_id! {
    /// The Zoom account (company) a Zoom user belongs to.
    ZoomAccountId
}
opaque_id! {
    /// One run of a Zoom meeting, its `uuid`: another one each time the meeting is started.
    InstanceId
}
opaque_id! {
    /// What is taken in once: a signed request of Slack, by when it was signed and what its signature hashes to, so that a
    /// replay has the same; an event of Zoom; or an entry that is tried to be written down again.
    DeliveryId
}
opaque_id! {
    /// One accepted command in the journal.
    JobId
}
opaque_id! {
    /// What a person quotes and an operator searches for: the same in the message, the audit entry and the log.
    Reference
}

/// A number from 0 to 1 that nobody can foresee, for spreading what would else happen at once.
pub fn random_share() -> f64 {
    let mut bytes = [0; 4];
    fill_random(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

impl Reference {
    /// A fresh one: ten characters that survive being read aloud (no `I`, `L`, `O`, `U`), 50 bits.
    pub fn random() -> Self {
        let mut bytes = [0; Self::LENGTH];
        fill_random(&mut bytes);
        Self(bytes.iter().map(|byte| char::from(Self::LETTERS[usize::from(byte % 32)])).collect())
    }

    /// Reads what [`Reference::random`] made and somebody typed, in small letters or not.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_uppercase();
        let is_one = text.len() == Self::LENGTH && text.bytes().all(|byte| Self::LETTERS.contains(&byte));
        is_one.then_some(Self(text))
    }

    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const LENGTH: usize = 10;
}

/// Fills a buffer from the operating system's random source, without which nothing here is safe.
pub fn fill_random(buffer: &mut [u8]) {
    #[expect(clippy::expect_used, reason = "a system without random numbers can neither seal nor make a state")]
    getrandom::fill(buffer).expect("the operating system gives random bytes");
}

/// One Slack workspace, identified the only safe way: organization and workspace together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Workspace {
    /// The Enterprise organization, where there is one.
    pub enterprise: Option<EnterpriseId>,
    /// The workspace.
    pub team: TeamId,
}

impl Workspace {
    /// Reads what [`Workspace::key`] made.
    pub fn from_key(text: &str) -> Option<Self> {
        let (enterprise, team) = text.split_once('/')?;
        let enterprise = (enterprise != "-").then(|| EnterpriseId::new(enterprise));
        Some(Self { enterprise, team: TeamId::new(team) })
    }

    /// The form used inside store keys. Slack's ids contain neither `/` nor `-`, so two workspaces never share one.
    pub fn key(&self) -> String {
        let enterprise = self.enterprise.as_ref().map_or("-", EnterpriseId::as_str);
        format!("{enterprise}/{}", self.team)
    }
}

/// One Slack user, identified the only safe way: organization, workspace and user together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Person {
    /// The Enterprise organization, where there is one.
    pub enterprise: Option<EnterpriseId>,
    /// The workspace.
    pub team: TeamId,
    /// The user within it.
    pub user: UserId,
}

impl Person {
    /// Where they are.
    pub fn workspace(&self) -> Workspace {
        Workspace { enterprise: self.enterprise.clone(), team: self.team.clone() }
    }

    /// Whether both are in the same workspace, so that one may be named to the other.
    pub fn is_colleague_of(&self, other: &Self) -> bool {
        self.enterprise == other.enterprise && self.team == other.team
    }

    /// Reads what [`Person::key`] made.
    pub fn from_key(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (enterprise, team, user) = (parts.next()?, parts.next()?, parts.next()?);
        let enterprise = (enterprise != "-").then(|| EnterpriseId::new(enterprise));
        Some(Self { enterprise, team: TeamId::new(team), user: UserId::new(user) })
    }

    /// The form used inside store keys. Slack's ids contain neither `/` nor `-`, so two people never share one.
    pub fn key(&self) -> String {
        format!("{}/{}", self.workspace().key(), self.user)
    }
}
