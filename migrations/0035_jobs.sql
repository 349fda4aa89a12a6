-- Taking is planned once. With many jobs of other kinds a plan for the kinds at hand looks cheaper than one for any, so that it was
-- planned anew for each call, which is most of what a call then takes. And whatever the size of the table was when it was planned,
-- the rows are found by an index.
alter function take_jobs(text[], integer[], double precision[], uuid) set plan_cache_mode = force_generic_plan;
alter function take_jobs(text[], integer[], double precision[], uuid) set enable_seqscan = off;
