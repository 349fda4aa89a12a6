-- What came from a platform that proved itself, or into the mailbox, and nobody could read: kept to be looked into.
create table malformed (
    organization_id uuid not null references organization,
    malformed_id uuid primary key,
    channel text not null,
    -- Of the bytes as they came: what a platform sends again is here once.
    digest bytea not null check (length(digest) = 32),
    -- What is wrong, for people.
    error text not null,
    -- Its beginning, without secrets.
    body text not null,
    -- Of all of it, as it came.
    size_bytes bigint not null,
    -- How often it came.
    times integer not null default 1,
    first_at timestamptz not null,
    last_at timestamptz not null,
    unique (organization_id, channel, digest)
);
create index malformed_age on malformed (last_at);

alter table malformed enable row level security;
alter table malformed force row level security;
create policy tenant on malformed using (organization_id = current_organization());
