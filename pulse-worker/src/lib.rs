//! pulse-worker
