-- Taking a lease, and finding what is ready, by what they touch and not by what there is.

-- The most urgent tasks at a step of a project, in order: of 100,000 tasks 20 are read to find 20.
create index task_ready on task (project_id, status, priority, due_on, number);

-- As before, but for the number of the event, for which the log was looked through: half of what taking a lease cost.
create or replace function acquire_lease(
    organization uuid, wanted text, new_lock uuid, asker text, member uuid, handle text, project uuid, task uuid, about jsonb, claims boolean,
    ttl_seconds integer, waits boolean, place_seconds integer, at timestamptz,
    out is_taken boolean, out place bigint, out held lease
)
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        moment timestamptz := coalesce(acquire_lease.at, clock_timestamp());
        told bigint := event_base();
        first_in_line lease_waiter;
    begin
        perform set_config('patchbay.organization', organization::text, true);
        insert into lease (organization_id, resource, fencing_token, lock_id, holder, member_id, actor, ttl_seconds, acquired_at, heartbeat_at, expires_at,
                           project_id, task_id, about, is_claim, changed)
        values (acquire_lease.organization, wanted, 1, new_lock, asker, member, handle, acquire_lease.ttl_seconds, moment, moment,
                moment + acquire_lease.ttl_seconds * interval '1 second', project, task, acquire_lease.about, claims, told)
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
                -- What has run out is in nobody's way; others wait for it.
                if held.expires_at <= moment then
                    held := null;
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
                project_id = project, task_id = task, about = acquire_lease.about, is_claim = claims, is_abandoned = false, changed = told
            where l.organization_id = acquire_lease.organization and l.resource = wanted
            returning * into held;
        end if;
        insert into event (organization_id, seq, at, event, actor, target, details)
        values (acquire_lease.organization, event_seq(), moment, 'lease.acquired', handle, wanted,
                (jsonb_build_object('resource', held.resource, 'holder', held.holder, 'lock_id', held.lock_id, 'fencing_token', held.fencing_token,
                                    'ttl_seconds', held.ttl_seconds) || held.about)::json);
    end
    $$;
