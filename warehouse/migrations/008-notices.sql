-- Notices stay until somebody acknowledges them; a version that has lost many rows is held for a person; final days are
-- compared with the store.

create table landfall.notice (
  id          bigint generated always as identity primary key,
  delivery_id text not null references landfall.delivery (id),
  load_id     bigint references landfall.load (id),
  at          timestamptz not null default now(),
  kind        text not null,
  text        text not null,
  acknowledged_at     timestamptz,
  acknowledged_by     text,
  acknowledged_reason text
);
comment on table landfall.notice is
  'What people should know of a delivery''s versions, one row a notice. `landfall status` shows those that nobody has acknowledged.';
comment on column landfall.notice.load_id is 'The version that it is about.';
comment on column landfall.notice.kind is
  'version: what the vendor''s rule says of it, such as a final day that changed; removed: rows of the version before are missing; unreadable: files were left out; gone: the files are no longer in the store.';
comment on column landfall.notice.acknowledged_by is 'The account of who typed `landfall acknowledge`.';
-- The same notice is written once, however often the version is published.
create unique index notice_once on landfall.notice (delivery_id, kind, hashtextextended(text, 0));
create index notice_open on landfall.notice (delivery_id) where acknowledged_at is null;

insert into landfall.notice (delivery_id, load_id, at, kind, text)
select d.id, l.id, coalesce(l.ended_at, d.since), 'version', d.notice
from landfall.delivery d left join landfall.load l on l.delivery_id = d.id and l.state = 'published'
where d.notice is not null;

alter table landfall.load
  add column held_at         timestamptz,
  add column held_reason     text,
  add column held_finality   text,
  add column accepted_at     timestamptz,
  add column accepted_reason text;
comment on column landfall.load.held_at is
  'Since when the load waits for a person, or waited: it has far fewer rows than the version that readers see.';
comment on column landfall.load.held_reason is 'Why it was held, with the rows before and after.';
comment on column landfall.load.held_finality is 'What the delivery becomes when it is published after all.';
comment on column landfall.load.accepted_at is 'When a person accepted the load that was held.';

alter table landfall.delivery
  add column held       text,
  add column audited_at timestamptz;
comment on column landfall.delivery.held is
  'Why a version of it is held for a person to accept; null where none is. Readers see the version before.';
comment on column landfall.delivery.audited_at is 'When its files were last compared with the store, once it was final.';
