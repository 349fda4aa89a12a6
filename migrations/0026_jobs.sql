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

-- Taking jobs does not wait for the disk any more; ending them does.
create or replace function take_jobs(kinds text[], room integer[], seconds double precision[], by_worker uuid) returns setof job
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        lanes uuid[];
        lane uuid;
        missing integer;
        share integer;
        got integer;
        -- Whose turn is first is drawn anew each time.
        first_lane uuid := gen_random_uuid();
    begin
        perform set_config('patchbay.queue', 'on', true);
        -- A taking that a crash of the server loses is a job that waits again: its token is given once more, and whichever of two
        -- holders ends it first ends it alone.
        perform set_config('synchronous_commit', 'off', true);
        for i in 1 .. cardinality(kinds) loop
            -- One step for each organisation, however many jobs it has.
            with recursive next (lane) as (
                (select organization_id from job where state = 'waiting' and kind = kinds[i] order by organization_id limit 1)
                union all
                select (select j.organization_id from job j
                        where j.state = 'waiting' and j.kind = kinds[i] and j.organization_id > next.lane order by j.organization_id limit 1)
                from next where next.lane is not null
            )
            select array_agg(next.lane order by next.lane < first_lane, next.lane) into lanes from next where next.lane is not null;
            continue when lanes is null;
            missing := room[i];
            share := greatest(1, ceil(missing::numeric / cardinality(lanes))::integer);
            foreach lane in array lanes loop
                exit when missing <= 0;
                return query
                update job set token = token + 1, attempt = attempt + 1, worker = by_worker, leased_until = now() + make_interval(secs => seconds[i])
                where job_id = any (array(
                    select job_id from job
                    where state = 'waiting' and kind = kinds[i] and organization_id = lane and (leased_until is null or leased_until < now())
                    order by priority, job_id limit least(share, missing) for update skip locked))
                returning *;
                get diagnostics got = row_count;
                missing := missing - got;
            end loop;
        end loop;
    end
    $$;

-- Ending, holding and giving back find their rows by the primary key, whatever the planner takes the table for. As joins they were
-- planned while the queue was as good as empty, as it mostly is, and the plan was kept: with many jobs it then read all of the table
-- for each call. Which token goes with which job is therefore no relation any more.

-- Ends jobs that were done: each that is kept is marked, the others are gone. Those that were not the caller's any more stay.
create or replace function end_jobs(ids uuid[], tokens bigint[], kept boolean[], results text[], logs text[]) returns integer
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        fence jsonb := jsonb_object(ids::text[], tokens::text[]);
        dropped uuid[] := array(select d.id from unnest(ids, kept) as d (id, kept) where not d.kept);
        ended integer;
        more integer;
    begin
        perform set_config('patchbay.queue', 'on', true);
        delete from job where job_id = any (dropped) and token = (fence ->> job_id::text)::bigint and leased_until is not null;
        get diagnostics ended = row_count;
        if true = any (kept) then
            update job set state = 'done', result = d.result::json, log = d.log::json, progress = null, leased_until = null, worker = null, finished_at = now()
            from unnest(ids, tokens, kept, results, logs) as d (id, token, kept, result, log)
            where job_id = any (ids) and job_id = d.id and job.token = d.token and d.kept and leased_until is not null;
            get diagnostics more = row_count;
            ended := ended + more;
        end if;
        return ended;
    end
    $$;

-- Keeps jobs held: those that still are, and whether somebody wants them cancelled.
create or replace function hold_jobs(ids uuid[], tokens bigint[], seconds double precision[]) returns table (id uuid, cancel boolean)
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        fence jsonb := jsonb_object(ids::text[], tokens::text[]);
        spans jsonb := jsonb_object(ids::text[], seconds::text[]);
    begin
        perform set_config('patchbay.queue', 'on', true);
        return query
        update job set leased_until = now() + make_interval(secs => (spans ->> job_id::text)::double precision)
        where job_id = any (ids) and token = (fence ->> job_id::text)::bigint and leased_until is not null
        returning job_id, cancel_requested;
    end
    $$;

-- Gives jobs back that a worker will not end; the attempt does not count. Without ids: all, where no worker can be alive.
create or replace function give_jobs_back(ids uuid[], tokens bigint[]) returns void
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        fence jsonb := jsonb_object(ids::text[], tokens::text[]);
    begin
        perform set_config('patchbay.queue', 'on', true);
        if ids is null then
            update job set leased_until = null, worker = null where state = 'waiting' and leased_until is not null;
        else
            update job set leased_until = null, worker = null, attempt = greatest(0, attempt - 1)
            where job_id = any (ids) and token = (fence ->> job_id::text)::bigint and leased_until is not null;
        end if;
    end
    $$;
