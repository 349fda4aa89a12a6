//! What is made of deliveries where a source has no template of its own: a message to the planner, for the events that ask for work.

use patchbay_core::integrations::inbound::Recipe;

/// The template of a recipe. Whoever wants something else starts from it.
pub const fn template(recipe: Recipe) -> &'static str {
    match recipe {
        Recipe::Github => include_str!("recipes/github.j2"),
        Recipe::Gitlab => include_str!("recipes/gitlab.j2"),
        Recipe::Alert => include_str!("recipes/alert.j2"),
        Recipe::Generic => include_str!("recipes/generic.j2"),
    }
}
