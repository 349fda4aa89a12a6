//! The axum service and the program `patchbay`.
