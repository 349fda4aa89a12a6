-- The shortest way takes several changes at once: those that wait for one project are one statement and one wait for the disk.
-- append_tasks stays for the release before.

-- Writes changes that only add tasks, one after the other: false, and nothing written, where the project is not at the version
-- that the first was made for. `owners` says of each task which change it comes from, from 1.
create function append_changes(
    organization uuid, project uuid, project_key text, base integer, new_next_task integer,
    digests bytea[], times timestamptz[], patches text[], inverses text[], members uuid[], actors text[], origins text[], details text[], audits uuid[],
    owners integer[], ids uuid[], numbers integer[], parents uuid[], ranks bytea[], titles text[], statuses text[], priorities smallint[], assignees text[],
    dues date[], task_details jsonb[]
) returns boolean
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    declare
        count constant integer := cardinality(digests);
        first_seq bigint;
    begin
        perform set_config('patchbay.organization', organization::text, true);
        update project p set version = base + count, next_task = new_next_task, digest = digests[count], updated_at = times[count]
        where p.project_id = append_changes.project and p.version = base and p.deleted_at is null;
        if not found then
            return false;
        end if;
        insert into task (organization_id, project_id, updated_at, task_id, number, parent_id, rank, title, status, priority, assignee, due_on, detail)
        select append_changes.organization, append_changes.project, times[u.owner],
               u.id, u.number, u.parent, u.rank, u.title, u.status, u.priority, u.assignee, u.due, u.detail
        from unnest(owners, ids, numbers, parents, ranks, titles, statuses, priorities, assignees, dues, task_details)
             as u (owner, id, number, parent, rank, title, status, priority, assignee, due, detail);
        first_seq := event_base();
        for n in 1 .. count loop
            insert into revision (organization_id, project_id, number, patch, inverse, digest, member_id, actor, origin, at)
            values (append_changes.organization, append_changes.project, base + n, patches[n]::json, inverses[n]::json, digests[n], members[n], actors[n], origins[n], times[n]);
            insert into event (organization_id, seq, at, event, actor, target, details)
            values (append_changes.organization, first_seq + n - 1, times[n], 'project.changed', actors[n], project_key, append_changes.details[n]::json);
            insert into audit (organization_id, audit_id, at, member_id, actor, action, target, details)
            values (append_changes.organization, audits[n], times[n], members[n], actors[n], 'project.changed', project_key, append_changes.details[n]::json);
        end loop;
        return true;
    end
    $$;
