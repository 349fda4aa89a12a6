import type { Key } from "@/shared/api/types";

export type Scope = Key["scopes"][number];

/** What each scope lets a key do. */
export const SCOPES: Record<Scope, { title: string; may: string }> = {
  read: { title: "Read", may: "see plans, proposals and their history" },
  propose: { title: "Propose", may: "write messages and open proposals" },
  review: { title: "Review", may: "accept and reject proposals" },
  apply: { title: "Apply", may: "change plans without a proposal" },
  admin: { title: "Admin", may: "manage members and keys" },
};
