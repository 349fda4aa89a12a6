import { useQuery } from "@tanstack/react-query";
import { Lock, Plus } from "lucide-react";
import { useState } from "react";
import { useNames } from "@/shared/api/members";
import type { Policy, Project, Rule } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { SectionHeader } from "@/shared/ui/section";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { policyQuery } from "./api/policies";
import { ReviewRules } from "./review-rules";
import { RuleDialog } from "./rule-dialog";
import { needs, when } from "./words";

/** Who has to approve what; for admins also the ways to change that. */
export function Policies({ canManage, projects }: { canManage: boolean; projects: Project[] }) {
  const policy = useQuery(policyQuery);
  return (
    <section aria-labelledby="policy">
      {policy.isPending ? (
        <SkeletonLines label="Loading the policy" widths={["w-1/2", "w-2/3", "w-3/5"]} />
      ) : policy.isError ? (
        <ErrorState error={policy.error} title="The policy could not be loaded" onRetry={() => policy.refetch()} />
      ) : (
        <Rules key={policy.data.version} policy={policy.data} canManage={canManage} projects={projects} />
      )}
    </section>
  );
}

function Rules({ policy, canManage, projects }: { policy: Policy; canManage: boolean; projects: Project[] }) {
  const [rules, setRules] = useState<Rule[]>(policy.rules);
  // The rule that is changed, by its place; a new one has the place after the last.
  const [editing, setEditing] = useState<number | null>(null);
  const [isReviewing, setReviewing] = useState(false);
  const isChanged = rules !== policy.rules;
  const keep = (rule: Rule) => {
    setRules(rules.toSpliced(editing ?? rules.length, 1, rule));
    setEditing(null);
  };
  return (
    <>
      <SectionHeader
        id="policy"
        title="Who has to approve what"
        lead={<Since policy={policy} />}
        action={
          canManage && (
            <Button onClick={() => setEditing(rules.length)} icon={<Plus className="size-4" aria-hidden="true" />}>
              Add a rule
            </Button>
          )
        }
      />
      {rules.length === 0 ? (
        <div className="rounded-xl border border-line">
          <EmptyState title="There are no rules">Anybody who may review accepts, its author included.</EmptyState>
        </div>
      ) : (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="rule-list">
          {rules.map((rule, index) => (
            <li key={rule.name} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
              <RuleWords rule={rule} />
              {canManage && (
                <span className="flex gap-1">
                  <Button size="small" aria-label={`Change ${rule.name}`} onClick={() => setEditing(index)}>
                    Change
                  </Button>
                  <Button
                    size="small"
                    look="quiet"
                    aria-label={`Take away ${rule.name}`}
                    onClick={() => setRules(rules.toSpliced(index, 1))}
                  >
                    Take away
                  </Button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {isChanged && (
        <div
          className="mt-4 flex flex-wrap items-center gap-3 rounded-xl border border-changed-line bg-changed px-4 py-3"
          data-testid="unsaved-rules"
        >
          <p className="min-w-0 flex-1 text-changed-ink text-sm">Nothing has changed yet.</p>
          <Button look="quiet" onClick={() => setRules(policy.rules)}>
            Discard
          </Button>
          <Button look="primary" onClick={() => setReviewing(true)}>
            See what it would do
          </Button>
        </div>
      )}
      <h3 className="mt-8 mb-2 flex items-center gap-1.5 font-medium text-sm">
        <Lock className="size-3.5 text-ink-mute" aria-hidden="true" /> Always
      </h3>
      <ul className="divide-y divide-line rounded-xl border border-line">
        {policy.always.map((rule) => (
          <li key={rule.name} className="flex px-4 py-3">
            <RuleWords rule={rule} />
          </li>
        ))}
      </ul>
      {editing !== null && (
        <RuleDialog
          rule={rules[editing] ?? null}
          taken={rules.filter((_, index) => index !== editing).map((rule) => rule.name.toLowerCase())}
          projects={projects}
          onDone={keep}
          onClose={() => setEditing(null)}
        />
      )}
      {isReviewing && <ReviewRules policy={policy} rules={rules} onClose={() => setReviewing(false)} />}
    </>
  );
}

function RuleWords({ rule }: { rule: Rule }) {
  return (
    <div className="min-w-0 flex-1 basis-64">
      <p className="break-words font-medium">{rule.name}</p>
      <p className="text-ink-soft text-sm">
        {when(rule)} {needs(rule)}.
      </p>
    </div>
  );
}

function Since({ policy }: { policy: Policy }) {
  const nameOf = useNames();
  if (policy.by === null || policy.at === null)
    return "The built-in policy: every rule that is for a proposal must be met.";
  return (
    <>
      Version {policy.version}, by {nameOf(policy.by)}{" "}
      <span title={fullTime(policy.at)}>{relativeTime(policy.at)}</span>
      {policy.note && <>: {policy.note}</>}
    </>
  );
}
