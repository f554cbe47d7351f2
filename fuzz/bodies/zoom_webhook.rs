//! Bodies that Zoom signed, whatever is in them.

use jiff::Timestamp;
use onair::sandbox::slack::signature;
use onair::secret::Secret;
use onair::zoom::inbound::{Incoming, decode, verify};
use reqwest::header::HeaderMap;

pub(crate) fn run(body: &[u8]) {
    let (stamp, now) = ("1790000000", Timestamp::from_second(1_790_000_000).unwrap());
    let mut headers = HeaderMap::new();
    headers.insert("x-zm-request-timestamp", stamp.parse().unwrap());
    headers.insert("x-zm-signature", signature("secret", stamp, body).parse().unwrap());
    headers.insert("content-type", "application/json".parse().unwrap());
    let secrets = [Secret::new("secret")];
    let verified = verify(&secrets, &headers, body, now).unwrap();
    match decode(&verified, &headers, now) {
        // It is logged.
        Ok(Incoming::Other { event }) => assert!(event.len() <= 64 && event.is_ascii(), "{event:?}"),
        Ok(other) => {
            other.event();
        }
        Err(_) => {}
    }
}
