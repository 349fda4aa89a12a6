-- Policies: what a proposal needs before it is applied, as an organisation decides.

-- Each change is a row of its own; the greatest version is the active one. An organisation without any goes by the built-in one.
create table policy (
    organization_id uuid not null references organization,
    version integer not null check (version > 0),
    -- The whole of it: {"rules": [...]}.
    document json not null,
    -- Why it was changed.
    note text not null default '',
    member_id uuid not null,
    actor text not null,
    at timestamptz not null,
    primary key (organization_id, version)
);
alter table policy enable row level security;
alter table policy force row level security;
create policy tenant on policy using (organization_id = current_organization());
create trigger append_only before update or delete on policy for each statement execute function refuse_change();

-- An approval is an acceptance that the policy wants more of; the one that completes it is the `accept`.
alter table decision drop constraint decision_verdict_check;
alter table decision add constraint decision_verdict_check check (verdict in ('accept', 'approve', 'reject', 'withdraw'));
-- The same person approving the same twice counts once.
create unique index decision_approval on decision (proposal_id, member_id, digest, operations) where verdict = 'approve';
