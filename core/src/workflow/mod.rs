//! Projects, their tasks and the processes that those move through.

pub mod view;
