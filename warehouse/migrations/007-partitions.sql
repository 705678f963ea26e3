-- Tables that are partitioned by day: whose turn it is to lock them, and days on their way into a month's partition.

create table landfall.partitioned_table (
  -- As `schema.table`, quoted where that is needed.
  name        text primary key,
  turn_at     timestamptz,
  waits_for   text,
  waits_since timestamptz
);
comment on table landfall.partitioned_table is
  'Tables with a partition a day: what readers are spared, and what keeps old days from becoming months.';
comment on column landfall.partitioned_table.turn_at is
  'When a step last got leave to make new readers of the table wait, for a fraction of a second.';
comment on column landfall.partitioned_table.waits_for is
  'Why the days of an old month could not be put together when that was last tried; null where nothing waits.';
comment on column landfall.partitioned_table.waits_since is 'Since when it has been so.';

create table landfall.month_copy (
  -- The partitioned table's oid: a table of the same name that was made anew is another one.
  parent      oid not null,
  day         date not null,
  -- The day's partition, and what tells whether a row of it has changed since.
  partition   oid not null,
  rows        bigint not null,
  fingerprint numeric not null,
  primary key (parent, day)
);
comment on table landfall.month_copy is
  'Days that were copied into the table of their month (landfall_staging.month_…), which is not visible yet.';
