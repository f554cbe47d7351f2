//! A whole show in one channel: what is left to read when it is over, however Zoom's reports come, or if none do.

use onair::sandbox::slack::{Channel, Message, User};
use onair::sandbox::zoom::{Event, Route, doubled, in_order, reversed};
use onair::sandbox::{Fault, SimZoom};

use crate::bot::{BOT_TOKEN, Bot, Engine, PATIENCE, Posts, is_public};

/// The meeting of the README.
const MEETING: u64 = 68_423_085;

type Arranged = fn(Vec<Event>) -> Vec<Event>;

/// How Zoom's reports come.
#[derive(Clone, Copy)]
enum Reports {
    /// Not at all.
    Never,
    /// Each before anything else happens.
    AtOnce(Arranged),
    /// Only when the stream is off air again.
    Late(Arranged),
}

/// What there is to read when the show is over.
struct Left {
    /// By Ada, who typed all commands.
    to_ada: String,
    /// By everybody else in the channel.
    to_all: String,
}

/// Somebody in `#events` who puts a meeting on air.
struct Show {
    bot: Bot,
    ada: User,
    events: Channel,
    posts: Posts,
    reports: Reports,
}

impl Show {
    /// Ada has connected, her meeting is in progress and saved under a name, and she has checked it.
    async fn prepared(engine: Engine, posts: Posts, reports: Reports) -> Self {
        let mut bot = match (reports, posts) {
            (Reports::Never, Posts::ByBot) => Bot::start_with(engine, &[BOT_TOKEN]).await,
            (Reports::Never, Posts::AsAnswers) => Bot::start(engine).await,
            _ => Bot::with_reports(engine, posts).await,
        };
        bot.slack.invite_app(&bot.slack.channel("events"));
        bot.slack.show_dates_as_forms();
        let (ada, events, host) = bot.connected("ada").await;
        bot.zoom.meeting_numbered(&host, MEETING);
        bot.zoom.begin(MEETING);
        bot.zoom.hold_events();
        let mut show = Self { bot, ada, events, posts, reports };
        show.types("/stream save show 68423085 \"Keynote\"").await;
        show.types("/stream check show").await;
        show
    }

    async fn types(&mut self, line: &str) -> Message {
        self.bot.types(&self.ada, &self.events, line).await
    }

    async fn presses(&self, message: &Message, label: &str) {
        let pressed = self.bot.slack.presses(&self.ada, message, label).await.unwrap();
        assert_eq!(pressed.status(), 200, "{}", self.bot.service.log());
    }

    /// Lets so many reports come that Zoom has by then.
    async fn reported(&self, count: usize, arranged: Arranged) {
        let is_there = |zoom: &SimZoom| (zoom.held_events().len() == count).then_some(());
        self.bot.zoom.wait_until("what there is to report", PATIENCE, is_there).await.unwrap();
        self.bot.zoom.release_events(arranged);
        self.bot.zoom.hold_events();
    }

    /// The stream is on air, and whoever looks at the card reads what is known of that.
    async fn goes_live(&self, card: &Message) {
        let is_live = |zoom: &SimZoom| zoom.is_live(MEETING).then_some(());
        self.bot.zoom.wait_until("it to be on air", PATIENCE, is_live).await.unwrap();
        match self.reports {
            Reports::AtOnce(arranged) => {
                self.reported(1, arranged).await;
                self.bot.edited(card, "is live since").await;
            }
            Reports::Late(_) => drop(self.bot.edited(card, "OnAir says here when").await),
            Reports::Never => drop(self.bot.edited(card, "OnAir can't confirm").await),
        }
    }

    /// The stream is off air, for the reason that the card names in the end.
    async fn is_off(&self, card: &Message, why: &str) -> Message {
        match self.reports {
            Reports::AtOnce(arranged) => self.reported(1, arranged).await,
            Reports::Late(arranged) => self.reported(2, arranged).await,
            Reports::Never => return self.bot.edited(card, why).await,
        }
        self.bot.edited(card, why).await;
        self.bot.edited(card, "was live from").await
    }

    /// Starts, loses the stream, starts again in spite of a 429, and stops.
    async fn goes_on_to_its_end(mut self) -> Left {
        let first = self.types("/stream start show").await;
        self.goes_live(&first).await;
        self.bot.zoom.drop_stream(MEETING);
        let ended = match self.reports {
            Reports::Never => {
                // OnAir does not know. Ada sees it, and makes sure.
                self.presses(&first, "Stop").await;
                self.bot.edited(&first, "stopped by @ada").await
            }
            Reports::AtOnce(_) | Reports::Late(_) => self.is_off(&first, "ended by itself").await,
        };
        if self.posts == Posts::ByBot && !matches!(self.reports, Reports::Never) {
            let told = self.bot.answer().await;
            assert!(told.shown.contains("went off air"), "{}", told.shown);
        }

        // Half a minute is not waited for: Zoom asks for a second, and takes the next try.
        self.bot.zoom.forget_last_start(MEETING);
        self.bot.zoom.next(Route::MeetingStatus, Fault::too_many("1"));
        self.presses(&ended, "Start again").await;
        let waiting = "tries again by itself";
        let second = match self.posts {
            Posts::ByBot => self.bot.answer().await,
            Posts::AsAnswers => self.bot.edited(&first, waiting).await,
        };
        assert!(second.shown.contains(waiting), "{}", second.shown);
        self.goes_live(&second).await;
        self.types("/stream stop show").await;
        self.is_off(&second, "stopped by @ada").await;
        self.left().await
    }

    /// What is left to read once nothing more is to come.
    async fn left(self) -> Left {
        let bot = self.bot;
        let all_came = |zoom: &SimZoom| zoom.events().iter().all(|sent| sent.status() == 200).then_some(());
        bot.zoom.wait_until("all reports to be taken", PATIENCE, all_came).await.unwrap();
        bot.owes_nothing_within(PATIENCE).await;
        assert_eq!(bot.zoom.starts_of(MEETING), 2);
        let messages = bot.slack.messages();
        let to_all: Vec<_> = messages.iter().filter(|message| is_public(message)).map(Message::transcript).collect();
        let left =
            Left { to_ada: without_lengths(&bot.slack.transcript()), to_all: without_lengths(&to_all.join("\n")) };
        bot.finish().await;
        left
    }
}

/// Replaces how long streams were live, which no two runs agree on: `to {time_secs}, 2 s:`.
fn without_lengths(transcript: &str) -> String {
    let mut parts = transcript.split("to {time_secs}, ");
    let mut replaced = parts.next().unwrap().to_owned();
    for part in parts {
        let (length, rest) = part.split_once(':').unwrap();
        assert!(length.ends_with(" s") || length.ends_with(" min"), "{length}");
        replaced.push_str(&format!("to {{time_secs}}, {{length}}:{rest}"));
    }
    replaced
}

async fn left(engine: Engine, posts: Posts, reports: Reports) -> Left {
    Show::prepared(engine, posts, reports).await.goes_on_to_its_end().await
}

/// What everybody is left with whom Zoom's reports reach, by the bot.
async fn all_is_told(engine: Engine, reports: Reports) {
    let left = left(engine, Posts::ByBot, reports).await;
    insta::allow_duplicates! {
        insta::assert_snapshot!(left.to_ada, @r#"
        #events  OnAir (only ada sees this): Connect your Zoom account.
            Press *Connect Zoom*. The link is for you alone and good for 10 minutes.
            [Connect Zoom]
        #events  OnAir (only ada sees this): You are connected to Zoom as ada Example (`ada@example.com`).
            To use another account: `/stream connect`. To undo it: `/stream disconnect`
        #events  OnAir (only ada sees this): Saved: `show` is `684 230 85`, “Keynote”.
            To put it on air: `/stream start show`
        #events  OnAir (only ada sees this): `684 230 85` is ready for its stream, as far as Zoom shows:
            ✅ Account: you are connected as ada Example (`ada@example.com`)
            ✅ Connection: it works
            ✅ Permission: OnAir may start and stop streams
            ✅ Meeting: it exists, and you host it
            ✅ Running: it is
            ✅ Encryption: it isn't end-to-end
            ✅ Zoom settings: yours let you stream meetings
            ✅ Stream address: it has one; whether it works, only a start shows
            ✅ Confirmation: Zoom reports to OnAir, which says when it is live
            ✅ On air: not that OnAir knows
            To put it on air: `/stream start show`
        #events  OnAir: “Keynote” (`684 230 85`) was live from {date_short_pretty} {time_secs} to {time_secs}, {length}: it ended by itself, outside OnAir. Asked for by @ada.
            Not meant to? Look at the streaming service, then start it again: `/stream start 68423085 "Keynote"`
            [Start again]
        @ada+OnAir  OnAir: The stream of “Keynote” (`684 230 85`) that you asked for went off air at {time_secs}: it ended by itself, outside OnAir.
            To put it on air again: `/stream start 68423085 "Keynote"`
        #events  OnAir: “Keynote” (`684 230 85`) was live from {date_short_pretty} {time_secs} to {time_secs}, {length}: stopped by @ada. Asked for by @ada.
            To put it on air again: `/stream start 68423085 "Keynote"`
            [Start again]
        #events  OnAir: The stream of “Keynote” (`684 230 85`) was stopped by @ada.
            To put it on air again: `/stream start 68423085 "Keynote"`
        "#);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_is_a_card_for_each_stream_on_redis() {
    all_is_told(Engine::Redis, Reports::AtOnce(in_order)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_is_a_card_for_each_stream_embedded() {
    all_is_told(Engine::Embedded, Reports::AtOnce(in_order)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_come_twice_leave_the_same() {
    all_is_told(Engine::Embedded, Reports::AtOnce(doubled)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_come_when_all_is_over_leave_the_same() {
    all_is_told(Engine::Embedded, Reports::Late(in_order)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_come_out_of_order_leave_the_same() {
    all_is_told(Engine::Embedded, Reports::Late(reversed)).await;
}

/// At a `response_url` the message whose button was pressed becomes the card of the next stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_show_in_answers_leaves_its_last_stream() {
    for reports in [Reports::AtOnce(in_order), Reports::Late(reversed)] {
        let left = left(Engine::Embedded, Posts::AsAnswers, reports).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(left.to_all, @r#"
            #events  OnAir: “Keynote” (`684 230 85`) was live from {date_short_pretty} {time_secs} to {time_secs}, {length}: stopped by @ada. Asked for by @ada.
                To put it on air again: `/stream start 68423085 "Keynote"`
                [Start again]
            #events  OnAir: The stream of “Keynote” (`684 230 85`) was stopped by @ada.
                To put it on air again: `/stream start 68423085 "Keynote"`
            "#);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_reports_nothing_is_called_live() {
    let left = left(Engine::Embedded, Posts::ByBot, Reports::Never).await;
    insta::assert_snapshot!(left.to_all, @r#"
    #events  OnAir: “Keynote” (`684 230 85`) is over: stopped by @ada. Asked for by @ada.
        To put it on air again: `/stream start 68423085 "Keynote"`
        [Start again]
    #events  OnAir: “Keynote” (`684 230 85`) is over: stopped by @ada. Asked for by @ada.
        To put it on air again: `/stream start 68423085 "Keynote"`
        [Start again]
    #events  OnAir: The stream of “Keynote” (`684 230 85`) was stopped by @ada.
        To put it on air again: `/stream start 68423085 "Keynote"`
    "#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_reports_nothing_is_called_live_in_answers_either() {
    let left = left(Engine::Embedded, Posts::AsAnswers, Reports::Never).await;
    insta::assert_snapshot!(left.to_all, @r#"
    #events  OnAir: “Keynote” (`684 230 85`) is over: stopped by @ada. Asked for by @ada.
        To put it on air again: `/stream start 68423085 "Keynote"`
        [Start again]
    #events  OnAir: The stream of “Keynote” (`684 230 85`) was stopped by @ada.
        To put it on air again: `/stream start 68423085 "Keynote"`
    "#);
}
