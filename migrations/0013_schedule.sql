-- Schedules: what is to be done at times to come, and what became of each time.
create table schedule (
    organization_id uuid not null references organization,
    schedule_id uuid primary key,
    -- What people call it.
    number integer not null,
    name text not null,
    -- As it was written, and in its plain form: reading that again gives the same times.
    said text not null,
    rule text not null,
    zone text not null,
    action json not null,
    missed text not null check (missed in ('skip', 'once', 'catch_up')),
    catch_up_limit smallint not null,
    overlap text not null check (overlap in ('forbid', 'queue', 'allow')),
    is_paused boolean not null default false,
    problem text,
    -- Null when there are no more times.
    next_run_at timestamptz,
    last_run_at timestamptz,
    -- As whom it runs, with no more than they might do when they made it.
    member_id uuid not null,
    actor text not null,
    scopes text[] not null,
    only_project uuid,
    trust text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organization_id, number)
);
create index schedule_due on schedule (next_run_at) where not is_paused and next_run_at is not null;

create table schedule_run (
    organization_id uuid not null,
    run_id uuid primary key,
    schedule_id uuid not null references schedule on delete cascade,
    due_at timestamptz not null,
    -- begun: what became of it, its job or its command says.
    state text not null check (state in ('waiting', 'begun', 'skipped')),
    why text,
    -- No foreign key: jobs that are done are not all kept.
    job_id uuid,
    command_id uuid,
    at timestamptz not null,
    unique (schedule_id, due_at)
);
create index schedule_run_waiting on schedule_run (schedule_id, due_at) where state = 'waiting';
create index schedule_run_newest on schedule_run (schedule_id, run_id);
create index schedule_run_age on schedule_run (at);

do $$
declare
    name text;
begin
    foreach name in array array['schedule', 'schedule_run']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
    end loop;
end
$$;
-- Which organisations have something due is looked up for all of them at once; only the function below says so.
create policy queue on schedule for select using (current_setting('patchbay.queue', true) = 'on');
create policy queue on schedule_run for select using (current_setting('patchbay.queue', true) = 'on');

-- The organisations that have something due at a time, and when the next is due.
create function schedules_due(at timestamptz, out organizations uuid[], out next timestamptz)
    language plpgsql volatile
    as $$
    begin
        perform set_config('patchbay.queue', 'on', true);
        organizations := array(
            select organization_id from schedule where not is_paused and next_run_at <= at
            union
            select organization_id from schedule_run where state = 'waiting');
        next := (select min(next_run_at) from schedule where not is_paused and next_run_at > at);
    end
    $$;
