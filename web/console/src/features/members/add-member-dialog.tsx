import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { faultsByField } from "@/shared/api/problem";
import { ROLES, type Role } from "@/shared/api/roles";
import type { Session } from "@/shared/api/types";
import { timeZones } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { FormFaults, SelectField, TextField } from "@/shared/ui/field";
import { useAddMember } from "./api/add-member";
import { SignInLink } from "./link-dialog";

const FIELDS = ["name", "email", "role", "time_zone"] as const;

interface AddMemberDialogProps {
  open: boolean;
  me: Session["member"];
  onClose: () => void;
}

/** Adds a member, then shows the link that signs them in. */
export function AddMemberDialog({ open, me, onClose }: AddMemberDialogProps) {
  const [link, setLink] = useState<{ name: string; url: string } | null>(null);
  const close = () => {
    onClose();
    setLink(null);
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      title={link ? `${link.name} is a member now` : "Add a member"}
      insists={link !== null}
      testId="add-member"
    >
      {link ? <SignInLink {...link} onClose={close} /> : <AddMemberForm me={me} onLink={setLink} onClose={close} />}
    </Dialog>
  );
}

interface AddMemberFormProps extends Omit<AddMemberDialogProps, "open"> {
  onLink: (link: { name: string; url: string }) => void;
}

function AddMemberForm({ me, onLink, onClose }: AddMemberFormProps) {
  const add = useAddMember();
  const faults = add.error ? faultsByField(add.error, FIELDS) : null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    add.mutate(
      {
        name: String(form.get("name")).trim(),
        email: String(form.get("email")).trim() || null,
        role: String(form.get("role")) as Role,
        time_zone: String(form.get("time_zone")),
      },
      {
        onSuccess: ({ name, sign_in_link }) => {
          if (sign_in_link) return onLink({ name, url: sign_in_link });
          onClose();
          toast.success(`${name} is a member now.`);
        },
      },
    );
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-3.5">
      <TextField label="Name" name="name" autoComplete="off" autoFocus error={faults?.at.name} />
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete="off"
        hint="What they sign in with. Leave it empty for a program: it gets a key instead."
        error={faults?.at.email}
      />
      <SelectField label="Role" name="role" defaultValue="member" error={faults?.at.role}>
        {(Object.keys(ROLES) as Role[])
          .filter((role) => role !== "owner" || me.role === "owner")
          .map((role) => (
            <option key={role} value={role}>
              {ROLES[role].title}: {ROLES[role].may}
            </option>
          ))}
      </SelectField>
      <SelectField
        label="Time zone"
        name="time_zone"
        defaultValue={me.time_zone}
        hint="When their days begin: what is due today, and what is late."
        error={faults?.at.time_zone}
      >
        {timeZones(me.time_zone).map((zone) => (
          <option key={zone}>{zone}</option>
        ))}
      </SelectField>
      <FormFaults faults={faults?.rest ?? []} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={add.isPending}>
          Add
        </Button>
      </DialogActions>
    </form>
  );
}
