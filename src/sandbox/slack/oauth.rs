//! Slack's pages for browsers, and the codes they give: installing the app, and Sign in with Slack.
//!
//! [Installing with OAuth](https://docs.slack.dev/authentication/installing-with-oauth),
//! [Sign in with Slack](https://docs.slack.dev/authentication/sign-in-with-slack)

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::SimSlack;
use super::api::{Outcome, bot_token};
use super::delivery::APP_ID;
use super::people::{User, Workspace};
use super::post::Refusal;
use super::world::State;
use crate::sandbox::consent::{self, Consent, Decision};
use crate::sandbox::wire::{Answer, Recorded};

const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// The app as it is registered, and what was given to browsers.
#[derive(Debug, Default)]
pub(super) struct Oauth {
    client: Option<(String, String)>,
    redirects: Vec<String>,
    visitor: Visitor,
    /// Whether whoever is signed in is asked, on a page, what they decide.
    asks: bool,
    rotating: bool,
    codes: Vec<Code>,
}

/// Who is at the browser, and what they decide.
#[derive(Clone, Debug, Default)]
enum Visitor {
    /// Nobody is signed in.
    #[default]
    Nobody,
    /// They say no.
    Declines,
    /// They say yes.
    Allows(User),
}

#[derive(Debug)]
struct Code {
    code: String,
    user: User,
    redirect_uri: String,
    purpose: Purpose,
    made: Timestamp,
    used: bool,
}

#[derive(Clone, Debug)]
enum Purpose {
    Install { scopes: Vec<String> },
    SignIn { nonce: String },
}

impl SimSlack {
    /// Registers the app: its id, its secret, and where browsers may be sent back to.
    pub fn register_app(&self, client_id: &str, client_secret: &str, redirect_uri: &str) {
        self.world.change(|state| {
            state.oauth.client = Some((client_id.to_owned(), client_secret.to_owned()));
            state.oauth.redirects.push(redirect_uri.to_owned());
        });
    }

    /// From now on this person is signed in at every browser, and says yes to whatever Slack asks there.
    pub fn sign_in_as(&self, user: &User) {
        self.world.change(|state| state.oauth.visitor = Visitor::Allows(user.clone()));
    }

    /// From now on whoever is at a browser says no.
    pub fn decline(&self) {
        self.world.change(|state| state.oauth.visitor = Visitor::Declines);
    }

    /// From now on whoever is signed in decides on a page.
    pub(in crate::sandbox) fn ask_at_browsers(&self) {
        self.world.change(|state| state.oauth.asks = true);
    }

    /// Switches token rotation on, which Slack cannot take back.
    pub fn rotate_tokens(&self) {
        self.world.change(|state| state.oauth.rotating = true);
    }
}

/// `GET /oauth/v2/authorize` and `GET /openid/connect/authorize`: checks what the app sent along, then does what the
/// person at the browser decides.
pub(super) fn authorize(state: &mut State, request: &Recorded) -> Answer {
    let field = |name: &str| request.query_field(name).unwrap_or_default();
    let redirect_uri = field("redirect_uri");
    let signs_in = request.path.starts_with("/openid/");
    let scopes: Vec<String> = field("scope").split([',', ' ']).filter(|s| !s.is_empty()).map(str::to_owned).collect();
    let is_known = |scope: &String| if signs_in { scope == "openid" } else { KNOWN.contains(&scope.as_str()) };
    let client_id = state.oauth.client.as_ref().map(|(id, _)| id.clone());
    let problem = if request.method != "GET" {
        Some("method_not_allowed")
    } else if client_id.is_none_or(|id| id != field("client_id")) {
        Some("invalid_client_id")
    } else if !state.oauth.redirects.contains(&redirect_uri) {
        Some("bad_redirect_uri")
    } else if scopes.is_empty() || !scopes.iter().all(is_known) {
        Some("invalid_scope")
    } else if field("state").is_empty() {
        Some("this app sends no state")
    } else if signs_in && (field("response_type") != "code" || field("nonce").is_empty()) {
        Some("this app sends no response_type or nonce")
    } else {
        None
    };
    if let Some(problem) = problem {
        state.complaints.push(format!("{}: {problem}", request.path));
        return page(400, problem);
    }
    let mut visitor = state.oauth.visitor.clone();
    if state.oauth.asks
        && let Visitor::Allows(user) = &visitor
    {
        match consent::decision(request) {
            None => return Consent { vendor: "Slack", id: &user.id, name: &user.name, scopes: &scopes }.page(request),
            Some(Decision::Declines) => visitor = Visitor::Declines,
            Some(Decision::Allows(id)) => {
                let asked = state.users.iter().find(|user| user.id == id);
                visitor = asked.map_or(Visitor::Nobody, |user| Visitor::Allows(user.clone()));
            }
        }
    }
    let (key, value) = match visitor {
        Visitor::Nobody => return page(200, "Sign in to Slack"),
        Visitor::Declines => ("error", "access_denied".to_owned()),
        Visitor::Allows(user) => {
            let code = format!("code-canary-slack-{:04}", state.oauth.codes.len() + 1);
            let purpose =
                if signs_in { Purpose::SignIn { nonce: field("nonce") } } else { Purpose::Install { scopes } };
            let (redirect_uri, made) = (redirect_uri.clone(), state.now);
            state.oauth.codes.push(Code { code: code.clone(), user, redirect_uri, purpose, made, used: false });
            ("code", code)
        }
    };
    match url::Url::parse_with_params(&redirect_uri, [(key, value), ("state", field("state"))]) {
        Ok(location) => Answer::new(302, "").with("location", location),
        Err(_) => page(400, "bad_redirect_uri"),
    }
}

/// The scopes for bots that this Slack knows.
const KNOWN: &[&str] = &["commands", "chat:write", "users:read", "im:write"];

fn page(status: u16, text: &str) -> Answer {
    Answer::new(status, format!("<h1>{text}</h1>")).with("content-type", "text/html")
}

/// `oauth.v2.access`: installs the app for a code.
pub(super) fn access(state: &mut State, request: &Recorded) -> Outcome {
    let code = redeem(state, request)?;
    let Purpose::Install { scopes } = code.purpose else { return Err(Refusal::new("invalid_code", "of a sign-in")) };
    let workspace = state.workspace(&code.user.team).cloned();
    let workspace = workspace.ok_or_else(|| Refusal::new("team_not_found", &*code.user.team))?;
    let org = workspace.org_wide().cloned();
    let in_org =
        |other: &Workspace| org.is_some() && other.org_wide().map(|org| &org.id) == org.as_ref().map(|org| &org.id);
    let covered = state.workspaces.iter().filter(|other| **other == workspace || in_org(other));
    let covered: Vec<String> = covered.map(|workspace| workspace.id.clone()).collect();
    for id in covered {
        let access = state.access.entry(id).or_default();
        // Scopes are only ever added to a living token.
        let kept = if access.dead.is_none() && access.installed { access.scopes.clone() } else { Vec::new() };
        access.scopes = kept;
        access.scopes.extend(scopes.iter().filter(|scope| !access.scopes.contains(scope)).cloned().collect::<Vec<_>>());
        (access.dead, access.installed) = (None, true);
    }
    let named = |id: &str, name: &str| json!({ "id": id, "name": name });
    let mut answer = json!({
        "access_token": bot_token(&workspace),
        "token_type": "bot",
        "scope": state.access(&workspace).scopes.join(","),
        "bot_user_id": workspace.bot_user,
        "app_id": APP_ID,
        "team": org.is_none().then(|| named(&workspace.id, &workspace.domain)),
        "enterprise": workspace.enterprise.as_ref().map(|enterprise| named(&enterprise.id, &enterprise.name)),
        "authed_user": { "id": code.user.id },
        "is_enterprise_install": org.is_some(),
    });
    if state.oauth.rotating {
        answer["refresh_token"] = json!("xoxe-1-canary");
        answer["expires_in"] = json!(43200);
    }
    Ok(answer)
}

/// `openid.connect.token`: says who is signed in, for a code.
pub(super) fn identity(state: &mut State, base: &str, request: &Recorded) -> Outcome {
    let code = redeem(state, request)?;
    let Purpose::SignIn { nonce } = code.purpose else {
        return Err(Refusal::new("invalid_code", "of an installation"));
    };
    let enterprise = state.workspace(&code.user.team).and_then(|workspace| workspace.enterprise.clone());
    let now = state.now.as_second();
    let mut claims = json!({
        "iss": base,
        "sub": code.user.id,
        "aud": state.oauth.client.as_ref().map(|(id, _)| id.clone()),
        "exp": now + 300,
        "iat": now,
        "auth_time": now,
        "nonce": nonce,
        "https://slack.com/user_id": code.user.id,
        "https://slack.com/team_id": code.user.team,
    });
    if let Some(enterprise) = enterprise {
        claims["https://slack.com/enterprise_id"] = json!(enterprise.id);
    }
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!("{}.{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims), "canary");
    Ok(json!({ "access_token": "xoxp-canary", "token_type": "Bearer", "id_token": token }))
}

/// Uses a code up, whether or not the rest of the request is good.
fn redeem(state: &mut State, request: &Recorded) -> Result<Code, Refusal> {
    let field = |name: &str| request.form_field(name).unwrap_or_default();
    if !request.query.is_empty() || request.media_type() != "application/x-www-form-urlencoded" {
        return Err(Refusal::new("invalid_arguments", "secrets belong into the form"));
    }
    let client = state.oauth.client.clone().ok_or_else(|| Refusal::new("invalid_client_id", "no app"))?;
    if client != (field("client_id"), field("client_secret")) {
        return Err(Refusal::new("bad_client_secret", "not this app"));
    }
    let now = state.now;
    let code = state.oauth.codes.iter_mut().find(|known| known.code == field("code"));
    let code = code.ok_or_else(|| Refusal::new("invalid_code", "unknown"))?;
    if std::mem::replace(&mut code.used, true) {
        return Err(Refusal::new("code_already_used", "once is enough"));
    }
    if now.duration_since(code.made) > CODE_LIFE {
        return Err(Refusal::new("invalid_code", "too old"));
    }
    if code.redirect_uri != field("redirect_uri") {
        return Err(Refusal::new("bad_redirect_uri", "another one"));
    }
    let Code { code, user, redirect_uri, purpose, made, used } = code;
    Ok(Code {
        code: code.clone(),
        user: user.clone(),
        redirect_uri: redirect_uri.clone(),
        purpose: purpose.clone(),
        made: *made,
        used: *used,
    })
}
