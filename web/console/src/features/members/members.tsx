import { useQuery } from "@tanstack/react-query";
import { UserPlus } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { membersQuery } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import { isAdmin, ROLES, type Role } from "@/shared/api/roles";
import type { Member, Session } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { ConfirmDialog } from "@/shared/ui/confirm-dialog";
import { SectionHeader } from "@/shared/ui/section";
import { ErrorState, SkeletonLines } from "@/shared/ui/states";
import { AddMemberDialog } from "./add-member-dialog";
import { useChangeRole } from "./api/change-role";
import { useMakeLink } from "./api/make-link";
import { useRemoveMember } from "./api/remove-member";
import { LinkDialog } from "./link-dialog";
import { MemberList } from "./member-list";

/** Who belongs to the organisation; for admins also the ways to change that. */
export function Members({ me }: { me: Session["member"] }) {
  const members = useQuery(membersQuery);
  const [isAdding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const [givingUp, setGivingUp] = useState<Role | null>(null);
  const [link, setLink] = useState<{ name: string; url: string } | null>(null);
  const change = useChangeRole();
  const makeLink = useMakeLink();
  const remove = useRemoveMember();
  const canManage = isAdmin(me.role);

  const changeRole = (member: Member, role: Role) => {
    if (member.id === me.id) return setGivingUp(role);
    change.mutate(
      { id: member.id, role },
      {
        onSuccess: () => toast.success(`${member.name} has the role ${ROLES[role].title} now.`),
        onError: (error) => toast.error(messageOf(error)),
      },
    );
  };
  const confirmGivingUp = () =>
    givingUp && change.mutate({ id: me.id, role: givingUp }, { onSuccess: () => setGivingUp(null) });
  const confirmRemoval = () =>
    leaving &&
    remove.mutate(leaving.id, {
      onSuccess: () => {
        setLeaving(null);
        toast.success(`${leaving.name} is no longer a member.`);
      },
    });

  return (
    <section aria-labelledby="members">
      <SectionHeader
        id="members"
        title="Members"
        lead="Who sees the plans of this organisation, and what they may do with them."
        action={
          canManage && (
            <Button
              look="primary"
              onClick={() => setAdding(true)}
              icon={<UserPlus className="size-4" aria-hidden="true" />}
            >
              Add a member
            </Button>
          )
        }
      />
      {members.isPending ? (
        <SkeletonLines label="Loading the members" widths={["w-1/2", "w-2/3", "w-3/5"]} />
      ) : members.isError ? (
        <ErrorState error={members.error} title="The members could not be loaded" onRetry={() => members.refetch()} />
      ) : (
        <MemberList
          members={members.data}
          me={me}
          busy={change.isPending || makeLink.isPending}
          onRole={changeRole}
          onLink={(member) =>
            makeLink.mutate(member.id, {
              onSuccess: (url) => setLink({ name: member.name, url }),
              onError: (error) => toast.error(messageOf(error)),
            })
          }
          onRemove={setLeaving}
        />
      )}
      <AddMemberDialog open={isAdding} me={me} onClose={() => setAdding(false)} />
      <LinkDialog
        link={link}
        title={`A new sign-in link for ${link?.name ?? ""}`}
        onClose={() => {
          setLink(null);
          makeLink.reset();
        }}
      />
      <ConfirmDialog
        open={leaving !== null}
        title={`Remove ${leaving?.name ?? ""}?`}
        description="They are signed out at once and their keys stop working. What they wrote and decided stays."
        verb="Remove"
        onConfirm={confirmRemoval}
        busy={remove.isPending}
        error={remove.error}
        onClose={() => {
          setLeaving(null);
          remove.reset();
        }}
        testId="remove-member"
      />
      <ConfirmDialog
        open={givingUp !== null}
        title={givingUp ? `Change your own role to ${ROLES[givingUp].title}?` : ""}
        description={
          givingUp && isAdmin(givingUp)
            ? "Only an owner can make you an owner again."
            : "You can no longer manage members and keys; somebody else has to give you the role back."
        }
        verb="Change my role"
        onConfirm={confirmGivingUp}
        busy={change.isPending}
        error={change.error}
        onClose={() => {
          setGivingUp(null);
          change.reset();
        }}
        testId="change-own-role"
      />
    </section>
  );
}
