-- What the vendor's own reports count, and a day's figures by episode. Repeatable: it runs again when it changes.
-- Columns are bound when a view is made, so that they work under any search_path.

create or replace view reported_metric as
select m.*
from metric m
-- "it must have seconds_downloaded >= 60 and blacklisted_ip = false and blacklisted_ua = false": a metric that leaves
-- one of the three out has not got it, so null is not reported.
where m.seconds_downloaded >= 60
  and m.blacklisted_ip = false
  and m.blacklisted_ua = false;
comment on view reported_metric is
  'Metrics that Megaphone''s reports count: seconds_downloaded at least 60, neither address nor user agent blacklisted. Null in any of the three is not counted.';

create or replace view daily_episode as
select
  m.export_date,
  m.podcast_id,
  m.episode_id,
  count(*) filter (where m.is_reported) as downloads,
  count(*) as requests,
  count(distinct (m.ip, m.user_agent)) filter (where m.is_reported and m.ip is not null) as clients,
  coalesce(sum(m.seconds_downloaded) filter (where m.is_reported), 0)::bigint as seconds_downloaded,
  coalesce(sum(m.bytes_sent), 0)::bigint as bytes_sent
from (
  select
    a.export_date, a.podcast_id, a.episode_id, a.ip, a.user_agent, a.seconds_downloaded, a.bytes_sent,
    -- As in reported_metric; a test holds the two against each other.
    coalesce(a.seconds_downloaded >= 60 and a.blacklisted_ip = false and a.blacklisted_ua = false, false)
      as is_reported
  from metric a
) m
group by m.export_date, m.podcast_id, m.episode_id;
comment on view daily_episode is
  'A row per export day, podcast and episode: downloads as Megaphone reports them, beside all requests. Episodes without a download are there with 0.';
comment on column daily_episode.export_date is 'Day (UTC).';
comment on column daily_episode.podcast_id is 'Podcast; null where the vendor left it out.';
comment on column daily_episode.episode_id is 'Episode; null where the vendor left it out.';
comment on column daily_episode.downloads is 'Reported metrics: the rows of reported_metric.';
comment on column daily_episode.requests is 'All metrics, reported or not.';
comment on column daily_episode.clients is
  'Distinct pairs of ip (a hash) and user_agent among the downloads; those without ip are left out. Not people, and not to be added up over days or episodes.';
comment on column daily_episode.seconds_downloaded is 'Seconds of audio of the downloads, added up.';
comment on column daily_episode.bytes_sent is 'Bytes of all requests, added up.';
