import { Link } from "@tanstack/react-router";
import { type FormEvent, useEffect } from "react";
import { toast } from "sonner";
import { messageOf } from "@/shared/api/problem";
import type { Policy, Rule } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { FormFaults, TextField } from "@/shared/ui/field";
import { ErrorState, SkeletonLines } from "@/shared/ui/states";
import { usePreviewPolicy, usePutPolicy } from "./api/policies";

/** What other rules would have done to the last proposals, before they are put in place. */
export function ReviewRules({ policy, rules, onClose }: { policy: Policy; rules: Rule[]; onClose: () => void }) {
  const preview = usePreviewPolicy();
  const put = usePutPolicy();
  const { mutate: look } = preview;
  useEffect(() => look(rules), [look, rules]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const note = String(new FormData(event.currentTarget).get("note"));
    put.mutate(
      { rules, base_version: policy.version, note },
      {
        onSuccess: (put) => {
          toast.success(`The policy is at version ${put.version}.`);
          onClose();
        },
      },
    );
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title="What it would do"
      description="Held against the last 500 proposals, with the approvals that they had."
      size="large"
      insists
      testId="review-rules"
    >
      {preview.isError ? (
        <ErrorState error={preview.error} title="The rules do not hold together" onRetry={() => look(rules)} />
      ) : !preview.data ? (
        <SkeletonLines label="Looking" widths={["w-1/2", "w-2/3"]} />
      ) : (
        <form onSubmit={submit} className="space-y-4">
          <p className="text-sm">
            {preview.data.counts.differ === 0
              ? `None of ${preview.data.counts.looked_at} would have gone otherwise.`
              : `${preview.data.counts.differ} of ${preview.data.counts.looked_at} would have gone otherwise.`}
          </p>
          {preview.data.proposals.length > 0 && (
            <ul className="max-h-64 divide-y divide-line overflow-y-auto rounded-md border border-line">
              {preview.data.proposals.map((proposal) => (
                <li key={proposal.number} className="px-3 py-2 text-sm">
                  <Link
                    to="/proposals/$number"
                    params={{ number: String(proposal.number) }}
                    className="font-medium hover:underline"
                  >
                    #{proposal.number} {proposal.title}
                  </Link>
                  <p className="text-ink-soft text-xs">
                    {proposal.after.result === "waits" ? "would have waited" : "would have been applied"}:{" "}
                    {proposal.why}
                  </p>
                </li>
              ))}
            </ul>
          )}
          <TextField label="Why" name="note" maxLength={500} autoFocus hint="Kept with the version." />
          <FormFaults faults={put.error ? [messageOf(put.error)] : []} />
          <DialogActions>
            <Button look="quiet" onClick={onClose}>
              Cancel
            </Button>
            <Button look="primary" type="submit" busy={put.isPending}>
              Put in place
            </Button>
          </DialogActions>
        </form>
      )}
    </Dialog>
  );
}
