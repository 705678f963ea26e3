-- What vendors send to the receiver, until its rows are published and for keepInbox after that.

create table landfall.inbox (
  id          bigint generated always as identity primary key,
  source      text not null references landfall.source (name),
  received_at timestamptz not null default clock_timestamp(),
  -- Which form of body it is: documents, or Elasticsearch's with action lines between them.
  form        text not null check (form in ('documents', 'bulk')),
  body        bytea not null,
  bytes       bigint not null,
  sha256      bytea not null,
  documents   integer not null,
  delivery_id text references landfall.delivery (id)
);
comment on table landfall.inbox is
  'What vendors have sent and were told 200 for: a body each. A delivery holds the rows of one or several.';
comment on column landfall.inbox.body is 'As it was sent, compressed with gzip.';
comment on column landfall.inbox.bytes is 'Of the body as it was sent, without compression.';
comment on column landfall.inbox.sha256 is 'Of the body as it was sent, without compression.';
comment on column landfall.inbox.documents is 'Lines that are neither blank nor action lines.';
comment on column landfall.inbox.delivery_id is 'The delivery that brings its rows; null while it waits for one.';
-- It is compressed already.
alter table landfall.inbox alter column body set storage external;
create index inbox_waiting on landfall.inbox (source, id) where delivery_id is null;
create index on landfall.inbox (delivery_id, id) where delivery_id is not null;
create index on landfall.inbox (source, received_at);
create index delivery_unsettled on landfall.delivery (source)
  where finality in ('waiting', 'loading', 'provisional');
create index delivery_failed on landfall.delivery (source) where finality = 'failed';
