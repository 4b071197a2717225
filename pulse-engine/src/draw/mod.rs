//! Workflows as pictures: Mermaid and DOT text for programs that draw, and SVG drawn here, with no program besides.
//!
//! Everything that comes out of a definition is text and stays text: each format has its own escaping, and its own
//! test with names that would rather be markup.

mod dot;
mod layout;
mod mermaid;
mod picture;
mod svg;
mod text;

pub use dot::dot;
pub use layout::TooLarge;
pub use mermaid::mermaid;
pub use svg::svg;

#[cfg(test)]
mod fixtures;
