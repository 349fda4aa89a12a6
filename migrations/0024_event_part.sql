-- Events in partitions, so that old ones can be dropped and not deleted one by one.
--
-- A partition is a range of seq, 2^42 wide, and seq says when: with each month the base that is added to the transaction's id is
-- raised, so that what follows falls into the next range. Nothing is moved, no partition's bounds ever change, the key stays the
-- one that it was, and a reader that goes on after a seq touches none before it.

-- Which ranges were begun when. Nobody's rows, as event_epoch.
create table event_part (
    -- seq >> 42 of its events.
    part bigint primary key,
    -- Events of the part before this one are older, but for those of transactions that ran at this moment.
    begun_at timestamptz not null,
    dropped_at timestamptz,
    -- What seq had come to when it was last looked at. Transaction ids begin anew on another server: where a copy was restored
    -- there, seq is behind this, and the next part is begun.
    reached bigint not null default 0
);

-- What holds for the whole table holds for who looks into one partition of it.
create function guard_event_part(name text) returns void
    language plpgsql
    as $$
    begin
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
        execute format('create trigger append_only before update or delete on %I for each statement execute function refuse_change()', name);
        execute format('create trigger never_emptied before truncate on %I for each statement execute function refuse_change()', name);
    end
    $$;

-- Makes a partition ahead of its time. Made apart and attached, it keeps nobody from telling meanwhile.
create function make_event_part(part bigint) returns void
    language plpgsql
    as $$
    declare
        name text := 'event_' || part;
    begin
        if to_regclass(format('%I', name)) is not null then
            return;
        end if;
        execute format('create table %I (like event including defaults)', name);
        execute format('alter table %I add primary key (organization_id, seq)', name);
        perform guard_event_part(name);
        execute format('alter table event attach partition %I for values from (%s) to (%s)', name, part << 42, (part + 1) << 42);
    end
    $$;

-- Begins the next part, whose partition has been made: what is told from now on falls into it.
--
-- Whoever has told something in a running transaction has read the base, and holds a lock of event_epoch for it; that is waited
-- for. So nothing that was told by the old base is committed after somebody read by the new one.
create function begin_event_part(at timestamptz) returns bigint
    language plpgsql
    as $$
    declare
        following bigint;
    begin
        lock table event_epoch in access exclusive mode;
        following := greatest(event_base() >> 42, (select max(part) from event_part)) + 1;
        update event_epoch set base = base + (following << 42) - event_base();
        insert into event_part (part, begun_at) values (following, begin_event_part.at);
        return following;
    end
    $$;

-- What was told until now is one part, whatever its size: it is looked through once, and no row is written.
do $$
declare
    present bigint := event_base() >> 42;
begin
    alter table event rename to event_old;
    alter index event_pkey rename to event_old_pkey;
    create table event (like event_old including defaults) partition by range (seq);
    alter table event add primary key (organization_id, seq);
    perform guard_event_part('event');
    execute format('alter table event attach partition event_old for values from (minvalue) to (%s)', (present + 1) << 42);
    execute format('alter table event_old rename to %I', 'event_' || present);
    perform make_event_part(present + 1);
    perform make_event_part(present + 2);
    insert into event_part (part, begun_at) values (present, now());
end
$$;

-- The seq of the next event of this transaction. It counts in a setting of the transaction, and looks into no partition for it.
--
-- It begins in the middle of what a transaction has: the release before counts rows from the start, and may run on this schema.
create function event_seq() returns bigint
    language plpgsql volatile
    as $$
    declare
        base bigint := event_base();
        seq bigint := greatest(base + 512, coalesce(nullif(current_setting('patchbay.told', true), '')::bigint, 0) + 1);
    begin
        if seq >= base + 1024 then
            raise exception 'a transaction tells at most 512 events' using errcode = 'program_limit_exceeded';
        end if;
        perform set_config('patchbay.told', seq::text, true);
        return seq;
    end
    $$;

create or replace function tell(organization uuid, at timestamptz, event text, actor text, target text, details jsonb) returns bigint
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        told bigint := event_seq();
    begin
        insert into event (organization_id, seq, at, event, actor, target, details)
        values (tell.organization, told, tell.at, tell.event, tell.actor, tell.target, tell.details::json);
        return told;
    end
    $$;
