import type { Role } from "@/shared/api/roles";
import type { Key } from "@/shared/api/types";

export type Scope = Key["scopes"][number];

/** What each role allows, and so the most that a key of somebody with it has. */
export const SCOPES_OF: Record<Role, Scope[]> = {
  owner: ["read", "propose", "review", "apply", "admin"],
  admin: ["read", "propose", "review", "apply", "admin"],
  member: ["read", "propose", "review", "apply"],
  viewer: ["read"],
  agent: ["read", "propose", "apply"],
};

/** What each scope lets a key do. */
export const SCOPES: Record<Scope, { title: string; may: string }> = {
  read: { title: "Read", may: "see plans, proposals and their history" },
  propose: { title: "Propose", may: "write messages and open proposals" },
  review: { title: "Review", may: "accept and reject proposals" },
  apply: { title: "Apply", may: "change plans without a proposal" },
  admin: { title: "Admin", may: "manage members and keys" },
};
