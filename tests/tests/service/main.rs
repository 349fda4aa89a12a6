//! The service as others meet it: over HTTP, on a real Postgres.

mod agents;
mod audit;
mod events;
mod exchange;
mod history;
mod layering;
mod lease_model;
mod leases;
mod looked_at;
mod mirror;
mod openapi;
mod policy;
mod proposals;
mod rebase;
mod schedules;
mod several;
mod snapshots;
mod studio;
mod tenants;
mod together;
mod trust;
