//! The page on which a vendor asks whoever is signed in whether the app may do what it wants, for those who try OnAir in a
//! browser of their own.

use std::fmt::Write as _;

use url::form_urlencoded;

use super::wire::{Answer, Recorded};

/// What a person decided.
pub(super) enum Decision {
    /// Yes, as the person of this id.
    Allows(String),
    /// No.
    Declines,
}

/// Who asks whom for what.
pub(super) struct Consent<'a> {
    /// The vendor.
    pub(super) vendor: &'a str,
    /// The id of whoever is signed in.
    pub(super) id: &'a str,
    /// Their name or address.
    pub(super) name: &'a str,
    /// What the app wants to do.
    pub(super) scopes: &'a [String],
}

/// What was decided on the page, which leads back to its own address.
pub(super) fn decision(request: &Recorded) -> Option<Decision> {
    match request.query_field("decision")?.as_str() {
        "allow" => Some(Decision::Allows(request.query_field("as").unwrap_or_default())),
        _ => Some(Decision::Declines),
    }
}

impl Consent<'_> {
    /// The page, asking about this request.
    pub(super) fn page(&self, request: &Recorded) -> Answer {
        let Self { vendor, id, name, scopes } = self;
        let link = |decision: &str| {
            let mut query = form_urlencoded::Serializer::new(request.query.clone());
            query.append_pair("decision", decision).append_pair("as", id);
            let host = request.header("host").unwrap_or_default();
            escape(&format!("http://{host}{}?{}", request.path, query.finish()))
        };
        let mut wanted = String::new();
        for scope in *scopes {
            let _ = writeln!(wanted, "<li><code>{}</code></li>", escape(scope));
        }
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{vendor} (simulated): allow OnAir?</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<p>{vendor} (simulated)</p>\n<h1>Allow OnAir?</h1>\n\
             <p>You are signed in as <strong>{name}</strong>. OnAir asks for:</p>\n<ul>\n{wanted}</ul>\n\
             <p><a class=\"button\" href=\"{}\">Allow</a> <a class=\"no\" href=\"{}\">Decline</a></p>\n\
             <p>Somebody else? Choose the person on the page of the sandbox, and load this one again.</p>\n\
             </main>\n</body>\n</html>\n",
            link("allow"),
            link("decline"),
            name = escape(name),
        );
        Answer::new(200, html).with("content-type", "text/html; charset=utf-8").with("cache-control", "no-store")
    }
}

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;background:#f4f4f6;color:#1d1c1d;margin:0}\
main{max-width:28rem;margin:10vh auto;padding:1.5rem 2rem;background:#fff;border-radius:.5rem}\
a{display:inline-block;padding:.5rem 1.2rem;border-radius:.3rem;border:2px solid #0b5cab;color:#0b5cab;text-decoration:none}\
a.button{background:#0b5cab;color:#fff}a:focus-visible{outline:3px solid #e0a000;outline-offset:2px}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
