use super::mask::Mask;
use super::*;

const SECRET: &str = "c2lnbmluZy9zZWNyZXQ+IQ==";

fn mask() -> Mask {
    Mask::new(vec![SECRET.to_owned()])
}

fn typed(kind: &str) -> Vec<(String, String)> {
    vec![("Content-Type".to_owned(), kind.to_owned())]
}

#[test]
fn secrets_are_masked_by_the_name_of_their_field() {
    let check = |kind: &str, body: &str, expected: &str| assert_eq!(mask().body(&typed(kind), body), expected);
    let json = "application/json; charset=utf-8";
    check(
        json,
        r#"{"access_token": "zat-1", "expires_in":3599,"token":"","a":["x"]}"#,
        r#"{"access_token": "•••", "expires_in":3599,"token":"•••","a":["x"]}"#,
    );
    // Zoom's code is a number, and Slack's state is what stands in a form.
    let plain = r#"{"code":3001,"message":"no \"code\": none","state":{"values":{"token":1}}}"#;
    check(json, plain, plain);
    check(json, r#"{"value":"{\"stream_key\":\"live\"}"}"#, r#"{"value":"{\"stream_key\":\"•••\"}"}"#);
    check(
        json,
        r#"{"url":"http://127.0.0.1:1/zoom/connect?state=AbC-_1","text":"<http://x/?a=1&code=2|x>"}"#,
        r#"{"url":"http://127.0.0.1:1/zoom/connect?state=•••","text":"<http://x/?a=1&code=•••|x>"}"#,
    );
    // What is not JSON after all is text.
    check(json, "{\"token\":\"open", "{\"token\":\"•••\"");
    check("text/html", "<a href=\"/a?state=x1&amp;b=2\">=</a>", "<a href=\"/a?state=•••&amp;b=2\">=</a>");
    check("text/plain", "ok", "ok");
    // Only whole names count.
    check("text/plain", "country_code=49&tokens=2", "country_code=49&tokens=2");
    check("text/plain", "http://127.0.0.1/hooks/commands/T1/2/abc?x", "http://127.0.0.1/hooks/•••?x");
}

#[test]
fn a_form_stays_a_form_with_the_json_in_it() {
    let form = |pairs: &[(&str, &str)]| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        form.finish()
    };
    let given = form(&[
        ("token", "verification-token"),
        ("text", "start 68423085 \"Q&A\""),
        ("payload", r#"{"response_url":"http://x/hooks/a","actions":[{"value":"1"}]}"#),
    ]);
    let masked = mask().body(&typed("application/x-www-form-urlencoded"), &given);
    let expected = form(&[
        ("token", "•••"),
        ("text", "start 68423085 \"Q&A\""),
        ("payload", r#"{"response_url":"•••","actions":[{"value":"1"}]}"#),
    ]);
    assert_eq!(masked, expected);
}

#[test]
fn what_was_seen_as_a_secret_is_one_wherever_it_stands() {
    let mut mask = mask();
    let headers = [("Authorization", "Bearer zat-canary-1"), ("X-Slack-Signature", "v0=12"), ("Cookie", "a=b; c=d")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let told: Vec<String> = mask.headers(&headers).into_iter().map(|(_, value)| value).collect();
    assert_eq!(told, ["Bearer •••", "•••", "•••"]);
    assert_eq!(mask.text("is zat-canary-1 known?"), "is ••• known?");
    assert_eq!(mask.text(&format!("the world's own is {SECRET}")), "the world's own is •••");
    mask.body(&typed("application/json"), r#"{"stream_key":"abcd-efgh-ijkl","code":"short"}"#);
    assert_eq!(mask.text("rtmps://live/abcd-efgh-ijkl in short"), "rtmps://live/••• in short");
}

#[test]
fn the_newest_are_kept_and_a_request_without_an_answer_says_so() {
    let exchanges = Exchanges::new(Vec::new());
    let long = "é".repeat(MOST_BODY);
    let said = Said { method: "POST", path: "/do?code=1", headers: &[], body: long.as_bytes() };
    drop(exchanges.begin(Party::Slack, Party::OnAir, &said));
    let cut = exchanges.after(0).pop().unwrap();
    assert_eq!((cut.n, cut.status, cut.path.as_str()), (1, None, "/do?code=•••"));
    assert_eq!(cut.body.len(), MOST_BODY + '…'.len_utf8());
    for _ in 0..MOST_KEPT {
        exchanges.begin(Party::OnAir, Party::Zoom, &said).answered(204, &[], "");
    }
    let kept = exchanges.after(0);
    assert_eq!((kept.len(), kept[0].n, kept[0].status), (MOST_KEPT, 2, Some(204)));
    assert_eq!(exchanges.after(kept[MOST_KEPT - 1].n).len(), 0);
    assert_eq!(*exchanges.news().borrow(), 501);
}
