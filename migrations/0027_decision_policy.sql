-- Which version of the organisation's policy a decision was judged by; 0 is the built-in one. Unknown of decisions made before this.
create function active_policy() returns integer
    language sql stable
    return (select coalesce(max(version), 0) from policy);

alter table decision add policy_version integer;
alter table decision alter policy_version set default active_policy();
