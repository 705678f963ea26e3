-- The three tables of a source, created once in the source's schema (search_path names it).
-- Every vendor column but id is nullable: the vendor does not say which fields are always there.
-- No index beside the primary key: each one slows the load, which comes every hour.

create table metric (
  id                    text not null,
  created_at            timestamptz,
  podcast_id            text,
  episode_id            text,
  country               text,
  region                text,
  city                  text,
  dma_name              text,
  ip                    text,
  user_agent            text,
  normalized_user_agent text,
  source                bigint,
  filesize              bigint,
  bytes_sent            bigint,
  seconds_downloaded    bigint,
  duration              double precision,
  blacklisted_ip        boolean,
  blacklisted_ua        boolean,
  export_date           date not null,
  _file_id              bigint not null,
  _line                 bigint not null,
  _extra                jsonb,
  primary key (export_date, id)
) partition by list (export_date);

comment on table metric is
  'Megaphone metrics: downloads of episodes as the vendor recorded them, of any length, from anyone. reported_metric holds those that count. One partition per export day, replaced whole whenever the vendor writes the day anew.';
comment on column metric.id is 'Metric. Keeps its id when the vendor writes the day anew; unique within an export day.';
comment on column metric.created_at is 'When it came into being, UTC. The export day goes by UTC too.';
comment on column metric.podcast_id is 'Podcast, as in Megaphone.';
comment on column metric.episode_id is 'Episode, as in Megaphone.';
comment on column metric.country is 'Country of the listener, e.g. US.';
comment on column metric.region is 'Region within the country, e.g. TX.';
comment on column metric.city is 'City, e.g. Dallas.';
comment on column metric.dma_name is 'Designated market area (US), e.g. Dallas-Ft. Worth, TX.';
comment on column metric.ip is 'Hash of the IP address, 32 hex digits; no address.';
comment on column metric.user_agent is 'User agent of the player, as sent.';
comment on column metric.normalized_user_agent is 'The vendor''s name for that player, e.g. Apple Podcasts.';
comment on column metric.source is 'A number, 0 in known rows; what it means is not published.';
comment on column metric.filesize is 'Size of the audio file, in bytes.';
comment on column metric.bytes_sent is 'Bytes that were sent; may be more than filesize.';
comment on column metric.seconds_downloaded is 'Seconds of audio that were downloaded; may be more than duration. The vendor reports 60 and more.';
comment on column metric.duration is 'Length of the episode, in seconds.';
comment on column metric.blacklisted_ip is 'The vendor does not count this address; only false is reported.';
comment on column metric.blacklisted_ua is 'The vendor does not count this user agent; only false is reported.';
comment on column metric.export_date is 'Day in the file''s name (UTC): the delivery''s date.';
comment on column metric._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column metric._line is 'Line within that file, from 1.';
comment on column metric._extra is 'Fields of the file that this table has no column for; null when there are none.';

create table impression (
  metric_id             text,
  created_at            timestamptz,
  network_id            text,
  organization_id       text,
  podcast_id            text,
  episode_id            text,
  advertisement_id      text,
  order_id              text,
  order_downloaded      boolean,
  ad_source             text,
  type                  text,
  position              bigint,
  normalized_user_agent text,
  seconds_downloaded    bigint,
  bytes_sent            bigint,
  byte_offset           bigint,
  byte_position         text,
  byte_type             text,
  blacklisted_ip        boolean,
  blacklisted_ua        boolean,
  export_date           date not null,
  _file_id              bigint not null,
  _line                 bigint not null,
  _extra                jsonb,
  primary key (export_date, _line)
) partition by list (export_date);

comment on table impression is
  'Megaphone impressions of advertisements. They have no id; a row is a line of the day''s file. One partition per export day, replaced whole whenever the vendor writes the day anew.';
comment on column impression.metric_id is 'metric.id of the metric that the impression belongs to; one may have several.';
comment on column impression.created_at is 'When it came into being, UTC.';
comment on column impression.network_id is 'Network.';
comment on column impression.organization_id is 'Organization.';
comment on column impression.podcast_id is 'Podcast.';
comment on column impression.episode_id is 'Episode.';
comment on column impression.advertisement_id is 'Advertisement.';
comment on column impression.order_id is 'Order that the advertisement belongs to.';
comment on column impression.order_downloaded is 'Whether the order counts as downloaded, by the vendor.';
comment on column impression.ad_source is 'Where the advertisement came from, in the vendor''s words.';
comment on column impression.type is 'Kind of impression, in the vendor''s words.';
comment on column impression.position is 'Position of the advertisement; its unit is not published.';
comment on column impression.normalized_user_agent is 'The vendor''s name for the player, e.g. Apple Podcasts.';
comment on column impression.seconds_downloaded is 'Seconds that were downloaded.';
comment on column impression.bytes_sent is 'Bytes that were sent.';
comment on column impression.byte_offset is 'Offset in bytes.';
comment on column impression.byte_position is 'Named by the vendor; type and meaning are not published.';
comment on column impression.byte_type is 'Named by the vendor; type and meaning are not published.';
comment on column impression.blacklisted_ip is 'The vendor does not count this address.';
comment on column impression.blacklisted_ua is 'The vendor does not count this user agent.';
comment on column impression.export_date is 'Day in the file''s name (UTC): the delivery''s date.';
comment on column impression._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column impression._line is 'Line within that file, from 1. Identifies the row within the day, until the day''s next version.';
comment on column impression._extra is 'Fields of the file that this table has no column for; null when there are none.';

create table impression_v2 (
  metric_id             text,
  created_at            timestamptz,
  network_id            text,
  organization_id       text,
  podcast_id            text,
  episode_id            text,
  advertisement_id      text,
  order_id              text,
  order_downloaded      boolean,
  ad_source             text,
  type                  text,
  position              bigint,
  normalized_user_agent text,
  seconds_downloaded    bigint,
  bytes_sent            bigint,
  byte_offset           bigint,
  byte_position         text,
  byte_type             text,
  blacklisted_ip        boolean,
  blacklisted_ua        boolean,
  impression_type       text,
  export_date           date not null,
  _file_id              bigint not null,
  _line                 bigint not null,
  _extra                jsonb,
  primary key (export_date, _line)
) partition by list (export_date);

comment on table impression_v2 is
  'Megaphone impressions, second version of the export. They have no id; a row is a line of the day''s file. One partition per export day, replaced whole whenever the vendor writes the day anew.';
comment on column impression_v2.metric_id is 'metric.id of the metric that the impression belongs to; one may have several.';
comment on column impression_v2.created_at is 'When it came into being, UTC.';
comment on column impression_v2.network_id is 'Network.';
comment on column impression_v2.organization_id is 'Organization.';
comment on column impression_v2.podcast_id is 'Podcast.';
comment on column impression_v2.episode_id is 'Episode.';
comment on column impression_v2.advertisement_id is 'Advertisement.';
comment on column impression_v2.order_id is 'Order that the advertisement belongs to.';
comment on column impression_v2.order_downloaded is 'Whether the order counts as downloaded, by the vendor.';
comment on column impression_v2.ad_source is 'Where the advertisement came from, in the vendor''s words.';
comment on column impression_v2.type is 'Kind of impression, in the vendor''s words.';
comment on column impression_v2.position is 'Position of the advertisement; its unit is not published.';
comment on column impression_v2.normalized_user_agent is 'The vendor''s name for the player, e.g. Apple Podcasts.';
comment on column impression_v2.seconds_downloaded is 'Seconds that were downloaded.';
comment on column impression_v2.bytes_sent is 'Bytes that were sent.';
comment on column impression_v2.byte_offset is 'Offset in bytes.';
comment on column impression_v2.byte_position is 'Named by the vendor; type and meaning are not published.';
comment on column impression_v2.byte_type is 'Named by the vendor; type and meaning are not published.';
comment on column impression_v2.blacklisted_ip is 'The vendor does not count this address.';
comment on column impression_v2.blacklisted_ua is 'The vendor does not count this user agent.';
comment on column impression_v2.impression_type is 'SAI or DAI, in the vendor''s words.';
comment on column impression_v2.export_date is 'Day in the file''s name (UTC): the delivery''s date.';
comment on column impression_v2._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column impression_v2._line is 'Line within that file, from 1. Identifies the row within the day, until the day''s next version.';
comment on column impression_v2._extra is 'Fields of the file that this table has no column for; null when there are none.';
