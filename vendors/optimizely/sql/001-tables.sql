-- The two tables of a source, created once in the source's schema (search_path names it).
-- Every vendor column is nullable: the vendor's Parquet files declare all of them optional, and since 2023-10-09
-- decisions come without session_id, conversions without session_id and experiments.
-- No index beside the primary key: each one slows the load. See docs/optimizely.md for those that a dashboard may want.

create table decision (
  uuid              text not null,
  timestamp         timestamptz,
  process_timestamp timestamptz,
  visitor_id        text,
  session_id        text,
  account_id        text,
  campaign_id       text,
  experiment_id     text,
  variation_id      text,
  attributes        jsonb,
  user_ip           text,
  user_agent        text,
  referer           text,
  is_holdback       boolean,
  revision          text,
  client_engine     text,
  client_version    text,
  export_date       date not null,
  partition_value   text,
  _file_id          bigint not null,
  _line             bigint not null,
  _extra            jsonb,
  primary key (export_date, uuid)
) partition by list (export_date);

comment on table decision is
  'Optimizely decisions (impressions): a visitor was bucketed into a variation of an experiment. One partition per export day, replaced whole.';
comment on column decision.uuid is 'Event id made by the client; unique within an export day.';
comment on column decision.timestamp is 'When it happened, by the client''s clock, UTC. Results go by this one; it may be late or in the future.';
comment on column decision.process_timestamp is 'When Optimizely''s server processed it, UTC. The export day goes by this one.';
comment on column decision.visitor_id is 'Visitor, as identified by the client.';
comment on column decision.session_id is 'Session, made by Optimizely''s server. Null since 2023-10-09.';
comment on column decision.account_id is 'Optimizely account.';
comment on column decision.campaign_id is 'Campaign (layer) that holds the experiment.';
comment on column decision.experiment_id is 'Experiment.';
comment on column decision.variation_id is 'Variation that the visitor was bucketed into.';
comment on column decision.attributes is 'Visitor attributes (segments): array of {id, name, type, value}; id or name may be null.';
comment on column decision.user_ip is 'IP address of the visitor, as exported.';
comment on column decision.user_agent is 'User agent of the visitor''s browser or SDK.';
comment on column decision.referer is 'Page that the event was sent from.';
comment on column decision.is_holdback is 'Whether the visitor is held back from the experiment; the metrics count only false.';
comment on column decision.revision is 'Revision of the client''s snippet or datafile.';
comment on column decision.client_engine is 'Client that sent it, e.g. js or node-sdk.';
comment on column decision.client_version is 'Version of that client.';
comment on column decision.export_date is 'Day folder of the export (UTC) that the row came in: the delivery''s date.';
comment on column decision.partition_value is 'Value of the export''s experiment= folder, unescaped; null where there is no such folder.';
comment on column decision._file_id is 'landfall.file.id of the file that the row came from.';
comment on column decision._line is 'Row number within that file, from 1.';
comment on column decision._extra is 'Fields of the file that this table has no column for; null when there are none.';

create table conversion (
  uuid              text not null,
  timestamp         timestamptz,
  process_timestamp timestamptz,
  visitor_id        text,
  session_id        text,
  account_id        text,
  experiments       jsonb,
  entity_id         text,
  attributes        jsonb,
  user_ip           text,
  user_agent        text,
  referer           text,
  event_type        text,
  event_name        text,
  revenue           bigint,
  value             double precision,
  quantity          bigint,
  tags              jsonb,
  revision          text,
  client_engine     text,
  client_version    text,
  export_date       date not null,
  partition_value   text,
  _file_id          bigint not null,
  _line             bigint not null,
  _extra            jsonb,
  primary key (export_date, uuid)
) partition by list (export_date);

comment on table conversion is
  'Optimizely conversions (events): whatever a visitor did that is counted, e.g. a click or a purchase. One partition per export day, replaced whole.';
comment on column conversion.uuid is 'Event id made by the client; unique within an export day.';
comment on column conversion.timestamp is 'When it happened, by the client''s clock, UTC. Results go by this one; it may be late or in the future.';
comment on column conversion.process_timestamp is 'When Optimizely''s server processed it, UTC. The export day goes by this one.';
comment on column conversion.visitor_id is 'Visitor, as identified by the client.';
comment on column conversion.session_id is 'Session, made by Optimizely''s server: a signed decimal number as text. Null since 2023-10-09.';
comment on column conversion.account_id is 'Optimizely account.';
comment on column conversion.experiments is 'What the event is attributed to: array of {campaign_id, experiment_id, variation_id, is_holdback}. Empty or null since 2023-10-09.';
comment on column conversion.entity_id is 'Event (entity) identifier, the id that metrics are made for.';
comment on column conversion.attributes is 'Visitor attributes (segments): array of {id, name, type, value}; id or name may be null.';
comment on column conversion.user_ip is 'IP address of the visitor, as exported.';
comment on column conversion.user_agent is 'User agent of the visitor''s browser or SDK.';
comment on column conversion.referer is 'Page that the event was sent from.';
comment on column conversion.event_type is 'click, pageview or custom; often null.';
comment on column conversion.event_name is 'Event name given by the client.';
comment on column conversion.revenue is 'Revenue in cents; 0 or null when there is none.';
comment on column conversion.value is 'Value for numeric metrics, in the unit of the event''s sender; null when there is none.';
comment on column conversion.quantity is 'Quantity; 0 or null when there is none.';
comment on column conversion.tags is 'Event tags: object of text by key, revenue and value among them when they were sent.';
comment on column conversion.revision is 'Revision of the client''s snippet or datafile.';
comment on column conversion.client_engine is 'Client that sent it, e.g. js or node-sdk.';
comment on column conversion.client_version is 'Version of that client.';
comment on column conversion.export_date is 'Day folder of the export (UTC) that the row came in: the delivery''s date.';
comment on column conversion.partition_value is 'Value of the export''s event= folder, unescaped; null where there is no such folder.';
comment on column conversion._file_id is 'landfall.file.id of the file that the row came from.';
comment on column conversion._line is 'Row number within that file, from 1.';
comment on column conversion._extra is 'Fields of the file that this table has no column for; null when there are none.';
