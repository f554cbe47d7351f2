use super::*;

use proptest::prelude::*;

fn ring(text: &str) -> Result<Keyring, KeyringError> {
    Keyring::parse(&Secret::new(text))
}

fn key(id: &str, byte: u8) -> String {
    format!("{id}:{}", STANDARD.encode([byte; KEY_BYTES]))
}

fn opened(ring: &Keyring, record: &str, sealed: &[u8]) -> Result<Vec<u8>, SealFault> {
    ring.open(record, sealed).map(|plain| plain.expose_secret().to_vec())
}

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

#[test]
fn a_generated_key_is_a_ring() {
    let text = Keyring::generate_one();
    assert_eq!(Keyring::parse(&text).unwrap().ids().count(), 1);
    assert_ne!(text, Keyring::generate_one());
}

#[test]
fn keys_are_read_in_every_form_of_base64() {
    let bytes = [0xfb; KEY_BYTES];
    let standard = STANDARD.encode(bytes);
    let url_safe = standard.replace('+', "-").replace('/', "_");
    let sealed = ring(&format!("a:{standard}")).unwrap().seal("r", b"text").unwrap();
    for form in [&standard, standard.trim_end_matches('='), &url_safe, url_safe.trim_end_matches('=')] {
        assert_eq!(opened(&ring(&format!(" a:{form} ")).unwrap(), "r", &sealed).unwrap(), b"text");
    }
}

#[test]
fn a_ring_that_makes_no_sense_names_the_position_and_never_the_key() {
    let good = key("a", 1);
    let secret = "c2hvcnQ";
    for (text, expected) in [
        ("  ".to_owned(), KeyringError::Empty),
        (secret.to_owned(), KeyringError::Form { position: 1 }),
        (format!("{good},"), KeyringError::Form { position: 2 }),
        (format!("{good},b b:{secret}"), KeyringError::Id { position: 2 }),
        (format!("{}:{secret}", "x".repeat(33)), KeyringError::Id { position: 1 }),
        (format!("{good},{}", key("a", 2)), KeyringError::Duplicate { position: 2, id: id("a") }),
        (format!("{good},b:{secret}"), KeyringError::Key { position: 2, id: id("b") }),
        (format!("b:{}", STANDARD.encode([0; 33])), KeyringError::Key { position: 1, id: id("b") }),
    ] {
        let error = ring(&text).unwrap_err();
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?}").contains(secret));
    }
}

#[test]
fn debug_shows_ids_alone() {
    let ring = ring(&format!("{},{}", key("new", 7), key("old", 8))).unwrap();
    assert_eq!(format!("{ring:?}"), r#"["new", "old"]"#);
}

#[test]
fn after_a_rotation_old_values_open_and_new_ones_use_the_new_key() {
    let old = ring(&key("old", 1)).unwrap();
    let both = ring(&format!("{},{}", key("new", 2), key("old", 1))).unwrap();
    let sealed = old.seal("r", b"text").unwrap();
    assert_eq!(opened(&both, "r", &sealed).unwrap(), b"text");
    let again = both.seal("r", b"text").unwrap();
    assert!(again.starts_with(b"v1.new."));
    assert_eq!(opened(&old, "r", &again), Err(SealFault::UnknownKey(id("new"))));
}

#[test]
fn another_key_of_the_same_id_does_not_open() {
    let sealed = ring(&key("a", 1)).unwrap().seal("r", b"text").unwrap();
    assert_eq!(opened(&ring(&key("a", 2)).unwrap(), "r", &sealed), Err(SealFault::NotAuthentic(id("a"))));
}

#[test]
fn what_was_never_sealed_does_not_open() {
    let ring = ring(&key("a", 1)).unwrap();
    for text in ["", "v1", "v1.a", "v1.a.", "v1.a.AAAA", "v2.a.AAAA", "v1.a b.AAAA", "v1.a.!!", "v1.a.AAAA.x", "\u{fe}"]
    {
        assert_eq!(opened(&ring, "r", text.as_bytes()), Err(SealFault::NotSealed), "{text:?}");
    }
}

proptest! {
    #[test]
    fn what_is_sealed_opens_for_its_own_record_only(plain: Vec<u8>, record in ".{1,40}", other in ".{1,40}") {
        let ring = ring(&key("a", 1)).unwrap();
        let sealed = ring.seal(&record, &plain).unwrap();
        prop_assert_eq!(&opened(&ring, &record, &sealed).unwrap(), &plain);
        if other != record {
            prop_assert_eq!(opened(&ring, &other, &sealed), Err(SealFault::NotAuthentic(id("a"))));
        }
        prop_assert_ne!(ring.seal(&record, &plain).unwrap(), sealed);
    }

    #[test]
    fn a_changed_or_shortened_value_does_not_open(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8) {
        let ring = ring(&key("a", 1)).unwrap();
        let sealed = ring.seal("r", &plain).unwrap();
        prop_assert!(ring.open("r", &sealed[..at.index(sealed.len())]).is_err());

        let text = str::from_utf8(&sealed).unwrap();
        let (head, encoded) = text.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(encoded).unwrap();
        let index = at.index(bytes.len());
        bytes[index] ^= 1 << bit;
        let flipped = format!("{head}.{}", URL_SAFE_NO_PAD.encode(bytes));
        prop_assert_eq!(opened(&ring, "r", flipped.as_bytes()), Err(SealFault::NotAuthentic(id("a"))));
    }
}
