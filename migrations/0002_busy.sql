-- What the busiest path needs: its cost goes by the patch, not by the project.

-- What a task stands below: its parent, or the project for a root task.
--
-- A column, and not an index over the expression: under row-level security Postgres uses an index only for conditions that
-- cannot leak, and it takes every coalesce for one that might. Finding the last root task read the whole project.
alter table task add column below_id uuid not null generated always as (coalesce(parent_id, project_id)) stored;
drop index task_place;
create index task_place on task (below_id, rank);

-- Each change rewrites the project's row: with room on its page no index is touched.
alter table project set (fillfactor = 50);

-- Functions that plan once for each connection; in plain SQL they are planned for each call.
create or replace function event_base() returns bigint
    language plpgsql volatile
    as $$ begin return (pg_current_xact_id()::text::bigint << 10) + (select base from event_epoch); end $$;

create or replace function event_horizon() returns bigint
    language plpgsql volatile
    as $$ begin return (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 10) + (select base from event_epoch); end $$;

-- Locks a project, by id or else by key, and then reads it, its last root task (after which new ones come) and, where asked
-- for, the handles of the members. Two statements: the second must see what was committed while the first waited.
create function lock_project(
    wanted_id uuid, wanted_key text, with_members boolean,
    out head project, out last_id uuid, out last_number integer, out last_rank bytea, out handles text[]
)
    language plpgsql volatile
    as $$
    begin
        if wanted_id is null then
            select * into head from project p where p.key = wanted_key and p.deleted_at is null for no key update;
        else
            select * into head from project p where p.project_id = wanted_id and p.deleted_at is null for no key update;
        end if;
        select t.task_id, t.number, t.rank into last_id, last_number, last_rank
        from task t where t.below_id = head.project_id order by t.rank desc limit 1;
        handles := case when with_members then array(select m.handle from member m where m.removed_at is null) else '{}' end;
    end
    $$;
