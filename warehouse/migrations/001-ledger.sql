-- The ledger: what was loaded from where, and how final it is.

create schema landfall_staging;
comment on schema landfall_staging is 'Landfall: tables being filled, invisible to readers of the sources.';

create table landfall.source (
  name        text primary key,
  vendor      text not null,
  schema_name text not null unique,
  created_at  timestamptz not null default now(),
  mask_digest     text,
  mask_changed_at timestamptz
);
comment on table landfall.source is 'Configured feeds. A schema belongs to one source.';
comment on column landfall.source.mask_digest is
  'Of the rules by which its rows are masked, and of the key; null before anything is loaded.';
comment on column landfall.source.mask_changed_at is
  'When rows were first loaded by these rules; what was published earlier was masked by others. Null where there were none.';

create table landfall.delivery (
  id            text primary key,
  source        text not null references landfall.source (name),
  type          text not null,
  date          date not null,
  finality      text not null check (finality in
                  ('waiting', 'loading', 'provisional', 'final', 'discarded', 'skipped', 'failed')),
  since         timestamptz not null,
  reason        text,
  notice        text,
  by_rule       boolean not null default false,
  paused        boolean not null default false,
  export_job    text,
  deadline      timestamptz,
  published_at  timestamptz,
  created_at    timestamptz not null default now()
);
comment on table landfall.delivery is
  'Finality of every delivery and since when, so that a dashboard can show only what is final.';
comment on column landfall.delivery.reason is 'Why it came to this finality, as a sentence.';
comment on column landfall.delivery.notice is
  'What people should know of the visible rows: a final day changed, a version has fewer rows than the one before.';
comment on column landfall.delivery.by_rule is
  'It came to this finality by its vendor''s rule, and not because a person said so.';
comment on column landfall.delivery.export_job is
  'The export that somebody asked the vendor for, and whose results are its files; null where they lie in the store.';
comment on column landfall.delivery.deadline is 'When waiting for the marker ends.';
comment on column landfall.delivery.published_at is 'When its visible rows were published; null when it has none.';
create index on landfall.delivery (source, date desc);

create table landfall.delivery_event (
  id          bigint generated always as identity primary key,
  delivery_id text not null references landfall.delivery (id),
  at          timestamptz not null default now(),
  kind        text not null,
  finality    text not null,
  reason      text,
  -- Written once even when the step that writes it runs twice.
  request     text,
  unique (delivery_id, request)
);
comment on table landfall.delivery_event is
  'History of a delivery: every change of finality and everything that people asked for, with their reasons.';

create table landfall.file (
  id          bigint generated always as identity primary key,
  source      text not null references landfall.source (name),
  key         text not null,
  version     text not null,
  size        bigint not null,
  modified_at timestamptz not null,
  first_seen  timestamptz not null default now(),
  unique (source, key, version)
);
comment on table landfall.file is 'Files by key and content version: a rewritten key is another file.';

create table landfall.deleted_file (
  delivery_id text not null references landfall.delivery (id),
  file_id     bigint not null references landfall.file (id),
  listed_at   timestamptz not null default now(),
  deleted_at  timestamptz,
  primary key (delivery_id, file_id)
);
comment on table landfall.deleted_file is
  'Files of discarded deliveries that were deleted from the store: listed here first.';
comment on column landfall.deleted_file.deleted_at is 'Null while it is about to be deleted.';

create table landfall.load (
  id            bigint generated always as identity primary key,
  delivery_id   text not null references landfall.delivery (id),
  -- Which step of which workflow run asked for it: planning twice finds the same load.
  request       text not null,
  -- What a delivery version consists of: a digest of its files' keys and versions.
  fingerprint   text not null,
  state         text not null check (state in ('staging', 'published', 'replaced', 'abandoned', 'rejected', 'discarded')),
  marker_key    text,
  marker_version text,
  files         integer not null default 0,
  kept          integer not null default 0,
  batches       integer not null default 0,
  bytes         bigint not null default 0,
  rows_parsed      bigint not null default 0,
  rows_loaded      bigint not null default 0,
  rows_quarantined bigint not null default 0,
  rows_duplicate   bigint not null default 0,
  reason        text,
  notice        text,
  started_at    timestamptz not null default now(),
  ended_at      timestamptz,
  unique (delivery_id, request),
  check (state <> 'published' or rows_parsed = rows_loaded + rows_quarantined + rows_duplicate)
);
comment on table landfall.load is 'Attempts to bring one version of a delivery in.';
comment on column landfall.load.rows_loaded is 'Rows visible to readers once published; parsed = loaded + quarantined + duplicate.';
comment on column landfall.load.kept is
  'Of its files, those that were visible already and were not staged again; only where files come one by one.';
-- The guard of exactly once, checked inside the publishing transaction: one visible version of a delivery,
-- and one load being staged.
create unique index load_published on landfall.load (delivery_id) where state = 'published';
create unique index load_staging on landfall.load (delivery_id) where state = 'staging';

create table landfall.load_file (
  load_id   bigint not null references landfall.load (id) on delete cascade,
  file_id   bigint not null references landfall.file (id),
  batch     integer,
  partition_value text,
  staged_at timestamptz,
  unreadable text,
  rows_parsed      bigint,
  rows_loaded      bigint,
  rows_quarantined bigint,
  rows_duplicate   bigint,
  -- By table, where a file fills several.
  rows_by_table    jsonb,
  first_error      text,
  first_error_line bigint,
  primary key (load_id, file_id),
  check (staged_at is null or rows_parsed = rows_loaded + rows_quarantined + rows_duplicate)
);
comment on table landfall.load_file is
  'Per file of a load: parsed = loaded + quarantined + duplicate. Where files come one by one, those that a load keeps go over to it.';
comment on column landfall.load_file.batch is 'The step that stages it; null where an earlier load has.';
comment on column landfall.load_file.unreadable is
  'Why the file cannot be read and was left out, without rows; null where it was read.';
comment on column landfall.load_file.rows_by_table is 'Rows staged by table: what a file holds may fill several.';
create index on landfall.load_file (load_id, batch);
create index on landfall.load_file (file_id);
create index on landfall.load_file (load_id) where unreadable is not null;

create table landfall.quarantine (
  load_id     bigint not null references landfall.load (id) on delete cascade,
  file_id     bigint not null references landfall.file (id),
  line        bigint not null,
  reason      text not null,
  raw         text not null,
  created_at  timestamptz not null default now(),
  primary key (load_id, file_id, line)
);
comment on table landfall.quarantine is
  'Rows that could not be typed, with file, line and reason. Mend the cause, then reprocess the delivery.';
comment on column landfall.quarantine.raw is 'The row as it came (JSON of its columns where the file is not text).';
