-- Copies of one key in several deliveries: which is the newest, and what became of the others.

create schema landfall_superseded;
comment on schema landfall_superseded is
  'Landfall: copies of rows that readers do not see, since there is a newer one of the same key. One that is removed brings the next back.';

alter table landfall.load
  add column rows_superseded  bigint not null default 0,
  add column rows_conflicting bigint not null default 0,
  drop constraint load_check,
  add constraint load_check check (
    state <> 'published'
    or rows_parsed = rows_loaded + rows_quarantined + rows_duplicate + rows_conflicting + rows_superseded
  );
comment on column landfall.load.rows_loaded is
  'Rows visible to readers; parsed = loaded + quarantined + duplicate + conflicting + superseded.';
comment on column landfall.load.rows_superseded is
  'Rows that readers do not see, since another delivery has a newer copy; landfall.superseded says which. They come back when that one leaves.';
comment on column landfall.load.rows_conflicting is
  'Rows that contradict others of the delivery and lost: same key, other content. They are in landfall.quarantine.';

alter table landfall.load_file
  add column newness text collate "C",
  add column rows_superseded  bigint not null default 0,
  add column rows_conflicting bigint not null default 0,
  drop constraint load_file_check,
  add constraint load_file_check check (
    staged_at is null
    or rows_parsed = rows_loaded + rows_quarantined + rows_duplicate + rows_conflicting + rows_superseded
  );
comment on table landfall.load_file is
  'Per file of a load: parsed = loaded + quarantined + duplicate + conflicting + superseded. Where files come one by one, those that a load keeps go over to it.';
comment on column landfall.load_file.newness is
  'By which copies of one key are compared, byte by byte: the later stands. Each vendor''s guide says what it is made of.';

create table landfall.superseded (
  file_id        bigint not null references landfall.file (id),
  by_delivery_id text not null references landfall.delivery (id),
  rows           bigint not null,
  primary key (file_id, by_delivery_id)
);
comment on table landfall.superseded is
  'How many rows of a file readers do not see, since another delivery has newer copies of them, and which.';
create index on landfall.superseded (by_delivery_id);

comment on table landfall.quarantine is
  'Rows that could not be typed, or that contradict others and lost, with file, line and reason. Mend the cause, then reprocess the delivery.';
