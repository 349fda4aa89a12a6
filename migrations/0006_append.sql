-- The shortest way for the commonest change, tasks added at the end: one statement and one round trip.
--
-- Both functions enter the organisation themselves, for the transaction that their call is.

-- A project, by id or else by key, and its last root task. What is appended by it is only written if nothing came between.
create function read_head(organization uuid, wanted_id uuid, wanted_key text, out head project, out last_id uuid, out last_number integer, out last_rank bytea)
    language plpgsql volatile
    as $$
    begin
        perform set_config('patchbay.organization', organization::text, true);
        if wanted_id is null then
            select * into head from project p where p.key = wanted_key and p.deleted_at is null;
        else
            select * into head from project p where p.project_id = wanted_id and p.deleted_at is null;
        end if;
        select t.task_id, t.number, t.rank into last_id, last_number, last_rank
        from task t where t.below_id = head.project_id order by t.rank desc limit 1;
    end
    $$;

-- Writes a change that only adds tasks: false, and nothing written, where the project is not at the version before.
create function append_tasks(
    organization uuid, project uuid, project_key text, new_version integer, new_next_task integer, new_digest bytea, now timestamptz,
    patch text, inverse text, member uuid, actor text, origin text, details jsonb, audit uuid,
    ids uuid[], numbers integer[], parents uuid[], ranks bytea[], titles text[], statuses text[], priorities smallint[], assignees text[], dues date[],
    task_details jsonb[]
) returns boolean
    language plpgsql volatile
    as $$
    #variable_conflict use_column
    begin
        perform set_config('patchbay.organization', organization::text, true);
        update project p set version = new_version, next_task = new_next_task, digest = new_digest, updated_at = now
        where p.project_id = append_tasks.project and p.version = new_version - 1 and p.deleted_at is null;
        if not found then
            return false;
        end if;
        insert into task (organization_id, project_id, task_id, number, parent_id, rank, title, status, priority, assignee, due_on, detail, updated_at)
        select append_tasks.organization, append_tasks.project, u.*, append_tasks.now
        from unnest(ids, numbers, parents, ranks, titles, statuses, priorities, assignees, dues, task_details) u;
        insert into revision (organization_id, project_id, number, patch, inverse, digest, member_id, actor, origin, at)
        values (append_tasks.organization, append_tasks.project, new_version, append_tasks.patch::json, append_tasks.inverse::json, new_digest,
                append_tasks.member, append_tasks.actor, append_tasks.origin, append_tasks.now);
        insert into event (organization_id, seq, at, event, actor, target, details)
        values (append_tasks.organization, event_base(), append_tasks.now, 'project.changed', append_tasks.actor, project_key, append_tasks.details::json);
        insert into audit (organization_id, audit_id, at, member_id, actor, action, target, details)
        values (append_tasks.organization, append_tasks.audit, append_tasks.now, append_tasks.member, append_tasks.actor, 'project.changed', project_key, append_tasks.details::json);
        return true;
    end
    $$;
