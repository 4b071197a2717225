//! The product as its users meet it: the built program with a real database, real workers, real processes.

mod bad_input;
mod durability;
mod hand;
mod injection;
mod installation;
mod language;
mod late;
mod legacy;
mod legacy_agent;
mod main_job;
mod proxied;
mod questions;
mod receiver;
mod recorded;
mod roll_out;
mod secrets;
mod stopping;
mod upkeep;
mod webhooks;
mod workers;
