-- Steps that fail and are tried again: what went wrong, how often, and when the next attempt is.

create table landfall.trouble (
  workflow_id   text not null,
  step          text not null,
  activity_id   text not null,
  run_id        text not null,
  source        text,
  delivery_id   text,
  reason        text not null,
  attempts      integer not null,
  faults        integer not null default 0,
  refused_since timestamptz,
  since         timestamptz not null default clock_timestamp(),
  at            timestamptz not null default clock_timestamp(),
  retry_at      timestamptz,
  primary key (workflow_id, step, activity_id)
);
comment on table landfall.trouble is
  'Steps of workflows whose last attempt failed, of deliveries and others (discover, backfill, inbox, names). A row is deleted when the step succeeds.';
comment on column landfall.trouble.reason is 'The last error, how many attempts there were and when the next one is, as a sentence.';
comment on column landfall.trouble.faults is 'Attempts in a row that ended with an error that Landfall did not expect.';
comment on column landfall.trouble.refused_since is 'First of the attempts in a row that a store, database or vendor refused.';
comment on column landfall.trouble.retry_at is 'When the next attempt is; null while an attempt is under way, and when there is none any more.';
create index on landfall.trouble (delivery_id) where delivery_id is not null;

alter table landfall.delivery
  add column trouble       text,
  add column reason_before text,
  add column failure_type  text,
  add column failed_at     timestamptz,
  add column failures      integer not null default 0;
comment on column landfall.delivery.trouble is
  'What goes wrong with it now: the last error and the number of attempts, or why it could not be loaded again. Null when nothing does.';
comment on column landfall.delivery.reason_before is 'The reason that a trouble stands in for, of a delivery without visible rows.';
comment on column landfall.delivery.failure_type is 'Of the error that ended its last workflow run, such as AccessDenied; null when it did not fail.';
comment on column landfall.delivery.failures is 'How many of its workflow runs failed in a row.';
create index delivery_failure on landfall.delivery (source) where failure_type is not null;
