//! Tests from outside: one binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod audit;
mod bot;
mod cards;
mod check;
mod chromium;
mod cli;
mod commands;
mod connect;
mod disk;
mod doctor;
mod door_slack;
mod door_zoom;
mod faults;
mod foreign;
mod home;
mod hostile;
mod install;
mod instances;
mod journal;
mod keys;
mod kills;
mod lend;
mod load;
mod metrics;
mod outcomes;
mod policy;
mod presets;
mod proxy;
mod random;
mod recorder;
mod redis_server;
mod refresh;
mod sandbox_browser;
mod sandbox_page;
mod setup;
mod show;
mod status;
mod store;
mod tell;
mod tidy;
mod traces;
mod turns;
mod unused;
mod webhooks;
