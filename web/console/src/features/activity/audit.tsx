import { useInfiniteQuery } from "@tanstack/react-query";
import { ScrollText } from "lucide-react";
import { useNames } from "@/shared/api/members";
import type { AuditEntry } from "@/shared/api/types";
import { fullTime, momentText } from "@/shared/lib/time";
import { Filters, FilterText, MemberFilter } from "@/shared/ui/filters";
import { Line, Lines } from "@/shared/ui/line";
import { LoadedPages } from "@/shared/ui/loaded";
import { Json } from "@/shared/ui/small";
import { EmptyState } from "@/shared/ui/states";
import { type AuditFilter, auditQuery } from "./api/events";

interface AuditProps {
  filter: AuditFilter;
  onFilter: (filter: AuditFilter) => void;
}

const SUBJECTS = [
  "channel",
  "document",
  "identity",
  "job",
  "key",
  "lease",
  "member",
  "policy",
  "project",
  "proposal",
  "schedule",
  "trigger",
  "variant",
  "webhook",
] as const;

/** Who did what, for those who answer for it. */
export function Audit({ filter, onFilter }: AuditProps) {
  const entries = useInfiniteQuery(auditQuery(filter));
  return (
    <>
      <Filters>
        <FilterText
          label="Action"
          value={filter.action}
          placeholder="key.created, policy"
          suggestions={SUBJECTS}
          onChange={(action) => onFilter({ ...filter, action })}
        />
        <MemberFilter label="By" value={filter.actor} onChange={(actor) => onFilter({ ...filter, actor })} />
        <FilterText
          label="On"
          value={filter.target}
          placeholder="WEB, #12"
          onChange={(target) => onFilter({ ...filter, target })}
        />
      </Filters>
      <LoadedPages
        query={entries}
        what="the audit trail"
        empty={
          <EmptyState
            framed
            icon={<ScrollText className="size-6" aria-hidden="true" />}
            title={Object.values(filter).some(Boolean) ? "Nobody has done that" : "Nobody has done anything yet"}
          >
            Keys, members, policies, decisions: who changed what is kept here and cannot be changed.
          </EmptyState>
        }
      >
        {(all) => (
          <Lines testId="audit">
            {all.map((entry) => (
              <AuditLine key={entry.id} entry={entry} />
            ))}
          </Lines>
        )}
      </LoadedPages>
    </>
  );
}

function AuditLine({ entry }: { entry: AuditEntry }) {
  const nameOf = useNames();
  return (
    <Line
      title={
        <>
          {nameOf(entry.actor)} <span className="font-mono font-normal text-ink-soft text-xs">{entry.action}</span>
          <span className="font-normal">{entry.target}</span>
        </>
      }
      facts={
        <time dateTime={entry.at} title={fullTime(entry.at)} className="tabular-nums">
          {momentText(entry.at)}
        </time>
      }
    >
      {() => <Json value={entry.details} />}
    </Line>
  );
}
