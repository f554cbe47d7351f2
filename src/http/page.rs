//! A page for a browser. Its words come from elsewhere and are escaped here; it loads nothing and runs nothing.

use std::sync::LazyLock;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::reply::{InstallPage, Page, SetupPage, Values};
use crate::secret::Secret;
use crate::words::{self, Kind, PageText};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1f2430;--paper:#fff;--edge:#d8dbe2;--go:#0b5cff;--press:#0b5cff;--soft:#5a6172;--bad:#b3161b}\
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--paper:#171a21;--edge:#3a4050;--go:#3d7bff;--press:#2a66f0;--soft:#a5acbb;--bad:#ff8a85}}\
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0}\
main{max-width:34rem;margin:clamp(.75rem,6vh,6rem) auto;padding:2rem;border:1px solid var(--edge);border-radius:12px}\
@media(max-width:38.5rem){main{margin:.75rem;padding:1.25rem}}\
h1{font-size:1.4rem;line-height:1.3;margin:.2rem 0 1rem}\
.brand{margin:0;font-weight:600;color:var(--go)}\
p{overflow-wrap:anywhere}\
a{color:var(--go)}\
a.button{display:inline-block;margin-top:.6rem;padding:.6rem 1.1rem;border-radius:8px;background:var(--press);color:#fff;\
text-decoration:none;font-weight:600}\
button{display:block;margin-top:1.4rem;padding:.6rem 1.1rem;border:0;border-radius:8px;background:var(--press);color:#fff;\
font:inherit;font-weight:600;cursor:pointer}\
a:focus-visible,button:focus-visible,input:focus-visible{outline:3px solid var(--ink);outline-offset:2px}\
.field{margin:1.4rem 0 0}\
label{font-weight:600}\
.hint,.note{color:var(--soft);font-size:.9rem;line-height:1.45;margin:.1rem 0 .4rem}\
.note{margin-top:.9rem}\
.fault,.faults a{color:var(--bad);font-weight:600}\
.fault{margin:.1rem 0 .4rem}\
input{box-sizing:border-box;width:100%;padding:.55rem .7rem;border:1px solid var(--soft);border-radius:8px;\
background:var(--paper);color:var(--ink);font:inherit}\
input[aria-invalid]{border:2px solid var(--bad)}\
.faults{margin:1.2rem 0 0;padding:.8rem 1.1rem;border:2px solid var(--bad);border-radius:8px}\
.faults:focus{outline:3px solid var(--ink);outline-offset:2px}\
h2{font-size:1rem;margin:0}\
.faults ul{margin:.4rem 0 0;padding-left:1.2rem}";

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{ text.title }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<p class="brand">OnAir</p>
<h1>{{ text.heading }}</h1>
{% for paragraph in text.paragraphs %}<p>{{ paragraph }}</p>
{% endfor %}{% if let Some(button) = text.button %}<a class="button" href="{{ button.url.expose() }}">{{ button.label }}</a>
{% endif %}{% if let Some(also) = text.also %}<p><a href="{{ also.url.expose() }}">{{ also.label }}</a></p>
{% endif %}{% if let Some(form) = text.form %}{% if let Some(summary) = form.summary %}<div class="faults" role="alert" tabindex="-1" autofocus>
<h2>{{ summary }}</h2>
<ul>
{% for field in form.fields %}{% if let Some(fault) = field.fault %}<li><a href="#{{ field.name }}">{{ fault }}</a></li>
{% endif %}{% endfor %}</ul>
</div>
{% endif %}<form method="post" action="/zoom/setup" autocomplete="off">
<input type="hidden" name="state" value="{{ form.state.expose() }}">
<input type="hidden" name="step" value="{% if form.fields.is_empty() %}open{% else %}save{% endif %}">
{% if let Some((name, value)) = form.carried %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endif %}{% for field in form.fields %}<div class="field">
<label for="{{ field.name }}">{{ field.label }}</label>
<p class="hint" id="{{ field.name }}-hint">{{ field.hint }}</p>
{% if let Some(fault) = field.fault %}<p class="fault" id="{{ field.name }}-fault">{{ fault }}</p>
{% endif %}<input id="{{ field.name }}" name="{{ field.name }}" value="{{ field.value.expose() }}" required
{% if field.kind == Kind::Key %}type="password"{% else %}type="text" inputmode="url"{% endif %}
{% if field.fault.is_some() %}aria-invalid="true" aria-describedby="{{ field.name }}-fault {{ field.name }}-hint"
{% else %}aria-describedby="{{ field.name }}-hint"
{% endif %}autocomplete="off" autocapitalize="none" spellcheck="false">
</div>
{% endfor %}<button>{{ form.submit }}</button>
{% if let Some(footnote) = form.footnote %}<p class="note">{{ footnote }}</p>
{% endif %}</form>
{% endif %}</main>
</body>
</html>
"##
)]
struct Html<'a> {
    text: PageText,
    style: &'a str,
}

/// The policy names the one style by its hash; everything else is forbidden.
static POLICY: LazyLock<String> = LazyLock::new(|| policy("'none'"));

/// The same for a page with a form, which may be sent to this service.
static FORM_POLICY: LazyLock<String> = LazyLock::new(|| policy("'self'"));

fn policy(form_action: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action {form_action}; \
         frame-ancestors 'none'"
    )
}

/// Sends a browser on to an address that nobody keeps or passes on.
pub(super) fn redirect(url: &Secret) -> Response {
    let Ok(mut location) = HeaderValue::from_str(url.expose()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    location.set_sensitive(true);
    let headers = [(LOCATION, location)];
    let fixed = [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")];
    (StatusCode::SEE_OTHER, headers, fixed).into_response()
}

/// A page nobody keeps, frames, or passes the address of.
pub(super) fn show(page: &Page, command: &str) -> Response {
    let text = words::page(page, command);
    let policy = if text.form.is_some() { &FORM_POLICY } else { &POLICY };
    let Ok(body) = html(text) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let fixed: [(HeaderName, &'static str); 6] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let mut response = (status(page), fixed, body).into_response();
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn status(page: &Page) -> StatusCode {
    match page {
        Page::Landing { .. } | Page::ConfirmConnect { .. } | Page::Connected { .. } => StatusCode::OK,
        Page::Declined { .. } | Page::NotSignedIn { .. } => StatusCode::OK,
        Page::LinkOver => StatusCode::GONE,
        Page::OtherBrowser | Page::SomebodyElse => StatusCode::FORBIDDEN,
        Page::ZoomRefused { .. } | Page::ZoomAway { .. } => StatusCode::BAD_GATEWAY,
        Page::SlackRefused { .. } | Page::SlackAway { .. } => StatusCode::BAD_GATEWAY,
        Page::StoreAway => StatusCode::SERVICE_UNAVAILABLE,
        Page::Setup(page) => match page {
            SetupPage::Form(form) if matches!(form.values, Values::Wrong { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            SetupPage::Confirm { .. } | SetupPage::Form(_) | SetupPage::Done { .. } => StatusCode::OK,
            SetupPage::NotDone { .. } => StatusCode::BAD_GATEWAY,
            SetupPage::Over => StatusCode::GONE,
            SetupPage::Denied(_) | SetupPage::OtherBrowser | SetupPage::Foreign => StatusCode::FORBIDDEN,
            SetupPage::StoreAway => StatusCode::SERVICE_UNAVAILABLE,
            SetupPage::Broken { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        },
        Page::Install(page) => match page {
            InstallPage::NotSetUp => StatusCode::NOT_FOUND,
            InstallPage::Done { .. } | InstallPage::Declined => StatusCode::OK,
            InstallPage::Over => StatusCode::GONE,
            InstallPage::OtherBrowser => StatusCode::FORBIDDEN,
            InstallPage::Rotating | InstallPage::Refused { .. } | InstallPage::Away { .. } => StatusCode::BAD_GATEWAY,
            InstallPage::StoreAway => StatusCode::SERVICE_UNAVAILABLE,
        },
    }
}

/// The source of a page.
fn html(text: PageText) -> askama::Result<String> {
    let html = Html { text, style: STYLE }.render()?;
    // The escaper writes every ampersand so, and nothing else; the name is what people and programs know.
    Ok(html.replace("&#38;", "&amp;"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::NextPage;

    #[test]
    fn whatever_is_shown_is_escaped_once() {
        let page = Page::ConfirmConnect {
            user_name: "<b x='1' y=\"2\">&amp;&#38;".to_owned(),
            team_domain: "acme".to_owned(),
            waiting: None,
            next: NextPage::Zoom(Secret::new("https://zoom.us/oauth/authorize?a=1&b=\"&c=2")),
        };
        let html = html(words::page(&page, "/stream")).unwrap();
        assert!(html.contains("href=\"https://zoom.us/oauth/authorize?a=1&amp;b=&#34;&amp;c=2\""), "{html}");
        assert!(html.contains("&#60;b x=&#39;1&#39; y=&#34;2&#34;&#62;&amp;amp;&amp;#38;"), "{html}");
    }
}
