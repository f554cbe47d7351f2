use super::*;

#[tokio::test]
async fn the_web_api_says_no_with_200() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let events = slack.channel("events");
    let call = async |method: &str, body: Value| super::call(&slack, slack.home(), method, body).await;
    let stranger = response(&slack, "xoxb-wrong", "auth.test", &json!({})).await;
    assert_eq!(stranger.headers().get("x-oauth-scopes"), None);
    assert_eq!(stranger.json::<Value>().await.unwrap()["error"], "invalid_auth");
    assert_eq!(response(&slack, "", "api.test", &json!({})).await.json::<Value>().await.unwrap()["ok"], true);
    assert_eq!(call("auth.test", json!({})).await["team_id"], "T00000001");
    assert_eq!(call("chat.shout", json!({})).await["error"], "unknown_method");
    assert_eq!(slack.complaints().len(), 2);
    let message = json!({ "channel": events.id, "text": "hi" });
    assert_eq!(call("chat.postMessage", message.clone()).await["error"], "not_in_channel");
    let board = slack.private_channel("board", &[&slack.user("ada")]);
    let hidden = json!({ "channel": board.id, "text": "hi" });
    assert_eq!(call("chat.postMessage", hidden).await["error"], "channel_not_found");
    slack.invite_app(&events);
    assert_eq!(call("chat.postMessage", message).await["ok"], true);
    let other = slack.user_in(&slack.workspace("globex"), "eve");
    let whisper = |user: &str| json!({ "channel": events.id, "user": user, "text": "psst" });
    assert_eq!(call("chat.postEphemeral", whisper(&other.id)).await["error"], "user_not_in_channel");
    assert_eq!(call("chat.postEphemeral", whisper(&slack.user("ada").id)).await["ok"], true);
    insta::assert_snapshot!(slack.transcript(), @r"
    #events  OnAir: hi
    #events  OnAir (only ada sees this): psst
    ");
    assert_eq!(slack.complaints().len(), 2, "an app may run into the others");
}

#[tokio::test]
async fn an_update_changes_the_message_in_its_place() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let events = slack.channel("events");
    slack.invite_app(&events);
    let call = async |method: &str, body: Value| super::call(&slack, slack.home(), method, body).await;
    let blocks = json!([{ "type": "header", "text": { "type": "plain_text", "text": "On air" } }]);
    let first =
        call("chat.postMessage", json!({ "channel": events.id, "text": "on air", "blocks": blocks.clone() })).await;
    call("chat.postMessage", json!({ "channel": events.id, "text": "second" })).await;
    let posted_at = slack.messages()[0].posted_at;
    slack.clock().advance(Duration::from_secs(3600));
    let edit = json!({ "channel": events.id, "ts": first["ts"], "text": "Ended" });
    let edited = call("chat.update", edit).await;
    assert_eq!(edited, json!({ "ok": true, "channel": events.id, "ts": first["ts"], "text": "Ended" }));
    insta::assert_snapshot!(slack.transcript(), @r"
    #events  OnAir: Ended
    #events  OnAir: second
    ");
    let message = &slack.messages()[0];
    assert_eq!((message.edits, message.posted_at, message.blocks.len()), (1, posted_at, 0));
    let asked_at = slack.requests().last().unwrap().at;
    assert!(asked_at.duration_since(posted_at).as_secs() >= 3600);
    slack.next(Route::Update, Fault::status(503));
    let failed = response(&slack, &slack.bot_token(slack.home()), "chat.update", &json!({})).await;
    assert_eq!(failed.status().as_u16(), 503);
    assert_eq!(slack.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn only_what_the_app_posted_for_all_can_be_updated() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let events = slack.channel("events");
    slack.invite_app(&events);
    let call = async |method: &str, body: Value| super::call(&slack, slack.home(), method, body).await;
    let ada = slack.user("ada").id;
    let whisper = call("chat.postEphemeral", json!({ "channel": events.id, "user": ada, "text": "psst" })).await;
    post(&hook(&slack), &json!({ "response_type": "in_channel", "text": "by response_url" })).await;
    let by_hook = slack.messages()[1].ts.clone();
    let update = |ts: &Value| json!({ "channel": events.id, "ts": ts, "text": "changed" });
    for (ts, error) in [
        (&whisper["message_ts"], "cant_update_message"),
        (&json!(by_hook), "cant_update_message"),
        (&json!("1700000000.999999"), "message_not_found"),
        (&json!(null), "message_not_found"),
    ] {
        assert_eq!(call("chat.update", update(ts)).await["error"], error, "{ts}");
    }
    assert_eq!(slack.complaints().len(), 4);
    let elsewhere = json!({ "channel": "C99999999", "ts": by_hook, "text": "changed" });
    assert_eq!(call("chat.update", elsewhere).await["error"], "channel_not_found");
    assert_eq!(slack.complaints().len(), 4);
    assert!(slack.messages().iter().all(|message| message.edits == 0));
}

#[tokio::test]
async fn a_persons_id_opens_the_direct_message_with_the_app() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let call = async |method: &str, body: Value| super::call(&slack, slack.home(), method, body).await;
    let (ada, bob) = (slack.user("ada"), slack.user("bob"));
    let posted = call("chat.postMessage", json!({ "channel": ada.id, "text": "hello" })).await;
    let direct = slack.direct_message_with_app(&ada);
    assert_eq!(posted["channel"], json!(direct.id));
    assert!(direct.id.starts_with('D'));
    assert_eq!(slack.transcript_of(&direct), "@ada+OnAir  OnAir: hello");
    let update = json!({ "channel": direct.id, "ts": posted["ts"], "text": "hello again" });
    assert_eq!(call("chat.update", update).await["ok"], true);
    assert_ne!(slack.direct_message_with_app(&bob), direct);
    let eve = slack.user_in(&slack.workspace("globex"), "eve");
    let posted = call("chat.postMessage", json!({ "channel": eve.id, "text": "hello" })).await;
    assert_eq!(posted["error"], "channel_not_found");

    let refused = call("conversations.open", json!({ "users": ada.id })).await;
    assert_eq!(refused["error"], "missing_scope");
    assert_eq!(refused["needed"], "channels:write,groups:write,mpim:write,im:write");
    assert_eq!(slack.complaints(), Vec::<String>::new());
    slack.set_scopes(slack.home(), &["chat:write", "im:write"]);
    assert_eq!(call("conversations.open", json!({ "users": ada.id })).await["channel"]["id"], json!(direct.id));
    assert_eq!(call("conversations.open", json!({ "users": eve.id })).await["error"], "user_not_found");
    assert_eq!(call("conversations.open", json!({})).await["error"], "users_list_not_supplied");
}

#[tokio::test]
async fn a_method_needs_its_scope_and_a_living_token() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (events, globex) = (slack.channel("events"), slack.workspace("globex"));
    let call = async |method: &str, body: Value| super::call(&slack, slack.home(), method, body).await;
    let scopes = async |workspace: &Workspace| {
        let response = response(&slack, &slack.bot_token(workspace), "auth.test", &json!({})).await;
        response.headers()["x-oauth-scopes"].to_str().unwrap().to_owned()
    };
    assert_eq!(scopes(slack.home()).await, "commands,chat:write,users:read");
    slack.set_scopes(slack.home(), &["commands", "users:read"]);
    assert_eq!(
        (scopes(slack.home()).await, scopes(&globex).await),
        ("commands,users:read".to_owned(), "commands,chat:write,users:read".to_owned())
    );
    for method in ["chat.postMessage", "chat.postEphemeral", "chat.update"] {
        let refused = call(method, json!({ "channel": events.id, "text": "hi" })).await;
        let expected = json!({
            "ok": false,
            "error": "missing_scope",
            "needed": "chat:write",
            "provided": "commands,users:read",
        });
        assert_eq!(refused, expected, "{method}");
    }
    assert_eq!(call("auth.test", json!({})).await["ok"], true);
    slack.revoke(slack.home());
    assert_eq!(call("auth.test", json!({})).await["error"], "token_revoked");
    slack.deactivate(&globex);
    assert_eq!(super::call(&slack, &globex, "auth.test", json!({})).await["error"], "account_inactive");
    assert_eq!(slack.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn nothing_comes_into_an_archived_channel() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let events = slack.channel("events");
    slack.invite_app(&events);
    let call = async |method: &str, body: Value| super::call(&slack, slack.home(), method, body).await;
    let (url, message) = (hook(&slack), json!({ "channel": events.id, "text": "hi" }));
    let ts = call("chat.postMessage", message.clone()).await["ts"].clone();
    slack.archive(&events);
    assert_eq!(call("chat.postMessage", message).await["error"], "is_archived");
    let edit = json!({ "channel": events.id, "ts": ts, "text": "bye" });
    assert_eq!(call("chat.update", edit).await["error"], "is_inactive");
    assert_eq!(post(&url, &json!({ "text": "hi" })).await, (404, "no_service".to_owned()));
    assert_eq!(slack.transcript(), "#events  OnAir: hi");
    assert_eq!(slack.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn a_limited_app_posts_once_a_second_in_each_channel() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (events, ops) = (slack.channel("events"), slack.channel("ops"));
    slack.invite_app(&events);
    slack.invite_app(&ops);
    let post = |ms, channel: &Channel| {
        called_at(&slack, ms, "chat.postMessage", &json!({ "channel": channel.id, "text": "hi" }))
    };
    for _ in 0..3 {
        assert_eq!(post(0, &events).status, 200, "nothing is counted");
    }
    slack.limit_posting(true);
    assert_eq!(post(1000, &events).status, 200);
    let limited = post(1999, &events);
    assert_eq!((limited.status, limited.body.as_str()), (429, r#"{"error":"ratelimited","ok":false}"#));
    assert!(limited.headers.contains(&("retry-after".to_owned(), "1".to_owned())), "{limited:?}");
    let edit = json!({ "channel": events.id, "ts": slack.messages()[0].ts, "text": "bye" });
    assert_eq!(called_at(&slack, 1999, "chat.update", &edit).status, 429);
    assert_eq!(post(1999, &ops).status, 200, "every channel has a limit of its own");
    assert_eq!(called_at(&slack, 2000, "chat.update", &edit).status, 200);
    assert_eq!(post(2999, &events).status, 429, "updates count too");
    slack.limit_posting(false);
    assert_eq!(post(2999, &events).status, 200);
    assert_eq!(slack.complaints(), Vec::<String>::new());
}

/// Calls a method at a moment of the test's choice, which over HTTP would be that of the clock.
fn called_at(slack: &SimSlack, ms: i64, method: &str, body: &Value) -> Answer {
    let mut state = lock(&slack.world.state);
    state.now = jiff::Timestamp::from_millisecond(ms).unwrap();
    let header = |name: &str, value: String| (name.to_owned(), value);
    let request = Recorded {
        at: state.now,
        method: "POST".to_owned(),
        path: format!("/api/{method}"),
        query: String::new(),
        headers: vec![
            header("authorization", format!("Bearer {}", slack.bot_token(slack.home()))),
            header("content-type", "application/json".to_owned()),
        ],
        body: body.to_string().into(),
    };
    api::answer(&mut state, &slack.world.base, method, &request)
}

/// Asks `users.info` as the bot of a workspace, with a form as Slack wants it.
async fn info(slack: &SimSlack, workspace: &Workspace, user: &User) -> Value {
    let url = format!("{}/users.info", slack.api_url());
    let request = client().post(url).bearer_auth(slack.bot_token(workspace)).form(&[("user", &user.id)]);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn what_people_are_is_told_to_whoever_may_see_it() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (home, ada, bob) = (slack.home(), slack.user("ada"), slack.user("bob"));
    slack.set_role(&ada, Role::Owner);
    slack.set_time_zone(&ada, "Europe/Vienna");
    let told = info(&slack, home, &ada).await["user"].clone();
    assert_eq!(
        (&told["is_admin"], &told["is_owner"], &told["is_primary_owner"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(told["tz"], "Europe/Vienna");
    assert_eq!(info(&slack, home, &bob).await["user"]["is_admin"], false);
    slack.set_scopes(home, &["commands", "chat:write"]);
    let refused = info(&slack, home, &ada).await;
    assert_eq!((&refused["error"], &refused["needed"]), (&json!("missing_scope"), &json!("users:read")));
    assert_eq!(slack.complaints(), Vec::<String>::new());
    let other = slack.workspace("globex");
    assert_eq!(info(&slack, &other, &ada).await["error"], "user_not_found");
    assert_eq!(call(&slack, &other, "users.info", json!({ "user": ada.id })).await["error"], "invalid_arguments");
    assert_eq!(slack.complaints().len(), 2);
}

#[tokio::test]
async fn the_bot_of_an_organization_sees_its_people_and_who_runs_it() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let [east, west] = ["east", "west"].map(|name| slack.grid_workspace(name, "Globex Corp", Installed::OrgWide));
    let eve = slack.user_in(&west, "eve");
    slack.set_role(&eve, Role::OrgAdmin);
    let told = info(&slack, &east, &eve).await["user"].clone();
    assert_eq!((&told["team_id"], &told["is_admin"]), (&json!(west.id), &json!(false)));
    assert_eq!(told["enterprise_user"]["is_admin"], true);
    assert_eq!(told["enterprise_user"]["enterprise_id"], east.enterprise.unwrap().id);
}
