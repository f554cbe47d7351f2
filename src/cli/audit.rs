//! `onair audit`: the trail, for people, as JSON lines or as CSV. It may run beside the service.

use std::time::Duration;

use anyhow::Context as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Failed, complain, csv, environment, print};
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::clock::{self, Clock};
use crate::config::{Config, STORE_DEADLINE};
use crate::id::{ChannelId, Reference, TeamId, UserId};
use crate::meeting::MeetingId;
use crate::store::{AuditQuery, Fault, Store, Verified};

/// How often `--follow` looks for new entries.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

/// Which entries to print, and how. An entry has to match every filter that is given.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Only entries since then: so long ago (90m, 24h, 7d), or a day or time (2026-11-20, 2026-11-20T08:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: Option<When>,
    /// Only entries before then, written as for --since; a day is its first moment, in UTC.
    #[arg(long, value_name = "TIME", value_parser = when)]
    until: Option<When>,
    /// Only this Slack workspace.
    #[arg(long, value_name = "TEAM", value_parser = |text: &str| id(text, "TE", "a workspace's id such as T0123ABCD").map(TeamId::new))]
    team: Option<TeamId>,
    /// Only this Slack user.
    #[arg(long, value_name = "USER", value_parser = |text: &str| id(text, "UW", "a Slack user's id such as U0123ABCD").map(UserId::new))]
    user: Option<UserId>,
    /// Only what was asked for in this channel.
    #[arg(long, value_name = "CHANNEL", value_parser = |text: &str| id(text, "CGD", "a channel's id such as C0123ABCD").map(ChannelId::new))]
    channel: Option<ChannelId>,
    /// Only this meeting.
    #[arg(long, value_name = "NUMBER", value_parser = meeting)]
    meeting: Option<MeetingId>,
    /// Only these verbs, separated by commas, such as start,stop.
    #[arg(long, value_name = "VERB", value_delimiter = ',', value_parser = verb)]
    verb: Vec<AuditVerb>,
    /// Only these outcomes, separated by commas, such as failed,unknown.
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',', value_parser = outcome)]
    outcome: Vec<AuditOutcome>,
    /// Only errors and refusals, whatever their outcome.
    #[arg(long)]
    failures: bool,
    /// Only what a person was given this reference for.
    #[arg(long, value_name = "REFERENCE", value_parser = reference)]
    reference: Option<Reference>,
    /// One JSON object per line.
    #[arg(long)]
    json: bool,
    /// Comma-separated values with a header line, for a spreadsheet.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Go on printing as entries come.
    #[arg(long, conflicts_with = "until")]
    follow: bool,
    /// Print nothing of the trail, but whether it is whole: exit status 1 if an entry was changed, moved or removed.
    #[arg(long, exclusive = true)]
    verify: bool,
}

impl Arguments {
    fn query(&self, now: Timestamp) -> AuditQuery {
        AuditQuery {
            since: self.since.map(|since| since.from(now)),
            until: self.until.map(|until| until.from(now)),
            team: self.team.clone(),
            user: self.user.clone(),
            channel: self.channel.clone(),
            meeting: self.meeting,
            verbs: self.verb.clone(),
            outcomes: self.outcome.clone(),
            failures: self.failures,
            reference: self.reference.clone(),
            after: None,
        }
    }

    fn form(&self) -> Form {
        match (self.json, self.csv) {
            (true, _) => Form::Json,
            (false, true) => Form::Csv,
            (false, false) => Form::Lines,
        }
    }
}

/// How an entry is printed.
#[derive(Clone, Copy, Debug)]
enum Form {
    Lines,
    Json,
    Csv,
}

/// A moment as somebody writes it.
#[derive(Clone, Copy, Debug)]
enum When {
    Ago(SignedDuration),
    At(Timestamp),
}

impl When {
    fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(length) => now.saturating_sub(length).unwrap_or(Timestamp::MIN),
            Self::At(time) => time,
        }
    }
}

fn when(text: &str) -> Result<When, &'static str> {
    let day = |text: &str| text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp());
    let ago = clock::parse_length(text).map(When::Ago);
    ago.or_else(|| text.parse().ok().or_else(|| day(text)).map(When::At))
        .ok_or("write how long ago (90m, 24h, 7d), a day (2026-11-20) or a time (2026-11-20T08:00:00Z)")
}

/// An id as Slack makes them, by its first letter.
fn id<'a>(text: &'a str, first: &str, what: &str) -> Result<&'a str, String> {
    let is_id = text.len() > 1
        && text.starts_with(|c| first.contains(c))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_id { Ok(text) } else { Err(format!("write {what}")) }
}

/// A meeting as it is printed, too: in groups.
fn meeting(text: &str) -> Result<MeetingId, &'static str> {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    digits.parse().map_err(|_| "write a meeting's id, 8 to 12 digits such as 68423085")
}

fn verb(text: &str) -> Result<AuditVerb, String> {
    one_of(text, AuditVerb::ALL, AuditVerb::word)
}

fn outcome(text: &str) -> Result<AuditOutcome, String> {
    one_of(text, AuditOutcome::ALL, AuditOutcome::word)
}

fn one_of<T: Copy>(text: &str, all: &[T], word: fn(T) -> &'static str) -> Result<T, String> {
    let found = all.iter().copied().find(|one| word(*one) == text);
    found.ok_or_else(|| format!("write one of {}", all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", ")))
}

fn reference(text: &str) -> Result<Reference, String> {
    let read = Reference::parse(text);
    read.ok_or_else(|| "write the ten letters and digits that the message shows, such as 7F3K9QZ2MB".to_owned())
}

pub(super) async fn audit(arguments: Arguments) -> Result<(), Failed> {
    let place = Config::place_from_vars(environment)?;
    let store = Store::open_reader(&place, STORE_DEADLINE).context("cannot open the store")?;
    if arguments.verify {
        return verified(&store.verify().await.context("cannot read the audit trail")?);
    }
    let (form, mut query) = (arguments.form(), arguments.query(Clock::default().now()));
    if let Form::Csv = form {
        print(csv::header())?;
    }
    let mut is_away = false;
    loop {
        let page = match store.audit(&query).await {
            // Whoever follows waits until the store is back.
            Err(error) if arguments.follow && error.is_transient() => {
                if !std::mem::replace(&mut is_away, true) {
                    complain("the store is away; it goes on from here when that is back");
                }
                tokio::time::sleep(FOLLOW_EVERY).await;
                continue;
            }
            read => read.context("cannot read the audit trail")?,
        };
        is_away = false;
        for (_, entry) in &page.entries {
            print(shown(entry, form)?)?;
        }
        if page.unreadable > 0 {
            complain(format_args!(
                "{} entries can't be read here: a newer OnAir wrote them, or --verify tells",
                page.unreadable
            ));
        }
        query.after = page.read_to;
        match (page.is_last, arguments.follow) {
            (true, false) => return Ok(()),
            (true, true) => tokio::time::sleep(FOLLOW_EVERY).await,
            (false, _) => {}
        }
    }
}

/// Says whether the trail is whole. The last hash is for whoever wants to note it elsewhere.
fn verified(found: &Verified) -> Result<(), Failed> {
    if found.unchained > 0 {
        print(format_args!(
            "{} older entries are from before entries were chained and can't be verified",
            found.unchained
        ))?;
    }
    if found.anchor.number > 0 {
        print(format_args!(
            "entries up to number {} were removed for their age; the hash of that one was {}",
            found.anchor.number, found.anchor.hash
        ))?;
    }
    if found.faults.is_empty() {
        return print(format_args!(
            "{} entries are whole; the last is number {} with hash {}",
            found.count, found.last.number, found.last.hash
        ));
    }
    found.faults.iter().try_for_each(|fault| print(told(fault)))?;
    print(format_args!("the audit trail is not whole: {} faults in {} entries", found.faults.len(), found.count))?;
    Err(Failed::Told)
}

fn told(fault: &Fault) -> String {
    match fault {
        Fault::Changed { number } => {
            format!("entry {number} does not follow from the one before it: one of the two was changed")
        }
        Fault::Missing { from, to } if from == to => format!("entry {from} is missing"),
        Fault::Missing { from, to } => format!("entries {from} to {to} are missing"),
        Fault::Moved { number } => format!("entry {number} is not in its place"),
        Fault::Foreign { count } => format!("{count} entries were added that no link leads to"),
    }
}

fn shown(entry: &AuditEntry, form: Form) -> Result<String, Failed> {
    match form {
        Form::Lines => Ok(compact(entry)),
        Form::Json => Ok(serde_json::to_string(entry).context("an entry does not serialize")?),
        Form::Csv => Ok(csv::row(entry)),
    }
}

/// One line for people: when, what, with which result, by whom, where, what Zoom said, how to find it again.
fn compact(entry: &AuditEntry) -> String {
    let at = entry.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%SZ");
    let meeting = entry.meeting.map(|meeting| format!(" {meeting}")).unwrap_or_default();
    let zoom = entry.zoom.as_ref().map(|zoom| {
        let status = zoom.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let code = zoom.code.map(|code| format!("/{code}")).unwrap_or_default();
        format!("  zoom {status}{code}")
    });
    let who = match (&entry.person, &entry.channel) {
        (Some(person), Some(channel)) => format!("by {} in {channel}", person.key()),
        (Some(person), None) => format!("by {}", person.key()),
        (None, _) => "by somebody in Zoom".to_owned(),
    };
    let asked_by = entry.asked_by.as_ref().map(|user| format!(", asked for by {user}")).unwrap_or_default();
    let behalf = entry.on_behalf_of.as_ref().map(|user| format!(", on behalf of {user}")).unwrap_or_default();
    let lent_to = entry.lent_to.as_ref().map(|user| format!(", to {user}")).unwrap_or_default();
    format!(
        "{at}  {}{meeting}  {}  {who}{asked_by}{behalf}{lent_to}{}  {} ms  ref {}",
        entry.verb.word(),
        entry.outcome.word(),
        zoom.unwrap_or_default(),
        entry.duration_ms,
        entry.reference,
    )
}
