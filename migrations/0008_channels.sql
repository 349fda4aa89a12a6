-- Other people's platforms: who they say somebody is, what came from them, and what goes to them.

-- A workspace, server or mailbox that speaks for an organisation. What comes from one that is not here speaks for the first
-- organisation, where the settings hold that platform's secrets.
create table channel_installation (
    organization_id uuid not null references organization,
    channel text not null,
    -- What the platform calls it: a Slack team, a Discord server.
    external_id text not null,
    name text not null default '',
    -- Tokens, sealed.
    secrets bytea,
    created_at timestamptz not null,
    primary key (channel, external_id)
);

-- How an organisation wants a channel: whom it lets in unasked, and how much.
create table channel_setting (
    organization_id uuid not null references organization,
    channel text not null,
    settings json not null,
    updated_at timestamptz not null,
    primary key (organization_id, channel)
);

-- Which member somebody on a channel is.
create table channel_identity (
    organization_id uuid not null references organization,
    channel text not null,
    -- What the platform calls the person.
    external_id text not null,
    member_id uuid not null references member,
    name text not null,
    -- How that came to be known: code, email.
    proof text not null,
    linked_at timestamptz not null,
    primary key (organization_id, channel, external_id)
);
create index channel_identity_member on channel_identity (member_id);

-- A code that pairs a member with an identity, once: made by one of the two, said by the other.
create table link_code (
    organization_id uuid not null references organization,
    code_hash text not null,
    member_id uuid references member,
    channel text,
    external_id text,
    name text,
    expires_at timestamptz not null,
    primary key (organization_id, code_hash),
    check ((member_id is null) <> (external_id is null))
);

-- A room whose threads are about a project unless they say otherwise.
create table channel_binding (
    organization_id uuid not null references organization,
    channel text not null,
    place text not null,
    project_id uuid not null references project,
    bound_by text not null,
    bound_at timestamptz not null,
    primary key (organization_id, channel, place)
);

-- What came in, stored before it is acknowledged; what comes twice is here once.
create table inbox (
    organization_id uuid not null,
    channel text not null,
    -- The platform's name for it.
    key text not null,
    envelope json not null,
    state text not null check (state in ('waiting', 'taken', 'refused')),
    -- What it became.
    command_id uuid,
    received_at timestamptz not null,
    primary key (organization_id, channel, key)
);
create index inbox_age on inbox (received_at);

-- What goes out, stored in the transaction that causes it.
create table outbox (
    organization_id uuid not null,
    message_id uuid primary key,
    channel text not null,
    -- What the channel calls the conversation.
    thread text not null,
    -- Where it goes, as the channel's adapter writes it.
    address json not null,
    reply json not null,
    command_id uuid,
    -- The proposal that it shows.
    proposal integer,
    state text not null check (state in ('waiting', 'sent', 'dead')),
    -- What the platform calls it, needed to edit it.
    sent json,
    -- Which state of the proposal it shows.
    shows text,
    problem text,
    created_at timestamptz not null,
    sent_at timestamptz
);
create index outbox_proposal on outbox (organization_id, proposal, message_id) where proposal is not null;
create index outbox_age on outbox (created_at);

alter table conversation add column place text;

-- A command from a channel: where its answer goes, how far its sender is believed, and what its sender was looking at.
alter table command add column reply_channel text;
alter table command add column reply_address json;
alter table command add column trust text not null default 'verified' check (trust in ('verified', 'linked', 'untrusted'));
alter table command add column shown_digest text;

do $$
declare
    name text;
begin
    foreach name in array array['channel_installation', 'channel_setting', 'channel_identity', 'link_code', 'channel_binding', 'inbox', 'outbox'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
    end loop;
end
$$;

-- Whose a workspace is, is asked before the organisation is known.
create policy presented on channel_installation for select using (channel || ':' || external_id = presented());
