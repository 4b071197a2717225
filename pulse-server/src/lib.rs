//! pulse-server
