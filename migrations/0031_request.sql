-- A message's name that comes again is the same message only where all of it is the same.

-- A digest of the message as it was sent; null where the name says enough: of platforms, schedules and triggers, and of the releases before.
alter table command add column request_hash bytea;
