-- Who hears of what: what members were told or are to be told, and how each wants it.

create table notification (
    organization_id uuid not null references organization,
    notification_id uuid primary key,
    member_id uuid not null references member,
    kind text not null check (kind in ('review', 'mentioned', 'assigned', 'decided', 'due', 'failed', 'subscribed')),
    -- What it follows from: an event, a task on its day. Nobody hears twice of the same.
    cause text not null,
    -- Whose doing it was; null where it was nobody's.
    actor text,
    -- What happened, with the target behind it: `@ana asks you to review`.
    words text not null,
    -- `#12`, `WEB-7`
    target text not null,
    title text not null,
    -- Where the console shows it.
    path text not null,
    project text,
    proposal integer,
    at timestamptz not null,
    -- When it is to be sent, for which quiet hours and digests wait.
    send_at timestamptz not null,
    sent_at timestamptz,
    read_at timestamptz,
    unique (organization_id, member_id, cause)
);
create index notification_member on notification (member_id, notification_id);
create index notification_unread on notification (member_id) where read_at is null;
create index notification_unsent on notification (organization_id, send_at) where sent_at is null;
create index notification_proposal on notification (organization_id, proposal) where proposal is not null and read_at is null;
create index notification_age on notification (at);

-- Where there is no row or no preferences, a member has it as it comes.
create table notify_member (
    organization_id uuid not null references organization,
    member_id uuid primary key references member,
    preferences json,
    -- The last day on which the member was told what is due.
    due_told_on date
);

do $$
declare
    name text;
begin
    foreach name in array array['notification', 'notify_member'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
    end loop;
end
$$;
