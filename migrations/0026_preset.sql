-- Presets: a tool with what is mostly given to it, by a name.
create table preset (
    organization_id uuid not null references organization,
    name text not null,
    -- What it is for, for people.
    description text not null,
    tool text not null,
    -- A part of the tool's input, or all of it.
    input json not null,
    -- Who wrote it last.
    actor text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (organization_id, name)
);
alter table preset enable row level security;
alter table preset force row level security;
create policy tenant on preset using (organization_id = current_organization());
