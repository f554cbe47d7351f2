//! A grant that nobody uses any more ends, at Zoom, too, wherever the service dies.

use std::time::Duration;

use onair::clock::Clock;
use onair::grant::Grant;
use onair::id::{JobId, Person, Reference, TeamId, UserId, ZoomUserId};
use onair::journal::{Job, Revocation, Unlinked};
use onair::sandbox::Fault;
use onair::sandbox::slack::User;
use onair::sandbox::zoom::{Route, User as ZoomUser};
use onair::store::Store;

use crate::bot::{Bot, PATIENCE, connect_link, on_both_engines};

/// Connects somebody who is connected already, as another Zoom user, and has the service killed while it ends the former
/// grant; gives the new Zoom user.
async fn killed_between_two_accounts(bot: &mut Bot, user: &User) -> ZoomUser {
    let second = bot.zoom.user("other@example.com");
    bot.zoom.sign_in_as(&second);
    let offer = bot.types(user, &bot.slack.channel("events"), "/stream connect").await;
    bot.zoom.next(Route::Revoke, Fault::Hang);
    let killing = async {
        bot.zoom.wait_for("the revocation", PATIENCE, |request| request.path.ends_with("/revoke")).await.unwrap();
        bot.service.signal("KILL");
    };
    let mut browser = bot.browser();
    let confirm = browser.visit(&connect_link(&offer)).await.unwrap();
    let (cut, ()) = tokio::join!(browser.press(&confirm), killing);
    assert!(cut.is_err(), "the browser was still waiting");
    bot.service.wait();
    second
}

/// A person as the store knows them.
fn person(user: &User) -> Person {
    Person { enterprise: None, team: TeamId::new(user.team.as_str()), user: UserId::new(user.id.as_str()) }
}

/// A job as somebody left it in the journal who died; it is due at once.
async fn leave(store: &Store, id: &JobId, job: Job) {
    store.plan(id, &job, Duration::from_millis(1)).await.unwrap();
}

/// What Zoom is owed of a grant, left like that.
async fn leave_owed(store: &Store, user: &User, grant: Grant) {
    let id = Revocation::job_of(&grant);
    let (person, reference, since) = (person(user), Reference::new("RLEFT"), Clock::default().now());
    let owed = Revocation { grant, is_spent: false, person, reference, since };
    leave(store, &id, Job::Revoke(Box::new(owed))).await;
}

async fn grant_of(store: &Store, host: &ZoomUser) -> Option<Grant> {
    store.grant(&ZoomUserId::new(host.id.as_str())).await.unwrap()
}

/// How many entries have this outcome.
fn count(bot: &Bot, outcome: &str) -> usize {
    bot.audit().into_iter().filter(|entry| entry["outcome"] == outcome).count()
}

on_both_engines! {
    async fn a_former_grant_ends_also_where_the_service_is_killed_between_two_accounts(bot) {
        let (ada, events, first) = bot.connected("ada").await;
        let second = killed_between_two_accounts(&mut bot, &ada).await;
        assert!(bot.zoom.has_grant(&first), "that was not done yet");
        bot.start_over();
        bot.owes_nothing_within(PATIENCE).await;
        assert!(!bot.zoom.has_grant(&first) && bot.zoom.has_grant(&second));
        let who = bot.types(&ada, &events, "/stream whoami").await;
        assert!(who.shown.contains("other@example.com"), "{}", who.shown);
        bot.service.end().await;
        let store = bot.stopped_store();
        assert!(grant_of(&store, &first).await.is_none() && grant_of(&store, &second).await.is_some());
        drop(store);
        bot.start_over();
    }

    async fn a_former_grant_that_somebody_else_has_meanwhile_stays(bot) {
        let (ada, events, first) = bot.connected("ada").await;
        killed_between_two_accounts(&mut bot, &ada).await;
        let ben = bot.slack.user("ben");
        let store = bot.stopped_store();
        store.link(&person(&ben), &ZoomUserId::new(first.id.as_str()), None).await.unwrap();
        drop(store);
        bot.start_over();
        bot.owes_nothing_within(PATIENCE).await;
        assert!(bot.zoom.has_grant(&first));
        let who = bot.types(&ben, &events, "/stream whoami").await;
        assert!(who.shown.contains("ada@example.com"), "{}", who.shown);
    }

    async fn what_is_left_of_a_link_that_was_not_made_ends_the_new_grant_alone(bot) {
        let (ada, events, first) = bot.connected("ada").await;
        let second = bot.zoom.user("other@example.com");
        let (ben, _, third) = bot.connected("ben").await;
        bot.service.end().await;
        let store = bot.stopped_store();
        // Ben's stands for a grant that is stored and was never linked to.
        store.unlink(&person(&ben), None).await.unwrap();
        let zoom_users = [&third, &first, &second].map(|host| ZoomUserId::new(host.id.as_str())).to_vec();
        let unlinked = Unlinked { zoom_users, person: person(&ada), reference: Reference::new("RLEFT") };
        leave(&store, &JobId::new("unlinked"), Job::Unlinked(unlinked)).await;
        drop(store);
        bot.start_over();
        bot.owes_nothing_within(PATIENCE).await;
        assert!(bot.zoom.has_grant(&first) && !bot.zoom.has_grant(&third));
        let who = bot.types(&ada, &events, "/stream whoami").await;
        assert!(who.shown.contains("ada@example.com"), "{}", who.shown);
    }

    async fn two_people_who_leave_an_account_at_once_end_its_grant(bot) {
        let (ada, events, first) = bot.connected("ada").await;
        let ben = bot.slack.user("ben");
        let mut ways = Vec::new();
        for (user, account) in [(&ben, "ada"), (&ada, "second"), (&ben, "third")] {
            bot.zoom.sign_in_as(&bot.zoom.user(&format!("{account}@example.com")));
            let offer = bot.types(user, &events, "/stream connect").await;
            let mut browser = bot.browser();
            let confirm = browser.visit(&connect_link(&offer)).await.unwrap();
            let back = browser.fetch(&confirm.button().unwrap()).await.unwrap();
            let back = back.headers["location"].to_str().unwrap().to_owned();
            if account == "ada" {
                assert_eq!(browser.fetch(&back).await.unwrap().status, 200);
                bot.answer().await;
            } else {
                ways.push((browser, back));
            }
        }
        let [(ada, adas), (ben, bens)] = &mut ways[..] else { unreachable!("there are two") };
        let (ada, ben) = tokio::join!(ada.fetch(adas), ben.fetch(bens));
        assert_eq!((ada.unwrap().status.as_u16(), ben.unwrap().status.as_u16()), (200, 200));
        bot.answer().await;
        bot.answer().await;
        bot.owes_nothing_within(PATIENCE).await;
        assert!(!bot.zoom.has_grant(&first));
        for account in ["second", "third"] {
            assert!(bot.zoom.has_grant(&bot.zoom.user(&format!("{account}@example.com"))));
        }
    }

    async fn a_disconnect_that_was_cut_off_before_the_link_went_tells_that_zoom_is_still_owed_it(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        bot.service.end().await;
        let store = bot.stopped_store();
        let grant = grant_of(&store, &host).await.unwrap();
        leave_owed(&store, &ada, grant).await;
        drop(store);
        bot.start_over();
        let told = bot.types(&ada, &events, "/stream disconnect").await;
        assert!(told.shown.contains("Zoom could not be told yet"), "{}", told.shown);
        bot.owes_nothing_within(PATIENCE).await;
        assert!(!bot.zoom.has_grant(&host));
        assert_eq!((count(&bot, "disconnected_not_revoked"), count(&bot, "disconnected")), (1, 1));
        assert_eq!(bot.last_audit()["reference"], "RLEFT", "what was planned is what told Zoom");
    }

    async fn a_disconnect_that_was_cut_off_after_the_link_went_is_brought_to_its_end(bot) {
        let (ada, _, host) = bot.connected("ada").await;
        bot.service.end().await;
        let store = bot.stopped_store();
        let grant = grant_of(&store, &host).await.unwrap();
        store.unlink(&person(&ada), None).await.unwrap();
        leave_owed(&store, &ada, grant).await;
        drop(store);
        bot.start_over();
        bot.owes_nothing_within(PATIENCE).await;
        assert!(!bot.zoom.has_grant(&host));
        assert_eq!(count(&bot, "disconnected"), 1);
        bot.service.end().await;
        assert!(grant_of(&bot.stopped_store(), &host).await.is_none(), "it is gone here, too");
        bot.start_over();
    }

    async fn a_grant_whose_key_is_gone_is_not_told_as_ended_at_zoom(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        bot.restart_with("ONAIR_ENCRYPTION_KEYS", &format!("k2:{}", "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="));
        let told = bot.types(&ada, &events, "/stream disconnect").await;
        assert!(told.shown.contains("not ended at Zoom"), "{}", told.shown);
        assert_eq!(bot.last_audit()["outcome"], "disconnected_not_revoked");
        assert!(bot.zoom.has_grant(&host));
    }
}
