//! The command grammar: whatever is typed is a command that prints and reads back, or an error with a line that parses.

use onair::command::parse;

pub(crate) fn run(data: &[u8]) {
    match parse(&String::from_utf8_lossy(data)) {
        Ok(command) => assert_eq!(parse(&command.to_string()), Ok(command)),
        Err(error) => {
            assert!(parse(&error.nearest).is_ok(), "{error:?}");
            assert!(error.nearest.chars().count() <= 200, "{error:?}");
        }
    }
}
