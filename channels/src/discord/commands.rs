//! The commands that an application has on Discord, and how they are told to it.

use serde_json::Value;
use serenity::all::{CommandOptionType, CommandType, CreateCommand, CreateCommandOption, InstallationContext, InteractionContext};

/// `/patchbay text:`.
pub const SLASH: &str = "patchbay";
/// The entry in a message's menu.
pub const PLAN: &str = "Plan this";
/// The one field of the slash command.
pub(super) const TEXT: &str = "text";

/// All commands, as Discord wants to be told.
pub fn all() -> Value {
    let contexts = || vec![InteractionContext::Guild, InteractionContext::BotDm];
    let text = CreateCommandOption::new(CommandOptionType::String, TEXT, "A command, or what you want to achieve; `help` shows what there is").required(true);
    let slash = CreateCommand::new(SLASH)
        .description("Plan, ask and decide")
        .contexts(contexts())
        .integration_types(vec![InstallationContext::Guild])
        .add_option(text.max_length(4000));
    let plan = CreateCommand::new(PLAN).kind(CommandType::Message).contexts(contexts()).integration_types(vec![InstallationContext::Guild]);
    serde_json::to_value([slash, plan]).expect("commands become JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_as_discord_takes_them() {
        insta::assert_json_snapshot!(all());
    }
}
