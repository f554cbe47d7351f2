//! A page for a browser. Its words come from elsewhere and are escaped here; it loads nothing and runs nothing.

use std::sync::LazyLock;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::reply::Page;
use crate::words::{self, PageText};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1f2430;--paper:#fff;--edge:#d8dbe2;--go:#0b5cff}\
@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--paper:#171a21;--edge:#3a4050;--go:#3d7bff}}\
body{font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0}\
main{max-width:34rem;margin:12vh auto;padding:2rem;border:1px solid var(--edge);border-radius:12px}\
h1{font-size:1.4rem;line-height:1.3;margin:.2rem 0 1rem}\
.brand{margin:0;font-weight:600;color:var(--go)}\
p{overflow-wrap:anywhere}\
a.button{display:inline-block;margin-top:.6rem;padding:.6rem 1.1rem;border-radius:8px;background:var(--go);color:#fff;\
text-decoration:none;font-weight:600}\
a.button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}";

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
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
{% endif %}</main>
</body>
</html>
"#
)]
struct Html<'a> {
    text: PageText,
    style: &'a str,
}

/// The policy names the one style by its hash; everything else is forbidden.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// A page nobody keeps, frames, or passes the address of.
pub(super) fn show(status: StatusCode, page: &Page, command: &str) -> Response {
    let Ok(body) = html(page, command) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let fixed: [(HeaderName, &'static str); 6] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let mut response = (status, fixed, body).into_response();
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The source of a page.
fn html(page: &Page, command: &str) -> askama::Result<String> {
    let html = Html { text: words::page(page, command), style: STYLE }.render()?;
    // The escaper writes every ampersand so, and nothing else; the name is what people and programs know.
    Ok(html.replace("&#38;", "&amp;"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn whatever_is_shown_is_escaped_once() {
        let page = Page::ConfirmConnect {
            user_name: "<b x='1' y=\"2\">&amp;&#38;".to_owned(),
            team_domain: "acme".to_owned(),
            waiting: None,
            authorize_url: Secret::new("https://zoom.us/oauth/authorize?a=1&b=\"&c=2"),
        };
        let html = html(&page, "/stream").unwrap();
        assert!(html.contains("href=\"https://zoom.us/oauth/authorize?a=1&amp;b=&#34;&amp;c=2\""), "{html}");
        assert!(html.contains("&#60;b x=&#39;1&#39; y=&#34;2&#34;&#62;&amp;amp;&amp;#38;"), "{html}");
    }
}
