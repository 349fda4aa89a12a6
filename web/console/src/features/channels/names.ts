import { Hash, Mail, MessageSquare } from "lucide-react";
import type { ChannelName } from "@/shared/api/types";

export const ICONS: Record<ChannelName, typeof Mail> = { slack: Hash, discord: MessageSquare, email: Mail };
export const TITLES: Record<ChannelName, string> = { slack: "Slack", discord: "Discord", email: "E-mail" };
