//! Many commands at once: how they reach the instances that there are, and what became of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use onair::sandbox::slack::{Author, Channel, Delivery, Message, User};
use onair::sandbox::zoom::User as ZoomUser;
use onair::sandbox::{SimSlack, SimZoom};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::bot::Service;
use crate::random::Random;

/// Slack's way to the instances that are in service, one after the other, as a load balancer leads it.
pub(crate) struct Way(watch::Sender<Vec<Instance>>);

struct Instance {
    url: String,
    is_in_service: bool,
    on_their_way: usize,
}

impl Way {
    /// A way that leads to these.
    pub(crate) fn to<'a>(services: impl IntoIterator<Item = &'a Service>) -> Arc<Self> {
        let way = Self(watch::Sender::new(Vec::new()));
        services.into_iter().for_each(|service| way.put_into_service(service));
        Arc::new(way)
    }

    pub(crate) fn put_into_service(&self, service: &Service) {
        let url = service.at("/slack/commands");
        self.0.send_modify(|all| all.push(Instance { url, is_in_service: true, on_their_way: 0 }));
    }

    /// Leads nobody there any more. Where nothing is in service, people wait.
    pub(crate) fn take_out_of_service(&self, service: &Service) {
        self.change(&service.at("/slack/commands"), |instance| instance.is_in_service = false);
    }

    /// Waits until everything that was on its way there has its answer.
    pub(crate) async fn drained(&self, service: &Service) {
        let url = service.at("/slack/commands");
        let is_idle = |all: &Vec<Instance>| all.iter().all(|one| one.url != url || one.on_their_way == 0);
        self.0.subscribe().wait_for(is_idle).await.unwrap();
    }

    fn change(&self, url: &str, change: impl Fn(&mut Instance)) {
        self.0.send_modify(|all| all.iter_mut().filter(|instance| instance.url == url).for_each(&change));
    }

    /// The instance whose turn it is.
    async fn next(&self) -> String {
        let mut news = self.0.subscribe();
        loop {
            news.wait_for(|all| all.iter().any(|one| one.is_in_service)).await.unwrap();
            let mut found = None;
            self.0.send_modify(|all| {
                if let Some(index) = all.iter().position(|one| one.is_in_service) {
                    let mut instance = all.remove(index);
                    instance.on_their_way += 1;
                    found = Some(instance.url.clone());
                    all.push(instance);
                }
            });
            if let Some(url) = found {
                return url;
            }
        }
    }
}

/// What is typed, and the meeting that it alone is about.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) meeting: Option<u64>,
}

impl Line {
    pub(crate) fn of(text: &str) -> Self {
        Self { text: text.to_owned(), meeting: None }
    }

    /// A start of a meeting of its own, which is in progress.
    pub(crate) fn start(zoom: &SimZoom, host: &ZoomUser) -> Self {
        let meeting = zoom.meeting_in_progress(host);
        Self { text: format!("/stream start {meeting} \"Keynote\""), meeting: Some(meeting) }
    }

    /// A stop of a meeting of its own, which is in progress.
    pub(crate) fn stop(zoom: &SimZoom, host: &ZoomUser) -> Self {
        let meeting = zoom.meeting_in_progress(host);
        Self { text: format!("/stream stop {meeting}"), meeting: Some(meeting) }
    }

    /// Anything that is answered later.
    pub(crate) fn any(random: &mut Random, zoom: &SimZoom, host: &ZoomUser) -> Self {
        match random.below(4) {
            0 => Self::of("/stream whoami"),
            1 => Self::of("/stream status"),
            2 => Self::start(zoom, host),
            _ => Self::stop(zoom, host),
        }
    }
}

/// Somebody who types fast.
pub(crate) struct Typist {
    pub(crate) slack: SimSlack,
    pub(crate) user: User,
    pub(crate) channel: Channel,
    pub(crate) way: Arc<Way>,
    typed: watch::Sender<usize>,
    answered_at_once: AtomicUsize,
}

impl Typist {
    pub(crate) fn new(slack: &SimSlack, user: &User, channel: &Channel, way: &Arc<Way>) -> Arc<Self> {
        let (slack, user, channel, way) = (slack.clone(), user.clone(), channel.clone(), Arc::clone(way));
        Arc::new(Self {
            slack,
            user,
            channel,
            way,
            typed: watch::Sender::new(0),
            answered_at_once: AtomicUsize::new(0),
        })
    }

    /// Types everything, so many commands at once, and returns when Slack has an answer, or a failure, for each.
    pub(crate) async fn types(self: &Arc<Self>, lines: impl IntoIterator<Item = Line>, at_once: usize) -> Ledger {
        let (mut lines, mut typing, mut typed) = (lines.into_iter().fuse(), JoinSet::new(), Vec::new());
        loop {
            while typing.len() < at_once
                && let Some(line) = lines.next()
            {
                let typist = Arc::clone(self);
                typing.spawn(async move { typist.deliver(line).await });
            }
            let Some(done) = typing.join_next().await else { break };
            typed.push(done.unwrap());
        }
        Ledger { slack: self.slack.clone(), typed }
    }

    /// Waits until so many commands have their acknowledgment, or their failure.
    pub(crate) async fn has_typed(&self, count: usize) {
        self.typed.subscribe().wait_for(|typed| *typed >= count).await.unwrap();
    }

    /// Waits until so many more have.
    pub(crate) async fn goes_on_for(&self, more: usize) {
        let typed = *self.typed.borrow();
        self.has_typed(typed + more).await;
    }

    /// How many were answered in the 200, which for what is typed here means that they were not accepted.
    pub(crate) fn answered_at_once(&self) -> usize {
        self.answered_at_once.load(Ordering::Relaxed)
    }

    async fn deliver(&self, line: Line) -> Typed {
        let url = self.way.next().await;
        let mut request = self.slack.signed_request(&self.user, &self.channel, &line.text);
        request.url.clone_from(&url);
        let delivery = self.slack.deliver(&self.user, &self.channel, &line.text, &request).await;
        self.way.change(&url, |instance| instance.on_their_way -= 1);
        let typed = Typed { line, delivery };
        if typed.receipt() == Receipt::Answered {
            self.answered_at_once.fetch_add(1, Ordering::Relaxed);
        }
        self.typed.send_modify(|count| *count += 1);
        typed
    }
}

/// One command, and what Slack was told at once.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) line: Line,
    pub(crate) delivery: Delivery,
}

/// What Slack was told at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// An empty 200: the answer is owed.
    Accepted,
    /// A 200 with the answer in it.
    Answered,
    /// Nothing, or something else.
    None,
}

impl Typed {
    pub(crate) fn receipt(&self) -> Receipt {
        match &self.delivery.answer {
            Some(answer) if answer.status == 200 && answer.body.is_empty() => Receipt::Accepted,
            Some(answer) if answer.status == 200 => Receipt::Answered,
            _ => Receipt::None,
        }
    }

    fn hook(&self) -> u64 {
        self.delivery.hook().unwrap()
    }

    fn is_start(&self) -> bool {
        self.line.text.starts_with("/stream start")
    }
}

/// Everything that was typed.
pub(crate) struct Ledger {
    slack: SimSlack,
    pub(crate) typed: Vec<Typed>,
}

impl Ledger {
    pub(crate) fn with(&self, receipt: Receipt) -> impl Iterator<Item = &Typed> {
        self.typed.iter().filter(move |typed| typed.receipt() == receipt)
    }

    /// Whether any accepted command is answered by now.
    pub(crate) fn has_an_answer(&self) -> bool {
        let owed: BTreeSet<u64> = self.with(Receipt::Accepted).map(Typed::hook).collect();
        self.slack.messages().iter().any(|message| message.hook.is_some_and(|hook| owed.contains(&hook)))
    }

    /// Waits until every accepted command is answered.
    pub(crate) async fn is_answered_within(&self, deadline: Duration) {
        let owed: BTreeSet<u64> = self.with(Receipt::Accepted).map(Typed::hook).collect();
        let answered = |messages: &[Message]| -> BTreeSet<u64> {
            let ours = messages.iter().filter(|message| message.author == Author::App);
            ours.filter_map(|message| message.hook).collect()
        };
        let all = |messages: &[Message]| owed.is_subset(&answered(messages)).then_some(());
        if self.slack.wait_until("every answer", deadline, all).await.is_err() {
            let answered = answered(&self.slack.messages());
            let unanswered = self.with(Receipt::Accepted).filter(|typed| !answered.contains(&typed.hook()));
            let lines: Vec<&str> = unanswered.map(|typed| typed.line.text.as_str()).collect();
            panic!("{} of {} are not answered within {deadline:?}: {lines:#?}", lines.len(), owed.len());
        }
    }

    /// What each command was answered, in the order of receipt.
    pub(crate) fn answers(&self) -> Vec<(&Typed, Vec<Message>)> {
        let mut by_hook: BTreeMap<u64, Vec<Message>> = BTreeMap::new();
        for message in self.slack.messages().into_iter().filter(|message| message.author == Author::App) {
            by_hook.entry(message.hook.unwrap()).or_default().push(message);
        }
        self.typed.iter().map(|typed| (typed, by_hook.remove(&typed.hook()).unwrap_or_default())).collect()
    }

    /// No start was sent to Zoom twice, and nothing at all for a command that was not accepted.
    pub(crate) fn did_nothing_twice(&self, zoom: &SimZoom) {
        let mut orders: BTreeMap<u64, usize> = BTreeMap::new();
        for request in zoom.requests() {
            let meeting = request.path.strip_suffix("/livestream/status").and_then(|path| path.rsplit('/').next());
            if let Some(meeting) = meeting {
                *orders.entry(meeting.parse().unwrap()).or_default() += 1;
            }
        }
        for typed in &self.typed {
            let sent = typed.line.meeting.and_then(|meeting| orders.get(&meeting)).copied().unwrap_or_default();
            let most = match typed.receipt() {
                Receipt::Answered => 0,
                Receipt::Accepted | Receipt::None if typed.is_start() => 1,
                Receipt::Accepted | Receipt::None => usize::MAX,
            };
            assert!(sent <= most, "Zoom was asked {sent} times: {typed:#?}");
        }
    }
}
