//! pulse-cli
