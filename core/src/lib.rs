//! What Patchbay knows: the patch, the plan, the review, and their Postgres.
