//! A Home → the JSON that Slack shows to one person under the app's name.
//!
//! [App Home](https://docs.slack.dev/surfaces/app-home)

use slack_morphism::prelude::{SlackApiViewsPublishRequest, SlackHomeView, SlackView};

use super::{Error, Slack, render};
use crate::id::Person;
use crate::secret::Secret;
use crate::words::Section;

/// The `callback_id` of a Home.
pub(super) const HOME: &str = "home";

impl Slack {
    /// Shows a person their Home. It takes the place of the one before.
    ///
    /// [`views.publish`](https://docs.slack.dev/reference/methods/views.publish)
    pub async fn publish_home(&self, token: &Secret, person: &Person, home: &[Section]) -> Result<(), Error> {
        // A press in it does not always say in which workspace that is.
        let workspace =
            serde_json::to_string(&person.workspace()).map_err(|_| Error::Refused("unwritable".to_owned()))?;
        let view = SlackHomeView::new(home.iter().map(render::section).collect());
        let view = SlackView::Home(view.with_private_metadata(workspace).with_callback_id(HOME.into()));
        let request = SlackApiViewsPublishRequest::new(person.user.as_str().into(), view);
        self.call("views.publish", token, &request).await.map(drop)
    }
}
