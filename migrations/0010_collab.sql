-- What agents share: leases, the queues before them, and who is there.

-- Tells of something in the transaction that does it, after what the transaction has told already.
create function tell(organization uuid, at timestamptz, event text, actor text, target text, details jsonb) returns bigint
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        base bigint := event_base();
        told bigint;
    begin
        insert into event (organization_id, seq, at, event, actor, target, details)
        select tell.organization, base + (select count(*) from event e where e.organization_id = tell.organization and e.seq >= base and e.seq < base + 1024),
               tell.at, tell.event, tell.actor, tell.target, tell.details::json
        returning seq into told;
        return told;
    end
    $$;

-- One row for each resource that was ever held, and it stays: its token is what the next one must exceed.
create table lease (
    organization_id uuid not null,
    -- `task:WEB-7`, or any name that its holders agree on.
    resource text not null,
    -- Grows by one with each holder.
    fencing_token bigint not null,
    -- Null while nobody holds it; so are the columns below, up to expires_at.
    lock_id uuid,
    -- The name that the holder goes by: a member may run several agents.
    holder text,
    member_id uuid,
    -- The member's handle.
    actor text,
    ttl_seconds integer,
    acquired_at timestamptz,
    heartbeat_at timestamptz,
    expires_at timestamptz,
    -- Where the resource belongs to a project, or is a task.
    project_id uuid,
    task_id uuid,
    -- Told with its events: the project's key and the task's reference.
    about jsonb not null default '{}',
    -- Whether it came with a task that was claimed, which then goes back when it runs out.
    is_claim boolean not null default false,
    -- It ran out on a claimed task, which is yet to go back.
    is_abandoned boolean not null default false,
    -- The seq of the event of its last change, or where that would stand: the greatest of all is the version of them all.
    changed bigint not null,
    primary key (organization_id, resource)
) with (fillfactor = 80);
create unique index lease_lock on lease (lock_id);
create index lease_due on lease (expires_at) where lock_id is not null;
create index lease_task on lease (task_id) where task_id is not null;
create index lease_abandoned on lease (organization_id) where is_abandoned;

-- Who waits for a resource, first come first served. A place is kept for as long as its owner asks again in time.
create table lease_waiter (
    organization_id uuid not null,
    resource text not null,
    member_id uuid not null,
    holder text not null,
    ticket bigint not null generated always as identity,
    expires_at timestamptz not null,
    primary key (organization_id, resource, member_id, holder)
);

-- Programs that said what they are and can do.
create table agent (
    organization_id uuid not null,
    member_id uuid primary key references member,
    -- What it is for: `developer`, `reviewer`.
    role text not null,
    skills text[] not null,
    availability text not null check (availability in ('available', 'busy', 'away')),
    -- How long after a heartbeat it counts as present.
    ttl_seconds integer not null,
    registered_at timestamptz not null,
    last_seen_at timestamptz not null,
    -- Whether its absence is yet to be told.
    is_present boolean not null,
    changed bigint not null
);
create index agent_present on agent (organization_id) where is_present;

do $$
declare
    name text;
begin
    foreach name in array array['lease', 'lease_waiter', 'agent'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
    end loop;
end
$$;

-- What an event about a lease says.
create function lease_details(l lease) returns jsonb
    language sql stable
    as $$
    select jsonb_build_object('resource', l.resource, 'holder', l.holder, 'lock_id', l.lock_id, 'fencing_token', l.fencing_token, 'ttl_seconds', l.ttl_seconds)
           || l.about
    $$;

-- Takes a resource for a while, in one round trip: enters the organisation, takes what is free or has run out, and tells.
--
-- The commonest case, a resource that nobody ever held, is one insert. Otherwise its row is locked, and the time is read after
-- that: a wait for the lock must not make a lease look older than it is. `held` is the lease that was taken, or the one that is
-- in the way; `place` is the asker's in the queue, from 1, where it waits.
create function acquire_lease(
    organization uuid, wanted text, new_lock uuid, asker text, member uuid, handle text, project uuid, task uuid, about jsonb, claims boolean,
    ttl_seconds integer, waits boolean, place_seconds integer, at timestamptz,
    out is_taken boolean, out place bigint, out held lease
)
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        moment timestamptz := coalesce(acquire_lease.at, clock_timestamp());
        first_in_line lease_waiter;
    begin
        perform set_config('patchbay.organization', organization::text, true);
        insert into lease (organization_id, resource, fencing_token, lock_id, holder, member_id, actor, ttl_seconds, acquired_at, heartbeat_at, expires_at,
                           project_id, task_id, about, is_claim, changed)
        values (acquire_lease.organization, wanted, 1, new_lock, asker, member, handle, acquire_lease.ttl_seconds, moment, moment,
                moment + acquire_lease.ttl_seconds * interval '1 second', project, task, acquire_lease.about, claims, event_base())
        on conflict do nothing
        returning * into held;
        is_taken := found;
        if not is_taken then
            select * into held from lease l where l.organization_id = acquire_lease.organization and l.resource = wanted for update;
            moment := coalesce(acquire_lease.at, clock_timestamp());
            is_taken := held.lock_id is null or held.expires_at <= moment;
            if is_taken then
                select * into first_in_line from lease_waiter w
                where w.organization_id = acquire_lease.organization and w.resource = wanted and w.expires_at > moment order by w.ticket limit 1;
                is_taken := not found or (first_in_line.member_id = member and first_in_line.holder = asker);
            end if;
            if not is_taken then
                if waits then
                    -- Who did not ask in time has lost its place and comes last.
                    delete from lease_waiter w
                    where w.organization_id = acquire_lease.organization and w.resource = wanted and w.expires_at <= moment;
                    insert into lease_waiter (organization_id, resource, member_id, holder, expires_at)
                    values (acquire_lease.organization, wanted, member, asker, moment + place_seconds * interval '1 second')
                    on conflict (organization_id, resource, member_id, holder) do update set expires_at = excluded.expires_at;
                    select count(*) into place from lease_waiter w
                    join lease_waiter mine on mine.organization_id = w.organization_id and mine.resource = w.resource and mine.ticket >= w.ticket
                    where w.organization_id = acquire_lease.organization and w.resource = wanted and w.expires_at > moment
                      and mine.member_id = member and mine.holder = asker;
                end if;
                return;
            end if;
            delete from lease_waiter w
            where w.organization_id = acquire_lease.organization and w.resource = wanted
              and (w.expires_at <= moment or (w.member_id = member and w.holder = asker));
            if held.lock_id is not null then
                perform tell(acquire_lease.organization, moment, 'lease.expired', held.actor, wanted, lease_details(held));
            end if;
            update lease l
            set fencing_token = l.fencing_token + 1, lock_id = new_lock, holder = asker, member_id = member, actor = handle,
                ttl_seconds = acquire_lease.ttl_seconds, acquired_at = moment, heartbeat_at = moment,
                expires_at = moment + acquire_lease.ttl_seconds * interval '1 second',
                project_id = project, task_id = task, about = acquire_lease.about, is_claim = claims, is_abandoned = false, changed = event_base()
            where l.organization_id = acquire_lease.organization and l.resource = wanted
            returning * into held;
        end if;
        perform tell(acquire_lease.organization, moment, 'lease.acquired', handle, wanted, lease_details(held));
    end
    $$;

-- Keeps a lease that has not run out. Nothing is told: it would be the commonest event of all.
create function heartbeat_lease(organization uuid, lock uuid, member uuid, new_ttl_seconds integer, at timestamptz) returns setof lease
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        moment timestamptz;
    begin
        perform set_config('patchbay.organization', organization::text, true);
        perform from lease l where l.lock_id = lock and l.member_id = member for update;
        moment := coalesce(heartbeat_lease.at, clock_timestamp());
        return query update lease l
        set heartbeat_at = moment, ttl_seconds = coalesce(new_ttl_seconds, l.ttl_seconds), expires_at = moment + coalesce(new_ttl_seconds, l.ttl_seconds) * interval '1 second',
            changed = event_base()
        where l.lock_id = lock and l.member_id = member and l.expires_at > moment
        returning *;
    end
    $$;

-- Gives a lease back that has not run out. Answers what it was.
create function release_lease(organization uuid, lock uuid, member uuid, reason text, at timestamptz) returns setof lease
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        was lease;
        moment timestamptz;
    begin
        perform set_config('patchbay.organization', organization::text, true);
        select * into was from lease l where l.lock_id = lock and l.member_id = member for update;
        moment := coalesce(release_lease.at, clock_timestamp());
        if not found or was.expires_at <= moment then
            return;
        end if;
        update lease l
        set lock_id = null, holder = null, member_id = null, actor = null, ttl_seconds = null, acquired_at = null, heartbeat_at = null, expires_at = null,
            is_claim = false, changed = event_base()
        where l.organization_id = release_lease.organization and l.resource = was.resource;
        perform tell(organization, moment, 'lease.released', was.actor, was.resource,
                     lease_details(was) || case when reason is null then '{}' else jsonb_build_object('reason', reason) end);
        return next was;
    end
    $$;

-- Takes a lease from its holder, past the queue, for an admin who says why. Answers what it is now and whose it was.
create function steal_lease(
    organization uuid, lock uuid, new_lock uuid, asker text, member uuid, handle text, new_ttl_seconds integer, reason text, at timestamptz,
    out held lease, out was_holder text, out was_actor text
)
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        was lease;
        moment timestamptz;
    begin
        perform set_config('patchbay.organization', organization::text, true);
        select * into was from lease l where l.lock_id = lock for update;
        moment := coalesce(steal_lease.at, clock_timestamp());
        if not found or was.expires_at <= moment then
            return;
        end if;
        update lease l
        set fencing_token = l.fencing_token + 1, lock_id = new_lock, holder = asker, member_id = member, actor = handle, ttl_seconds = new_ttl_seconds,
            acquired_at = moment, heartbeat_at = moment, expires_at = moment + new_ttl_seconds * interval '1 second', is_claim = false, changed = event_base()
        where l.organization_id = steal_lease.organization and l.resource = was.resource
        returning * into held;
        was_holder := was.holder;
        was_actor := was.actor;
        perform tell(organization, moment, 'lease.stolen', handle, was.resource,
                     lease_details(held) || jsonb_build_object('from', was.holder, 'from_actor', was.actor, 'reason', reason));
    end
    $$;

-- Takes back what has run out, oldest first. A claimed task keeps its holder's id until it has gone back.
create function expire_leases(organization uuid, most integer, at timestamptz) returns integer
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        due lease;
        expired integer := 0;
    begin
        perform set_config('patchbay.organization', organization::text, true);
        for due in
            select * from lease l where l.lock_id is not null and l.expires_at <= coalesce(expire_leases.at, clock_timestamp())
            order by l.expires_at limit most for update skip locked
        loop
            update lease l
            set lock_id = null, holder = null, member_id = case when l.is_claim then l.member_id end, actor = null, ttl_seconds = null,
                acquired_at = null, heartbeat_at = null, expires_at = null, is_claim = false, is_abandoned = l.is_claim, changed = event_base()
            where l.organization_id = expire_leases.organization and l.resource = due.resource;
            perform tell(organization, coalesce(expire_leases.at, clock_timestamp()), 'lease.expired', due.actor, due.resource, lease_details(due));
            expired := expired + 1;
        end loop;
        return expired;
    end
    $$;
