//! Grants, byte for byte, and that no error gives one away.

use std::error::Error as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use onair::clock::Clock;
use onair::grant::Tokens;
use onair::grant::random_secret;
use onair::outcome::Denied;
use onair::secret::Secret;
use onair::zoom::{Error, Options};

use super::{ACCESS, access, door, door_of, options};
use crate::recorder::{Recorder, Reply};

const REFRESH: &str = "eyJ.refresh/token+1.sig";
const PAIR: &str = r#"{"access_token":"A2","token_type":"bearer","refresh_token":"R2","expires_in":3599,"scope":"meeting:update:livestream_status user:read:user","api_url":"https://api-us.zoom.us"}"#;

fn refresh_token() -> Secret {
    Secret::new(REFRESH)
}

fn head(path: &str, length: usize) -> String {
    format!(
        "POST /oauth/{path} HTTP/1.1\naccept: application/json\nauthorization: Basic Y2xpZW50LWlkOmNsaWVudC1zZWNyZXQ=\n\
         content-length: {length}\ncontent-type: application/x-www-form-urlencoded\nuser-agent: onair/{}",
        env!("CARGO_PKG_VERSION")
    )
}

fn assert_pair(tokens: &Tokens, asked_at: Timestamp) {
    assert_eq!((tokens.access.expose(), tokens.refresh.expose()), ("A2", "R2"));
    assert_eq!(tokens.scopes, ["meeting:update:livestream_status", "user:read:user"]);
    let life = tokens.expires_at.duration_since(asked_at);
    assert!(life >= SignedDuration::from_secs(3599) && life < SignedDuration::from_secs(3660), "{life}");
}

#[test]
fn a_person_is_sent_to_zoom_with_a_state_and_a_challenge() {
    let door = door_of(options("https://zoom.example"));
    // The pair of RFC 7636, appendix B.
    let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(
        door.authorize_url("a state&more", &verifier).expose(),
        "https://zoom.example/oauth/authorize?response_type=code&client_id=client-id\
         &redirect_uri=https%3A%2F%2Fonair.example.com%2Fzoom%2Foauth%2Fcallback&state=a+state%26more\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    );
}

#[tokio::test]
async fn a_code_is_traded_in_a_form_and_never_in_a_query() {
    let zoom = Recorder::start([Reply::json(200, PAIR)]);
    let (code, verifier) = (Secret::new("co de&1"), Secret::new("verifier-43"));
    let asked_at = Clock::default().now();
    assert_pair(&door(&zoom).exchange(&code, &verifier).await.unwrap(), asked_at);
    let seen = zoom.only();
    let body = "grant_type=authorization_code&code=co+de%261\
                &redirect_uri=https%3A%2F%2Fonair.example.com%2Fzoom%2Foauth%2Fcallback&code_verifier=verifier-43";
    assert_eq!(seen.text(), body);
    assert_eq!(seen.head(), head("token", body.len()));
}

#[tokio::test]
async fn a_refresh_sends_the_token_and_brings_the_next_pair() {
    let zoom = Recorder::start([Reply::json(200, PAIR)]);
    let asked_at = Clock::default().now();
    assert_pair(&door(&zoom).refresh(&refresh_token()).await.unwrap(), asked_at);
    let seen = zoom.only();
    let body = "grant_type=refresh_token&refresh_token=eyJ.refresh%2Ftoken%2B1.sig";
    assert_eq!(seen.text(), body);
    assert_eq!(seen.head(), head("token", body.len()));
}

#[tokio::test]
async fn a_pair_without_the_dispensable_is_still_a_pair() {
    let zoom = Recorder::start([
        Reply::json(200, r#"{"access_token":"A2","expires_in":"3599","scope":null}"#),
        Reply::json(200, r#"{"access_token":"A2"}"#),
    ]);
    let door = door(&zoom);
    let tokens = door.refresh(&refresh_token()).await.unwrap();
    assert_eq!(tokens.refresh, refresh_token(), "RFC 6749, 6: none named, the old one stays");
    assert!(tokens.scopes.is_empty());

    let error = door.exchange(&Secret::new("code"), &random_secret()).await.unwrap_err();
    assert!(matches!(error, Error::Unexpected { status: 200 }), "{error:?}");
}

#[tokio::test]
async fn a_revocation_names_the_token_in_its_form() {
    let gone = r#"{"reason":"Invalid Token!","error":"invalid_request"}"#;
    let zoom = Recorder::start([
        Reply::json(200, r#"{"status":"success"}"#),
        Reply::json(400, gone),
        Reply::json(401, r#"{"reason":"Invalid client","error":"invalid_client"}"#),
    ]);
    let door = door(&zoom);
    door.revoke(&access()).await.unwrap();
    let seen = zoom.only();
    let body = format!("token={ACCESS}");
    assert_eq!(seen.text(), body);
    assert_eq!(seen.head(), head("revoke", body.len()));

    door.revoke(&access()).await.expect("a token that is gone is revoked");
    let error = door.revoke(&access()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Refused { status: 401, code: Some(code) } if code == "invalid_client"),
        "{error:?}"
    );
}

#[tokio::test]
async fn me_is_asked_with_the_bearer() {
    let body = r#"{"id":"KDcuGIm1QgePTO8WbOqwIQ","first_name":"Ada","last_name":"Lovelace","display_name":"Ada L.","email":"ada@example.com","account_id":"gHpy","pmi":5551234567}"#;
    let zoom = Recorder::start([
        Reply::json(200, body),
        Reply::json(200, r#"{"id":"K","first_name":"Ada","last_name":"Lovelace"}"#),
        Reply::json(200, r#"{"id":"K"}"#),
    ]);
    let door = door(&zoom);
    let me = door.me(&access()).await.unwrap();
    assert_eq!(me.id.as_str(), "KDcuGIm1QgePTO8WbOqwIQ");
    assert_eq!(me.account.unwrap().as_str(), "gHpy");
    assert_eq!((me.name.as_deref(), me.email.as_deref()), (Some("Ada L."), Some("ada@example.com")));
    let version = env!("CARGO_PKG_VERSION");
    let head = format!(
        "GET /v2/users/me HTTP/1.1\naccept: application/json\nauthorization: Bearer {ACCESS}\nuser-agent: onair/{version}"
    );
    assert_eq!(zoom.only().head(), head);

    assert_eq!(door.me(&access()).await.unwrap().name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(door.me(&access()).await.unwrap().name, None);
}

async fn me_fails(reply: Reply) -> Error {
    door(&Recorder::start([reply])).me(&access()).await.expect_err("a failure")
}

async fn refresh_fails(reply: Reply) -> Error {
    door(&Recorder::start([reply])).refresh(&refresh_token()).await.expect_err("a failure")
}

#[tokio::test]
async fn me_fails_by_what_the_caller_does_next() {
    let scope = r#"{"code":4711,"message":"Invalid access token, does not contain scopes:[user:read:user]."}"#;
    for status in [400, 401] {
        let error = me_fails(Reply::json(status, scope)).await;
        assert!(matches!(&error, Error::Scope { missing } if missing == &["user:read:user"]), "{error:?}");
    }
    for status in [400, 401] {
        let error = me_fails(Reply::json(status, r#"{"code":124,"message":"Access token is expired."}"#)).await;
        assert!(matches!(error, Error::Unauthorized), "{error:?}");
    }
    let error = me_fails(Reply::status(429, "Retry-After: 9999999999\r\n", "")).await;
    assert!(matches!(error, Error::Busy { retry_at } if retry_at < Clock::default().now() + Duration::from_secs(60)));
    let error = me_fails(Reply::json(404, r#"{"code":1001,"message":"User does not exist."}"#)).await;
    assert!(matches!(error, Error::Denied(Denied::UserMissing)), "{error:?}");
    assert!(matches!(me_fails(Reply::status(503, "", "")).await, Error::Down { status: 503 }));
    assert!(matches!(me_fails(Reply::no_content()).await, Error::Unexpected { status: 204 }));
    assert!(matches!(me_fails(Reply::json(200, "{}")).await, Error::Unexpected { status: 200 }));
}

#[tokio::test]
async fn a_pair_that_was_cut_is_no_answer_because_the_token_may_be_spent() {
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n{}", &PAIR[..40]).into_bytes();
    for reply in [Reply::Last(cut), Reply::Last(Vec::new())] {
        let error = refresh_fails(reply).await;
        assert!(matches!(error, Error::NoAnswer(_)) && error.is_transient(), "{error:?}");
    }
    let endless = b"HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"".to_vec();
    assert!(matches!(refresh_fails(Reply::Endless(endless)).await, Error::Unexpected { status: 200 }));
}

#[tokio::test]
async fn a_token_call_is_not_redirected() {
    let elsewhere = Recorder::start([Reply::json(200, PAIR)]);
    let location = format!("Location: {}/oauth/token\r\n", elsewhere.url());
    let error = refresh_fails(Reply::status(307, &location, "")).await;
    assert!(matches!(error, Error::Refused { status: 307, code: None }), "{error:?}");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn no_error_gives_away_a_token_a_body_or_an_address() {
    let echo = format!(r#"{{"error":"{REFRESH}","reason":"secret-body","access_token":{{"x":"secret-body"}}}}"#);
    let dead = r#"{"reason":"secret-body","error":"invalid_grant"}"#;
    let scope = r#"{"code":4711,"message":"secret-body does not contain scopes:[user:read:user]"}"#;
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n{\"access_token\":\"secret-body".to_vec();
    let nowhere = door_of(options("http://127.0.0.1:1/secret-path"));
    let hung = Recorder::start([Reply::Hang]);
    let hasty = door_of(Options { call_timeout: Duration::from_millis(200), ..options(&hung.url()) });
    let garbage = Recorder::start([Reply::Last(b"secret-body\r\n".to_vec())]);
    let errors = [
        refresh_fails(Reply::json(400, dead)).await,
        refresh_fails(Reply::json(400, &echo)).await,
        refresh_fails(Reply::json(200, &echo)).await,
        refresh_fails(Reply::json(429, &echo)).await,
        refresh_fails(Reply::json(500, &echo)).await,
        refresh_fails(Reply::Last(cut)).await,
        nowhere.refresh(&refresh_token()).await.unwrap_err(),
        nowhere.me(&access()).await.unwrap_err(),
        hasty.refresh(&refresh_token()).await.unwrap_err(),
        door(&garbage).refresh(&refresh_token()).await.unwrap_err(),
        me_fails(Reply::json(400, scope)).await,
        me_fails(Reply::json(401, &echo)).await,
        me_fails(Reply::json(404, &echo)).await,
    ];
    for error in errors {
        let mut told = format!("{error:?} {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            told += &format!(" {cause:?} {cause}");
            source = cause.source();
        }
        let hidden =
            [ACCESS, REFRESH, "secret-body", "client-secret", "Y2xpZW50", "://", "secret-path", "/oauth", "/v2"];
        for secret in hidden {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
        let has_source = error.source().is_some();
        assert_eq!(has_source, matches!(error, Error::Unreachable(_) | Error::NoAnswer(_)), "{told}");
    }
}
