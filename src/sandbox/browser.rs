//! A browser as far as account linking needs one: it keeps cookies, follows redirects, says that it is a browser, and
//! presses the one button of a page.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{StatusCode, redirect};

/// One person's browser.
#[derive(Debug)]
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    public: String,
    real: String,
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
        let http =
            reqwest::Client::builder().redirect(redirect::Policy::none()).timeout(Duration::from_secs(30)).build()?;
        Ok(Self { http, cookies: BTreeMap::new(), public: public.to_owned(), real: real.to_owned() })
    }

    /// Opens an address and follows where it leads.
    pub async fn visit(&mut self, url: &str) -> reqwest::Result<Visit> {
        const LONGEST_CHAIN: usize = 5;
        let mut visit = self.fetch(url).await?;
        for _ in 0..LONGEST_CHAIN {
            let Some(next) = visit.headers.get(LOCATION).and_then(|value| value.to_str().ok()) else { break };
            let next = next.to_owned();
            visit = self.fetch(&next).await?;
        }
        Ok(visit)
    }

    /// Presses the button of a page, or stays where there is none.
    pub async fn press(&mut self, page: &Visit) -> reqwest::Result<Visit> {
        match page.button() {
            Some(url) => self.visit(&url).await,
            None => Ok(page.clone()),
        }
    }

    /// Opens an address without following it anywhere.
    pub async fn fetch(&mut self, url: &str) -> reqwest::Result<Visit> {
        let ours = url.strip_prefix(&self.public);
        let mut request = match ours {
            Some(path) => self.http.get(format!("{}{path}", self.real)),
            None => self.http.get(url),
        };
        request = request.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
        if ours.is_some() && !self.cookies.is_empty() {
            let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if ours.is_some() {
            self.keep_cookies(&headers);
        }
        Ok(Visit { status, headers, html: response.text().await? })
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

impl Visit {
    /// Where the button leads.
    pub fn button(&self) -> Option<String> {
        let (_, rest) = self.html.split_once("class=\"button\" href=\"")?;
        rest.split_once('"').map(|(url, _)| unescape(url))
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

fn unescape(html: &str) -> String {
    let html = html.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'");
    // The ampersand last, or what it stands before would be read twice.
    html.replace("&amp;", "&")
}
