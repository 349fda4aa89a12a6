insert into event (organization_id, seq, at, event, actor, target, details)
values ('01980000-0000-7000-8000-000000000001', 5, now(), 'project.created', 'ana', 'old', '{}'),
       ('01980000-0000-7000-8000-000000000001', event_base(), now(), 'project.changed', 'ana', 'newer', '{"operations": 1}');
insert into audit (organization_id, audit_id, at, member_id, actor, action, target, details)
values ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000009', now(), '01980000-0000-7000-8000-000000000002', 'ana', 'project.changed', 'two', '{}'),
       ('01980000-0000-7000-8000-000000000001', '01980000-0000-7000-8000-000000000008', now(), null, 'ana', 'project.created', 'one', '{"operations": 1}');
