//! Slack's two OAuth flows: installing the app, and Sign in with Slack, by which a browser proves whose it is.
//!
//! Codes and secrets travel in form bodies, never in a query. An answer's body is in no error: there is a token in it.
//!
//! [Installing with OAuth](https://docs.slack.dev/authentication/installing-with-oauth),
//! [Sign in with Slack](https://docs.slack.dev/authentication/sign-in-with-slack)

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Error, Slack, from_reqwest, read};
use crate::id::{EnterpriseId, Person, TeamId, UserId, Workspace};
use crate::installation::{Bot, COMMANDS_SCOPE, Extent, Installation, SCOPES, Site};
use crate::secret::Secret;

/// The app as Slack knows it, for installing it and for signing in with it.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// What proves that it is the app.
    pub secret: Secret,
    /// Where Slack sends browsers back to.
    pub redirect_uri: String,
}

/// Why an installation did not come about.
#[derive(Debug, thiserror::Error)]
pub enum NotInstalled {
    /// Slack did not do it.
    #[error(transparent)]
    Slack(#[from] Error),
    /// The app has token rotation switched on: its token would be dead in half a day.
    #[error("the app has token rotation switched on")]
    Rotating,
}

/// Why a browser is not taken for the person's.
#[derive(Debug, thiserror::Error)]
pub enum NotProven {
    /// Slack did not say who it is.
    #[error(transparent)]
    Slack(#[from] Error),
    /// What Slack says is not about this app, or not about now.
    #[error("the ID token is not good: {0}")]
    NotGood(&'static str),
    /// It was asked for in another browser.
    #[error("the ID token is of another browser")]
    OtherBrowser,
    /// It is somebody else's.
    #[error("somebody else is signed in")]
    SomebodyElse,
}

/// A code that Slack never gives.
const NOBODYS_CODE: &str = "onair-check";

impl Slack {
    /// Whether the app can be installed from here, and people can sign in.
    pub fn can_be_installed(&self) -> bool {
        self.options.client.is_some()
    }

    /// Where an admin goes to install the app; nothing where it cannot be installed from here.
    pub fn install_url(&self, state: &str, extent: Extent) -> Option<Secret> {
        let client = self.options.client.as_ref()?;
        let scopes = match extent {
            Extent::Whole => SCOPES.join(","),
            Extent::CommandsOnly => COMMANDS_SCOPE.to_owned(),
        };
        let asked = [
            ("client_id", client.id.as_str()),
            ("scope", &scopes),
            ("state", state),
            ("redirect_uri", &client.redirect_uri),
        ];
        self.page("oauth/v2/authorize", &asked)
    }

    /// Trades the code of a callback for the app's installation. A code is good once, within ten minutes.
    ///
    /// [`oauth.v2.access`](https://docs.slack.dev/reference/methods/oauth.v2.access)
    pub async fn install(&self, code: &Secret, now: Timestamp) -> Result<Installation, NotInstalled> {
        let body = self.trade("oauth.v2.access", code).await?;
        let access: Access = serde_json::from_value(body).map_err(|_| unreadable())?;
        access.into_installation(now)
    }

    /// Where a browser goes to prove that it is this person's; nothing where nobody can sign in.
    pub fn sign_in_url(&self, state: &str, nonce: &str, person: &Person) -> Option<Secret> {
        let client = self.options.client.as_ref()?;
        let asked = [
            ("response_type", "code"),
            ("scope", "openid"),
            ("client_id", &client.id),
            ("state", state),
            ("nonce", nonce),
            ("team", person.team.as_str()),
            ("redirect_uri", &client.redirect_uri),
        ];
        self.page("openid/connect/authorize", &asked)
    }

    /// Trades the code of a callback for who is signed in, and says whether that is this person. The ID token comes
    /// straight from Slack, so its signature need not be looked at
    /// ([OpenID Connect Core, 3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)).
    ///
    /// [`openid.connect.token`](https://docs.slack.dev/reference/methods/openid.connect.token)
    pub async fn prove(&self, code: &Secret, nonce: &str, person: &Person, now: Timestamp) -> Result<(), NotProven> {
        let body = self.trade("openid.connect.token", code).await?;
        let token = body["id_token"].as_str().ok_or(NotProven::NotGood("there is none"))?;
        let claims = Claims::read(token).ok_or(NotProven::NotGood("not readable"))?;
        let client_id = self.options.client.as_ref().map(|client| client.id.as_str()).unwrap_or_default();
        claims.check(&Expected { issuers: [ISSUER, &self.options.oauth_url], client_id, nonce, now })?;
        if claims.is_of(person) { Ok(()) } else { Err(NotProven::SomebodyElse) }
    }

    /// Asks Slack whether it knows the app, where there is one, by having it trade a code that nobody was given. Whatever
    /// else it says about that code is nothing against the app.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with Slack's word for what it does not know.
    pub async fn check_client(&self) -> Result<(), Error> {
        if !self.can_be_installed() {
            return Ok(());
        }
        match self.trade("oauth.v2.access", &Secret::new(NOBODYS_CODE)).await {
            Err(Error::Refused(why)) if ["invalid_client_id", "bad_client_secret"].contains(&why.as_str()) => {
                Err(Error::Refused(why))
            }
            _ => Ok(()),
        }
    }

    fn page(&self, path: &str, asked: &[(&str, &str)]) -> Option<Secret> {
        let mut url = Url::parse(&format!("{}/{path}", self.options.oauth_url)).ok()?;
        url.query_pairs_mut().extend_pairs(asked);
        Some(Secret::new(String::from(url)))
    }

    async fn trade(&self, method: &'static str, code: &Secret) -> Result<Value, Error> {
        self.counted(method, self.try_trade(method, code)).await
    }

    async fn try_trade(&self, method: &str, code: &Secret) -> Result<Value, Error> {
        let client = self.options.client.as_ref().ok_or(Error::NoBot)?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("client_id", &client.id),
            ("client_secret", client.secret.expose()),
            ("redirect_uri", &client.redirect_uri),
        ];
        let request = self.http.post(format!("{}/{method}", self.options.api_url)).form(&form);
        read(request.send().await.map_err(from_reqwest)?).await
    }
}

/// Where the admin of an organization chooses the workspaces that have the app.
///
/// [Developing for Enterprise organizations](https://docs.slack.dev/enterprise/developing-for-enterprise-orgs)
pub fn choose_workspaces_url(enterprise: &EnterpriseId, app: &str) -> Secret {
    Secret::new(format!("https://app.slack.com/manage/{enterprise}/integrations/profile/{app}/workspaces/add"))
}

fn unreadable() -> Error {
    Error::Refused("unreadable".to_owned())
}

/// What Slack answers to a code. `team` is null where a whole organization installed the app.
#[derive(Deserialize)]
struct Access {
    access_token: Option<Secret>,
    #[serde(default)]
    scope: String,
    bot_user_id: Option<UserId>,
    #[serde(default)]
    app_id: String,
    team: Option<Place<TeamId>>,
    enterprise: Option<Place<EnterpriseId>>,
    #[serde(default)]
    is_enterprise_install: bool,
    authed_user: Installer,
    refresh_token: Option<Secret>,
    expires_in: Option<Value>,
}

#[derive(Deserialize)]
struct Place<T> {
    id: T,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Installer {
    id: UserId,
}

impl Access {
    fn into_installation(self, now: Timestamp) -> Result<Installation, NotInstalled> {
        if self.refresh_token.is_some() || self.expires_in.is_some_and(|life| life.as_u64() != Some(0)) {
            return Err(NotInstalled::Rotating);
        }
        let (site, name) = match (self.team, self.enterprise) {
            (None, Some(organization)) => (Site::Organization(organization.id), organization.name),
            (Some(_), Some(organization)) if self.is_enterprise_install => {
                (Site::Organization(organization.id), organization.name)
            }
            (Some(team), enterprise) => {
                let enterprise = enterprise.map(|enterprise| enterprise.id);
                (Site::Workspace(Workspace { enterprise, team: team.id }), team.name)
            }
            (None, None) => return Err(unreadable().into()),
        };
        let scopes = self.scope.split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let bot = match (self.access_token, self.bot_user_id) {
            (Some(token), Some(user)) => Some(Bot { user, token, scopes }),
            _ => None,
        };
        let name = name.unwrap_or_default();
        Ok(Installation { site, name, bot, app: self.app_id, installed_by: self.authed_user.id, at: now })
    }
}

/// Slack's name for itself in ID tokens.
const ISSUER: &str = "https://slack.com";

/// By how many seconds Slack's clock may be ahead of this one, or behind.
const SKEW: i64 = 60;

/// What an ID token has to say.
struct Expected<'a> {
    issuers: [&'a str; 2],
    client_id: &'a str,
    nonce: &'a str,
    now: Timestamp,
}

/// What is read of an ID token.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nonce: String,
    sub: Option<String>,
    #[serde(rename = "https://slack.com/user_id")]
    user: Option<String>,
    #[serde(rename = "https://slack.com/team_id")]
    team: Option<String>,
    #[serde(rename = "https://slack.com/enterprise_id")]
    enterprise: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|_| parts.next().is_none())
    }

    fn check(&self, expected: &Expected<'_>) -> Result<(), NotProven> {
        let is_ours = match &self.aud {
            Audience::One(audience) => audience == expected.client_id,
            Audience::Many(audiences) => audiences.iter().all(|audience| audience == expected.client_id),
        };
        let has_audience = !matches!(&self.aud, Audience::Many(audiences) if audiences.is_empty());
        if !expected.issuers.contains(&self.iss.as_str()) {
            return Err(NotProven::NotGood("it is of another issuer"));
        }
        if !is_ours || !has_audience || expected.client_id.is_empty() {
            return Err(NotProven::NotGood("it is for another app"));
        }
        if self.exp + SKEW < expected.now.as_second() {
            return Err(NotProven::NotGood("it is too old"));
        }
        if self.nonce != expected.nonce || expected.nonce.is_empty() {
            return Err(NotProven::OtherBrowser);
        }
        Ok(())
    }

    /// In an organization people have one id, and may be signed in to another of its workspaces.
    fn is_of(&self, person: &Person) -> bool {
        let user = self.user.as_ref().or(self.sub.as_ref());
        let is_in = |id: &Option<String>, wanted: &str| id.as_deref() == Some(wanted);
        let is_there = is_in(&self.team, person.team.as_str())
            || person.enterprise.as_ref().is_some_and(|enterprise| {
                is_in(&self.enterprise, enterprise.as_str()) || is_in(&self.team, enterprise.as_str())
            });
        user.is_some_and(|user| *user == person.user.as_str()) && is_there
    }
}
