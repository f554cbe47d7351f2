//! One refresh: many commands at once, over two instances, with a token that Zoom does not take any more.

use std::sync::Arc;
use std::time::Duration;

use onair::id::ZoomUserId;
use onair::sandbox::Fault;
use onair::sandbox::slack::Message;
use onair::sandbox::zoom::{Route, User as ZoomUser, invalid_grant};
use onair::secret::Secret;

use crate::bot::{Bot, Engine, PATIENCE, Service, is_public};
use crate::load::{Ledger, Line, Receipt, Typist, Way};

const COMMANDS: usize = 100;
/// Two instances, a person, and starts of a hundred meetings.
struct Scene {
    bot: Bot,
    second: Service,
    typist: Arc<Typist>,
    host: ZoomUser,
}

impl Scene {
    async fn with_an_expired_token() -> Self {
        // Trace would be most of the work of a hundred commands.
        let mut bot = Bot::start_with(Engine::Redis, &[("RUST_LOG", "debug")]).await;
        let (ada, events, host) = bot.connected("ada").await;
        bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
        let second = bot.second();
        let way = Way::to([&bot.service, &second]);
        let typist = Typist::new(&bot.slack, &ada, &events, &way);
        Self { bot, second, typist, host }
    }

    fn lines(&self) -> Vec<Line> {
        (0..COMMANDS).map(|_| Line::start(&self.bot.zoom, &self.host)).collect()
    }

    /// Types all starts at once and waits for their answers.
    async fn types_all(&self) -> Ledger {
        let ledger = self.typist.types(self.lines(), COMMANDS).await;
        assert_eq!(ledger.with(Receipt::Accepted).count(), COMMANDS);
        ledger.is_answered_within(PATIENCE).await;
        ledger
    }

    /// Every start went well, and was sent with the new token once.
    fn all_are_on_air(&self, ledger: &Ledger) {
        for (typed, answers) in ledger.answers() {
            assert!(answers.len() == 1 && is_public(&answers[0]), "{}: {answers:#?}", typed.line.text);
            assert_eq!(self.bot.zoom.starts_of(typed.line.meeting.unwrap()), 1, "{}", answers[0].shown);
        }
    }

    async fn finish(mut self) {
        self.bot.may_say_more = true;
        self.bot.logs.push(self.second.stop().await);
        self.bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_commands_on_two_instances_make_one_refresh() {
    let scene = Scene::with_an_expired_token().await;
    let ledger = scene.types_all().await;
    scene.all_are_on_air(&ledger);
    assert_eq!(scene.bot.zoom.refreshes(), 1);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_wait_for_a_refresh_that_is_answered_late() {
    let scene = Scene::with_an_expired_token().await;
    scene.bot.zoom.next(Route::Token, Fault::Delay(Duration::from_secs(2)));
    let ledger = scene.types_all().await;
    scene.all_are_on_air(&ledger);
    assert_eq!(scene.bot.zoom.refreshes(), 1);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_zoom_calls_invalid_is_given_up_once_and_each_of_them_is_offered_a_connection() {
    let scene = Scene::with_an_expired_token().await;
    scene.bot.zoom.next(Route::Token, invalid_grant());
    let ledger = scene.types_all().await;
    let told: Vec<Message> = ledger.answers().into_iter().flat_map(|(_, answers)| answers).collect();
    assert_eq!(told.len(), COMMANDS);
    for answer in &told {
        assert!(!is_public(answer) && answer.link("Connect Zoom").is_some(), "{}", answer.shown);
    }
    let asked = scene.bot.zoom.requests().into_iter().filter(|request| request.path == "/oauth/token").count();
    assert_eq!(asked, 2, "one code when it was connected, and one refresh");
    // What was offered works, for the command that waits with it.
    scene.bot.zoom.sign_in_as(&scene.host);
    assert_eq!(scene.bot.press_connect(&told[0]).await.status, 200);
    let waited = ledger.typed.iter().find(|typed| typed.delivery.hook() == told[0].hook).unwrap();
    let meeting = waited.line.meeting.unwrap();
    scene
        .bot
        .zoom
        .wait_until("the start", PATIENCE, |zoom| (zoom.starts_of(meeting) == 1).then_some(()))
        .await
        .unwrap();
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_that_was_replaced_while_its_refresh_was_refused_is_used_by_all() {
    let mut scene = Scene::with_an_expired_token().await;
    let (store, user) = (scene.bot.shared_store(), ZoomUserId::new(scene.host.id.as_str()));
    // Somebody else, who does not ask for the lease, has got a new pair; the old one is dead at Zoom.
    let bought = scene.bot.zoom.grant(&scene.host);
    scene.bot.excused = vec!["token: invalid_grant: Invalid Token!"];
    scene.bot.zoom.next(Route::Token, Fault::Delay(Duration::from_secs(4)));
    let replaced = async {
        let is_refresh = |request: &onair::sandbox::Recorded| {
            request.form_field("grant_type").is_some_and(|kind| kind == "refresh_token")
        };
        scene.bot.zoom.wait_for("the refresh", PATIENCE, is_refresh).await.unwrap();
        let mut grant = store.grant(&user).await.unwrap().unwrap();
        grant.tokens.access = Secret::new(bought.access);
        grant.tokens.refresh = Secret::new(bought.refresh);
        store.save_grant(&grant).await.unwrap();
    };
    let (ledger, ()) = tokio::join!(scene.types_all(), replaced);
    scene.all_are_on_air(&ledger);
    assert_eq!(scene.bot.zoom.refreshes(), 0);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_whose_answer_is_lost_is_told_as_that_and_the_next_one_asks_to_connect() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
    bot.zoom.next(Route::Token, Fault::Lost);
    let lost = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
    assert!(is_public(&lost) && lost.shown.contains("did not answer while OnAir renewed its access"), "{}", lost.shown);
    assert_eq!(bot.last_audit()["outcome"], "unavailable");
    // Zoom had renewed it: the pair that is left is spent.
    let offer = bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
    assert!(!is_public(&offer) && offer.link("Connect Zoom").is_some(), "{}", offer.shown);
    assert_eq!(bot.zoom.starts_of(meeting), 0);
    bot.excused = vec!["token: a refresh token was used a second time", "token: invalid_grant: Invalid Token!"];
    bot.finish().await;
}
