-- What is held open to a platform, and messages that are brought to it piece by piece.

-- A connection that is held open to hear from a platform.
create table channel_line (
    organization_id uuid not null references organization,
    channel text not null,
    -- The process that holds it, while it says so; judged by this clock.
    holder uuid,
    held_until timestamptz,
    -- Where the next connection goes on, as the channel's adapter writes it.
    session json,
    primary key (organization_id, channel)
);
alter table channel_line enable row level security;
alter table channel_line force row level security;
create policy tenant on channel_line using (organization_id = current_organization());

-- What a message is being brought to show, while only some of its pages do.
alter table outbox add column part text;
-- How often the message was changed that says how far a command is; null where it is an answer.
alter table outbox add column working integer;
create unique index outbox_working on outbox (command_id) where working is not null;
-- What waits in a conversation, oldest first.
create index outbox_waiting on outbox (organization_id, channel, thread, message_id) where state = 'waiting';
