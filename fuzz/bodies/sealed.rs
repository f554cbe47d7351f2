//! Sealed values: what nobody sealed does not open, and what was sealed opens under its own record alone, as it was.

use std::sync::LazyLock;

use onair::secret::Secret;
use onair::store::Keyring;
use secrecy::ExposeSecret as _;

static KEYS: LazyLock<Keyring> = LazyLock::new(|| {
    let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    Keyring::parse(&Secret::new(format!("k1:{key}"))).unwrap()
});

pub(crate) fn run(data: &[u8]) {
    assert!(KEYS.open("grant:1", data).is_err());
    let sealed = KEYS.seal("grant:1", data).unwrap();
    assert_eq!(KEYS.open("grant:1", &sealed).unwrap().expose_secret(), data);
    assert!(KEYS.open("grant:2", &sealed).is_err());
    if let Ok(text) = std::str::from_utf8(data) {
        drop(Keyring::parse(&Secret::new(text)));
    }
}
