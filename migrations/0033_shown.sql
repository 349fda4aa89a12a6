-- What people looked at before they decide in words: a button carries the digest of what it stands below, and `accept #12` carries nothing.
create table proposal_shown (
    organization_id uuid not null references organization,
    conversation_id uuid not null references conversation,
    proposal_id uuid not null references proposal,
    -- The newest revision that the conversation was shown.
    revision integer not null,
    shown_at timestamptz not null,
    primary key (conversation_id, proposal_id)
);
alter table proposal_shown enable row level security;
alter table proposal_shown force row level security;
create policy tenant on proposal_shown using (organization_id = current_organization());
