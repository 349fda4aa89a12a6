-- One of each that the migrations after this one touch.
insert into organization (organization_id, name) values ('01980000-0000-7000-8000-000000000001', 'Acme');
insert into member (organization_id, member_id, handle, name, role)
values ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000002', 'ana', 'Ana', 'owner');
insert into project (organization_id, project_id, key, title, version, process, process_version, next_task, digest, created_at, updated_at)
values ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000003', 'WEB', 'Website', 2, 'simple', 1, 3, '\x00', now(), now());
insert into task (organization_id, project_id, task_id, number, parent_id, rank, title, status, detail, updated_at)
values ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000003', '01980000-0000-7000-8000-000000000004', 1, null, '\x8000', 'One', 'todo', '{}', now()),
       ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000003', '01980000-0000-7000-8000-000000000005', 2, '01980000-0000-7000-8000-000000000004', '\x8000', 'Two', 'done', '{"labels": ["web"]}', now());
insert into revision (organization_id, project_id, number, patch, inverse, digest, member_id, actor, origin, at)
values ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000003', 1, '{"tasks": []}', '{"tasks": []}', '\x00', '01980000-0000-7000-8000-000000000002', 'ana', 'form', now());
insert into proposal (organization_id, proposal_id, number, project_id, state, base_version, revision, title, member_id, author, origin, trust, created_at, updated_at)
values ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000006', 1, '01980000-0000-7000-8000-000000000003', 'open', 2, 1, 'Changes', '01980000-0000-7000-8000-000000000002', 'ana', 'web', 'verified', now(), now());
insert into proposal_revision (organization_id, proposal_id, revision, patch, diff, digest, author, at)
values ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000006', 1, '{"tasks": []}', '{}', '\x00', 'ana', now());
insert into decision (organization_id, decision_id, proposal_id, revision, digest, member_id, actor, verdict, at)
values ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000007', '01980000-0000-7000-8000-000000000006', 1, '\x00', '01980000-0000-7000-8000-000000000002', 'ana', 'reject', now());
