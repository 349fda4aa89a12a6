-- The queue: work that outlives whoever asked for it, enqueued in the transaction that causes it.
--
-- A job waits in one index, by kind, organisation and priority, and stays in it while it runs: taking one changes no indexed
-- column, so the row is rewritten on its own page and no index is touched. That is what the queue's speed comes from.
create table job (
    organization_id uuid not null,
    job_id uuid primary key,
    kind text not null,
    -- Lower is sooner; 100 is ordinary.
    priority smallint not null default 100,
    payload json not null,
    -- waiting: to be run, or running while its lease holds. parked: not before run_at. dead: given up, for a person to look at.
    state text not null check (state in ('waiting', 'parked', 'done', 'dead', 'cancelled')),
    run_at timestamptz not null,
    -- No second one of its kind while this waits or runs.
    unique_key text,
    attempt smallint not null default 0,
    max_attempts smallint not null,
    -- Greater each time it is taken: who holds an older one can end nothing.
    token bigint not null default 0,
    worker uuid,
    leased_until timestamptz,
    cancel_requested boolean not null default false,
    -- When it should have been done, and when that was told to have failed.
    due_by timestamptz,
    breached_at timestamptz,
    -- Whether people see it in their list; a dead one they always see.
    visible boolean not null default false,
    actor text not null,
    progress json,
    -- What it said and how its attempts ended, oldest first.
    log json,
    result json,
    problem text,
    created_at timestamptz not null,
    finished_at timestamptz
) with (fillfactor = 60);
create index job_waiting on job (kind, organization_id, priority, job_id) where state = 'waiting';
create index job_parked on job (run_at) where state = 'parked';
create unique index job_unique on job (organization_id, kind, unique_key) where unique_key is not null and state in ('waiting', 'parked');
create index job_due on job (due_by) where due_by is not null and breached_at is null and state in ('waiting', 'parked');
create index job_visible on job (organization_id, job_id) where visible;

alter table job enable row level security;
alter table job force row level security;
create policy tenant on job using (organization_id = current_organization());
-- Who works the queue works it for all organisations; only the functions below say so.
create policy queue on job using (current_setting('patchbay.queue', true) = 'on');

-- Takes jobs for a worker: of each kind as many as there is room for, in equal parts from the organisations that have some.
create function take_jobs(kinds text[], room integer[], seconds double precision[], by_worker uuid) returns setof job
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

-- Ends jobs that were done: each that is kept is marked, the others are gone. Those that were not the caller's any more stay.
create function end_jobs(ids uuid[], tokens bigint[], kept boolean[], results text[], logs text[]) returns integer
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        ended integer;
        more integer;
    begin
        perform set_config('patchbay.queue', 'on', true);
        delete from job using unnest(ids, tokens, kept) as d (id, token, kept)
        where job_id = d.id and job.token = d.token and not d.kept and leased_until is not null;
        get diagnostics ended = row_count;
        if true = any (kept) then
            update job set state = 'done', result = d.result::json, log = d.log::json, progress = null, leased_until = null, worker = null, finished_at = now()
            from unnest(ids, tokens, kept, results, logs) as d (id, token, kept, result, log)
            where job_id = d.id and job.token = d.token and d.kept and leased_until is not null;
            get diagnostics more = row_count;
            ended := ended + more;
        end if;
        return ended;
    end
    $$;

-- Ends an attempt that failed: again after so many seconds, or never.
create function fail_job(id uuid, with_token bigint, seconds double precision, why text, new_log text) returns boolean
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    begin
        perform set_config('patchbay.queue', 'on', true);
        update job set
            state = case when cancel_requested then 'cancelled' when seconds is null then 'dead' when seconds > 0 then 'parked' else 'waiting' end,
            run_at = now() + make_interval(secs => coalesce(seconds, 0)), problem = why, log = new_log::json, progress = null,
            leased_until = null, worker = null, visible = visible or seconds is null, finished_at = case when seconds is null or cancel_requested then now() end
        where job_id = id and token = with_token and leased_until is not null;
        return found;
    end
    $$;

-- Keeps jobs held: those that still are, and whether somebody wants them cancelled.
create function hold_jobs(ids uuid[], tokens bigint[], seconds double precision[]) returns table (id uuid, cancel boolean)
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    begin
        perform set_config('patchbay.queue', 'on', true);
        return query
        update job set leased_until = now() + make_interval(secs => d.seconds)
        from unnest(ids, tokens, seconds) as d (id, token, seconds)
        where job_id = d.id and job.token = d.token and leased_until is not null
        returning job_id, cancel_requested;
    end
    $$;

-- Gives jobs back that a worker will not end; the attempt does not count. Without ids: all, where no worker can be alive.
create function give_jobs_back(ids uuid[], tokens bigint[]) returns void
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    begin
        perform set_config('patchbay.queue', 'on', true);
        if ids is null then
            update job set leased_until = null, worker = null where state = 'waiting' and leased_until is not null;
        else
            update job set leased_until = null, worker = null, attempt = greatest(0, attempt - 1)
            from unnest(ids, tokens) as d (id, token) where job_id = d.id and job.token = d.token and leased_until is not null;
        end if;
    end
    $$;

-- Wakes what was parked and is due: how many, and in how many seconds the next one is.
create function wake_jobs(out woken integer, out next double precision)
    language plpgsql volatile
    as $$
    begin
        perform set_config('patchbay.queue', 'on', true);
        update job set state = 'waiting' where job_id = any (array(
            select job_id from job where state = 'parked' and run_at <= now() order by run_at limit 1000 for update skip locked));
        get diagnostics woken = row_count;
        next := (select extract(epoch from run_at - now()) from job where state = 'parked' order by run_at limit 1);
    end
    $$;

-- The jobs that should have been done by now, told once.
create function breached_jobs() returns setof job
    language plpgsql volatile
    as $$
    begin
        perform set_config('patchbay.queue', 'on', true);
        return query
        update job set breached_at = now(), visible = true where job_id = any (array(
            select job_id from job where due_by <= now() and breached_at is null and state in ('waiting', 'parked') order by due_by limit 100 for update skip locked))
        returning *;
    end
    $$;
