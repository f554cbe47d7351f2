use super::*;

/// A form with a field of each kind that OnAir's has.
fn view() -> Value {
    let label = |text: &str| json!({ "type": "plain_text", "text": text });
    let input = |id: &str, name: &str, optional: bool, element: Value| json!({ "type": "input", "block_id": id, "label": label(name), "optional": optional, "element": element });
    let option = |value: &str| json!({ "text": label(value), "value": value });
    json!({
        "type": "modal",
        "title": label("Rules"),
        "submit": label("Save"),
        "private_metadata": "carried",
        "callback_id": "rules",
        "blocks": [
            input("who", "Who", true, json!({ "type": "multi_users_select", "action_id": "a", "max_selected_items": 1 })),
            input("where", "Where", false, json!({ "type": "conversations_select", "action_id": "a" })),
            input("how", "How", false, json!({
                "type": "radio_buttons", "action_id": "a", "options": [option("x"), option("y")], "initial_option": option("x"),
            })),
        ],
    })
}

/// Types a command and opens a view with its trigger.
async fn open(slack: &SimSlack, user: &User, trigger: &str, view: Value) -> Value {
    let workspace = slack.workspace(if user.team == slack.home().id { "acme" } else { "globex" });
    call(slack, &workspace, "views.open", json!({ "trigger_id": trigger, "view": view })).await
}

fn trigger(slack: &SimSlack, user: &User) -> String {
    slack.signed_request(user, &slack.channel("events"), "/stream policy").form_field("trigger_id").unwrap()
}

#[tokio::test]
async fn a_trigger_opens_one_form_within_three_seconds() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let ada = slack.user("ada");
    let (first, second) = (trigger(&slack, &ada), trigger(&slack, &ada));
    assert_eq!(open(&slack, &ada, &first, view()).await["ok"], true);
    assert_eq!(open(&slack, &ada, &first, view()).await["error"], "exchanged_trigger_id");
    slack.clock().advance(Duration::from_secs(4));
    assert_eq!(open(&slack, &ada, &second, view()).await["error"], "expired_trigger_id");
    assert_eq!(slack.complaints(), Vec::<String>::new());
    assert_eq!(open(&slack, &ada, "1.T1.guessed", view()).await["error"], "invalid_trigger_id");
    let eve = slack.user_in(&slack.workspace("globex"), "eve");
    let of_ada = trigger(&slack, &ada);
    assert_eq!(open(&slack, &eve, &of_ada, view()).await["error"], "invalid_trigger_id");
    assert_eq!(slack.complaints().len(), 2);
}

#[tokio::test]
async fn a_form_that_slack_would_not_show_is_refused() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let ada = slack.user("ada");
    let changes: [fn(&mut Value); 8] = [
        |view| view["submit"] = Value::Null,
        |view| view["title"]["text"] = json!("x".repeat(25)),
        |view| view["title"]["type"] = json!("mrkdwn"),
        |view| view["private_metadata"] = json!("x".repeat(3001)),
        |view| view["blocks"][1]["block_id"] = json!("who"),
        |view| view["blocks"][0]["element"]["initial_users"] = json!([]),
        |view| view["blocks"][2]["element"]["initial_option"]["value"] = json!("z"),
        |view| view["team"] = json!("T1"),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut wrong = view();
        change(&mut wrong);
        let trigger = trigger(&slack, &ada);
        assert_eq!(open(&slack, &ada, &trigger, wrong).await["error"], "invalid_arguments", "{at}");
    }
    assert!(slack.modal(&ada).is_none());
    assert_eq!(slack.complaints().len(), changes.len());
}

#[tokio::test]
async fn a_form_is_sent_as_it_was_filled_in_and_stays_open_while_something_is_wrong() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (ada, ben, events) = (slack.user("ada"), slack.user("ben"), slack.channel("events"));
    let errors = json!({ "response_action": "errors", "errors": { "who": "not her" } });
    let app = app(&slack, Some(Answer::json(200, &errors))).await;
    let trigger = trigger(&slack, &ada);
    open(&slack, &ada, &trigger, view()).await;
    let modal = slack.modal(&ada).unwrap();
    assert!(slack.modal(&ben).is_none());
    let channels = [&events];
    let place = ("Where", Fill::Channels(&channels));
    assert!(slack.submits(&modal, &[]).await.is_err(), "a place is asked for");
    let both = [&ada, &ben];
    assert!(slack.submits(&modal, &[place, ("Who", Fill::People(&both))]).await.is_err(), "one at the most");
    assert!(slack.submits(&modal, &[place, ("How", Fill::Choice("z"))]).await.is_err(), "there is no such choice");
    let one = [&ben];
    let delivery = slack.submits(&modal, &[place, ("Who", Fill::People(&one))]).await.unwrap();
    let payload = delivery.request.payload();
    assert_eq!((&payload["type"], &payload["user"]["id"]), (&json!("view_submission"), &json!(ada.id)));
    assert_eq!(payload["view"]["private_metadata"], "carried");
    let values = json!({
        "who": { "a": { "type": "multi_users_select", "selected_users": [ben.id] } },
        "where": { "a": { "type": "conversations_select", "selected_conversation": events.id } },
        "how": { "a": { "type": "radio_buttons", "selected_option": view()["blocks"][2]["element"]["options"][0] } },
    });
    assert_eq!(payload["view"]["state"]["values"], values);
    let open = slack.modal(&ada).unwrap();
    assert!(open.transcript().contains("! not her"), "{}", open.transcript());
    drop(app);
    let _app = super::app(&slack, empty()).await;
    assert_eq!(slack.submits(&open, &[place]).await.unwrap().failure, None);
    assert!(slack.modal(&ada).is_none());
    assert_eq!(slack.complaints(), Vec::<String>::new());
    assert_eq!(slack.submits(&open, &[place]).await.unwrap().failure, Some(Failure::DispatchFailed), "it is closed");
}

#[tokio::test]
async fn a_home_is_published_to_somebody_there_and_within_slacks_limits() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let ada = slack.user("ada");
    let eve = slack.user_in(&slack.workspace("globex"), "eve");
    let home = |blocks: usize| json!({ "type": "home", "blocks": vec![json!({ "type": "divider" }); blocks] });
    let publish = async |user: &User, view: Value| {
        call(&slack, slack.home(), "views.publish", json!({ "user_id": user.id, "view": view })).await
    };
    assert_eq!(publish(&ada, home(100)).await["ok"], true);
    assert_eq!(slack.home_of(&ada).unwrap().published, 1);
    slack.enable_home(false);
    assert_eq!(publish(&ada, home(1)).await["error"], "not_enabled");
    slack.enable_home(true);
    assert_eq!(slack.complaints(), Vec::<String>::new());
    for (user, view) in [(&ada, home(101)), (&ada, view()), (&eve, home(1))] {
        assert_eq!(publish(user, view).await["error"], "invalid_arguments");
    }
    assert_eq!(slack.complaints().len(), 3);
    assert!(slack.home_of(&eve).is_none());
}
