-- Other services: what they tell Patchbay, what it tells them, and what is to follow from what happens.

create table webhook_source (
    organization_id uuid not null references organization,
    source_id uuid primary key,
    -- What stands in its URL. Nobody can guess it, and who presents it may find the source.
    address text not null unique,
    name text not null,
    kind text not null check (kind in ('standard', 'github', 'gitlab', 'hmac', 'bearer')),
    -- Where the kinds hmac and bearer put things: {"header", "prefix", "encoding", "key_header"}.
    scheme json not null,
    recipe text not null check (recipe in ('github', 'gitlab', 'alert', 'generic')),
    -- Which deliveries are meant; null for all.
    filter text,
    -- What they are made into; null for the recipe's.
    template text,
    makes text not null check (makes in ('command', 'plan')),
    project_id uuid,
    -- As whom its commands run.
    member_id uuid not null references member,
    enabled boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, name)
);

-- What sources and endpoints sign with, sealed under a key that is not in the database.
create table integration_secret (
    organization_id uuid not null,
    secret_id uuid primary key,
    -- A source or an endpoint.
    owner_id uuid not null,
    sealed bytea not null,
    -- Its last characters.
    hint text not null,
    created_at timestamptz not null,
    -- Null for the newest; the others count until the overlap is over.
    expires_at timestamptz
);
create index integration_secret_owner on integration_secret (owner_id);

create table webhook_delivery (
    organization_id uuid not null,
    delivery_id uuid primary key,
    source_id uuid not null,
    -- By which it is known when it comes again.
    key text not null,
    -- What kind of event it is: told by its body, which is not read before it is worked on.
    event text not null default '',
    -- Without those that carry secrets.
    headers json not null,
    body bytea not null,
    received_at timestamptz not null,
    outcome text not null check (outcome in ('waiting', 'ignored', 'submitted', 'failed')),
    why text,
    -- What the template made of it.
    text text,
    command_id uuid,
    finished_at timestamptz,
    unique (source_id, key)
) with (fillfactor = 70);
create index webhook_delivery_source on webhook_delivery (source_id, delivery_id);
create index webhook_delivery_age on webhook_delivery (received_at);

-- Stores deliveries of an organisation, and a job for each that had not come before, as one transaction. The job has the delivery's id.
create function receive_webhooks(
    organization uuid, ids uuid[], sources uuid[], keys text[], all_headers json[], bodies bytea[], times timestamptz[]
) returns setof uuid
    language plpgsql volatile
    as $$
    begin
        perform set_config('patchbay.organization', organization::text, true);
        return query
            with stored as (
                insert into webhook_delivery (organization_id, delivery_id, source_id, key, headers, body, received_at, outcome)
                select organization, u.*, 'waiting' from unnest(ids, sources, keys, all_headers, bodies, times) u
                on conflict (source_id, key) do nothing
                returning delivery_id, received_at
            ), queued as (
                insert into job (organization_id, job_id, kind, payload, state, run_at, max_attempts, actor, created_at)
                select organization, s.delivery_id, 'webhook-in', json_build_object('delivery', s.delivery_id), 'waiting', s.received_at, 10, 'patchbay', s.received_at
                from stored s
            )
            select s.delivery_id from stored s;
    end
    $$;

create table webhook_endpoint (
    organization_id uuid not null references organization,
    endpoint_id uuid primary key,
    url text not null,
    description text not null,
    -- Patterns: *, proposal.*, proposal.opened.
    events text[] not null,
    enabled boolean not null,
    -- Why Patchbay itself switched it off.
    disabled_why text,
    -- Since when nothing has got through.
    failing_since timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

-- One event for one endpoint.
create table webhook_message (
    organization_id uuid not null,
    message_id uuid primary key,
    endpoint_id uuid not null,
    seq bigint not null,
    event text not null,
    -- The bytes that are signed.
    body text not null,
    state text not null check (state in ('waiting', 'delivered', 'failed')),
    -- Since it was made or sent again.
    attempts smallint not null default 0,
    created_at timestamptz not null,
    finished_at timestamptz,
    unique (endpoint_id, seq)
);
create index webhook_message_endpoint on webhook_message (endpoint_id, message_id);
create index webhook_message_age on webhook_message (created_at);

create table webhook_attempt (
    organization_id uuid not null,
    attempt_id uuid primary key,
    message_id uuid not null,
    at timestamptz not null,
    -- Null where nothing was answered.
    status smallint,
    duration_ms integer not null,
    -- The beginning of the answer.
    response text not null,
    problem text
);
create index webhook_attempt_message on webhook_attempt (message_id, attempt_id);

create table trigger (
    organization_id uuid not null references organization,
    trigger_id uuid primary key,
    -- The newest row of trigger_version.
    version integer not null,
    created_at timestamptz not null,
    deleted_at timestamptz
);

-- Each change of a trigger is a row of its own.
create table trigger_version (
    organization_id uuid not null,
    trigger_id uuid not null references trigger,
    version integer not null,
    name text not null,
    -- A pattern of events.
    event text not null,
    condition text,
    makes text not null check (makes in ('command', 'plan')),
    template text not null,
    project_id uuid,
    -- As whom its commands run.
    member_id uuid not null references member,
    max_depth smallint not null,
    max_per_hour integer not null,
    enabled boolean not null,
    -- Who changed it, by handle.
    actor text not null,
    at timestamptz not null,
    primary key (trigger_id, version)
);

create table trigger_run (
    organization_id uuid not null,
    run_id uuid primary key,
    trigger_id uuid not null,
    version integer not null,
    seq bigint not null,
    event text not null,
    -- How many triggers led to the event.
    depth smallint not null,
    outcome text not null check (outcome in ('waiting', 'submitted', 'skipped', 'failed')),
    why text,
    -- What the template made.
    text text,
    command_id uuid,
    at timestamptz not null,
    finished_at timestamptz,
    unique (trigger_id, seq)
);
create index trigger_run_trigger on trigger_run (trigger_id, run_id);
create index trigger_run_lately on trigger_run (trigger_id, at);
create index trigger_run_age on trigger_run (at);

-- How far the event log has been read for endpoints and triggers; no row where an organisation has had none.
create table event_cursor (
    organization_id uuid primary key references organization,
    seq bigint not null
);

-- How many triggers led to what the transaction does.
create function current_depth() returns smallint
    language sql stable parallel safe
    as $$ select coalesce(nullif(current_setting('patchbay.depth', true), '')::smallint, 0::smallint) $$;

-- An event and a command know how many triggers led to them, whoever writes them.
alter table event add column depth smallint not null default current_depth();
alter table command add column depth smallint not null default current_depth();

do $$
declare
    name text;
begin
    foreach name in array array['webhook_source', 'integration_secret', 'webhook_delivery', 'webhook_endpoint', 'webhook_message', 'webhook_attempt', 'trigger',
                                'trigger_version', 'trigger_run', 'event_cursor']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
    end loop;
end
$$;

create policy presented on webhook_source for select using (address = presented());
create trigger append_only before update or delete on trigger_version for each statement execute function refuse_change();
