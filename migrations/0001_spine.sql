-- The spine: organisations and who may act for them, the plan, its revisions, proposals, conversations, events, audit.
--
-- Every table of a tenant has organization_id and a forced row-level-security policy that compares it with the
-- organisation of the transaction, so that a forgotten WHERE returns nothing rather than someone else's rows. Before the
-- organisation is known (signing in), a row may be seen by whoever presents its secret's hash.
--
-- Foreign keys stand where rows are few. task, revision, event and audit have none: each would cost a lookup for each
-- row of the busiest write, and all of them are only written under the lock of their project's row.

create function current_organization() returns uuid
    language sql stable parallel safe
    as $$ select nullif(current_setting('patchbay.organization', true), '')::uuid $$;

-- The hash of a key, a session, a link, or the e-mail address that somebody signs in with.
create function presented() returns text
    language sql stable parallel safe
    as $$ select nullif(current_setting('patchbay.presented', true), '') $$;

-- The organisations there are, by id alone: for what must look after all of them. The first is the one that the
-- program's own commands act for.
create table installation (
    organization uuid primary key,
    created_at timestamptz not null default now()
);

create table organization (
    organization_id uuid primary key,
    name text not null,
    -- What the next proposal is called: #12.
    next_proposal integer not null default 1,
    created_at timestamptz not null default now()
);

-- A person's way to sign in, in however many organisations. Passkeys and other providers will hang on it.
create table account (
    account_id uuid primary key,
    email text not null,
    name text not null,
    -- argon2id, PHC string; null until the person has chosen one.
    password_hash text,
    created_at timestamptz not null default now()
);
create unique index account_email on account (lower(email));

create table member (
    organization_id uuid not null references organization,
    member_id uuid primary key,
    -- Null for programs, which come with keys.
    account_id uuid references account,
    -- What people write after an @. It never changes and is never given again, because plans name it.
    handle text not null,
    name text not null,
    role text not null check (role in ('owner', 'admin', 'member', 'viewer', 'agent')),
    time_zone text not null default 'UTC',
    created_at timestamptz not null default now(),
    removed_at timestamptz,
    unique (organization_id, handle)
);
create index member_account on member (account_id);

create table api_key (
    organization_id uuid not null references organization,
    key_id uuid primary key,
    member_id uuid not null references member,
    name text not null,
    -- blake3 of the key, hex. The key itself has 256 random bits, so a slow hash would add nothing.
    secret_hash text not null unique,
    -- Enough of the key to recognise it in a list.
    hint text not null,
    scopes text[] not null,
    -- Where set, the key sees and changes this project only.
    project_id uuid,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

create table session (
    organization_id uuid not null references organization,
    session_id uuid primary key,
    member_id uuid not null references member,
    secret_hash text not null unique,
    csrf_token text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index session_member on session (member_id);

-- A link that signs somebody in once.
create table sign_in_link (
    organization_id uuid not null references organization,
    secret_hash text primary key,
    member_id uuid not null references member,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);

create table project (
    organization_id uuid not null references organization,
    project_id uuid primary key,
    key text not null,
    title text not null,
    summary text not null default '',
    version integer not null,
    process text not null,
    process_version integer not null,
    time_zone text not null default 'UTC',
    -- What the next task is called: WEB-7. Numbers are never given again.
    next_task integer not null default 1,
    -- That of its newest revision.
    digest bytea not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz
);
create unique index project_key on project (organization_id, key) where deleted_at is null;

create table task (
    organization_id uuid not null,
    project_id uuid not null,
    task_id uuid primary key,
    number integer not null,
    parent_id uuid,
    -- The place among its siblings: compares as bytes, always has room between two.
    rank bytea not null,
    title text not null,
    status text not null,
    priority smallint,
    -- A member's handle.
    assignee text,
    due_on date,
    -- The fields that no query asks for.
    detail jsonb not null,
    updated_at timestamptz not null
);
create unique index task_number on task (project_id, number);
-- Root tasks stand below the project itself here, so that siblings are found by equality.
create index task_place on task (project_id, (coalesce(parent_id, project_id)), rank);

-- Its own table, and not an array with an inverted index: under row-level security Postgres uses an index only for
-- operators that cannot leak, which equality is and "contains" is not.
create table task_dependency (
    organization_id uuid not null,
    project_id uuid not null,
    task_id uuid not null,
    depends_on_id uuid not null,
    primary key (task_id, depends_on_id)
);
create index task_dependency_reverse on task_dependency (depends_on_id);

create table time_entry (
    organization_id uuid not null,
    time_entry_id uuid primary key,
    project_id uuid not null,
    task_id uuid not null,
    member_id uuid not null,
    minutes integer not null check (minutes > 0),
    note text not null default '',
    at timestamptz not null
);
create index time_entry_task on time_entry (task_id);

-- Applied patches, append only. Folding all of a project's from nothing gives exactly its present state.
create table revision (
    organization_id uuid not null,
    project_id uuid not null,
    number integer not null,
    -- json, not jsonb: the bytes are what the digest is of.
    patch json not null,
    inverse json not null,
    -- blake3 of the patch's bytes and the digest of the revision before.
    digest bytea not null,
    member_id uuid not null,
    actor text not null,
    -- How it came: command, proposal, form, key, import, undo.
    origin text not null,
    proposal integer,
    -- The revision that it takes back.
    reverts integer,
    at timestamptz not null,
    primary key (project_id, number)
);

create table proposal (
    organization_id uuid not null references organization,
    proposal_id uuid primary key,
    number integer not null,
    -- Null until a proposal for a new project is applied.
    project_id uuid references project,
    state text not null check (state in ('draft', 'open', 'accepted', 'applied', 'rejected', 'withdrawn', 'expired')),
    base_version integer not null,
    -- The newest row of proposal_revision.
    revision integer not null,
    title text not null,
    member_id uuid not null references member,
    author text not null,
    origin text not null,
    trust text not null check (trust in ('verified', 'linked', 'untrusted')),
    conversation_id uuid,
    -- The project version that it became.
    applied_as integer,
    -- The operations that were accepted, from 1; null before a decision.
    accepted integer[],
    decided_by text,
    decided_at timestamptz,
    reason text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, number)
);
create index proposal_project on proposal (project_id) where state = 'open';
create index proposal_conversation on proposal (conversation_id) where state = 'open';

create table proposal_revision (
    organization_id uuid not null,
    proposal_id uuid not null references proposal,
    revision integer not null,
    patch json not null,
    -- As it was shown, against the base version; kept, because the plan moves on.
    diff json not null,
    digest bytea not null,
    -- The words that asked for it.
    message text not null default '',
    author text not null,
    at timestamptz not null,
    primary key (proposal_id, revision)
);

create table decision (
    organization_id uuid not null,
    decision_id uuid primary key,
    proposal_id uuid not null references proposal,
    -- What was shown to whoever decided.
    revision integer not null,
    digest bytea not null,
    member_id uuid not null,
    actor text not null,
    verdict text not null check (verdict in ('accept', 'reject', 'withdraw')),
    operations integer[],
    reason text,
    at timestamptz not null
);
create index decision_proposal on decision (proposal_id);

create table proposal_comment (
    organization_id uuid not null,
    comment_id uuid primary key,
    proposal_id uuid not null references proposal,
    -- From 1; null for the whole.
    operation integer,
    member_id uuid not null,
    author text not null,
    text text not null,
    at timestamptz not null
);
create index proposal_comment_proposal on proposal_comment (proposal_id);

-- One thread on one channel.
create table conversation (
    organization_id uuid not null references organization,
    conversation_id uuid primary key,
    channel text not null,
    -- What the channel calls it.
    thread text not null,
    project_id uuid,
    task_id uuid,
    created_at timestamptz not null,
    unique (organization_id, channel, thread)
);

-- What somebody wrote and what became of it; read in order it is the conversation. Stored before it is acknowledged.
create table command (
    organization_id uuid not null,
    command_id uuid primary key,
    conversation_id uuid not null references conversation,
    member_id uuid not null,
    actor text not null,
    origin text not null,
    -- The client's name for it: the same again is the same command.
    client_id text,
    text text not null,
    -- What the text is about, where the client said so.
    project_id uuid,
    task_id uuid,
    on_proposal integer,
    -- What its author might do when it came: a key may allow less than its member.
    scopes text[] not null,
    only_project uuid,
    status text not null check (status in ('queued', 'running', 'done', 'failed')),
    -- Kept alive by the process that runs it; a running command whose process died is taken up again.
    claimed_until timestamptz,
    reply json,
    problem json,
    proposal integer,
    revision integer,
    created_at timestamptz not null,
    finished_at timestamptz
);
create unique index command_client on command (organization_id, member_id, client_id) where client_id is not null;
create index command_conversation on command (conversation_id, command_id);
create index command_waiting on command (created_at) where status in ('queued', 'running');

-- The raw talk with a model, for inspection.
create table planner_exchange (
    organization_id uuid not null,
    exchange_id uuid primary key,
    command_id uuid not null,
    provider text not null,
    model text not null,
    -- Name and version: project@3.
    prompt text not null,
    request json not null,
    response text not null,
    input_tokens bigint,
    output_tokens bigint,
    -- Millionths.
    cost_micros bigint,
    latency_ms integer not null,
    problem text,
    at timestamptz not null
);
create index planner_exchange_command on planner_exchange (command_id);

-- What happened, written in the transaction that it tells of.
--
-- seq is (transaction id << 10) + place in the transaction, and readers only take what is below the oldest running
-- transaction: so a reader that goes on after seq misses nothing, although transactions commit out of order.
create table event (
    organization_id uuid not null,
    seq bigint not null,
    at timestamptz not null,
    event text not null,
    actor text not null,
    target text not null,
    details json not null,
    primary key (organization_id, seq)
);

-- Transaction ids begin anew in another cluster. After a restore this is raised above the greatest seq there is.
create table event_epoch (
    only_row boolean primary key default true check (only_row),
    base bigint not null default 0
);
insert into event_epoch default values;

-- The seq of this transaction's first event.
create function event_base() returns bigint
    language sql volatile
    as $$ select (pg_current_xact_id()::text::bigint << 10) + (select base from event_epoch) $$;

-- Events below this are settled: no transaction that may still write an earlier one is running.
create function event_horizon() returns bigint
    language sql volatile
    as $$ select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 10) + (select base from event_epoch) $$;

-- Who did what, for those who answer for it.
create table audit (
    organization_id uuid not null,
    audit_id uuid primary key,
    at timestamptz not null,
    member_id uuid,
    actor text not null,
    action text not null,
    target text not null,
    details json not null
);

-- The first answer to each POST that came with an Idempotency-Key, replayed when it comes again.
create table idempotency (
    organization_id uuid not null,
    member_id uuid not null,
    key text not null,
    -- blake3 of method, path and body.
    request_hash bytea not null,
    -- Null while the first one runs.
    status smallint,
    body bytea,
    created_at timestamptz not null,
    primary key (organization_id, member_id, key)
);
create index idempotency_age on idempotency (created_at);

do $$
declare
    name text;
begin
    for name in
        select c.table_name
        from information_schema.columns c
        where c.table_schema = current_schema() and c.column_name = 'organization_id'
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
    end loop;
end
$$;

create policy presented on api_key for select using (secret_hash = presented());
create policy presented on session for select using (secret_hash = presented());
create policy presented on sign_in_link for select using (secret_hash = presented());

-- An account is seen by the organisations it belongs to, and by whoever signs in with its address.
alter table account enable row level security;
alter table account force row level security;
create policy tenant on account using (
    exists (select from member where member.account_id = account.account_id and member.organization_id = current_organization())
);
create policy presented on account for select using (lower(email) = presented());
create policy creation on account for insert with check (true);
-- Which organisations an account can sign in to: once its password was right, its id is presented.
create policy presented on member for select using (account_id::text = presented());

-- Revisions and audit rows are only ever added.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% rows are never changed', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger append_only before update or delete on revision for each statement execute function refuse_change();
create trigger append_only before update or delete on audit for each statement execute function refuse_change();
create trigger append_only before update or delete on event for each statement execute function refuse_change();
