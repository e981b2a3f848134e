//! Atomics and locks of the engines: the standard library's, or, for the tests of interleavings, those of
//! a scheduler that tries orders of their operations.

#[cfg(not(all(test, error_runtime_shuttle)))]
pub(crate) use std::{
    hint::spin_loop,
    sync::{Mutex, MutexGuard, atomic},
    thread_local,
};

#[cfg(all(test, error_runtime_shuttle))]
pub(crate) use shuttle::{
    hint::spin_loop,
    sync::{Mutex, MutexGuard, atomic},
    thread_local,
};
