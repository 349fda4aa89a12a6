-- What jobs made to be chosen from, and the documents that are made of what was chosen.
create table variant (
    organization_id uuid not null references organization,
    variant_id uuid primary key,
    job_id uuid not null,
    -- Which of the job's variants, from 1.
    number smallint not null,
    title text not null,
    -- Markdown; of an image, what was to be seen.
    content text not null,
    -- The name of its bytes in the object store, where it is more than text.
    file text,
    media_type text not null,
    -- What made it, for people.
    made_by text not null,
    actor text not null,
    version integer not null default 1,
    -- What became of it, once it was accepted.
    document_id uuid,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (job_id, number)
);
create index variant_age on variant (updated_at) where document_id is null;

create table document (
    organization_id uuid not null references organization,
    document_id uuid primary key,
    title text not null,
    content text not null,
    file text,
    media_type text not null,
    state text not null check (state in ('draft', 'review', 'approved', 'published')),
    version integer not null default 1,
    variant_id uuid,
    -- Days after its last change at which it is dropped; null for never.
    keep_days integer,
    actor text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    -- Words as they are written: documents are in any language.
    search tsvector generated always as (setweight(to_tsvector('simple', title), 'A') || to_tsvector('simple', left(content, 200000))) stored
);
create index document_newest on document (organization_id, document_id);
create index document_search on document using gin (search);

create table document_version (
    organization_id uuid not null,
    document_id uuid not null references document on delete cascade,
    version integer not null,
    title text not null,
    content text not null,
    file text,
    media_type text not null,
    actor text not null,
    at timestamptz not null,
    primary key (document_id, version)
);

create table attachment (
    organization_id uuid not null,
    attachment_id uuid primary key,
    document_id uuid not null references document on delete cascade,
    name text not null,
    media_type text not null,
    file text not null,
    size_bytes bigint not null,
    -- The one that stands for the document where there is room for one.
    is_primary boolean not null,
    position integer not null,
    actor text not null,
    created_at timestamptz not null
);
create index attachment_document on attachment (document_id, position);
create unique index attachment_primary on attachment (document_id) where is_primary;

-- Files that were written for somebody to fetch.
create table export_file (
    organization_id uuid not null references organization,
    export_id uuid primary key,
    name text not null,
    media_type text not null,
    file text not null,
    size_bytes bigint not null,
    actor text not null,
    created_at timestamptz not null
);
create index export_file_age on export_file (created_at);

do $$
declare
    name text;
begin
    foreach name in array array['variant', 'document', 'document_version', 'attachment', 'export_file']
    loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy tenant on %I using (organization_id = current_organization())', name);
    end loop;
end
$$;
