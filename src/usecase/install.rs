//! Installing the app in a workspace or an organization, in the browser of an admin.
//!
//! An installation is begun in one browser, which is known again by a mark: whoever is sent Slack's way back by somebody
//! else installs nothing. Anybody may begin one, so that costs nothing here: all that is known of it is in its state.

use tracing::Instrument as _;

use super::record::record;
use super::{Failure, chain};
use crate::app::App;
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::grant::StateToken;
use crate::id::{Person, Reference};
use crate::installation::{Begun, Extent, Installation, Site};
use crate::reply::InstallPage;
use crate::secret::Secret;
use crate::usecase::link::Answer;
use crate::{slack, store};

/// How an installation goes on that was begun.
#[derive(Debug)]
pub enum Next {
    /// At Slack.
    Slack {
        /// Where.
        url: Secret,
        /// What it is known by.
        state: StateToken,
        /// What the browser is to show when it comes back.
        mark: Secret,
    },
    /// Not at all.
    Not(InstallPage),
}

/// Begins an installation.
pub fn begin(app: &App, extent: Extent) -> Next {
    let begun = Begun::now(app.clock.now());
    let state = match app.store.state_of(&begun) {
        Ok(state) => state,
        Err(error) => return Next::Not(store_away(&error.into())),
    };
    match app.slack.install_url(state.expose(), extent) {
        Some(url) => Next::Slack { url, state, mark: begun.browser },
        None => Next::Not(InstallPage::NotSetUp),
    }
}

/// Slack's way back: exchanges the code and keeps the installation. Nothing where no installation was begun with this
/// state.
///
/// It runs to its end in a task of its own: a browser that is closed in the middle must not lose the bot's token.
pub async fn came_back(app: &App, state: &StateToken, answer: &Answer, mark: Option<Secret>) -> Option<InstallPage> {
    let begun = app.store.begun(state)?;
    if begun.is_over(app.clock.now()) {
        return Some(InstallPage::Over);
    }
    if mark != Some(begun.browser) {
        return Some(InstallPage::OtherBrowser);
    }
    match app.store.is_used(state).await {
        Ok(false) => {}
        Ok(true) => return Some(InstallPage::Over),
        Err(error) => return Some(store_away(&error.into())),
    }
    let (inner, state, answer) = (app.clone(), state.clone(), answer.clone());
    let whole = async move { install(&inner, &state, answer).await };
    Some(app.spawn(whole.in_current_span()).await.unwrap_or_else(|_| {
        let reference = Reference::random();
        tracing::error!(%reference, "an installation broke");
        InstallPage::Refused { reference }
    }))
}

async fn install(app: &App, state: &StateToken, answer: Answer) -> InstallPage {
    let reference = Reference::random();
    let code = match answer {
        Answer::Code(code) => code,
        Answer::Declined => return InstallPage::Declined,
        Answer::Failed => {
            tracing::warn!(%reference, "Slack sent a browser back with an error of its own");
            return InstallPage::Refused { reference };
        }
    };
    let installation = match app.slack.install(&code, app.clock.now()).await {
        Ok(installation) => installation,
        Err(error) => {
            tracing::warn!(%reference, error = chain(&error), "the app was not installed");
            failed(app, reference.clone(), None).await;
            return not_installed(&error, reference);
        }
    };
    // Only now, because anybody gets as far as Slack's way back.
    match app.store.use_up(state).await {
        Ok(true) => {}
        Ok(false) => return InstallPage::Over,
        Err(error) => {
            failed(app, reference, None).await;
            return store_away(&error.into());
        }
    }
    let by = installation.site.user(installation.installed_by.clone());
    let entry = entry(app, reference.clone(), Some(by.clone()), AuditOutcome::Installed);
    if let Err(error) = keep(app, &installation, &entry).await {
        failed(app, reference, Some(by)).await;
        return store_away(&error.into());
    }
    app.log(&entry);
    done(&installation)
}

/// Keeps an installation, and its entry. Installing again, which any member may do in most workspaces, does not change who
/// installed it. One that does not open is replaced.
async fn keep(app: &App, installation: &Installation, entry: &AuditEntry) -> Result<(), store::Error> {
    loop {
        let former = app.store.installed_in(&installation.site).await?;
        let earlier = former.installation.as_ref().unwrap_or(installation);
        let wanted = Installation { installed_by: earlier.installed_by.clone(), ..installation.clone() };
        // Whoever installs or removes it at the same moment has it looked at again.
        if app.store.install(&former, &wanted, entry).await? {
            return Ok(());
        }
    }
}

fn done(installation: &Installation) -> InstallPage {
    let choose = match &installation.site {
        Site::Workspace(_) => None,
        Site::Organization(enterprise) => Some(slack::choose_workspaces_url(enterprise, &installation.app)),
    };
    InstallPage::Done { name: installation.name.clone(), choose, speaks: installation.speaker().is_some() }
}

fn not_installed(error: &slack::NotInstalled, reference: Reference) -> InstallPage {
    match error {
        slack::NotInstalled::Rotating => InstallPage::Rotating,
        slack::NotInstalled::Slack(slack::Error::Refused(why)) if why == "code_already_used" => InstallPage::Over,
        slack::NotInstalled::Slack(error) if error.retry_in().is_some() => InstallPage::Away { reference },
        slack::NotInstalled::Slack(_) => InstallPage::Refused { reference },
    }
}

async fn failed(app: &App, reference: Reference, by: Option<Person>) {
    record(app, entry(app, reference, by, AuditOutcome::InstallFailed)).await;
}

/// What is written down about an installation.
pub(super) fn entry(app: &App, reference: Reference, by: Option<Person>, outcome: AuditOutcome) -> AuditEntry {
    AuditEntry { person: by, ..AuditEntry::new(app.clock.now(), reference, AuditVerb::Install, outcome) }
}

fn store_away(failure: &Failure) -> InstallPage {
    tracing::error!(error = chain(failure), "an installation could not go on: the store failed");
    InstallPage::StoreAway
}
