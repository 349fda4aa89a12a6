-- When the people who may decide were last reminded of an open proposal.
alter table proposal add column reminded_at timestamptz;
create index proposal_open on proposal (organization_id, number) where state = 'open';
