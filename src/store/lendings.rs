//! What is lent in a workspace, and until when?
//!
//! Each lending lies in a slot of its own, by its meeting, its lender and its colleague, and is gone when it ends. Whoever
//! takes one back writes one that is over in its place.

use std::time::Duration;

use jiff::Timestamp;

use super::engine::{Item, on};
use super::error::Error;
use super::key::Key;
use super::{Store, from_json, to_json, to_log};
use crate::audit::AuditEntry;
use crate::clock;
use crate::id::Workspace;
use crate::lend::Lending;

impl Store {
    /// Writes a lending, in place of the same people's of the same meeting, and an entry with it.
    pub async fn lend(
        &self,
        workspace: &Workspace,
        lending: &Lending,
        now: Timestamp,
        entry: Option<&AuditEntry>,
    ) -> Result<(), Error> {
        /// How long one that is over is remembered as that: an engine keeps nothing for no time.
        const LEAST: Duration = Duration::from_secs(1);
        let shelf = Key::lendings(workspace);
        let slot = format!("{}/{}/{}", lending.meeting.number(), lending.lender, lending.colleague);
        let life = clock::until(lending.until, now).max(LEAST);
        let (value, entry) = (to_json(&shelf, lending)?, entry.map(to_log).transpose()?);
        let item = Item { slot: &slot, value: &value, life, entry: entry.as_ref() };
        on!(&self.0.engine, shelve(&shelf, item))
    }

    /// Everything that is lent in a workspace. What cannot be read is not lent.
    pub async fn lendings(&self, workspace: &Workspace) -> Result<Vec<Lending>, Error> {
        let shelf = Key::lendings(workspace);
        let values = on!(&self.0.engine, shelf(&shelf))?;
        Ok(values.iter().filter_map(|value| from_json(&shelf, value).ok()).collect())
    }
}
