import { ChevronDown, Link2, UserMinus } from "lucide-react";
import { isAdmin, ROLES, type Role } from "@/shared/api/roles";
import type { Member, Session } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button, IconButton } from "@/shared/ui/button";
import { Menu, MenuItem } from "@/shared/ui/menu";
import { Avatar, Badge } from "@/shared/ui/small";

interface MemberListProps {
  members: Member[];
  me: Session["member"];
  busy: boolean;
  onRole: (member: Member, role: Role) => void;
  onLink: (member: Member) => void;
  onRemove: (member: Member) => void;
}

/** One line for each member; who may not change them reads the same lines without the controls. */
export function MemberList({ members, me, busy, onRole, onLink, onRemove }: MemberListProps) {
  return (
    <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="member-list">
      {members.map((member) => {
        // Owners are made and unmade by owners.
        const canChange = isAdmin(me.role) && (member.role !== "owner" || me.role === "owner");
        const isMe = member.id === me.id;
        return (
          <li
            key={member.id}
            className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3"
            data-testid={`member-${member.handle}`}
          >
            <Avatar name={member.name} size="medium" />
            <span className="min-w-0 flex-1 basis-48">
              <span className="flex items-center gap-2">
                <span className="truncate font-medium">{member.name}</span>
                {isMe && <Badge tone="accent">you</Badge>}
              </span>
              <span className="block truncate text-ink-mute text-xs">
                @{member.handle}
                {member.email && <> · {member.email}</>}
              </span>
            </span>
            <span className="flex items-center gap-1 max-sm:w-full max-sm:pl-10">
              <span className="mr-2 text-ink-mute text-xs sm:w-28 sm:text-right" title={fullTime(member.created_at)}>
                joined {relativeTime(member.created_at)}
              </span>
              <span className="flex flex-1 items-center justify-end gap-1 sm:w-44 sm:flex-none">
                {canChange ? (
                  <>
                    <RoleMenu member={member} me={me} busy={busy} onRole={onRole} />
                    {isMe ? (
                      <Gap count={2} />
                    ) : (
                      <>
                        {member.role === "agent" ? (
                          <Gap count={1} />
                        ) : (
                          <IconButton
                            label={`New sign-in link for ${member.name}`}
                            disabled={busy}
                            onClick={() => onLink(member)}
                          >
                            <Link2 className="size-4" aria-hidden="true" />
                          </IconButton>
                        )}
                        <IconButton label={`Remove ${member.name}`} onClick={() => onRemove(member)}>
                          <UserMinus className="size-4" aria-hidden="true" />
                        </IconButton>
                      </>
                    )}
                  </>
                ) : (
                  <Badge>{ROLES[member.role].title}</Badge>
                )}
              </span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** Where others have buttons: the roles stand below one another. */
function Gap({ count }: { count: 1 | 2 }) {
  return <span className={cx("max-sm:hidden", count === 1 ? "w-7" : "w-15")} />;
}

type RoleMenuProps = Pick<MemberListProps, "me" | "busy" | "onRole"> & { member: Member };

function RoleMenu({ member, me, busy, onRole }: RoleMenuProps) {
  const roles = (Object.keys(ROLES) as Role[]).filter((role) => role !== "owner" || me.role === "owner");
  return (
    <Menu
      label={`Role of ${member.name}`}
      align="end"
      trigger={
        <Button
          size="small"
          look="quiet"
          disabled={busy}
          aria-label={`${ROLES[member.role].title}: role of ${member.name}`}
        >
          {ROLES[member.role].title}
          <ChevronDown className="size-3.5" aria-hidden="true" />
        </Button>
      }
    >
      {roles.map((role) => (
        <MenuItem
          key={role}
          checked={role === member.role}
          onSelect={() => role !== member.role && onRole(member, role)}
        >
          {ROLES[role].title} <span className="ml-1 text-ink-mute text-xs">{ROLES[role].may}</span>
        </MenuItem>
      ))}
    </Menu>
  );
}
