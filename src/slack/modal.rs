//! A form → the JSON that Slack opens, and what comes back → the answers in it.
//!
//! [Modals](https://docs.slack.dev/surfaces/modals)

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use slack_morphism::prelude::{
    SlackApiViewsOpenRequest, SlackBlock, SlackBlockChoiceItem, SlackBlockConversationFilter,
    SlackBlockConversationsSelectElement, SlackBlockMarkDownText, SlackBlockMultiConversationsSelectElement,
    SlackBlockMultiUsersSelectElement, SlackBlockPlainTextOnly, SlackBlockRadioButtonsElement, SlackBlockText,
    SlackBlockUsersSelectElement, SlackConversationFilterInclude, SlackInputBlock, SlackInputBlockElement,
    SlackModalView, SlackSectionBlock, SlackView, SlackViewSubmissionErrorsResponse, SlackViewSubmissionResponse,
};

use super::{Error, Slack};
use crate::id::{ChannelId, UserId};
use crate::invocation::Carried;
use crate::policy::{Answer, Policy};
use crate::secret::Secret;
use crate::words::{Choice, Modal, ModalField, Takes};

/// The `callback_id` of all forms; what they are about comes with them.
pub(super) const FORM: &str = "form";

/// The `action_id` of the one element in each field.
const ELEMENT: &str = "answer";

impl Slack {
    /// Opens a form before whoever typed or pressed what the trigger is from. It has to happen within three seconds of
    /// that, and once.
    ///
    /// [`views.open`](https://docs.slack.dev/reference/methods/views.open)
    pub async fn open(&self, token: &Secret, trigger: &Secret, modal: &Modal, carried: &Carried) -> Result<(), Error> {
        let unreadable = |_| Error::Refused("unwritable".to_owned());
        let carried = serde_json::to_string(carried).map_err(unreadable)?;
        let view = SlackView::Modal(view(modal).with_private_metadata(carried).with_callback_id(FORM.into()));
        let request = SlackApiViewsOpenRequest::new(trigger.expose().into(), view);
        self.call("views.open", token, &request).await.map(drop)
    }
}

/// The body of an answer to a form that says beside its fields what is wrong.
///
/// [Errors](https://docs.slack.dev/surfaces/modals#displaying_errors)
pub fn faults(faults: BTreeMap<&'static str, String>) -> impl Serialize {
    let errors: HashMap<String, String> = faults.into_iter().map(|(name, words)| (name.to_owned(), words)).collect();
    SlackViewSubmissionResponse::Errors(SlackViewSubmissionErrorsResponse::new(errors))
}

fn view(modal: &Modal) -> SlackModalView {
    let intro = SlackBlockMarkDownText::new(modal.intro.clone()).with_verbatim(true);
    let intro = SlackSectionBlock::new().with_text(intro.into());
    let fields = modal.fields.iter().map(|field| input(field).into());
    let blocks: Vec<SlackBlock> = std::iter::once(intro.into()).chain(fields).collect();
    let (submit, close) = (plain(&modal.submit), plain(&modal.close));
    SlackModalView::new(plain(&modal.title), blocks).with_submit(submit).with_close(close)
}

fn input(field: &ModalField) -> SlackInputBlock {
    let is_optional = !matches!(field.takes, Takes::Choice { .. } | Takes::Person);
    let block = SlackInputBlock::new(plain(&field.label), element(&field.takes)).with_optional(is_optional);
    let block = block.with_block_id(field.name.into());
    match &field.hint {
        Some(hint) => block.with_hint(plain(hint)),
        None => block,
    }
}

fn element(takes: &Takes) -> SlackInputBlockElement {
    // Slack wants what is chosen left out where nothing is.
    fn some<T, A: ToString>(chosen: impl IntoIterator<Item = A>, id: impl Fn(String) -> T) -> Option<Vec<T>> {
        let chosen: Vec<T> = chosen.into_iter().map(|one| id(one.to_string())).collect();
        (!chosen.is_empty()).then_some(chosen)
    }
    match takes {
        Takes::People(people) => {
            let element = SlackBlockMultiUsersSelectElement::new().with_action_id(ELEMENT.into());
            SlackBlockMultiUsersSelectElement {
                initial_users: some(people, |id| id),
                max_selected_items: Some(Policy::MOST as u64),
                ..element
            }
            .into()
        }
        Takes::Person => SlackBlockUsersSelectElement::new().with_action_id(ELEMENT.into()).into(),
        Takes::Channels(channels) => {
            let element = SlackBlockMultiConversationsSelectElement::new().with_action_id(ELEMENT.into());
            SlackBlockMultiConversationsSelectElement {
                initial_conversations: some(channels, Into::into),
                max_selected_items: Some(Policy::MOST as u64),
                filter: Some(channels_only()),
                ..element
            }
            .into()
        }
        Takes::Channel(channel) => {
            let element = SlackBlockConversationsSelectElement::new().with_action_id(ELEMENT.into());
            SlackBlockConversationsSelectElement {
                initial_conversation: channel.as_ref().map(|channel| channel.as_str().into()),
                filter: Some(channels_only()),
                ..element
            }
            .into()
        }
        Takes::Choice { options, chosen } => {
            let initial = options.iter().find(|option| option.name == *chosen).map(choice);
            let element = SlackBlockRadioButtonsElement::new(options.iter().map(choice).collect());
            SlackBlockRadioButtonsElement { initial_option: initial, ..element.with_action_id(ELEMENT.into()) }.into()
        }
    }
}

fn channels_only() -> SlackBlockConversationFilter {
    let include = vec![SlackConversationFilterInclude::Public, SlackConversationFilterInclude::Private];
    SlackBlockConversationFilter::new().with_include(include)
}

fn choice(choice: &Choice) -> SlackBlockChoiceItem<SlackBlockText> {
    SlackBlockChoiceItem::new(plain(&choice.label).into(), choice.name.to_owned())
}

fn plain(text: &str) -> SlackBlockPlainTextOnly {
    SlackBlockPlainTextOnly::from(text)
}

/// What is read of a view that comes back: a form, or the Home in which something was pressed.
#[derive(Deserialize)]
pub(super) struct View {
    #[serde(default)]
    pub(super) callback_id: String,
    #[serde(default)]
    pub(super) private_metadata: String,
    #[serde(default)]
    state: State,
}

#[derive(Default, Deserialize)]
struct State {
    #[serde(default)]
    values: HashMap<String, HashMap<String, Given>>,
}

/// What stands in one element, whichever it is.
#[derive(Default, Deserialize)]
struct Given {
    selected_users: Option<Vec<String>>,
    selected_user: Option<String>,
    selected_conversations: Option<Vec<String>>,
    selected_conversation: Option<String>,
    selected_option: Option<Chosen>,
}

#[derive(Deserialize)]
struct Chosen {
    value: String,
}

impl View {
    /// What stands in its fields, by their names. `id` says which texts are ids.
    pub(super) fn answers<E>(self, id: impl Fn(String) -> Result<String, E>) -> Result<BTreeMap<String, Answer>, E> {
        let fields = self.state.values.into_iter().filter_map(|(name, mut field)| Some((name, field.remove(ELEMENT)?)));
        let read = |(name, given): (String, Given)| {
            let channels = given.selected_conversations.into_iter().flatten().chain(given.selected_conversation);
            let answer = Answer {
                people: given
                    .selected_users
                    .into_iter()
                    .flatten()
                    .chain(given.selected_user)
                    .map(|user| id(user).map(UserId::new))
                    .collect::<Result<_, E>>()?,
                channels: channels.map(|channel| id(channel).map(ChannelId::new)).collect::<Result<_, E>>()?,
                choice: given.selected_option.map(|option| option.value),
            };
            Ok((name, answer))
        };
        fields.map(read).collect()
    }
}
