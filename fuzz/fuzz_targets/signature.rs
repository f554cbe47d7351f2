//! The headers that say who signed and when: whoever does not know the secret is not let in, whatever they write.
//!
//! The input has three parts with a zero byte between them: the time, the signature, the body.

#![no_main]

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use onair::secret::Secret;
use onair::{slack, zoom};

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let [Some(stamp), Some(signature), Some(body)] = [parts.next(), parts.next(), parts.next()] else { return };
    let (Ok(stamp), Ok(signature)) = (HeaderValue::from_bytes(stamp), HeaderValue::from_bytes(signature)) else { return };
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let secrets = [Secret::new("nobody knows it"), Secret::new("")];
    let mut headers = HeaderMap::new();
    for (stamp_name, signature_name) in
        [("x-slack-request-timestamp", "x-slack-signature"), ("x-zm-request-timestamp", "x-zm-signature")]
    {
        headers.insert(stamp_name, stamp.clone());
        headers.insert(signature_name, signature.clone());
    }
    assert!(slack::inbound::verify(&secrets, &headers, body, now).is_err());
    assert!(zoom::inbound::verify(&secrets, &headers, body, now).is_err());
});
