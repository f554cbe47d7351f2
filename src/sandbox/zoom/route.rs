//! The calls that can be told apart.

use crate::sandbox::wire::Recorded;

/// Where a fault can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Every route.
    Any,
    /// `GET /oauth/authorize`
    Authorize,
    /// `POST /oauth/token`
    Token,
    /// `POST /oauth/revoke`
    Revoke,
    /// `GET /v2/users/me`
    Me,
    /// `GET /v2/users/me/settings`
    Settings,
    /// `GET /v2/meetings/{id}`
    Meeting,
    /// `GET /v2/meetings/{id}/livestream`
    MeetingTarget,
    /// `PATCH /v2/meetings/{id}/livestream`
    SetMeetingTarget,
    /// `PATCH /v2/meetings/{id}/livestream/status`
    MeetingStatus,
    /// `GET /v2/webinars/{id}/livestream`
    WebinarTarget,
    /// `PATCH /v2/webinars/{id}/livestream`
    SetWebinarTarget,
    /// `PATCH /v2/webinars/{id}/livestream/status`
    WebinarStatus,
    /// Anything else under `/v2`.
    OtherCall,
}

impl Route {
    /// Every call under `/v2` that is known.
    pub(in crate::sandbox) const CALLS: &[Self] = &[
        Self::Me,
        Self::Settings,
        Self::Meeting,
        Self::MeetingTarget,
        Self::SetMeetingTarget,
        Self::MeetingStatus,
        Self::WebinarTarget,
        Self::SetWebinarTarget,
        Self::WebinarStatus,
    ];

    pub(super) fn of(request: &Recorded) -> Self {
        let path: Vec<&str> = request.path.split('/').skip(1).collect();
        match (path.as_slice(), request.method.as_str()) {
            (["oauth", "authorize"], _) => Self::Authorize,
            (["oauth", "token"], _) => Self::Token,
            (["oauth", "revoke"], _) => Self::Revoke,
            (["v2", "users", "me"], _) => Self::Me,
            (["v2", "users", "me", "settings"], _) => Self::Settings,
            (["v2", "meetings", _], _) => Self::Meeting,
            (["v2", "meetings", _, "livestream"], "GET") => Self::MeetingTarget,
            (["v2", "meetings", _, "livestream"], _) => Self::SetMeetingTarget,
            (["v2", "meetings", _, "livestream", "status"], _) => Self::MeetingStatus,
            (["v2", "webinars", _, "livestream"], "GET") => Self::WebinarTarget,
            (["v2", "webinars", _, "livestream"], _) => Self::SetWebinarTarget,
            (["v2", "webinars", _, "livestream", "status"], _) => Self::WebinarStatus,
            _ => Self::OtherCall,
        }
    }
}
