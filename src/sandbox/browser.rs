//! A browser as far as OnAir's pages need one: it keeps cookies, follows redirects, says that it is a browser, presses the
//! one button of a page, and fills in its one form.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{RequestBuilder, StatusCode, redirect};
use url::form_urlencoded;

use super::exchange::{Exchanges, Open, Party, Said};

/// One person's browser. A clone knows the cookies of that moment.
#[derive(Clone, Debug)]
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    public: String,
    real: String,
    /// Where it is written down what it says to the service.
    log: Option<Exchanges>,
}

/// A page that a browser shows.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The status it came with.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its source.
    pub html: String,
}

impl Browser {
    /// A browser for which the service's public address leads to where it really listens.
    pub fn new(public: &str, real: &str) -> reqwest::Result<Self> {
        let builder = reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(Duration::from_secs(30));
        let http = builder.no_proxy().build()?;
        Ok(Self { http, cookies: BTreeMap::new(), public: public.to_owned(), real: real.to_owned(), log: None })
    }

    /// From now on what it says to the service is written down there.
    pub(super) fn log_to(&mut self, exchanges: &Exchanges) {
        self.log = Some(exchanges.clone());
    }

    /// Opens an address and follows where it leads.
    pub async fn visit(&mut self, url: &str) -> reqwest::Result<Visit> {
        let visit = self.fetch(url).await?;
        self.follow(visit).await
    }

    async fn follow(&mut self, mut visit: Visit) -> reqwest::Result<Visit> {
        const LONGEST_CHAIN: usize = 5;
        for _ in 0..LONGEST_CHAIN {
            let Some(next) = visit.headers.get(LOCATION).and_then(|value| value.to_str().ok()) else { break };
            let next = if next.starts_with('/') { format!("{}{next}", self.public) } else { next.to_owned() };
            visit = self.fetch(&next).await?;
        }
        Ok(visit)
    }

    /// Presses the button of a page, or stays where there is none.
    pub async fn press(&mut self, page: &Visit) -> reqwest::Result<Visit> {
        match page.button() {
            Some(path) if path.starts_with('/') => self.visit(&format!("{}{path}", self.public)).await,
            Some(url) => self.visit(&url).await,
            None => Ok(page.clone()),
        }
    }

    /// Fills in the form of a page, sends it and follows where it leads; stays where there is none. Fields that are not
    /// named keep what stands in them.
    pub async fn submit(&mut self, page: &Visit, filled: &[(&str, &str)]) -> reqwest::Result<Visit> {
        let Some(action) = page.form_action() else { return Ok(page.clone()) };
        let mut fields = page.fields();
        for (name, value) in filled {
            match fields.iter_mut().find(|(known, _)| known == name) {
                Some((_, field)) => (*value).clone_into(field),
                None => fields.push(((*name).to_owned(), (*value).to_owned())),
            }
        }
        let visit = self.post(&action, &fields).await?;
        self.follow(visit).await
    }

    /// Sends a form as a page of the service does, without following it anywhere.
    pub async fn post(&mut self, path: &str, fields: &[(String, String)]) -> reqwest::Result<Visit> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(format!("{}{path}", self.real));
        // Pages that give no referrer give no origin either.
        let request = request.header("sec-fetch-site", "same-origin").header(ORIGIN, "null");
        self.send(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body), true).await
    }

    /// Opens an address without following it anywhere.
    pub async fn fetch(&mut self, url: &str) -> reqwest::Result<Visit> {
        let ours = url.strip_prefix(&self.public);
        let request = match ours {
            Some(path) => self.http.get(format!("{}{path}", self.real)),
            None => self.http.get(url),
        };
        self.send(request.header("sec-fetch-site", "cross-site"), ours.is_some()).await
    }

    async fn send(&mut self, mut request: RequestBuilder, is_ours: bool) -> reqwest::Result<Visit> {
        request = request.header("sec-fetch-mode", "navigate");
        if is_ours && !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        let request = request.build()?;
        let open = self.log.as_ref().filter(|_| is_ours).map(|log| begin(log, &request));
        let response = self.http.execute(request).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if is_ours {
            self.keep_cookies(&headers);
        }
        let html = response.text().await?;
        if let Some(open) = open {
            open.answered(status.as_u16(), &pairs(&headers), &html);
        }
        Ok(Visit { status, headers, html })
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = line.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

fn begin(log: &Exchanges, request: &reqwest::Request) -> Open {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let path = &request.url()[url::Position::BeforePath..];
    let headers = pairs(request.headers());
    log.begin(Party::Browser, Party::OnAir, &Said { method: request.method().as_str(), path, headers: &headers, body })
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

impl Visit {
    /// Where the button leads.
    pub fn button(&self) -> Option<String> {
        let (_, rest) = self.html.split_once("class=\"button\" href=\"")?;
        rest.split_once('"').map(|(url, _)| unescape(url))
    }

    /// Where the form is sent to.
    fn form_action(&self) -> Option<String> {
        let (_, rest) = self.html.split_once("<form ")?;
        attribute(rest.split_once('>')?.0, "action")
    }

    /// The fields of the form by name, with what stands in them.
    pub fn fields(&self) -> Vec<(String, String)> {
        let inputs = self.html.split("<input ").skip(1).filter_map(|rest| Some(rest.split_once('>')?.0));
        inputs.filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))).collect()
    }

    /// What a reader sees: the text without the tags, one line per paragraph.
    pub fn text(&self) -> String {
        let body = self.html.split_once("<body>").map_or(self.html.as_str(), |(_, body)| body);
        let mut text = String::new();
        let mut rest = body;
        while let Some((before, tag_on)) = rest.split_once('<') {
            text.push_str(before);
            rest = tag_on.split_once('>').map_or("", |(_, after)| after);
        }
        text.push_str(rest);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        unescape(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// The value of an attribute of a tag, as browsers read it.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| unescape(value))
}

fn unescape(html: &str) -> String {
    let html = html.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
    // The ampersand last, or what it stands before would be read twice.
    html.replace("&amp;", "&")
}
