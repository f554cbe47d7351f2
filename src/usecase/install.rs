//! Installing the app in a workspace or an organization, in the browser of an admin.
//!
//! An installation is begun in one browser, which is known again by a mark: whoever is sent Slack's way back by somebody
//! else installs nothing.

use tracing::Instrument as _;

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
pub async fn begin(app: &App, extent: Extent) -> Next {
    let state = StateToken::generate();
    let Some(url) = app.slack.install_url(state.expose(), extent) else { return Next::Not(InstallPage::NotSetUp) };
    let begun = Begun::now(app.clock.now());
    match app.store.begin_installation(&state, &begun).await {
        Ok(()) => Next::Slack { url, state, mark: begun.browser },
        Err(error) => Next::Not(store_away(&error.into())),
    }
}

/// Slack's way back: exchanges the code and keeps the installation. Nothing where no installation was begun with this
/// state.
///
/// It runs to its end in a task of its own: a browser that is closed in the middle must not lose the bot's token.
pub async fn came_back(app: &App, state: &StateToken, answer: &Answer, mark: Option<Secret>) -> Option<InstallPage> {
    match app.store.begun_installation(state).await {
        Ok(begun) => {
            let begun = begun.filter(|begun| !begun.is_over(app.clock.now()))?;
            if mark != Some(begun.browser) {
                return Some(InstallPage::OtherBrowser);
            }
        }
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
    match app.store.take_begun_installation(state).await {
        Ok(Some(_)) => {}
        Ok(None) => return InstallPage::Over,
        Err(error) => return store_away(&error.into()),
    }
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
            record(app, reference.clone(), None, AuditOutcome::InstallFailed).await;
            return not_installed(&error, reference);
        }
    };
    let by = installation.site.user(installation.installed_by.clone());
    if let Err(error) = keep(app, &installation).await {
        record(app, reference, Some(by), AuditOutcome::InstallFailed).await;
        return store_away(&error.into());
    }
    record(app, reference, Some(by), AuditOutcome::Installed).await;
    done(&installation)
}

/// Keeps an installation. Installing again, which any member may do in most workspaces, does not change who installed it.
async fn keep(app: &App, installation: &Installation) -> Result<(), store::Error> {
    let former = match app.store.installation(&installation.site).await {
        Err(error) if error.is_transient() => return Err(error),
        // One that does not open is replaced.
        former => former.ok().flatten(),
    };
    let installed_by = former.map_or_else(|| installation.installed_by.clone(), |former| former.installed_by);
    app.store.install(&Installation { installed_by, ..installation.clone() }).await
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
        slack::NotInstalled::Slack(error) if error.retry_in().is_some() => InstallPage::Away { reference },
        slack::NotInstalled::Slack(_) => InstallPage::Refused { reference },
    }
}

async fn record(app: &App, reference: Reference, by: Option<Person>, outcome: AuditOutcome) {
    app.record(&entry(app, reference, by, outcome)).await;
}

/// What is written down about an installation.
pub(super) fn entry(app: &App, reference: Reference, by: Option<Person>, outcome: AuditOutcome) -> AuditEntry {
    AuditEntry { person: by, ..AuditEntry::new(app.clock.now(), reference, AuditVerb::Install, outcome) }
}

fn store_away(failure: &Failure) -> InstallPage {
    tracing::error!(error = chain(failure), "an installation could not go on: the store failed");
    InstallPage::StoreAway
}
