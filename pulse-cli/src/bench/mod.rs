//! Measurements and trials of the built program: it is started as real processes, loaded and watched from outside.

pub mod faults;
