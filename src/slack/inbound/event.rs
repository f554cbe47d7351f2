//! What an Events API delivery says.
//!
//! [The Events API](https://docs.slack.dev/apis/events-api)

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use super::{BadShape, STAMP, Verified, expect_content_type, only, plain_id};
use crate::id::{EnterpriseId, Person, TeamId, UserId, Workspace};
use crate::installation::{Removal, Site};

/// What an Events API delivery asks for, as far as anything here answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Slack proves that the URL is ours: the challenge goes back.
    UrlVerification {
        /// To be echoed as it is.
        challenge: String,
    },
    /// Somebody took the app out.
    Removed(Removal),
    /// Somebody opened their Home.
    HomeOpened(Person),
    /// Any other event.
    Other,
}

/// Reads an Events API delivery.
pub fn decode_event(verified: &Verified<'_>, headers: &HeaderMap) -> Result<Event, BadShape> {
    expect_content_type(headers, "application/json")?;
    let envelope: Envelope = serde_json::from_slice(verified.body).map_err(|_| BadShape::Field("body"))?;
    match envelope.kind.as_str() {
        "url_verification" => {
            let challenge = envelope.challenge.ok_or(BadShape::Field("challenge"))?;
            Ok(Event::UrlVerification { challenge })
        }
        "event_callback" => envelope.event(sent_at(headers)),
        _ => Ok(Event::Other),
    }
}

fn sent_at(headers: &HeaderMap) -> Option<i64> {
    only(headers, STAMP)?.parse().ok()
}

/// What is read of a delivery. `team_id` is null where the whole organization has the app.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    challenge: Option<String>,
    team_id: Option<String>,
    enterprise_id: Option<String>,
    context_team_id: Option<String>,
    context_enterprise_id: Option<String>,
    event_time: Option<i64>,
    event: Option<Inner>,
    authorizations: Option<Vec<Authorization>>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(rename = "type")]
    kind: String,
    tokens: Option<Tokens>,
    team_ids: Option<Vec<String>>,
    user: Option<Value>,
    tab: Option<String>,
    view: Option<View>,
}

/// What the app showed in a Home before.
#[derive(Deserialize)]
struct View {
    team_id: Option<String>,
}

/// Whose tokens were ended: users, not tokens.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Tokens {
    bot: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Authorization {
    team_id: Option<String>,
    enterprise_id: Option<String>,
    user_id: Option<String>,
    #[serde(default)]
    is_enterprise_install: bool,
}

impl Envelope {
    /// `sent_at` stands in where Slack does not say when it happened.
    fn event(self, sent_at: Option<i64>) -> Result<Event, BadShape> {
        let event = self.event.as_ref().ok_or(BadShape::Field("event"))?;
        let (sites, tokens_of) = match event.kind.as_str() {
            "app_uninstalled" => (vec![self.site()?], None),
            "tokens_revoked" => {
                let bots = event.tokens.as_ref().and_then(|tokens| tokens.bot.clone()).unwrap_or_default();
                if bots.is_empty() {
                    // Those of people are not ours: OnAir asks for none.
                    return Ok(Event::Other);
                }
                let users = bots.into_iter().map(|user| plain_id("user", user).map(UserId::new));
                (vec![self.site()?], Some(users.collect::<Result<_, _>>()?))
            }
            "app_home_opened" if event.tab.as_deref() == Some("home") => {
                return Ok(self.opener(event)?.map_or(Event::Other, Event::HomeOpened));
            }
            "team_access_revoked" => (self.workspaces(event.team_ids.as_deref().unwrap_or_default())?, None),
            _ => return Ok(Event::Other),
        };
        let bot = self.authorized().and_then(|authorization| authorization.user_id.clone());
        let bot = bot.map(|user| plain_id("user", user).map(UserId::new)).transpose()?;
        let at = self.event_time.or(sent_at).and_then(|seconds| Timestamp::from_second(seconds).ok());
        Ok(Event::Removed(Removal { sites, tokens_of, bot, at: at.ok_or(BadShape::Field("event_time"))? }))
    }

    /// Who opened their Home. Where the whole organization has the app, the workspace is not always told where it is else;
    /// without it nobody knows who it is.
    fn opener(&self, event: &Inner) -> Result<Option<Person>, BadShape> {
        let authorized = self.authorized().and_then(|authorization| authorization.team_id.as_ref());
        let viewed = event.view.as_ref().and_then(|view| view.team_id.as_ref());
        let places = [self.team_id.as_ref(), self.context_team_id.as_ref(), authorized, viewed];
        // What stands in a team's place may be the organization.
        let mut teams = places.into_iter().flatten().filter(|id| !id.is_empty() && !id.starts_with('E'));
        let Some(team) = teams.next() else { return Ok(None) };
        let user = event.user.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Some(Person {
            enterprise: self.enterprise()?,
            team: TeamId::new(plain_id("team_id", team.clone())?),
            user: UserId::new(plain_id("user", user)?),
        }))
    }

    fn authorized(&self) -> Option<&Authorization> {
        self.authorizations.as_ref()?.first()
    }

    fn enterprise(&self) -> Result<Option<EnterpriseId>, BadShape> {
        let authorized = self.authorized().and_then(|authorization| authorization.enterprise_id.clone());
        let named = self.enterprise_id.clone().or(self.context_enterprise_id.clone());
        let id = named.or(authorized).filter(|id| !id.is_empty());
        id.map(|id| plain_id("enterprise", id).map(EnterpriseId::new)).transpose()
    }

    /// Where it happened. Slack names an organization as the team of what concerns all of it.
    fn site(&self) -> Result<Site, BadShape> {
        let enterprise = self.enterprise()?;
        let team = self.team_id.clone().filter(|id| !id.is_empty());
        let is_whole = self.authorized().is_some_and(|authorization| authorization.is_enterprise_install);
        match (enterprise, team) {
            (Some(enterprise), None) => Ok(Site::Organization(enterprise)),
            (Some(enterprise), Some(team)) if is_whole || team == enterprise.as_str() => {
                Ok(Site::Organization(enterprise))
            }
            (enterprise, Some(team)) => {
                Ok(Site::Workspace(Workspace { enterprise, team: TeamId::new(plain_id("team_id", team)?) }))
            }
            (None, None) => Err(BadShape::Field("team_id")),
        }
    }

    fn workspaces(&self, teams: &[String]) -> Result<Vec<Site>, BadShape> {
        let enterprise = self.enterprise()?;
        let site = |team: &String| {
            let team = TeamId::new(plain_id("team_ids", team.clone())?);
            Ok(Site::Workspace(Workspace { enterprise: enterprise.clone(), team }))
        };
        teams.iter().map(site).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decode(body: &Value) -> Result<Event, BadShape> {
        let headers = HeaderMap::from_iter([(
            reqwest::header::CONTENT_TYPE,
            reqwest::header::HeaderValue::from_static("application/json"),
        )]);
        let body = body.to_string();
        decode_event(&Verified { body: body.as_bytes(), signed_at: 0, delivery: [0; 32] }, &headers)
    }

    fn envelope(event: &Value, place: &Value) -> Value {
        let mut body = json!({ "type": "event_callback", "event": event, "event_time": 1_700_000_000 });
        body.as_object_mut().unwrap().extend(place.as_object().unwrap().clone());
        body
    }

    #[test]
    fn the_place_is_a_workspace_or_a_whole_organization() {
        let workspace = |enterprise: Option<&str>| {
            Site::Workspace(Workspace { enterprise: enterprise.map(EnterpriseId::new), team: TeamId::new("T1") })
        };
        let whole = || Site::Organization(EnterpriseId::new("E1"));
        let authorized =
            |whole: bool| json!([{ "enterprise_id": "E1", "user_id": "UBOT", "is_enterprise_install": whole }]);
        let check = |place: Value, expected: Site| {
            let Ok(Event::Removed(removal)) = decode(&envelope(&json!({ "type": "app_uninstalled" }), &place)) else {
                panic!("{place}")
            };
            assert_eq!((removal.sites, removal.tokens_of), (vec![expected], None), "{place}");
        };
        check(json!({ "team_id": "T1" }), workspace(None));
        check(json!({ "team_id": "T1", "enterprise_id": null }), workspace(None));
        check(json!({ "team_id": "T1", "enterprise_id": "E1" }), workspace(Some("E1")));
        check(json!({ "team_id": "T1", "authorizations": authorized(false) }), workspace(Some("E1")));
        check(json!({ "team_id": "T1", "enterprise_id": "E1", "authorizations": authorized(true) }), whole());
        check(json!({ "team_id": null, "enterprise_id": "E1" }), whole());
        check(json!({ "team_id": "E1", "enterprise_id": "E1" }), whole());
    }

    #[test]
    fn tokens_of_people_are_not_ours_and_workspaces_are_taken_out_one_by_one() {
        let place = json!({ "team_id": "T1", "enterprise_id": "E1" });
        let tokens = |bot: &Value| json!({ "type": "tokens_revoked", "tokens": { "oauth": ["U1"], "bot": bot } });
        assert_eq!(decode(&envelope(&tokens(&json!([])), &place)), Ok(Event::Other));
        let Ok(Event::Removed(removal)) = decode(&envelope(&tokens(&json!(["UBOT"])), &place)) else { panic!() };
        assert_eq!(removal.tokens_of, Some(vec![UserId::new("UBOT")]));
        let revoked = json!({ "type": "team_access_revoked", "team_ids": ["T2", "T3"] });
        let Ok(Event::Removed(removal)) = decode(&envelope(&revoked, &place)) else { panic!() };
        let keys: Vec<String> = removal.sites.iter().map(Site::key).collect();
        assert_eq!(keys, ["E1/T2", "E1/T3"]);
    }

    #[test]
    fn who_opened_their_home_is_known_by_the_workspace_wherever_it_stands() {
        let event = json!({ "type": "app_home_opened", "user": "U1", "tab": "home" });
        let person = |enterprise: Option<&str>| Person {
            enterprise: enterprise.map(EnterpriseId::new),
            team: TeamId::new("T1"),
            user: UserId::new("U1"),
        };
        let of_org = || person(Some("E1"));
        for (place, expected) in [
            (json!({ "team_id": "T1" }), person(None)),
            (json!({ "team_id": "T1", "enterprise_id": "E1" }), of_org()),
            (json!({ "team_id": null, "context_team_id": "T1", "context_enterprise_id": "E1" }), of_org()),
            (json!({ "team_id": "E1", "authorizations": [{ "team_id": "T1", "enterprise_id": "E1" }] }), of_org()),
        ] {
            assert_eq!(decode(&envelope(&event, &place)), Ok(Event::HomeOpened(expected)), "{place}");
        }
        let mut again = event.clone();
        again["view"] = json!({ "team_id": "T1" });
        assert_eq!(decode(&envelope(&again, &json!({ "enterprise_id": "E1" }))), Ok(Event::HomeOpened(of_org())));
        assert_eq!(decode(&envelope(&event, &json!({ "enterprise_id": "E1" }))), Ok(Event::Other), "whose is it?");
        let place = json!({ "team_id": "T1" });
        let other = |key: &str, value: &str| {
            let mut event = event.clone();
            event[key] = json!(value);
            decode(&envelope(&event, &place))
        };
        assert_eq!(other("tab", "messages"), Ok(Event::Other));
        assert_eq!(other("user", "U1/U2"), Err(BadShape::Field("user")));
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_what_means_nothing_is_let_be() {
        let place = json!({ "team_id": "T1" });
        assert_eq!(decode(&envelope(&json!({ "type": "message" }), &place)), Ok(Event::Other));
        assert_eq!(decode(&json!({ "type": "app_rate_limited" })), Ok(Event::Other));
        let uninstalled = json!({ "type": "app_uninstalled" });
        for (body, field) in [
            (json!({}), "body"),
            (json!({ "type": "url_verification" }), "challenge"),
            (json!({ "type": "event_callback" }), "event"),
            (envelope(&uninstalled, &json!({})), "team_id"),
            (envelope(&uninstalled, &json!({ "team_id": "T1/x" })), "team_id"),
            (envelope(&uninstalled, &json!({ "team_id": "T1", "event_time": null })), "event_time"),
        ] {
            assert_eq!(decode(&body), Err(BadShape::Field(field)), "{body}");
        }
    }
}
