//! What would stop a start, one line each, with its cure; what is fine; and what cannot be known, with the reason.

use super::Context;
use super::account::{NOT_OFFERED, shown};
use super::outcome::{WEBINAR_SETTING, forbidden};
use super::text::{code, day_and_time, escape, list as joined, time_to_come};
use crate::command::{Command, Run, Start, Target, Verb};
use crate::journal::Retry;
use crate::meeting::Settings;
use crate::reply::{Check, Cure, Verdict, Why};
use crate::stream::State;

pub(super) fn list(check: &Check, context: &Context) -> Vec<String> {
    let words = Words { check, context };
    let mut lines = vec![words.outcome()];
    lines.extend(words.findings());
    lines.extend(words.more_permissions());
    lines.extend(words.reference());
    lines.push(words.next());
    lines
}

struct Words<'a> {
    check: &'a Check,
    context: &'a Context<'a>,
}

impl Words<'_> {
    fn outcome(&self) -> String {
        let meeting = code(&self.check.meeting.to_string());
        match (self.cures().count(), &self.check.stream) {
            (0, Some(State::Live { .. })) => format!("{meeting} is live already."),
            (0, Some(State::Accepted { .. } | State::Unconfirmed { .. } | State::Unknown { .. })) => {
                format!("{meeting} may be on air already.")
            }
            (0, Some(State::Stopping { .. })) => format!("{meeting} is being taken off air."),
            (0, _) if self.doubts().next().is_some() => {
                format!("Nothing found that would stop a start of {meeting}, but not everything can be known:")
            }
            (0, _) => format!("{meeting} is ready for its stream, as far as Zoom shows:"),
            (1, _) => format!("One thing would stop a start of {meeting}:"),
            (many, _) => format!("{many} things would stop a start of {meeting}:"),
        }
    }

    /// What stands between the connection and the picture.
    fn verdicts(&self) -> [&Verdict; 7] {
        let Check { connection, permission, host, running, encryption, settings, target, .. } = self.check;
        [connection, permission, host, running, encryption, settings, target]
    }

    fn cures(&self) -> impl Iterator<Item = Cure> {
        self.verdicts().into_iter().filter_map(|verdict| match verdict {
            Verdict::Bad(cure) => Some(*cure),
            Verdict::Good | Verdict::Unknown(_) => None,
        })
    }

    fn doubts(&self) -> impl Iterator<Item = &Why> {
        self.verdicts().into_iter().filter_map(|verdict| match verdict {
            Verdict::Unknown(why) => Some(why),
            Verdict::Good | Verdict::Bad(_) => None,
        })
    }

    fn findings(&self) -> Vec<String> {
        let check = self.check;
        let [permission, settings] = if check.is_webinar {
            ["OnAir may start and stop streams of webinars", "yours let you stream webinars"]
        } else {
            ["OnAir may start and stop streams", "yours let you stream meetings"]
        };
        let host = if check.is_webinar {
            "❔ Webinar: it is one, and OnAir can't see whether you host it".to_owned()
        } else {
            self.line("Meeting", "it exists, and you host it", &check.host)
        };
        vec![
            self.account(),
            self.line("Connection", "it works", &check.connection),
            self.line("Permission", permission, &check.permission),
            host,
            self.line("Running", "it is", &check.running),
            self.line("Encryption", "it isn't end-to-end", &check.encryption),
            self.line("Zoom settings", settings, &check.settings),
            self.line("Stream address", "it has one; whether it works, only a start shows", &check.target),
            self.reports(),
            self.on_air(),
        ]
    }

    fn account(&self) -> String {
        let account = shown(&self.check.account);
        match &self.check.on_behalf_of {
            None => format!("✅ Account: you are connected as {account}"),
            Some(lender) => format!("✅ Account: <@{}> lends you this meeting, as {account}", escape(lender.as_str())),
        }
    }

    fn line(&self, label: &str, good: &str, verdict: &Verdict) -> String {
        match verdict {
            Verdict::Good => format!("✅ {label}: {good}"),
            Verdict::Bad(cure) => format!("❌ {label}: {}", self.cure(*cure)),
            Verdict::Unknown(why) => format!("❔ {label}: {}", why_unknown(why)),
        }
    }

    /// What is wrong, and what to do about it.
    fn cure(&self, cure: Cure) -> String {
        let connect = self.context.verb(Verb::Connect);
        match cure {
            Cure::TellAnAdmin => {
                format!("Zoom refuses OnAir itself, for everybody. {}", self.context.tell_an_admin())
            }
            Cure::Connect => {
                format!(
                    "OnAir may not start it for you. Connect again with {connect} and allow everything. {NOT_OFFERED}"
                )
            }
            Cure::CheckTheId => format!(
                "Zoom has none with this id for your account. Check the id. If it is right, whoever hosts it connects \
                 with {connect} and starts it."
            ),
            Cure::OtherAccount => format!(
                "its host isn't in the Zoom account you connected. Connect as somebody of the host's account: {connect}"
            ),
            Cure::StartTheMeeting => "it isn't. Start it in Zoom.".to_owned(),
            Cure::Allow(what) => {
                let (why, cure) = forbidden(what);
                format!("{why} {}", cure.replace('\n', " "))
            }
            Cure::AllowWebinars => {
                format!("Zoom doesn't let you stream webinars. Zoom web portal → {WEBINAR_SETTING}")
            }
            Cure::SetTheTarget => {
                let setup = Command::Setup { meeting: self.check.called.clone() };
                format!("it has none. Set it on a private page: {}", self.copy(&setup))
            }
        }
    }

    fn reports(&self) -> String {
        let why = match &self.check.reports {
            Verdict::Good => return "✅ Confirmation: Zoom reports to OnAir, which says when it is live".to_owned(),
            Verdict::Unknown(Why::Webinar) => "Zoom reports nothing of webinars".to_owned(),
            Verdict::Unknown(Why::Scope(scope)) => {
                format!("Zoom doesn't report without the permission {}", code(scope))
            }
            Verdict::Bad(_) | Verdict::Unknown(_) => "Zoom's reports aren't set up".to_owned(),
        };
        format!("❔ Confirmation: {why}; OnAir can't confirm that it is live")
    }

    fn on_air(&self) -> String {
        let reports = match self.check.reports {
            Verdict::Good => "and has not reported that it is live",
            Verdict::Bad(_) | Verdict::Unknown(_) => "and OnAir can't tell what became of it",
        };
        match &self.check.stream {
            None | Some(State::Failed { .. }) => "✅ On air: not that OnAir knows".to_owned(),
            Some(State::Throttled(next)) => {
                let (at, number) = (time_to_come(next.at), next.number);
                format!("✅ On air: not yet; OnAir tries again by itself at {at} ({number} of {})", Retry::MOST)
            }
            Some(State::Accepted { at } | State::Unconfirmed { at }) => {
                format!("❔ On air: Zoom took a start {}, {reports}", day_and_time(*at))
            }
            Some(State::Unknown { at }) => {
                format!("❔ On air: a start was sent {}, and Zoom gave no clear answer", day_and_time(*at))
            }
            Some(State::Live { since, .. }) => format!("✅ On air: live since {}", day_and_time(*since)),
            Some(State::Stopping { at, .. }) => {
                format!("❔ On air: Zoom took a stop {}, and has not reported that it is off air", day_and_time(*at))
            }
            Some(State::Ended { at, .. }) => format!("✅ On air: not since {}", day_and_time(*at)),
        }
    }

    /// How to have the rest known as well.
    fn more_permissions(&self) -> Option<String> {
        let mut scopes: Vec<String> = self
            .doubts()
            .filter_map(|why| match why {
                Why::Scope(scope) => Some(code(scope)),
                _ => None,
            })
            .collect();
        scopes.dedup();
        let connect = self.context.verb(Verb::Connect);
        (!scopes.is_empty()).then(|| {
            let scopes = joined(&scopes, "and");
            format!("To have OnAir see more, connect again and allow {scopes}: {connect}\n{NOT_OFFERED}")
        })
    }

    fn reference(&self) -> Option<String> {
        let is_odd = |why: &Why| matches!(why, Why::Refused { .. } | Why::Unreadable);
        self.doubts().any(is_odd).then(|| format!("The same again? {}", self.context.tell_an_admin()))
    }

    fn next(&self) -> String {
        let cures: Vec<Cure> = self.cures().collect();
        let (start, again) = (self.copy(&self.start()), self.copy(&self.check_again()));
        let is_passing = |why: &Why| matches!(why, Why::Busy { .. } | Why::Away | Why::RenewalLost);
        let when = if self.doubts().any(|why| matches!(why, Why::Busy { .. })) { "then" } else { "in a minute" };
        match (cures.as_slice(), &self.check.stream) {
            ([], Some(State::Live { .. })) => format!("To take it off air: {}", self.copy(&self.stop())),
            ([Cure::StartTheMeeting], None) => format!("Once it is running, put it on air: {start}"),
            ([_], _) => format!("Mend that, then check again: {again}"),
            ([_, ..], _) => format!("Mend these from top to bottom, then check again: {again}"),
            ([], Some(State::Throttled(_))) => {
                format!("Nothing more to do. To give it up: {}", self.copy(&self.stop()))
            }
            ([], Some(State::Stopping { .. })) => format!("Check again in a minute: {again}"),
            ([], Some(State::Accepted { .. } | State::Unconfirmed { .. } | State::Unknown { .. })) => {
                format!("Look at the stream first. Nothing on air? Start it again: {start}")
            }
            ([], None | Some(State::Ended { .. } | State::Failed { .. })) if self.doubts().any(is_passing) => {
                format!("Check again {when}: {again}")
            }
            ([], None | Some(State::Ended { .. } | State::Failed { .. })) => format!("To put it on air: {start}"),
        }
    }

    fn copy(&self, command: &Command<Target>) -> String {
        self.context.copy(&command.to_string())
    }

    fn start(&self) -> Command<Target> {
        let (meeting, settings) = (self.check.called.clone(), Settings::default());
        Command::Start(Start { meeting, settings, run: Run::Real })
    }

    fn stop(&self) -> Command<Target> {
        Command::Stop { meeting: self.check.called.clone() }
    }

    fn check_again(&self) -> Command<Target> {
        Command::Check { meeting: self.check.called.clone() }
    }
}

pub(super) fn why_unknown(why: &Why) -> String {
    match why {
        Why::Scope(scope) => format!("not known without the optional permission {}", code(scope)),
        Why::NotSaid => "not known, Zoom doesn't say".to_owned(),
        Why::Busy { retry_at } => format!("not known, Zoom takes no more requests until {}", time_to_come(*retry_at)),
        Why::Away => "not known, Zoom is down or can't be reached".to_owned(),
        Why::RenewalLost => {
            "not known, Zoom did not answer while OnAir renewed its access; the next try will tell".to_owned()
        }
        Why::Refused { status, code: None } => format!("not known, Zoom refused to say, with status {status}"),
        Why::Refused { code: Some(number), .. } => {
            format!("not known, Zoom refused to say, with code {}", code(number))
        }
        Why::Unreadable => "not known, Zoom's answer makes no sense".to_owned(),
        Why::NoConnection => "not known without a connection that works".to_owned(),
        Why::NoMeeting => "not known, Zoom doesn't show it to your account".to_owned(),
        Why::NoLicence => "not known, Zoom doesn't show it without a license".to_owned(),
        Why::OtherHost => {
            "somebody else hosts it, and Zoom may refuse your start; then the host connects and starts it".to_owned()
        }
        Why::OthersSettings => "not known, the host's count, and Zoom shows you only your own".to_owned(),
        Why::Webinar => "not known, OnAir can't see that of a webinar".to_owned(),
        Why::NoReports => "not known, Zoom's reports aren't set up".to_owned(),
    }
}
