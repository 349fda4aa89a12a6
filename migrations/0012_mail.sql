-- A mailbox that commands are read from: how far, and by which process.
create table mailbox (
    organization_id uuid not null references organization,
    -- Its address.
    name text not null,
    -- What the tokens in our Message-IDs are made with.
    token_key bytea not null check (length(token_key) = 32),
    -- Another one means that all UIDs are others.
    uid_validity bigint,
    last_uid bigint,
    -- The process that reads it, while it says so; judged by this clock.
    holder uuid,
    held_until timestamptz,
    primary key (organization_id, name)
);

-- Mails that are not proved to be their sender's, or cannot be read: nothing comes of them unless somebody releases them.
create table quarantine (
    organization_id uuid not null references organization,
    quarantine_id uuid primary key,
    -- Names the mail: the same again is here once.
    key text not null,
    -- As the mail says, proved by nothing.
    sender text not null,
    name text not null,
    subject text not null,
    -- How its text begins.
    preview text not null,
    -- For people.
    why text not null,
    -- What it would be; null where it cannot be read.
    envelope json,
    received_at timestamptz not null,
    released_by text,
    released_at timestamptz,
    unique (organization_id, key)
);
create index quarantine_age on quarantine (received_at);
-- How much one sender wrote lately.
create index inbox_sender on inbox (organization_id, (envelope -> 'sender' ->> 'id'), received_at) where channel = 'email';

do $$
declare
    name text;
begin
    foreach name in array array['mailbox', 'quarantine'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
    end loop;
end
$$;
