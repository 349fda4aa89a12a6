import { Globe, Hash, KeyRound, Mail, MessageSquare } from "lucide-react";
import type { ChannelName } from "@/shared/api/types";

type Name = ChannelName | "web" | "api";

export const ICONS: Record<Name, typeof Mail> = {
  slack: Hash,
  discord: MessageSquare,
  email: Mail,
  web: Globe,
  api: KeyRound,
};
export const TITLES: Record<Name, string> = {
  slack: "Slack",
  discord: "Discord",
  email: "E-mail",
  web: "Console and terminal",
  api: "API",
};
