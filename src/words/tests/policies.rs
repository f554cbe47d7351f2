//! Who may do what, and whom to ask.

use super::*;

#[test]
fn what_only_admins_may_do() {
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Member)), @"
    (Person)
    Nothing was done: only admins and owners of this workspace may do that.
    Ask one of them.
    ");
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Unknown(RoleUnknown::NoBot))), @"
    (Person)
    Nothing was done: only admins may do that, and OnAir can't tell whether you are one: it has no bot in this workspace that works.
    Install the app in this workspace again, with the permission `users:read`.
    ");
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Unknown(RoleUnknown::NoScope))), @"
    (Person)
    Nothing was done: only admins may do that, and OnAir can't tell whether you are one: its bot may not see what people are here.
    Give the app the permission `users:read` at Slack, and install it in this workspace again.
    ");
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Unknown(RoleUnknown::Away))), @"
    (Person)
    Nothing was done: only admins may do that, and OnAir can't tell whether you are one: Slack doesn't say it just now.
    Try again in a minute. Still the same? Give an admin this reference: `r-7f3k`
    ");
}
