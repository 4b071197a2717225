//! The program as a whole: the built binary against a stand-in server over real sockets, pipes and terminals.

mod errors;
mod exec;
mod follow;
mod guide;
mod help;
mod import;
mod layering;
mod listings;
mod local;
mod login;
mod offline_tests;
mod program;
mod prompts;
mod real;
mod replay;
mod stand_in;
mod steps;
mod story;
mod terminal;
mod timeline;
mod tools;
