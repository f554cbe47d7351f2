//! Zoom's OAuth: a consent page, a token endpoint whose refresh tokens are single-use, and revocation.
//!
//! [OAuth](https://developers.zoom.us/docs/integrations/oauth/)

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::world::{Code, Grant, State, Visitor, World};
use crate::sandbox::Fault;
use crate::sandbox::consent::{self, Consent, Decision};
use crate::sandbox::wire::{Answer, Recorded};

const CODE_LIFE: SignedDuration = SignedDuration::from_mins(5);
const REFRESH_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long an access token lives; `expires_in` says the same.
const ACCESS_LIFE: SignedDuration = SignedDuration::from_secs(3599);

/// The tokens of a grant made without a browser.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

/// `GET /oauth/authorize`: checks what the app sent along, then does what the person at the browser decides.
pub(super) fn authorize(world: &World, state: &mut State, now: Timestamp, request: &Recorded) -> Answer {
    let field = |name: &str| request.query_field(name).unwrap_or_default();
    let redirect_uri = field("redirect_uri");
    let problem = if request.method != "GET" {
        Some("Method not allowed")
    } else if field("client_id") != world.client_id {
        Some("Invalid client_id (4,700)")
    } else if !state.redirects.contains(&redirect_uri) {
        Some("Invalid redirect (4,700)")
    } else if field("response_type") != "code" {
        Some("Invalid response_type (4,700)")
    } else if field("code_challenge_method") != "S256" || field("code_challenge").len() != 43 {
        Some("Invalid code_challenge (4,700)")
    } else if field("state").is_empty() {
        Some("This app sends no state")
    } else {
        None
    };
    if let Some(problem) = problem {
        state.complaints.push(format!("authorize: {problem}"));
        return Answer::new(400, format!("<h1>{problem}</h1>")).with("content-type", "text/html");
    }
    let mut visitor = state.visitor.clone();
    if state.asks
        && let Visitor::Allows(id) = &visitor
    {
        match consent::decision(request) {
            None => {
                let name = state.user(id).map(|user| user.email.clone()).unwrap_or_default();
                return Consent { vendor: "Zoom", id, name: &name, scopes: &state.scopes }.page(request);
            }
            Some(Decision::Declines) => visitor = Visitor::Declines,
            Some(Decision::Allows(id)) => {
                visitor = if state.user(&id).is_some() { Visitor::Allows(id) } else { Visitor::Nobody };
            }
        }
    }
    let (key, value) = match visitor {
        Visitor::Nobody => return Answer::new(200, "<h1>Sign in</h1>").with("content-type", "text/html"),
        Visitor::Declines => ("error", "access_denied".to_owned()),
        Visitor::Allows(user) => {
            let code = format!("code-canary-{:04}", state.codes.len() + 1);
            let challenge = field("code_challenge");
            let redirect_uri = redirect_uri.clone();
            state.codes.push(Code { code: code.clone(), user, redirect_uri, challenge, made: now, used: false });
            ("code", code)
        }
    };
    let added = [(key, value), ("state", field("state"))];
    match url::Url::parse_with_params(&redirect_uri, added) {
        Ok(location) => Answer::new(302, "").with("location", location),
        Err(error) => Answer::new(400, format!("<h1>{error}</h1>")).with("content-type", "text/html"),
    }
}

/// `POST /oauth/token`
pub(super) fn token(world: &World, state: &mut State, now: Timestamp, request: &Recorded) -> Answer {
    let issued = checked_client(world, request).and_then(|()| {
        match request.form_field("grant_type").unwrap_or_default().as_str() {
            "authorization_code" => redeem(state, now, request),
            "refresh_token" => refresh(state, now, request),
            _ => Err(Refused::new("unsupported_grant_type", "Unsupported grant type")),
        }
    });
    answered(
        state,
        "token",
        issued.map(|index| {
            // `api_url` names the user's cluster; this Zoom has only one.
            let api_url = world.base.clone();
            move |state: &mut State| token_answer(state, index, &api_url)
        }),
    )
}

/// `POST /oauth/revoke`
pub(super) fn revoke(world: &World, state: &mut State, request: &Recorded) -> Answer {
    let token = request.form_field("token").unwrap_or_default();
    let revoked = checked_client(world, request).and_then(|()| {
        let grant = state.grants.iter_mut().find(|grant| {
            grant.alive && (grant.refresh == token || grant.access.iter().any(|(access, _)| *access == token))
        });
        let grant = grant.ok_or_else(|| Refused::new("invalid_request", "Invalid Token!"))?;
        grant.alive = false;
        Ok(|_: &mut State| json!({ "status": "success" }))
    });
    answered(state, "revoke", revoked)
}

/// Makes a grant and kills every earlier one of the same user: Zoom keeps one per user and app.
pub(super) fn grant(state: &mut State, now: Timestamp, user: &str) -> usize {
    for earlier in state.grants.iter_mut().filter(|grant| grant.user == user) {
        earlier.alive = false;
    }
    let (user, scopes) = (user.to_owned(), state.scopes.clone());
    let refresh = state.fresh_token("zrt-canary");
    let mut grant = Grant { user, scopes, refresh, refreshed: now, spent: Vec::new(), access: Vec::new(), alive: true };
    grant.access.push((state.fresh_token("zat-canary"), now + ACCESS_LIFE));
    state.grants.push(grant);
    state.grants.len() - 1
}

/// The newest tokens of a grant.
pub(super) fn tokens(grant: &Grant) -> Tokens {
    let access = grant.access.last().map(|(access, _)| access.clone()).unwrap_or_default();
    Tokens { access, refresh: grant.refresh.clone() }
}

const UNKNOWN_CODE: &str = "Invalid authorization code";

struct Refused {
    status: u16,
    error: &'static str,
    reason: &'static str,
}

impl Refused {
    fn new(error: &'static str, reason: &'static str) -> Self {
        Self { status: 400, error, reason }
    }
}

fn answered<F: FnOnce(&mut State) -> Value>(state: &mut State, what: &str, result: Result<F, Refused>) -> Answer {
    match result {
        Ok(body) => Answer::json(200, &body(state)).with("cache-control", "no-store"),
        // Whether a client is known is found out with a code that nobody was given.
        Err(Refused { status, error, reason: UNKNOWN_CODE }) => {
            Answer::json(status, &json!({ "reason": UNKNOWN_CODE, "error": error }))
        }
        Err(Refused { status, error, reason }) => {
            state.complaints.push(format!("{what}: {error}: {reason}"));
            Answer::json(status, &json!({ "reason": reason, "error": error }))
        }
    }
}

fn checked_client(world: &World, request: &Recorded) -> Result<(), Refused> {
    let basic = BASE64_STANDARD.encode(format!("{}:{}", world.client_id, world.client_secret));
    if request.method != "POST" {
        return Err(Refused { status: 405, error: "invalid_request", reason: "Method not allowed" });
    }
    if request.header("authorization") != Some(format!("Basic {basic}").as_str()) {
        return Err(Refused { status: 401, error: "invalid_client", reason: "Invalid client_id or client_secret" });
    }
    if !request.query.is_empty() {
        return Err(Refused::new("invalid_request", "Parameters in the query are not accepted"));
    }
    if request.media_type() != "application/x-www-form-urlencoded" {
        return Err(Refused::new("invalid_request", "The body must be a form"));
    }
    Ok(())
}

fn redeem(state: &mut State, now: Timestamp, request: &Recorded) -> Result<usize, Refused> {
    let field = |name: &str| request.form_field(name).unwrap_or_default();
    let given = field("code");
    let code = state.codes.iter_mut().find(|code| code.code == given);
    let code = code.ok_or_else(|| Refused::new("invalid_grant", UNKNOWN_CODE))?;
    // Used up by the first attempt, whether or not that one was good.
    if std::mem::replace(&mut code.used, true) {
        return Err(Refused::new("invalid_grant", "The authorization code was used before"));
    }
    if now.duration_since(code.made) > CODE_LIFE {
        return Err(Refused::new("invalid_grant", "The authorization code has expired"));
    }
    if field("redirect_uri") != code.redirect_uri {
        return Err(Refused::new("invalid_grant", "Redirect URI mismatch"));
    }
    let verifier = field("code_verifier");
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    if !(43..=128).contains(&verifier.len()) || challenge != code.challenge {
        return Err(Refused::new("invalid_grant", "Invalid code verifier"));
    }
    let user = code.user.clone();
    Ok(grant(state, now, &user))
}

fn refresh(state: &mut State, now: Timestamp, request: &Recorded) -> Result<usize, Refused> {
    let given = request.form_field("refresh_token").unwrap_or_default();
    let dead = || Refused::new("invalid_grant", "Invalid Token!");
    if state.grants.iter().any(|grant| grant.spent.contains(&given)) {
        state.complaints.push("token: a refresh token was used a second time".to_owned());
        return Err(dead());
    }
    let index = state.grants.iter().position(|grant| grant.alive && grant.refresh == given).ok_or_else(dead)?;
    if now.duration_since(state.grants[index].refreshed) > REFRESH_LIFE {
        return Err(dead());
    }
    let (refresh, access) = (state.fresh_token("zrt-canary"), state.fresh_token("zat-canary"));
    state.refreshes += 1;
    let grant = &mut state.grants[index];
    grant.spent.push(std::mem::replace(&mut grant.refresh, refresh));
    grant.access.push((access, now + ACCESS_LIFE));
    grant.refreshed = now;
    Ok(index)
}

fn token_answer(state: &mut State, index: usize, api_url: &str) -> Value {
    let grant = &state.grants[index];
    let Tokens { access, refresh } = tokens(grant);
    json!({
        "access_token": access,
        "token_type": "bearer",
        "refresh_token": refresh,
        "expires_in": ACCESS_LIFE.as_secs(),
        "scope": grant.scopes.join(" "),
        "api_url": api_url,
    })
}

/// The token endpoint's last word on a refresh token, as a fault: `zoom.next(Route::Token, invalid_grant())`.
pub fn invalid_grant() -> Fault {
    Fault::json(400, &json!({ "reason": "Invalid Token!", "error": "invalid_grant" }))
}
