//! Terminal text, made from values: no sockets, no clock. What comes from workers and definitions is made harmless
//! here (`pulse_core::text`), and nothing it holds can look like a line of the program's own.

pub mod age;
pub mod items;
pub mod lines;
pub mod output;
pub mod prompt;
pub mod screen;
pub mod steps;
pub mod style;
pub mod table;
pub mod values;
