import type { Member } from "./types";

export type Role = Member["role"];

/** What each role may do, from most to least, as people read it. */
export const ROLES: Record<Role, { title: string; may: string }> = {
  owner: { title: "Owner", may: "everything, and who owns" },
  admin: { title: "Admin", may: "members, keys and plans" },
  member: { title: "Member", may: "propose, review and change plans" },
  viewer: { title: "Viewer", may: "read only" },
  agent: { title: "Agent", may: "a program that works on plans" },
};

export const isAdmin = (role: Role) => role === "owner" || role === "admin";
