//! What people do on the page: each act does what a person would do at Slack, at Zoom or at a terminal.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CONNECTS_IN, Page};
use crate::sandbox::slack::{CannotPress, Delivery, Message, Modal, User};
use crate::sandbox::stage::address;
use crate::sandbox::wire::Answer;
use crate::sandbox::zoom::{Meeting, Route, Stream, Target, refusal};
use crate::sandbox::{Fault, lock};

/// The command that the simulated Slack knows.
const COMMAND: &str = "/stream";

/// How long a stream takes that is late: longer than the service waits before it says so.
const LATE: Duration = Duration::from_secs(55);

/// After how many seconds Zoom may be asked again, soon enough to be watched.
const RETRY_AFTER: &str = "8";

/// One act.
#[derive(Debug, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Act {
    Type {
        user: String,
        channel: String,
        text: String,
    },
    Press {
        user: String,
        message: String,
        action: Named,
    },
    PressHome {
        user: String,
        action: Named,
    },
    Submit {
        user: String,
        modal: String,
        values: Value,
    },
    Close {
        user: String,
        modal: String,
    },
    OpenHome {
        user: String,
    },
    Be {
        user: String,
    },
    Install {
        user: String,
    },
    Uninstall {
        user: String,
    },
    Zoom {
        meeting: u64,
        #[serde(rename = "do")]
        what: AtMeeting,
    },
    ZoomMood {
        mood: Mood,
    },
    ZoomRevoke {
        user: String,
    },
    Service {
        #[serde(rename = "do")]
        what: AtService,
    },
}

/// A button by its names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    block_id: String,
    action_id: String,
}

/// What is done to a meeting.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AtMeeting {
    Start,
    End,
    Encrypt,
    Unencrypt,
    Allow,
    Disallow,
    Drop,
    TargetOn,
    TargetOff,
    Reachable,
    Unreachable,
}

/// How Zoom is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mood {
    #[default]
    Well,
    Slow,
    Down,
    Throttled,
    Daily,
    Late,
    Refusing,
}

/// What is done to the service.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AtService {
    Kill,
    Start,
    Stop,
}

/// Why an act was not carried out, with the next step.
#[derive(Debug)]
pub(super) struct Refused {
    status: u16,
    why: String,
}

impl Refused {
    pub(super) fn new(status: u16, why: impl Into<String>) -> Self {
        Self { status, why: why.into() }
    }

    pub(super) fn answer(&self) -> Answer {
        Answer::json(self.status, &json!({ "error": self.why }))
    }
}

/// What the one who acted is told, if anything.
pub(super) type Told = Result<Option<String>, Refused>;

impl Page {
    /// Carries an act out.
    pub(super) async fn carry_out(&self, act: Act) -> Told {
        match act {
            Act::Type { user, channel, text } => self.type_text(&user, &channel, text.trim()).await,
            Act::Press { user, message, action } => {
                let (user, message) = (self.person(&user)?, self.message(&message)?);
                let names = (action.block_id.as_str(), action.action_id.as_str());
                pressed(self.stage.slack.presses_named(&user, &message, names).await)
            }
            Act::PressHome { user, action } => {
                let user = self.person(&user)?;
                let names = (action.block_id.as_str(), action.action_id.as_str());
                pressed(self.stage.slack.presses_named_in_home(&user, names).await)
            }
            Act::Submit { user, modal, values } => {
                let modal = self.modal(&self.person(&user)?, &modal)?;
                match self.stage.slack.submits_given(&modal, &values).await {
                    Ok(delivery) => Ok(failed("The form", &delivery)),
                    Err(error) => told(format!("Slack does not send this form: {}. Change it.", error.why())),
                }
            }
            Act::Close { user, modal } => {
                self.stage.slack.closes(&self.modal(&self.person(&user)?, &modal)?);
                Ok(None)
            }
            Act::OpenHome { user } => {
                let delivery = self.stage.slack.opens_home(&self.person(&user)?).await;
                Ok(failed("Opening the Home", &delivery))
            }
            Act::Be { user } => {
                self.stage.sign_in_as(&self.person(&user)?.name);
                Ok(None)
            }
            Act::Install { user } => self.installs(&self.person(&user)?).await,
            Act::Uninstall { user } => self.uninstalls(&self.person(&user)?).await,
            Act::Zoom { meeting, what } => self.at_meeting(meeting, what),
            Act::ZoomMood { mood } => {
                self.set_mood(mood);
                Ok(None)
            }
            Act::ZoomRevoke { user } => {
                let user = self.person(&user)?;
                let at_zoom = self.stage.zoom.user(&address(&user.name));
                if !self.stage.zoom.has_grant(&at_zoom) {
                    return told(format!("{} has not connected Zoom; do that first.", user.name));
                }
                self.stage.zoom.remove_app(&at_zoom);
                Ok(None)
            }
            Act::Service { what } => self.at_service(what).await,
        }
    }

    async fn type_text(&self, user: &str, channel: &str, text: &str) -> Told {
        let user = self.person(user)?;
        let slack = &self.stage.slack;
        let place = slack.conversation(&user, channel);
        let place = place.ok_or_else(|| Refused::new(404, format!("{} is not in that channel.", user.name)))?;
        if text.is_empty() {
            return told("There is nothing to send; type something.");
        }
        let command = text.split_whitespace().next().unwrap_or_default();
        if !command.starts_with('/') {
            slack.says(&user, &place, text);
            return Ok(None);
        }
        if command != COMMAND {
            return told(format!("{command} is not a command that this Slack knows. Type {COMMAND} help."));
        }
        if !slack.is_installed() {
            return Ok(Some(format!(
                "{COMMAND} is not known here: OnAir is not installed in this workspace. Install it."
            )));
        }
        let delivery = slack.types(&user, &place, text).await;
        Ok(delivery.failure.map(|failure| format!("{COMMAND} failed with the error {}", failure.as_str())))
    }

    async fn installs(&self, user: &User) -> Told {
        match self.install(user).await {
            Ok(Ok(read) | Err(read)) => told(read),
            Err(_) => told("The service does not answer the browser. Start it, and install again."),
        }
    }

    async fn uninstalls(&self, user: &User) -> Told {
        if !self.stage.slack.is_installed() {
            return Err(Refused::new(
                409,
                format!("OnAir is not installed, {}; there is nothing to take out.", user.name),
            ));
        }
        if !self.stage.slack.is_admin(user) {
            return told(format!("Only an admin takes an app out of a workspace; {} is none.", user.name));
        }
        let mut failed = None;
        for event in self.stage.slack.uninstall(self.stage.slack.home()) {
            if let Err(failure) = self.stage.slack.send(&event).await {
                failed = Some(format!("OnAir is taken out, but was not told: {}", failure.as_str()));
            }
        }
        Ok(failed)
    }

    fn at_meeting(&self, id: u64, what: AtMeeting) -> Told {
        let zoom = &self.stage.zoom;
        if zoom.meeting_now(id).is_none() {
            return Err(Refused::new(404, format!("Zoom has no meeting {id}. Reload the page.")));
        }
        let edit = |edit: fn(&mut Meeting)| zoom.edit_meeting(id, edit);
        match what {
            AtMeeting::Start => zoom.begin(id),
            AtMeeting::End => zoom.end(id),
            AtMeeting::Encrypt => edit(|meeting| meeting.e2ee = true),
            AtMeeting::Unencrypt => edit(|meeting| meeting.e2ee = false),
            AtMeeting::Allow => edit(|meeting| meeting.streaming_allowed = true),
            AtMeeting::Disallow => edit(|meeting| meeting.streaming_allowed = false),
            AtMeeting::Drop if matches!(zoom.stream_of(id), Stream::Live { .. }) => zoom.drop_stream(id),
            AtMeeting::Drop => return told("It is not on air; there is nothing to drop."),
            AtMeeting::TargetOn => edit(|meeting| meeting.target = Some(Target::example(meeting.id))),
            AtMeeting::TargetOff => edit(|meeting| meeting.target = None),
            AtMeeting::Reachable => edit(|meeting| meeting.reachable = true),
            AtMeeting::Unreachable => edit(|meeting| meeting.reachable = false),
        }
        Ok(None)
    }

    fn set_mood(&self, mood: Mood) {
        let zoom = &self.stage.zoom;
        let always_at_calls = |fault: &Fault| {
            for route in Route::CALLS {
                zoom.always(*route, fault.clone());
            }
        };
        *lock(&self.mood) = mood;
        zoom.heal();
        zoom.set_connect_delay(if mood == Mood::Late { LATE } else { CONNECTS_IN });
        match mood {
            Mood::Well | Mood::Late => {}
            Mood::Slow => always_at_calls(&Fault::Delay(Duration::from_secs(4))),
            Mood::Down => zoom.always(Route::Any, Fault::status(503)),
            Mood::Throttled => always_at_calls(&Fault::too_many(RETRY_AFTER)),
            Mood::Daily => always_at_calls(&daily_limit(zoom.clock().now())),
            Mood::Refusing => {
                let message = "Your user account is not allowed meeting hosting and scheduling capabilities.";
                for route in [Route::MeetingStatus, Route::WebinarStatus] {
                    zoom.always(route, refusal(400, 3161, message));
                }
            }
        }
        self.show();
    }

    async fn at_service(&self, what: AtService) -> Told {
        let now = self.service.now();
        match what {
            AtService::Start => match self.service.start().await {
                Ok(()) => Ok(None),
                Err(error) => told(format!("{error:#}. Start it again.")),
            },
            AtService::Kill | AtService::Stop if now.pid.is_none() => told("The service does not run. Start it."),
            AtService::Kill => {
                self.service.kill().await;
                Ok(None)
            }
            AtService::Stop => {
                self.service.stop().await;
                Ok(None)
            }
        }
    }

    fn person(&self, id: &str) -> Result<User, Refused> {
        let person = self.stage.slack.person(id);
        person.ok_or_else(|| Refused::new(404, "There is no such person here. Reload the page."))
    }

    fn message(&self, key: &str) -> Result<Message, Refused> {
        let message = self.stage.slack.message(key);
        message.ok_or_else(|| Refused::new(404, "That message is gone. Look for a newer one."))
    }

    fn modal(&self, user: &User, id: &str) -> Result<Modal, Refused> {
        let modal = self.stage.slack.open_modal(user, id);
        modal.ok_or_else(|| Refused::new(404, "That form is closed. Open it again."))
    }
}

fn told(words: impl Into<String>) -> Told {
    Ok(Some(words.into()))
}

fn pressed(pressed: Result<Delivery, CannotPress>) -> Told {
    match pressed {
        Ok(delivery) => Ok(failed("The button", &delivery)),
        Err(error) => told(format!("It can't be pressed: {}. Reload the page.", error.why())),
    }
}

fn failed(what: &str, delivery: &Delivery) -> Option<String> {
    delivery.failure.map(|failure| format!("{what} failed with the error {}", failure.as_str()))
}

/// What Zoom answers once the day's calls are used up.
fn daily_limit(now: jiff::Timestamp) -> Fault {
    const DAY: i64 = 24 * 60 * 60;
    let midnight = jiff::Timestamp::from_second((now.as_second() / DAY + 1) * DAY).unwrap_or(now);
    let body = json!({
        "code": 429,
        "message": "You have reached the maximum daily rate limit for this API. Refer to the response header for details \
                    on when you can make another request.",
    });
    let headers = [
        ("content-type", "application/json;charset=UTF-8".to_owned()),
        ("x-ratelimit-type", "Daily-limit".to_owned()),
        ("retry-after", midnight.to_string()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Fault::Answer { status: 429, headers, body: body.to_string() }
}
