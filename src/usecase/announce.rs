//! The audit channel: what comes into the trail, as lines in a channel of the workspace that it is about.
//!
//! The trail is the queue. One job in the journal, held by one instance at a time, knows how far each workspace has been
//! told, and writes that down after each message: whoever takes it over repeats the last one at the most. A workspace that
//! Slack keeps waiting holds up no other.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::hold::{Change, Hold};
use super::keep::wait_after;
use super::{Failure, bot, chain};
use crate::app::{App, Place as QueuePlace};
use crate::audit::AuditEntry;
use crate::clock;
use crate::id::{ChannelId, JobId, Person, Workspace};
use crate::journal::{Announced, Behind, Job, Refused};
use crate::store::{self, Seq};
use crate::words::{self, Count};

/// Slack wants no more than one message a second in a channel.
const BETWEEN: Duration = Duration::from_secs(1);

/// How soon it is tried again to begin when the store was away.
const STORE_AWAY: Duration = Duration::from_secs(10);

/// How often it is looked for what nobody said was there: their process died before they could.
const EVERY: Duration = Duration::from_secs(60);

/// The most entries in one message, one line each.
const LINES: usize = 12;

/// With more than this to tell, what went well is only counted.
const FAR_BEHIND: usize = 50;

/// The most entries that one message tells of.
const MOST: usize = 1000;

/// For how long a channel that takes nothing is left alone.
const LEFT_ALONE: SignedDuration = SignedDuration::from_secs(60);

/// For how long the job stays that no instance wants: where one begins to want it, others may not know yet.
const UNWANTED: SignedDuration = SignedDuration::from_mins(10);

/// What the rules of a workspace say of its channel. Rules that cannot be read name none, and nobody is told then.
enum Chosen {
    /// This one.
    Channel(ChannelId),
    /// That of the settings.
    Default,
    Unreadable,
}

impl Chosen {
    async fn by(app: &App, workspace: &Workspace) -> Result<Self, store::Error> {
        let kept = app.store.policy(workspace).await?;
        Ok(match kept.rules() {
            Some(rules) => rules.audit_channel.clone().map_or(Self::Default, Self::Channel),
            None => Self::Unreadable,
        })
    }

    /// Where the workspace is told, if anywhere.
    fn channel(self, app: &App) -> Option<ChannelId> {
        match self {
            Self::Channel(channel) => Some(channel),
            Self::Default => app.options.audit_channel.clone(),
            Self::Unreadable => None,
        }
    }
}

fn keeper() -> JobId {
    JobId::new("announce")
}

/// What is done next for the job.
#[derive(Clone, Copy)]
enum Next {
    /// It is written, unless it is there.
    Begin,
    /// The same, if the rules of any workspace ask for it.
    BeginIfChosen,
    /// It is made to look at what came, if it is there.
    Hurry,
}

/// Has the channels told until told to stop. Whoever writes an entry down waits for none of this.
///
/// Where nobody has a channel, this asks the store once a minute whether somebody chose one at another instance.
pub async fn announce(app: App) {
    let is_set = app.options.audit_channel.is_some();
    let mut next = if is_set { Next::Begin } else { Next::BeginIfChosen };
    let mut was_there = false;
    loop {
        let mut wait = EVERY;
        match step(&app, next).await {
            Ok(is_there) => {
                next = if is_set && !is_there { Next::Begin } else { Next::Hurry };
                if is_there {
                    wait = Duration::MAX;
                    app.wake();
                }
                if is_there && !was_there {
                    tracing::info!("the audit channel is told from here on");
                }
                was_there = is_there;
            }
            Err(error) => {
                wait = STORE_AWAY;
                tracing::warn!(error = chain(&error), "the audit channel is told later");
            }
        }
        // What comes within a second is told together.
        let more = async {
            tokio::time::sleep(BETWEEN).await;
            tokio::select! {
                () = app.audited(), if wait == Duration::MAX => false,
                () = app.chosen() => true,
                () = tokio::time::sleep(wait) => false,
            }
        };
        tokio::select! {
            () = app.stopping() => return,
            is_chosen = more => if is_chosen { next = Next::Begin },
        }
    }
}

/// Whether the job is there after it.
async fn step(app: &App, next: Next) -> Result<bool, store::Error> {
    if app.store.hurry(&keeper()).await? {
        return Ok(true);
    }
    match next {
        Next::Begin => begin(app, None, here(app).await?).await?,
        Next::BeginIfChosen => match app.store.any_audit_channel().await? {
            Some(workspace) => begin(app, Some(workspace), here(app).await?).await?,
            None => return Ok(false),
        },
        Next::Hurry => return Ok(false),
    }
    Ok(true)
}

/// The end of the trail at this moment.
pub(super) async fn here(app: &App) -> Result<Option<String>, store::Error> {
    Ok(app.store.newest_audit().await?.map(|newest| newest.to_string()))
}

/// Has a workspace told whose rules name a channel since a moment ago: what came after this place, from any instance. Where the
/// store is away, or this process ends in between, it is begun later.
pub(super) async fn chosen(app: &App, workspace: &Workspace, from: Option<String>) {
    if let Err(error) = begin(app, Some(workspace.clone()), from).await {
        tracing::warn!(error = chain(&error), "the audit channel is told later");
    }
    app.tell_chosen();
}

/// Writes the job, unless it is there: then it goes on from where it is.
async fn begin(app: &App, chosen_in: Option<Workspace>, read_to: Option<String>) -> Result<(), store::Error> {
    let job = Job::Announce(Announced { read_to, chosen_in, ..Announced::default() });
    app.store.plan(&keeper(), &job, Duration::ZERO).await
}

/// Where a workspace is told, if anywhere, and whether that channel took nothing when it was last tried.
pub(super) async fn told(app: &App, workspace: &Workspace) -> Result<Option<(ChannelId, bool)>, store::Error> {
    let Some(channel) = Chosen::by(app, workspace).await?.channel(app) else { return Ok(None) };
    let is_refused = match app.store.job(&keeper()).await? {
        Some(Job::Announce(state)) => {
            state.refused.iter().any(|known| known.workspace == *workspace && known.channel == channel)
        }
        _ => false,
    };
    Ok(Some((channel, is_refused)))
}

pub(super) async fn work(app: App, hold: Hold, announced: Announced, place: QueuePlace) {
    hold.during(Box::pin(look(&app, &hold, announced))).await;
    drop(place);
}

async fn look(app: &App, hold: &Hold, mut state: Announced) {
    let told = match is_wanted(app, &mut state).await {
        Ok(true) => {
            state.unwanted_since = None;
            bring_up_to_date(app, hold, &mut state).await
        }
        Ok(false) => return unwanted(app, hold, state).await,
        Err(failure) => Err(failure),
    };
    let due = match told {
        Ok(Some(due)) => due,
        Ok(None) => return,
        Err(failure) => {
            tracing::warn!(error = chain(&failure), "the audit channel is behind");
            wait_after(&failure, hold.attempt)
        }
    };
    let read_to = place(&state.read_to);
    hold.persist(Change::Postpone(&Job::Announce(state), due)).await;
    // Whoever wrote an entry down while this was in hand could not have it looked at again.
    if !app.is_stopping() && matches!(app.store.audit_after(read_to).await, Ok(page) if !page.is_empty()) {
        app.tell_audited();
    }
}

/// Whether anybody has a channel. Where no workspace is known that chose one, all rules are looked at once, and after that
/// those of whoever is in the trail since. What is in it stays to be told: an instance with a channel in its settings may
/// be about to.
async fn is_wanted(app: &App, state: &mut Announced) -> Result<bool, Failure> {
    if app.options.audit_channel.is_some() || state.chosen_in.is_some() {
        return Ok(true);
    }
    if state.unwanted_since.is_none() {
        state.chosen_in = app.store.any_audit_channel().await?;
    }
    if state.chosen_in.is_none() {
        let mut ahead = state.clone();
        read_on(app, &mut ahead).await?;
        state.chosen_in = ahead.chosen_in;
    }
    Ok(state.chosen_in.is_some())
}

async fn unwanted(app: &App, hold: &Hold, mut state: Announced) {
    let now = app.clock.now();
    let since = *state.unwanted_since.get_or_insert(now);
    if now.duration_since(since) < UNWANTED {
        hold.persist(Change::Postpone(&Job::Announce(state), EVERY)).await;
    } else {
        hold.persist(Change::Finish).await;
        // Whoever chose one a moment before that found the job still there.
        if let Ok(Some(workspace)) = app.store.any_audit_channel().await {
            chosen(app, &workspace, state.read_to).await;
        }
    }
}

/// Tells whoever can be told, and after how long there is something to do again; `None`: somebody else does it now.
async fn bring_up_to_date(app: &App, hold: &Hold, state: &mut Announced) -> Result<Option<Duration>, Failure> {
    loop {
        let is_more = read_on(app, state).await?;
        let now = app.clock.now();
        let due: Vec<Behind> = state.behind.iter().filter(|behind| behind.due <= now).cloned().collect();
        if app.is_stopping() || (due.is_empty() && !is_more) {
            let next = state.behind.iter().map(|behind| clock::until(behind.due, now)).min();
            return Ok(Some(next.unwrap_or(EVERY).min(EVERY)));
        }
        for behind in &due {
            tell(app, state, behind).await?;
            if !hold.persist(Change::Advance(&Job::Announce(state.clone()), None)).await {
                return Ok(None);
            }
        }
        if !due.is_empty() {
            tokio::time::sleep(BETWEEN).await;
        }
    }
}

/// Reads a page of what came into the trail, and notes whom it concerns; says whether there may be more.
async fn read_on(app: &App, state: &mut Announced) -> Result<bool, Failure> {
    let page = app.store.audit_after(place(&state.read_to)).await?;
    let (before, now) = (state.read_to.clone(), app.clock.now());
    let Some((last, _)) = page.last() else { return Ok(false) };
    let mut asked = BTreeSet::new();
    for (seq, entry) in &page {
        let Some(entry) = entry else {
            tracing::warn!(%seq, "an audit entry of a newer OnAir is not told in a channel");
            continue;
        };
        let Some(workspace) = workspace_of(entry) else { continue };
        if !asked.insert(workspace.clone()) {
            continue;
        }
        let chosen = Chosen::by(app, &workspace).await?;
        match (&chosen, &state.chosen_in) {
            (Chosen::Channel(_), None) => state.chosen_in = Some(workspace.clone()),
            (Chosen::Default, Some(known)) if *known == workspace => state.chosen_in = None,
            _ => {}
        }
        let Some(channel) = chosen.channel(app) else { continue };
        if state.behind.iter().any(|behind| behind.workspace == workspace) {
            continue;
        }
        if state
            .refused
            .iter()
            .any(|known| known.workspace == workspace && known.channel == channel && now < known.until)
        {
            continue;
        }
        state.behind.push(Behind { workspace, after: before.clone(), due: now, tries: 0 });
    }
    // Last: what could not be looked at is read again.
    state.read_to = Some(last.to_string());
    Ok(true)
}

/// Posts one message for one workspace, and notes what came of it.
async fn tell(app: &App, state: &mut Announced, behind: &Behind) -> Result<(), Failure> {
    let Behind { workspace, .. } = behind;
    let (owed, end) = owed(app, state, behind).await?;
    let channel = Chosen::by(app, workspace).await?.channel(app);
    let Some(channel) = channel.filter(|_| !owed.is_empty()) else {
        set(state, workspace, |_| None);
        return Ok(());
    };
    let portion = Portion::of(&owed);
    let told_to = portion.end.or(end).map(|end| end.to_string());
    let message = words::announcement(&portion.lines, &portion.counts);
    let now = app.clock.now();
    match bot::say(app, workspace, &channel, &message).await {
        Ok(()) => {
            app.metrics.announced("told");
            state.refused.retain(|known| known.workspace != *workspace);
            let is_all = state.read_to == told_to;
            let told = |behind| Behind { after: told_to, due: now, tries: 0, ..behind };
            set(state, workspace, |behind| (!is_all).then(|| told(behind)));
        }
        Err(error) => match error.retry_in() {
            Some(wait) => {
                app.metrics.announced("later");
                tracing::warn!(error = chain(&error), team.id = %workspace.team, "an audit channel is told later");
                let tries = behind.tries + 1;
                let wait = if wait.is_zero() { Duration::from_secs(5) * tries.min(12) } else { wait };
                let due = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
                set(state, workspace, |behind| Some(Behind { due, tries, ..behind }));
            }
            None => {
                app.metrics.announced("refused");
                refuse(state, workspace, channel, &error, now);
                set(state, workspace, |_| None);
            }
        },
    }
    Ok(())
}

/// Changes what is noted of a workspace that is behind.
fn set(state: &mut Announced, workspace: &Workspace, change: impl FnOnce(Behind) -> Option<Behind>) {
    if let Some(at) = state.behind.iter().position(|behind| behind.workspace == *workspace) {
        let behind = state.behind.remove(at);
        state.behind.extend(change(behind));
    }
}

/// Notes that a channel takes nothing, and says so the first time.
fn refuse(state: &mut Announced, workspace: &Workspace, channel: ChannelId, error: &bot::Error, now: Timestamp) {
    let is_same = |known: &Refused| known.workspace == *workspace && known.channel == channel;
    if !state.refused.iter().any(is_same) {
        tracing::error!(
            error = chain(error),
            team.id = %workspace.team,
            channel.id = %channel,
            "an audit channel takes nothing: what comes now is not told there; invite the bot, or choose another channel"
        );
    }
    state.refused.retain(|known| known.workspace != *workspace);
    let until = now.saturating_add(LEFT_ALONE).unwrap_or(Timestamp::MAX);
    state.refused.push(Refused { workspace: workspace.clone(), channel, until });
}

/// The entries that a workspace is owed, as many as one message may tell of, and how far they were looked for.
async fn owed(app: &App, state: &Announced, behind: &Behind) -> Result<(Vec<(Seq, AuditEntry)>, Option<Seq>), Failure> {
    let (mut after, end) = (place(&behind.after), place(&state.read_to));
    let mut found = Vec::new();
    loop {
        let page = app.store.audit_after(after).await?;
        let is_empty = page.is_empty();
        for (seq, entry) in page {
            after = Some(seq);
            if after > end {
                return Ok((found, end));
            }
            if let Some(entry) = entry.filter(|entry| workspace_of(entry).as_ref() == Some(&behind.workspace)) {
                found.push((seq, entry));
            }
            if after == end || found.len() == MOST {
                return Ok((found, after));
            }
        }
        // What is left of them was removed for its age.
        if is_empty {
            return Ok((found, end));
        }
    }
}

/// What one message tells.
#[derive(Debug)]
struct Portion<'a> {
    /// One line each, errors and refusals first.
    lines: Vec<&'a AuditEntry>,
    /// What has no line.
    counts: Vec<Count>,
    /// The last entry that it tells of, where it does not tell of all.
    end: Option<Seq>,
}

impl<'a> Portion<'a> {
    fn of(owed: &'a [(Seq, AuditEntry)]) -> Self {
        let is_far_behind = owed.len() > FAR_BEHIND;
        let mut portion = Self { lines: Vec::new(), counts: Vec::new(), end: None };
        let mut former = None;
        for (seq, entry) in owed {
            if is_far_behind && !entry.outcome.is_failure() {
                portion.count(entry);
            } else if portion.lines.len() < LINES {
                portion.lines.push(entry);
            } else {
                portion.end = former;
                break;
            }
            former = Some(*seq);
        }
        portion.lines.sort_by_key(|entry| !entry.outcome.is_failure());
        portion
    }

    fn count(&mut self, entry: &AuditEntry) {
        let is_same = |known: &&mut Count| (known.verb, known.outcome) == (entry.verb, entry.outcome);
        match self.counts.iter_mut().find(is_same) {
            Some(known) => known.times += 1,
            None => self.counts.push(Count { verb: entry.verb, outcome: entry.outcome, times: 1 }),
        }
    }
}

/// The workspace that may hear of an entry.
fn workspace_of(entry: &AuditEntry) -> Option<Workspace> {
    entry.person.as_ref().map(Person::workspace)
}

/// A place in the trail out of its text, which this same store wrote.
fn place(text: &Option<String>) -> Option<Seq> {
    text.as_ref().and_then(|text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AuditOutcome, AuditVerb};
    use crate::id::{Reference, TeamId, UserId};

    fn owed(outcomes: &[AuditOutcome]) -> Vec<(Seq, AuditEntry)> {
        let entry = |outcome| AuditEntry {
            at: "2026-11-20T10:00:00Z".parse().unwrap(),
            reference: Reference::new("7F3K9QZ2MB"),
            person: Some(Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new("U1") }),
            asked_by: None,
            on_behalf_of: None,
            lent_to: None,
            channel: Some(ChannelId::new("C1")),
            verb: AuditVerb::Start,
            meeting: None,
            asked: None,
            zoom_user: None,
            zoom: None,
            outcome,
            duration_ms: 1,
        };
        let seq = |index: usize| format!("{}-0", index + 1).parse().unwrap();
        outcomes.iter().enumerate().map(|(index, outcome)| (seq(index), entry(*outcome))).collect()
    }

    /// The outcomes that have a line, what is counted, and how many entries that tells of.
    fn told(outcomes: &[AuditOutcome]) -> (Vec<AuditOutcome>, Vec<(AuditOutcome, usize)>, Option<String>) {
        let owed = owed(outcomes);
        let portion = Portion::of(&owed);
        let lines = portion.lines.iter().map(|entry| entry.outcome).collect();
        let counts = portion.counts.iter().map(|count| (count.outcome, count.times)).collect();
        (lines, counts, portion.end.map(|end| end.to_string()))
    }

    #[test]
    fn what_failed_comes_first_and_as_many_lines_as_fit() {
        use AuditOutcome::{Accepted, Failed, Told};
        assert_eq!(told(&[Told, Failed, Accepted]), (vec![Failed, Told, Accepted], vec![], None));
        let (lines, counts, end) = told(&[Told; 13]);
        assert_eq!((lines.len(), counts.len(), end.as_deref()), (12, 0, Some("12-0")));
        assert_eq!(told(&[Told; 50]).0.len(), 12);
    }

    #[test]
    fn far_behind_only_what_failed_has_a_line() {
        use AuditOutcome::{Accepted, Failed, Told};
        let mut outcomes = vec![Told; 40];
        outcomes.extend([Failed, Accepted, Accepted]);
        outcomes.extend([Told; 20]);
        assert_eq!(told(&outcomes), (vec![Failed], vec![(Told, 60), (Accepted, 2)], None));
        // The thirteenth failure is for the next message, with what comes after it.
        let many: Vec<AuditOutcome> = [Told, Failed].repeat(30);
        let (lines, counts, end) = told(&many);
        assert_eq!((lines, counts, end.as_deref()), (vec![Failed; 12], vec![(Told, 13)], Some("25-0")));
    }
}
