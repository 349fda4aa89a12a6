-- The audit trail as a chain: what is settled is sealed in order, so that an entry that is changed, taken out or put in shows.

-- Stable: its snapshot is that of the statement which asks. Before, it looked later than the rows that it was compared with, and a
-- transaction that ended in between could be passed over by who read at the level "read committed".
create or replace function event_horizon() returns bigint
    language plpgsql stable
    as $$ begin return (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 10) + (select base from event_epoch); end $$;

-- The order of the trail: that of transactions, as with events. In one transaction it is that of the ids.
alter table audit add column seq bigint not null default event_base();
alter table audit drop constraint audit_pkey;
alter table audit add primary key (organization_id, seq, audit_id);

-- A stretch of the trail that nothing can come into any more, and the head of the chain behind it.
create table audit_seal (
    organization_id uuid not null references organization,
    -- From 1. Of two processes that seal at once, one finds the number taken.
    number bigint not null,
    -- The last entry that it covers.
    seq bigint not null,
    audit_id uuid not null,
    -- How many entries the chain has up to there.
    entries bigint not null,
    -- What it covers, in order: the entries and their digests, 32 bytes each, so that the one that does not fit can be named.
    ids uuid[] not null,
    digests bytea not null,
    -- blake3 of the head before and the digests.
    head bytea not null,
    at timestamptz not null,
    primary key (organization_id, number),
    unique (organization_id, entries)
);
alter table audit_seal enable row level security;
alter table audit_seal force row level security;
create policy tenant on audit_seal using (organization_id = current_organization());
create trigger append_only before update or delete on audit_seal for each statement execute function refuse_change();

-- Emptying a table is a change too.
create trigger never_emptied before truncate on audit for each statement execute function refuse_change();
create trigger never_emptied before truncate on audit_seal for each statement execute function refuse_change();
create trigger never_emptied before truncate on revision for each statement execute function refuse_change();
create trigger never_emptied before truncate on event for each statement execute function refuse_change();
