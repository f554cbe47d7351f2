//! Sealed values: what nobody sealed does not open, and what was sealed opens under its own record alone.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use onair::secret::Secret;
use onair::store::Keyring;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    Keyring::parse(&Secret::new(format!("k1:{key}"))).unwrap()
});

fuzz_target!(|data: &[u8]| {
    assert!(KEYS.open("grant:1", data).is_err());
    let sealed = KEYS.seal("grant:1", data).unwrap();
    assert!(KEYS.open("grant:1", &sealed).is_ok());
    assert!(KEYS.open("grant:2", &sealed).is_err());
    if let Ok(text) = std::str::from_utf8(data) {
        drop(Keyring::parse(&Secret::new(text)));
    }
});
