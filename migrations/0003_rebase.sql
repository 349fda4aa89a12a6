-- What a revision of a proposal was made from, and where it clashes with what others did since.
alter table proposal_revision
    -- The part of the plan that its author looked at, and, after a rebase, the patch as its author made it. Null in older
    -- revisions: then the plan at the base version is what was looked at.
    add column source json,
    add column conflicts json not null default '[]';
