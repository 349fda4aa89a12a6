-- A lease's row and nothing else: the floor that leases are compared with.
insert into patchbay.lease (organization_id, resource, fencing_token, lock_id, holder, member_id, actor, ttl_seconds, acquired_at, heartbeat_at, expires_at, changed)
select organization, 'floor-' || gen_random_uuid(), 1, gen_random_uuid(), 'bench', gen_random_uuid(), 'owner', 600, now(), now(), now() + interval '600 seconds', 0
from patchbay.installation limit 1;
