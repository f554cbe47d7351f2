//! Who and where: workspaces, people, channels.

/// A workspace with the app installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// `T…`
    pub id: String,
    /// The part before `.slack.com`.
    pub domain: String,
    /// The Enterprise organization, where there is one.
    pub enterprise: Option<Enterprise>,
    /// The app's own user in this workspace.
    pub bot_user: String,
}

impl Workspace {
    /// The app's bot, which is not its user.
    pub(super) fn bot_id(&self) -> String {
        self.bot_user.replacen('U', "B", 1)
    }

    /// The organization, if the app was installed in all of it at once.
    pub(super) fn org_wide(&self) -> Option<&Enterprise> {
        self.enterprise.as_ref().filter(|enterprise| enterprise.installed == Installed::OrgWide)
    }
}

/// An Enterprise organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enterprise {
    /// `E…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// How the app came into it.
    pub installed: Installed,
}

/// How the app was installed in a workspace of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// In this workspace alone.
    InWorkspace,
    /// In the whole organization at once.
    OrgWide,
}

/// A person in one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `U…`
    pub id: String,
    /// The workspace's id.
    pub team: String,
    /// The name, as it stands after the `@`.
    pub name: String,
}

/// What a person is in their workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// One of many.
    #[default]
    Member,
    /// An admin.
    Admin,
    /// An owner, who is an admin as well.
    Owner,
    /// The one owner who cannot be removed.
    PrimaryOwner,
    /// A member of the workspace, and an admin of the organization that it belongs to.
    OrgAdmin,
}

/// A conversation in one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// `C…`, or `D…` for a direct message.
    pub id: String,
    /// The workspace's id.
    pub team: String,
    /// The name without `#`; for a direct message the people, joined by `+`, where `OnAir` is the app.
    pub name: String,
    /// What kind it is.
    pub kind: ChannelKind,
}

/// What kind of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// Everybody in the workspace may read it.
    Public,
    /// Its members only.
    Private,
    /// Between people, or between the app and one of them.
    DirectMessage,
}

impl Channel {
    /// How a transcript names it: `#events`, `@ada+bob`.
    pub fn label(&self) -> String {
        match self.kind {
            ChannelKind::Public | ChannelKind::Private => format!("#{}", self.name),
            ChannelKind::DirectMessage => format!("@{}", self.name),
        }
    }

    /// The channel's name in a command or a press, which is a name only for public channels.
    pub(super) fn payload_name(&self) -> &str {
        match self.kind {
            ChannelKind::Public => &self.name,
            ChannelKind::Private => "privategroup",
            ChannelKind::DirectMessage => "directmessage",
        }
    }
}
