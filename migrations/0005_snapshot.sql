-- Plans of some versions, so that old ones are read without going through all that happened since.
--
-- They are derived: whoever deletes them loses time and nothing else. They are written beside the changes, never by them.
create table plan_snapshot (
    organization_id uuid not null,
    project_id uuid not null,
    version integer not null check (version > 0),
    -- The project's own fields and all of its tasks.
    plan json not null,
    at timestamptz not null,
    primary key (project_id, version)
);
alter table plan_snapshot enable row level security;
alter table plan_snapshot force row level security;
create policy tenant on plan_snapshot using (organization_id = current_organization());
