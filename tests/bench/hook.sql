-- What a delivery writes, as one statement: the row that knows it when it comes again, and its job. The floor that `hooks` is compared with.
with stored as (
    insert into patchbay.webhook_delivery (organization_id, delivery_id, source_id, key, headers, body, received_at, outcome)
    select organization_id, gen_random_uuid(), source_id, gen_random_uuid()::text, headers, body, now(), 'waiting' from public.bench_hook
    on conflict (source_id, key) do nothing
    returning organization_id, delivery_id
)
insert into patchbay.job (organization_id, job_id, kind, payload, state, run_at, max_attempts, actor, created_at)
select organization_id, delivery_id, 'bench', json_build_object('delivery', delivery_id), 'waiting', now(), 10, 'patchbay', now() from stored;
