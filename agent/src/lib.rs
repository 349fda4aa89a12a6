//! What thinks: planners that read a plan and return a patch.
