//! pulse-store
