//! Messages on the wire: between server and worker, and between server and browser.

pub mod browser;
pub mod worker;
