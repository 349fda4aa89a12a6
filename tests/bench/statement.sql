-- What an apply of six creates writes, as one statement: the floor that `apply` is compared with.
with head as (
    update patchbay.project set version = version + 1, next_task = next_task + 6, updated_at = now() where project_id = (select project_id from bench where client = :client_id) returning *
),
made as (
    insert into patchbay.task (organization_id, project_id, task_id, number, rank, title, status, priority, due_on, detail, updated_at)
    select h.organization_id, h.project_id, gen_random_uuid(), h.next_task - n, int4send(h.next_task - n), 'Write the part of the new sign-in flow', 'todo', 1, '2026-12-01',
           '{"labels": ["web", "sign-in"], "description": "It works without JavaScript.", "estimate_minutes": 180, "acceptance_criteria": [{"id": "c1", "text": "A person outside of the team has done it alone", "done": false}, {"id": "c2", "text": "Errors are told at their field", "done": false}]}', now()
    from head h, generate_series(1, 6) n
),
recorded as (
    insert into patchbay.revision (organization_id, project_id, number, patch, inverse, digest, member_id, actor, origin, at)
    select h.organization_id, h.project_id, h.version, (select patch from bench_patch), '{"tasks": []}', sha256(h.version::text::bytea), (select member_id from bench_patch), 'owner', 'key', now() from head h
),
told as (
    insert into patchbay.event (organization_id, seq, at, event, actor, target, details)
    select h.organization_id, patchbay.event_seq(), now(), 'project.changed', 'owner', h.key, '{"operations": 6}'
    from head h
)
insert into patchbay.audit (organization_id, audit_id, at, member_id, actor, action, target, details)
select h.organization_id, gen_random_uuid(), now(), (select member_id from bench_patch), 'owner', 'project.changed', h.key, '{"operations": 6}' from head h;
