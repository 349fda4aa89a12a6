-- What came with a message beside its words: who was told what of it, and where its bytes are.
create table received_file (
    organization_id uuid not null references organization,
    received_file_id uuid primary key,
    -- The message that it came with.
    command_id uuid not null references command,
    name text not null,
    -- As its sender says; nobody believes it.
    media_type text not null,
    size_bytes bigint not null,
    -- The name of its bytes in the object store; null where they are not kept.
    file text,
    -- Why they are not, for people.
    problem text,
    created_at timestamptz not null,
    check ((file is null) <> (problem is null))
);
create index received_file_command on received_file (command_id);
create index received_file_kept on received_file (organization_id, file) where file is not null;

alter table received_file enable row level security;
alter table received_file force row level security;
create policy tenant on received_file using (organization_id = current_organization());
