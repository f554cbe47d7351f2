//! The command grammar: whatever is typed is a command that prints and reads back, or an error with a line that parses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use onair::command::parse;

fuzz_target!(|text: &str| {
    match parse(text) {
        Ok(command) => assert_eq!(parse(&command.to_string()), Ok(command)),
        Err(error) => {
            assert!(parse(&error.nearest).is_ok(), "{error:?}");
            assert!(error.nearest.chars().count() <= 200, "{error:?}");
        }
    }
});
