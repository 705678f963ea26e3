-- The seven tables of a source, created once in the source's schema (search_path names it). JSON and CSV exports fill
-- the same ones; comments name the field of either where they differ.
--
-- Every vendor column but the session is nullable: the vendor leaves fields out that have no value.
--
-- Plain tables: a job's date says nothing of what is in it, and a session that comes again replaces its rows wherever
-- they are. No foreign keys: all tables of a job are merged in one transaction, which makes them agree, and a key would
-- be looked up for each of their rows.
--
-- Beside the primary key each table has a BRIN index on _file_id: rows of one delivery are found by their files, to be
-- counted, taken out or looked at. A file's rows lie together, so the index is tiny: for 1,000,000 events of 20 files it
-- has 24 kB where the primary key has 37 MB, does not slow the load by anything that shows, and finds the 50,000 rows of
-- a file in 7 ms instead of 60.

create table session (
  session_id              bigint not null primary key,
  is_session              boolean,
  is_developer            boolean,
  user_id                 text,
  device_id               text,
  user_bucket             bigint,
  time                    timestamptz,
  duration                double precision,
  first_run               timestamptz,
  prior_sessions          bigint,
  prior_states            bigint,
  prior_events            bigint,
  prior_time_spent_in_app double precision,
  country                 text,
  region                  text,
  city                    text,
  lat                     double precision,
  lon                     double precision,
  locale                  text,
  timezone                text,
  timezone_offset_seconds bigint,
  app_version             text,
  client                  text,
  sdk_version             text,
  system_name             text,
  system_version          text,
  device_model            text,
  browser_name            text,
  browser_version         text,
  source_publisher_id     text,
  source_publisher        text,
  source_sub_publisher    text,
  source_site             text,
  source_campaign         text,
  source_ad_group         text,
  source_ad               text,
  _file_id                bigint not null,
  _line                   bigint not null,
  _extra                  jsonb
);
create index session_file on session using brin (_file_id) with (autosummarize = on);

comment on table session is
  'Leanplum sessions, and records of what happened outside of one (is_session false). One that comes again replaces its rows in all tables.';
comment on column session.session_id is 'Session. sessionId.';
comment on column session.is_session is 'Whether it is an interaction of the user''s, rather than an offline event such as a message that was sent. Session metrics count only true. isSession.';
comment on column session.is_developer is 'Developer flag; null where the vendor leaves it out. isDeveloper.';
comment on column session.user_id is 'User. userId.';
comment on column session.device_id is 'Device. deviceId.';
comment on column session.user_bucket is 'Bucket that the vendor put the user in. userBucket.';
comment on column session.time is 'Start of the session, UTC, to the millisecond. JSON: time, CSV: start.';
comment on column session.duration is 'Length of the session, in seconds. 0 where is_session is false.';
comment on column session.first_run is 'Start of the user''s first session, UTC, to the millisecond. JSON: firstRun, CSV: userStart.';
comment on column session.prior_sessions is 'Number of earlier sessions. priorSessions.';
comment on column session.prior_states is 'Number of earlier states. priorStates.';
comment on column session.prior_events is 'Number of earlier events. priorEvents.';
comment on column session.prior_time_spent_in_app is 'Length of earlier sessions together, in seconds. priorTimeSpentInApp.';
comment on column session.country is 'Country, by its two letters, e.g. US.';
comment on column session.region is 'Region within the country.';
comment on column session.city is 'City.';
comment on column session.lat is 'Latitude, in degrees.';
comment on column session.lon is 'Longitude, in degrees.';
comment on column session.locale is 'Locale of the device, e.g. en_US.';
comment on column session.timezone is 'Time zone of the user, as sent.';
comment on column session.timezone_offset_seconds is 'Offset of that time zone, in seconds, e.g. -25200. JSON: timezoneOffsetSeconds, CSV: timezoneOffset.';
comment on column session.app_version is 'Version of the app. appVersion.';
comment on column session.client is 'Client, as sent.';
comment on column session.sdk_version is 'Version of the vendor''s SDK. sdkVersion.';
comment on column session.system_name is 'Operating system. JSON: systemName, CSV: osName.';
comment on column session.system_version is 'Its version. JSON: systemVersion, CSV: osVersion.';
comment on column session.device_model is 'Model of the device. deviceModel.';
comment on column session.browser_name is 'Browser. browserName.';
comment on column session.browser_version is 'Its version. browserVersion.';
comment on column session.source_publisher_id is 'Publisher that the user came from, by its id. sourcePublisherId.';
comment on column session.source_publisher is 'Publisher that the user came from. sourcePublisher.';
comment on column session.source_sub_publisher is 'Its sub-publisher. sourceSubPublisher.';
comment on column session.source_site is 'Site or app that the user came from. sourceSite.';
comment on column session.source_campaign is 'Campaign that the user came from. sourceCampaign.';
comment on column session.source_ad_group is 'Group of advertisements. sourceAdGroup.';
comment on column session.source_ad is 'Advertisement. sourceAd.';
comment on column session._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session._line is 'Line within that file, from 1.';
comment on column session._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table state (
  session_id                bigint not null,
  ordinal                   bigint not null,
  state_id                  bigint,
  name                      text,
  time                      timestamptz,
  duration                  double precision,
  info                      text,
  time_until_first_for_user double precision,
  _file_id                  bigint not null,
  _line                     bigint not null,
  _extra                    jsonb,
  primary key (session_id, ordinal)
);
create index state_file on state using brin (_file_id) with (autosummarize = on);

comment on table state is
  'States of sessions: where in the app a user was. JSON exports wrap events outside of any state into one without a name.';
comment on column state.session_id is 'session.session_id.';
comment on column state.ordinal is 'Number of the state within its session, from 1.';
comment on column state.state_id is 'State. Repeats within a session. stateId.';
comment on column state.name is 'Name. Null for the dummy state of a JSON export, which only wraps events. JSON: name, CSV: stateName.';
comment on column state.time is 'When it was entered, UTC, to the millisecond. JSON: time, CSV: start.';
comment on column state.duration is 'Time spent in it, in seconds.';
comment on column state.info is 'What the app said with it.';
comment on column state.time_until_first_for_user is 'Time until the user first entered it, as the vendor writes it. timeUntilFirstForUser.';
comment on column state._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column state._line is 'Line within that file, from 1.';
comment on column state._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table event (
  session_id                bigint not null,
  ordinal                   bigint not null,
  state_ordinal             bigint,
  state_id                  bigint,
  has_state                 boolean,
  event_id                  bigint,
  name                      text,
  time                      timestamptz,
  value                     double precision,
  info                      text,
  time_until_first_for_user double precision,
  _file_id                  bigint not null,
  _line                     bigint not null,
  _extra                    jsonb,
  primary key (session_id, ordinal)
);
create index event_file on event using brin (_file_id) with (autosummarize = on);

comment on table event is 'Events of sessions and of records outside of one: what users did, purchases, messages.';
comment on column event.session_id is 'session.session_id.';
comment on column event.ordinal is 'Number of the event within its session, from 1, over all states.';
comment on column event.state_ordinal is 'state.ordinal of the state it happened in, in the same session. Without a state: that of the dummy state in JSON exports, null in CSV.';
comment on column event.state_id is 'state.state_id of that state; without a state, a random one. stateId.';
comment on column event.has_state is 'Whether it happened in a state. False: the state is a dummy one without a name (JSON), or there is none of that id (CSV).';
comment on column event.event_id is 'Event. Repeats, also within a state. eventId.';
comment on column event.name is 'Name. Those of messages begin with .m, see the view message_event. JSON: name, CSV: eventName.';
comment on column event.time is 'When it happened, UTC, to the millisecond. JSON: time, CSV: start.';
comment on column event.value is 'Value that the app gave it; of a purchase, the revenue.';
comment on column event.info is 'What the app said with it.';
comment on column event.time_until_first_for_user is 'Time until the event first happened for the user, as the vendor writes it. timeUntilFirstForUser.';
comment on column event._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column event._line is 'Line within that file, from 1.';
comment on column event._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table event_parameter (
  session_id    bigint not null,
  ordinal       bigint not null,
  event_ordinal bigint,
  event_id      bigint,
  name          text,
  value         text,
  _file_id      bigint not null,
  _line         bigint not null,
  _extra        jsonb,
  primary key (session_id, ordinal)
);
create index event_parameter_file on event_parameter using brin (_file_id) with (autosummarize = on);

comment on table event_parameter is 'Parameters of events.';
comment on column event_parameter.session_id is 'session.session_id. CSV exports do not say it: it is that of the first event with that id.';
comment on column event_parameter.ordinal is 'Number of the parameter within its session, from 1, over all events.';
comment on column event_parameter.event_ordinal is 'event.ordinal of its event, in the same session.';
comment on column event_parameter.event_id is 'event.event_id of its event. CSV: eventId.';
comment on column event_parameter.name is 'Name.';
comment on column event_parameter.value is 'Value, as text; what is no text in JSON is its JSON.';
comment on column event_parameter._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column event_parameter._line is 'Line within that file, from 1.';
comment on column event_parameter._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table state_parameter (
  session_id    bigint not null,
  ordinal       bigint not null,
  state_ordinal bigint,
  state_id      bigint,
  name          text,
  value         text,
  _file_id      bigint not null,
  _line         bigint not null,
  _extra        jsonb,
  primary key (session_id, ordinal)
);
create index state_parameter_file on state_parameter using brin (_file_id) with (autosummarize = on);

comment on table state_parameter is 'Parameters of states. CSV exports have none.';
comment on column state_parameter.session_id is 'session.session_id.';
comment on column state_parameter.ordinal is 'Number of the parameter within its session, from 1, over all states.';
comment on column state_parameter.state_ordinal is 'state.ordinal of its state, in the same session.';
comment on column state_parameter.state_id is 'state.state_id of its state.';
comment on column state_parameter.name is 'Name.';
comment on column state_parameter.value is 'Value, as text; what is no text in JSON is its JSON.';
comment on column state_parameter._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column state_parameter._line is 'Line within that file, from 1.';
comment on column state_parameter._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table experiment (
  session_id    bigint not null,
  ordinal       bigint not null,
  experiment_id bigint,
  variant_id    bigint,
  impressed     boolean,
  _file_id      bigint not null,
  _line         bigint not null,
  _extra        jsonb,
  primary key (session_id, ordinal)
);
create index experiment_file on experiment using brin (_file_id) with (autosummarize = on);

comment on table experiment is 'Experiments that a session took part in. The same variant may stand there several times.';
comment on column experiment.session_id is 'session.session_id.';
comment on column experiment.ordinal is 'Number of the entry within its session, from 1.';
comment on column experiment.experiment_id is 'Experiment. Repeats within a session. JSON: id, CSV: experimentId.';
comment on column experiment.variant_id is 'Variant. variantId.';
comment on column experiment.impressed is 'As the vendor writes it; null where it is left out, and in CSV exports, which have no place for it.';
comment on column experiment._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column experiment._line is 'Line within that file, from 1.';
comment on column experiment._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table user_attribute (
  session_id bigint not null,
  ordinal    bigint not null,
  name       text,
  value      text,
  _file_id   bigint not null,
  _line      bigint not null,
  _extra     jsonb,
  primary key (session_id, ordinal)
);
create index user_attribute_file on user_attribute using brin (_file_id) with (autosummarize = on);

comment on table user_attribute is 'Attributes of the user, as they were in that session.';
comment on column user_attribute.session_id is 'session.session_id.';
comment on column user_attribute.ordinal is 'Number of the attribute within its session, from 1.';
comment on column user_attribute.name is 'Name; may hold spaces.';
comment on column user_attribute.value is 'Value, as text: True or False for what is a boolean; what is no text in JSON is its JSON.';
comment on column user_attribute._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column user_attribute._line is 'Line within that file, from 1.';
comment on column user_attribute._extra is 'Fields of the row that this table has no column for; null when there are none.';
