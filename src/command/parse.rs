//! Text → [`Command`].

use super::{Command, UsageError};

/// Reads what was typed after the command's name.
pub fn parse(text: &str) -> Result<Command, UsageError> {
    let _ = text;
    Ok(Command::Help { verb: None })
}
