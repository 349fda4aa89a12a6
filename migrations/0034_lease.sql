-- Leases that are asked for at the same time are taken in one statement. Those that are in it twice, or not free, are left: whoever
-- asks for them alone learns who is in the way. They go in by name, so that two of these statements do not wait for each other
-- crosswise.
create function acquire_leases(
    organization uuid, wanted text[], locks uuid[], askers text[], members uuid[], handles text[], projects uuid[], tasks uuid[], abouts jsonb[],
    claims boolean[], ttls integer[]
) returns setof lease
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        moment timestamptz := clock_timestamp();
        told bigint := event_base();
    begin
        perform set_config('patchbay.organization', organization::text, true);
        return query
        with taken as (
            insert into lease (organization_id, resource, fencing_token, lock_id, holder, member_id, actor, ttl_seconds, acquired_at, heartbeat_at, expires_at,
                               project_id, task_id, about, is_claim, changed)
            select acquire_leases.organization, a.wanted, 1, a.lock, a.asker, a.member, a.handle, a.ttl, moment, moment, moment + a.ttl * interval '1 second',
                   a.project, a.task, a.about, a.claims, told
            from unnest(wanted, locks, askers, members, handles, projects, tasks, abouts, claims, ttls)
                as a (wanted, lock, asker, member, handle, project, task, about, claims, ttl)
            order by a.wanted
            on conflict do nothing
            returning *
        ), news as (
            insert into event (organization_id, seq, at, event, actor, target, details)
            select t.organization_id, event_seq(), moment, 'lease.acquired', t.actor, t.resource,
                   (jsonb_build_object('resource', t.resource, 'holder', t.holder, 'lock_id', t.lock_id, 'fencing_token', t.fencing_token,
                                       'ttl_seconds', t.ttl_seconds) || t.about)::json
            from taken t
        )
        select * from taken;
    end
    $$;
