//! An entry of the audit trail as a record of [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180): one line, ended by CR LF.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula. Such a cell gets an apostrophe in front,
//! which spreadsheets take for "this is text".

use crate::audit::AuditEntry;
use crate::id::{ChannelId, EnterpriseId, Reference, UserId, ZoomUserId};

/// The columns. New ones come at the end, and none is renamed, moved or taken away.
const COLUMNS: [&str; 20] = [
    "at",
    "reference",
    "enterprise",
    "team",
    "user",
    "channel",
    "verb",
    "meeting",
    "title_chars",
    "settings",
    "dry_run",
    "zoom_user",
    "zoom_status",
    "zoom_code",
    "zoom_tracking_id",
    "outcome",
    "duration_ms",
    "asked_by",
    "on_behalf_of",
    "lent_to",
];

/// The first line. Whoever prints it ends it with LF.
pub(super) fn header() -> String {
    line(&COLUMNS.map(str::to_owned))
}

/// The line of one entry, with an empty cell for what it does not have.
pub(super) fn row(entry: &AuditEntry) -> String {
    let (person, asked, zoom) = (entry.person.as_ref(), entry.asked.as_ref(), entry.zoom.as_ref());
    line(&[
        format!("{:.3}", entry.at),
        Reference::as_str(&entry.reference).to_owned(),
        cell(person.and_then(|person| person.enterprise.as_ref()).map(EnterpriseId::as_str)),
        cell(person.map(|person| person.team.as_str())),
        cell(person.map(|person| person.user.as_str())),
        cell(entry.channel.as_ref().map(ChannelId::as_str)),
        entry.verb.word().to_owned(),
        cell(entry.meeting.map(|meeting| meeting.number())),
        cell(asked.and_then(|asked| asked.title_chars)),
        cell(asked.map(|asked| asked.settings.join(" "))),
        cell(asked.map(|asked| asked.dry_run)),
        cell(entry.zoom_user.as_ref().map(ZoomUserId::as_str)),
        cell(zoom.and_then(|zoom| zoom.status)),
        cell(zoom.and_then(|zoom| zoom.code)),
        cell(zoom.and_then(|zoom| zoom.tracking_id.as_deref())),
        entry.outcome.word().to_owned(),
        entry.duration_ms.to_string(),
        cell(entry.asked_by.as_ref().map(UserId::as_str)),
        cell(entry.on_behalf_of.as_ref().map(UserId::as_str)),
        cell(entry.lent_to.as_ref().map(UserId::as_str)),
    ])
}

fn cell(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The CR is the line's own; whoever prints it adds the LF.
fn line(cells: &[String; COLUMNS.len()]) -> String {
    let mut line = cells.iter().map(|cell| quoted(&harmless(cell))).collect::<Vec<_>>().join(",");
    line.push('\r');
    line
}

/// Some spreadsheets look behind leading white space, and some take the wide forms of these signs for them.
fn harmless(cell: &str) -> String {
    const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let begins = cell.trim_start().starts_with(SIGNS) || cell.starts_with(char::is_control);
    if begins { format!("'{cell}") } else { cell.to_owned() }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Asked, AuditOutcome, AuditVerb, ZoomAnswer};
    use crate::id::{Person, TeamId};

    fn entry() -> AuditEntry {
        AuditEntry {
            at: "2026-11-20T10:00:00Z".parse().unwrap(),
            reference: Reference::new("7F3K9QZ2MB"),
            person: Some(Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new("U1") }),
            asked_by: Some(UserId::new("U2")),
            on_behalf_of: Some(UserId::new("U3")),
            lent_to: Some(UserId::new("U4")),
            channel: Some(ChannelId::new("C1")),
            verb: AuditVerb::Start,
            meeting: Some("68423085".parse().unwrap()),
            asked: Some(Asked {
                title_chars: Some(7),
                settings: vec!["layout".into(), "display_name".into()],
                dry_run: false,
            }),
            zoom_user: Some(ZoomUserId::new("Z1")),
            zoom: Some(ZoomAnswer { status: Some(400), code: Some(3000), tracking_id: Some("WEB_1".into()) }),
            outcome: AuditOutcome::NotAllowed,
            duration_ms: 12,
        }
    }

    #[test]
    fn an_entry_is_one_record_of_as_many_cells_as_the_header_names() {
        insta::assert_snapshot!(format!("{}\n{}", header(), row(&entry())).replace('\r', "␍"), @"
        at,reference,enterprise,team,user,channel,verb,meeting,title_chars,settings,dry_run,zoom_user,zoom_status,zoom_code,zoom_tracking_id,outcome,duration_ms,asked_by,on_behalf_of,lent_to␍
        2026-11-20T10:00:00.000Z,7F3K9QZ2MB,,T1,U1,C1,start,68423085,7,layout display_name,false,Z1,400,3000,WEB_1,not_allowed,12,U2,U3,U4␍
        ");
        let bare = AuditEntry {
            person: None,
            asked_by: None,
            on_behalf_of: None,
            lent_to: None,
            channel: None,
            meeting: None,
            asked: None,
            zoom_user: None,
            zoom: None,
            ..entry()
        };
        assert_eq!(row(&bare), "2026-11-20T10:00:00.000Z,7F3K9QZ2MB,,,,,start,,,,,,,,,not_allowed,12,,,\r");
        assert_eq!(row(&bare).matches(',').count() + 1, COLUMNS.len());
    }

    #[test]
    fn what_a_spreadsheet_would_run_or_split_is_text_in_one_cell() {
        let check = |from_zoom: &str, expected: &str| {
            let zoom = ZoomAnswer { status: None, code: None, tracking_id: Some(from_zoom.to_owned()) };
            let row = row(&AuditEntry { zoom: Some(zoom), ..entry() });
            assert!(row.contains(&format!(",Z1,,,{expected},not_allowed,")), "{row}");
        };
        check("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0");
        check("+1", "'+1");
        check("-1", "'-1");
        check("@SUM(A1)", "'@SUM(A1)");
        check(" =1", "' =1");
        check("\t=1", "'\t=1");
        check("＝1", "'＝1");
        check("a,b", "\"a,b\"");
        check("say \"x\"", "\"say \"\"x\"\"\"");
        check("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\"");
        check("a\r\nb", "\"a\r\nb\"");
    }
}
