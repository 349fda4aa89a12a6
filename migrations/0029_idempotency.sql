-- What a key's request did is known also where its process died before it answered: each transaction of the request marks the key
-- before anything else, and is committed with the mark or not at all.

-- Whether something was committed under the key. Unknown of requests of the release before, which does not mark.
alter table idempotency add column has_effect boolean;
-- Grows when a request is taken up again whose process died. What comes too late is refused by it.
alter table idempotency add column attempt integer not null default 1;
-- Until when the request counts as being worked on.
alter table idempotency add column claimed_until timestamptz not null default now() + interval '2 minutes';

-- Marks a key in a transaction of its request, which ends here where another attempt has taken the request over.
create function mark_key(owner uuid, used text, made_by integer) returns void
    language plpgsql volatile
    as $$
    begin
        update idempotency set has_effect = true where member_id = owner and key = used and attempt = made_by and status is null;
        if not found then
            raise exception 'another attempt works on the request' using errcode = 'PB001';
        end if;
    end
    $$;
