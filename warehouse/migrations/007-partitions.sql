-- Tables that are partitioned by day: whose turn it is to lock them, and days on their way into a month's or year's partition.

create table landfall.partitioned_table (
  -- As `schema.table`, quoted.
  name        text primary key,
  turn_at     timestamptz,
  waits_for   text,
  waits_since timestamptz
);
comment on table landfall.partitioned_table is
  'Tables with a partition a day: what readers are spared, and what keeps old days from being put together.';
comment on column landfall.partitioned_table.turn_at is
  'When a step last got leave to make new readers of the table wait, for a fraction of a second.';
comment on column landfall.partitioned_table.waits_for is
  'Why old days could not be put together when that was last tried; null where nothing waits.';
comment on column landfall.partitioned_table.waits_since is 'Since when it has been so.';

create table landfall.period_copy (
  -- The partitioned table's oid: a table of the same name that was made anew is another one.
  parent      oid not null,
  -- `2026-03` or `2026`
  period      text not null,
  -- The partition that was copied, and what tells whether a row of it has changed since.
  partition   oid not null,
  days        date[] not null,
  rows        bigint not null,
  fingerprint numeric not null,
  primary key (parent, period, partition)
);
comment on table landfall.period_copy is
  'Partitions that were copied into the table of their month or year (landfall_staging.period_…), which is not visible yet.';
