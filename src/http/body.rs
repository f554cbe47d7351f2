//! How much of a body is kept, for how long, and where its bytes count.
//!
//! A stranger can send a body with headers that look right, so what is kept before a signature is checked has a bound of
//! its own: each body has [`OWN`] bytes, and everything beyond that comes out of one [`Room`] that all doors share. With a
//! body on every connection that is 64 MiB and 8 MiB, and what hyper reads through.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::refusal::Refusal;

/// How long a client may take to send a body, the wait for room included.
const PATIENCE: Duration = Duration::from_secs(5);

/// For how long the body of a request goes by that is refused already.
const LINGER: Duration = Duration::from_secs(1);

/// The bytes that each body has for itself. No request of Slack may have more, and hardly one of Zoom has as many.
const OWN: usize = 64 * 1024;

/// The bytes that all bodies have together beyond their own.
const ROOM: usize = 8 * 1024 * 1024;

/// The room that large bodies share; a clone is the same room.
#[derive(Clone)]
pub(super) struct Room(Arc<Semaphore>);

/// A whole body. What it has of the room goes back when it is dropped.
pub(super) struct Whole {
    bytes: Vec<u8>,
    share: Option<OwnedSemaphorePermit>,
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    /// All of it, free.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ROOM)))
    }

    /// Reads a body of at most so many bytes, in at most so much time.
    pub(super) async fn read(&self, body: Body, at_most: usize) -> Result<Whole, Refusal> {
        if is_longer(&body, at_most) {
            return Err(let_pass(body, at_most, Refusal::TooLarge).await);
        }
        tokio::time::timeout(PATIENCE, self.collect(body, at_most)).await.unwrap_or(Err(Refusal::Slow))
    }

    async fn collect(&self, mut body: Body, at_most: usize) -> Result<Whole, Refusal> {
        let announced = body.size_hint().upper().and_then(|length| usize::try_from(length).ok());
        let expected = announced.map_or(at_most, |length| length.min(at_most));
        let mut whole = Whole { bytes: Vec::with_capacity(expected.min(OWN)), share: None };
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| Refusal::Cut)?.into_data() else { continue };
            let length = whole.bytes.len() + data.len();
            if length > at_most {
                return Err(Refusal::TooLarge);
            }
            if length > OWN && whole.share.is_none() {
                whole.share = Some(self.share(expected.saturating_sub(OWN)).await);
                whole.bytes.reserve_exact(expected.saturating_sub(whole.bytes.len()));
            }
            whole.bytes.extend_from_slice(&data);
        }
        Ok(whole)
    }

    /// All that a body may still need, at once: two that have a half each would wait for each other.
    async fn share(&self, bytes: usize) -> OwnedSemaphorePermit {
        let bytes = u32::try_from(bytes).expect("a body's limit is a few MiB");
        Arc::clone(&self.0).acquire_many_owned(bytes).await.expect("nobody closes it")
    }
}

/// Lets the body of a request go by that is refused whatever is in it, and keeps nothing: a peer that is still writing
/// would find the connection reset, and not its answer. More than the door takes is [`Refusal::TooLarge`] also here.
pub(super) async fn let_pass(mut body: Body, at_most: usize, refusal: Refusal) -> Refusal {
    let is_announced = is_longer(&body, at_most);
    let passing = async {
        let mut left = at_most;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, |data| data.len())) {
                Some(rest) => left = rest,
                None => return Refusal::TooLarge,
            }
        }
        refusal
    };
    let passed = tokio::time::timeout(LINGER, passing).await.unwrap_or(refusal);
    if is_announced { Refusal::TooLarge } else { passed }
}

fn is_longer(body: &Body, at_most: usize) -> bool {
    usize::try_from(body.size_hint().lower()).map_or(true, |length| length > at_most)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll};

    use axum::body::Bytes;
    use http_body_util::BodyExt as _;
    use hyper::body::Frame;

    use super::*;

    const MOST: usize = 1024 * 1024;

    /// A body of unannounced length that comes in pieces of 16 KiB, and how much of it is still to come.
    struct Pieces(usize);

    impl hyper::body::Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let next = self.0.min(16 * 1024);
            self.0 -= next;
            Poll::Ready((next > 0).then(|| Ok(Frame::data(Bytes::from(vec![b'a'; next])))))
        }
    }

    fn announced(bytes: usize) -> Body {
        Body::from(vec![b'a'; bytes])
    }

    fn chunked(bytes: usize) -> Body {
        Body::new(Pieces(bytes).boxed())
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_whether_announced_or_not() {
        let room = Room::new();
        for body in [announced, chunked] {
            for bytes in [0, 1, OWN, OWN + 1, MOST] {
                assert_eq!(room.read(body(bytes), MOST).await.map(|whole| whole.len()), Ok(bytes));
            }
            assert_eq!(room.read(body(MOST + 1), MOST).await.map(|whole| whole.len()), Err(Refusal::TooLarge));
            assert_eq!(let_pass(body(MOST), MOST, Refusal::Unsigned).await, Refusal::Unsigned);
            assert_eq!(let_pass(body(MOST + 1), MOST, Refusal::Unsigned).await, Refusal::TooLarge);
        }
        assert_eq!(room.0.available_permits(), ROOM, "all of it went back");
    }

    #[tokio::test]
    async fn a_large_body_waits_for_room_and_a_small_one_does_not() {
        let room = Room::new();
        let mut large = Vec::new();
        for _ in 0..ROOM / (MOST - OWN) {
            large.push(room.read(chunked(MOST), MOST).await.unwrap());
        }
        let mut next = pin!(room.read(announced(MOST), MOST));
        tokio::select! {
            biased;
            read = &mut next => panic!("there was no room for {:?}", read.map(|whole| whole.len())),
            () = std::future::ready(()) => {}
        }
        assert_eq!(room.read(chunked(OWN), MOST).await.map(|whole| whole.len()), Ok(OWN));
        drop(large.pop());
        assert_eq!(next.await.map(|whole| whole.len()), Ok(MOST));
    }

    #[tokio::test]
    async fn who_finds_no_room_in_time_is_too_slow() {
        let room = Room::new();
        let _all = room.share(ROOM).await;
        assert_eq!(room.read(announced(OWN + 1), MOST).await.map(|whole| whole.len()), Err(Refusal::Slow));
    }
}
