//! Who may do what in a workspace, and whom to ask.

use super::Context;
use super::text::code;
use crate::manifest::PEOPLE_SCOPE;
use crate::reply::{NotAdmin, RoleUnknown};

pub(super) fn admins_only(why: &NotAdmin, context: &Context) -> Vec<String> {
    let scope = code(PEOPLE_SCOPE);
    let (why, cure) = match why {
        NotAdmin::Member => {
            return vec![
                "Nothing was done: only admins and owners of this workspace may do that.".to_owned(),
                "Ask one of them.".to_owned(),
            ];
        }
        NotAdmin::Unknown(RoleUnknown::NoBot) => (
            "it has no bot in this workspace that works.",
            format!("Install the app in this workspace again, with the permission {scope}."),
        ),
        NotAdmin::Unknown(RoleUnknown::NoScope) => (
            "its bot may not see what people are here.",
            format!("Give the app the permission {scope} at Slack, and install it in this workspace again."),
        ),
        NotAdmin::Unknown(RoleUnknown::Away) => (
            "Slack doesn't say it just now.",
            format!("Try again in a minute. Still the same? {}", context.tell_an_admin()),
        ),
    };
    vec![format!("Nothing was done: only admins may do that, and OnAir can't tell whether you are one: {why}"), cure]
}
