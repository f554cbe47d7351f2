//! Saved names: saved, forgotten, listed, and not there.

use super::*;
use crate::preset::NotAName;

#[test]
fn saving() {
    let said = |title, replaced| seen(&Reply::Saved { preset: preset("Keynote", title), replaced });
    insta::assert_snapshot!(said(None, None), @"
    (Person)
    Saved: `Keynote` is `684 230 85`.
    To put it on air: `/stream start Keynote`
    ");
    insta::assert_snapshot!(said(Some("The *big* one"), None), @"
    (Person)
    Saved: `Keynote` is `684 230 85`, “The ∗big∗ one”.
    To put it on air: `/stream start Keynote`
    ");
    let former = Preset { meeting: "81234567890".parse().unwrap(), ..preset("keynote", Some("Last year")) };
    insta::assert_snapshot!(said(None, Some(former)), @"
    (Person)
    Saved: `Keynote` is `684 230 85`.
    It was `812 3456 7890`, “Last year” before.
    To put it on air: `/stream start Keynote`
    ");
}

#[test]
fn forgetting() {
    insta::assert_snapshot!(seen(&Reply::Forgotten(preset("Keynote", Some("Ada's \"talk\"")))), @r#"
    (Person)
    Forgotten: `Keynote` was `684 230 85`, “Ada's "talk"”.
    To have it back: `/stream save Keynote 68423085 'Ada's "talk"'`
    "#);
}

#[test]
fn the_list() {
    let list = |presets| seen(&Reply::Presets(presets));
    insta::assert_snapshot!(list(Presets::default()), @r#"
    (Person)
    You have no saved names. They are for you alone: nobody else sees or uses them.
    Save a meeting under one: `/stream save keynote 68423085 "Keynote"`
    "#);
    insta::assert_snapshot!(list(saved([preset("Keynote", Some("The keynote")), preset("all_hands", None)])), @"
    (Person)
    Your saved names, to start each:
    • `/stream start all_hands`: `684 230 85`
    • `/stream start Keynote`: `684 230 85`, “The keynote”
    To forget one: `/stream forget` and its name
    ");
}

#[test]
fn a_list_too_long_for_titles_still_has_every_name() {
    let names = || (10..10 + Presets::MOST).map(|number| format!("{number}{}", "x".repeat(30)));
    let presets = saved(names().map(|name| preset(&name, Some(&"y".repeat(50)))));
    let text = tell(&Reply::Presets(presets)).text;
    assert!(names().all(|name| text.contains(&name)) && !text.contains("yyy"), "{text}");
    assert!(size(&text) <= MAX_MESSAGE);
    insta::assert_snapshot!(text.lines().take(2).chain(text.lines().last()).collect::<Vec<_>>().join("\n"), @"
    Your saved names. To start one: `/stream start` and its name
    • `10xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`: `684 230 85`
    To forget one: `/stream forget` and its name
    ");
}

#[test]
fn names_that_do_not_work() {
    let usage = |problem, nearest: &str| seen(&Reply::Usage(UsageError { problem, nearest: nearest.to_owned() }));
    insta::assert_snapshot!(usage(Problem::UnknownName { word: "keynot".into() }, "start Keynote"), @"
    (Person)
    `keynot` is neither a meeting id nor one of your saved names.
    Try: `/stream start Keynote`
    Your saved names: `/stream presets`
    ");
    insta::assert_snapshot!(usage(Problem::NotSaved { word: "keynot".into() }, "forget Keynote"), @"
    (Person)
    Nothing is saved under `keynot`.
    Try: `/stream forget Keynote`
    Your saved names: `/stream presets`
    ");
    insta::assert_snapshot!(usage(Problem::NotSaved { word: "banana".into() }, "presets"), @"
    (Person)
    Nothing is saved under `banana`.
    Try: `/stream presets`
    ");
    insta::assert_snapshot!(usage(Problem::TooManyNames, "presets"), @"
    (Person)
    Not saved: you have 50 saved names, and nobody can have more.
    Try: `/stream presets`
    More: `/stream help forget`
    ");
    insta::assert_snapshot!(usage(Problem::MissingName { verb: Verb::Save }, "save keynote 68423085"), @"
    (Person)
    `/stream save` needs a name first, and then the meeting.
    Try: `/stream save keynote 68423085`
    More: `/stream help save`
    ");
    insta::assert_snapshot!(usage(Problem::MissingName { verb: Verb::Forget }, "presets"), @"
    (Person)
    `/stream forget` needs a name.
    Try: `/stream presets`
    More: `/stream help presets`
    ");
    let none = |word: &str, why| usage(Problem::NotAName { word: word.into(), why }, "save keynote 68423085");
    insta::assert_snapshot!(none("key.note", NotAName::OtherCharacter), @"
    (Person)
    `key.note` can't be a name: names are made of letters, digits, `-` and `_`.
    Try: `/stream save keynote 68423085`
    More: `/stream help save`
    ");
    let whys = [NotAName::TooLong, NotAName::DashFirst, NotAName::NoLetter, NotAName::LikeAnId, NotAName::Help];
    let lines: Vec<String> = whys.map(|why| none("68423085x", why).lines().nth(1).unwrap().to_owned()).into();
    insta::assert_snapshot!(lines.join("\n"), @"
    `68423085x` can't be a name: names have 32 characters at most.
    `68423085x` can't be a name: a dash can't come first.
    `68423085x` can't be a name: it has no letter, so it could be taken for an id.
    `68423085x` can't be a name: it looks like a meeting id.
    `68423085x` can't be a name: it asks for help.
    ");
}
