import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import type { Role } from "@/shared/api/roles";
import type { Key, Project } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { ConfirmDialog } from "@/shared/ui/confirm-dialog";
import { SectionHeader } from "@/shared/ui/section";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { keysQuery } from "./api/keys";
import { useRevokeKey } from "./api/revoke-key";
import { CreateKeyDialog } from "./create-key-dialog";
import { KeyList } from "./key-list";

/** The keys with which programs come in. */
export function ApiKeys({ role, projects }: { role: Role; projects: Project[] }) {
  const keys = useQuery(keysQuery);
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const revoke = useRevokeKey();
  const confirm = () =>
    revoking &&
    revoke.mutate(revoking.id, {
      onSuccess: () => {
        setRevoking(null);
        toast.success(`The key ${revoking.name} no longer works.`);
      },
    });
  const make = (
    <Button look="primary" onClick={() => setMaking(true)} icon={<Plus className="size-4" aria-hidden="true" />}>
      Make a key
    </Button>
  );
  const isEmpty = keys.data?.length === 0;
  return (
    <section aria-labelledby="keys">
      <SectionHeader
        id="keys"
        title="Keys"
        lead="For programs and agents: what comes with a key acts in its maker's name, within the key's scopes."
        action={!isEmpty && make}
      />
      {keys.isPending ? (
        <SkeletonLines label="Loading the keys" widths={["w-1/2", "w-2/3", "w-3/5"]} />
      ) : keys.isError ? (
        <ErrorState error={keys.error} title="The keys could not be loaded" onRetry={() => keys.refetch()} />
      ) : isEmpty ? (
        <div className="rounded-xl border border-line">
          <EmptyState icon={<KeyRound className="size-6" aria-hidden="true" />} title="There are no keys yet">
            <p>A key lets a script, a CI job or an agent read plans and propose changes.</p>
            <div className="mt-4">{make}</div>
          </EmptyState>
        </div>
      ) : (
        <KeyList keys={keys.data} onRevoke={setRevoking} />
      )}
      <CreateKeyDialog open={isMaking} role={role} projects={projects} onClose={() => setMaking(false)} />
      <ConfirmDialog
        open={revoking !== null}
        title={`Revoke ${revoking?.name ?? ""}?`}
        description="What uses this key is refused from this moment on. It cannot be brought back; make a new one instead."
        verb="Revoke"
        onConfirm={confirm}
        busy={revoke.isPending}
        error={revoke.error}
        onClose={() => {
          setRevoking(null);
          revoke.reset();
        }}
        testId="revoke-key"
      />
    </section>
  );
}
