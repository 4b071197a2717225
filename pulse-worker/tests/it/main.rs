//! The worker against a stand-in server over real sockets, with real commands and real processes.

mod commands;
mod connection;
mod delivery;
mod ends;
mod measure;
mod output;
mod process;
mod stand_in;
mod supervisor;
