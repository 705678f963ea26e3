-- The tables of a source, created once in the source's schema (search_path names it). Comments name the vendor's field
-- where it is written in another way, and that of older documents where it was called something else.
--
-- Every vendor column but the key is nullable: documents leave fields out, or hold null, and which fields there are has
-- changed over the years.
--
-- Plain tables: a body holds sessions as they end, whatever day they began on, and one that comes again replaces its rows
-- wherever they are. No foreign keys: all tables of a load are merged in one transaction, which makes them agree, and a key
-- would be looked up for each of their rows.
--
-- start_time is the session's in every table, since its three key columns are what rows belong together by. What has a time
-- of its own has it under another name.
--
-- Beside the primary key each table has two BRIN indexes. That on _file_id finds the rows of a delivery, to be counted,
-- taken out or looked at. That on start_time finds those of some days: sessions come within hours of their beginning, so
-- rows lie in the order of time. For 1,000,000 sessions it has 24 kB where the primary key has 96 MB, does not slow the
-- load by anything that shows, and finds the 10,796 sessions of a day in 11 ms instead of 170.

create table user_session (
  tenant_id                           text not null,
  user_session_id                     text not null,
  start_time                          timestamptz not null,
  part_number                         bigint,
  end_time                            timestamptz,
  duration                            bigint,
  end_reason                          text,
  application_type                    text,
  app_version                         text,
  user_type                           text,
  user_id                             text,
  internal_user_id                    text,
  new_user                            boolean,
  bounce                              boolean,
  user_action_count                   bigint,
  has_error                           boolean,
  total_error_count                   bigint,
  has_crash                           boolean,
  crash_group_id                      text,
  user_experience_score               text,
  number_of_rage_clicks               bigint,
  number_of_rage_taps                 bigint,
  matching_conversion_goals           jsonb,
  matching_conversion_goals_count     bigint,
  total_license_credit_count          bigint,
  ip                                  text,
  isp                                 text,
  continent                           text,
  country                             text,
  region                              text,
  city                                text,
  browser_type                        text,
  browser_family                      text,
  browser_major_version               text,
  browser_monitor_id                  text,
  browser_monitor_name                text,
  os_family                           text,
  os_version                          text,
  manufacturer                        text,
  device                              text,
  rooted_or_jailbroken                boolean,
  carrier                             text,
  network_technology                  text,
  connection_type                     text,
  screen_width                        bigint,
  screen_height                       bigint,
  screen_orientation                  text,
  display_resolution                  text,
  client_type                         text,
  client_time_offset                  bigint,
  has_session_replay                  boolean,
  replay_start                        timestamptz,
  replay_end                          timestamptz,
  reason_for_no_session_replay        text,
  reason_for_no_session_replay_mobile text,
  _file_id                            bigint not null,
  _line                               bigint not null,
  _extra                              jsonb,
  primary key (tenant_id, user_session_id, start_time)
);
create index user_session_file on user_session using brin (_file_id) with (autosummarize = on);
create index user_session_time on user_session using brin (start_time) with (autosummarize = on);

comment on table user_session is 'User sessions that have ended. A long one comes in parts, each a row. One that comes again replaces its rows in all tables.';
comment on column user_session.tenant_id is 'Environment of Dynatrace''s that captured the session. tenantId.';
comment on column user_session.user_session_id is 'Session. Its parts share it. userSessionId.';
comment on column user_session.start_time is 'When its first user action began, UTC; of a part, the first one in it. startTime.';
comment on column user_session.part_number is 'Which part of the session it is; null where it was not split, or the document does not say. partNumber.';
comment on column user_session.end_time is 'When its last user action ended, UTC. endTime.';
comment on column user_session.duration is 'From the start of the first user action to the end of the last, in milliseconds.';
comment on column user_session.end_reason is 'Why it ended, e.g. TIMEOUT, END_EVENT, USER_ACTION_LIMIT. endReason.';
comment on column user_session.application_type is 'WEB_APPLICATION, MOBILE_APPLICATION or CUSTOM_APPLICATION. applicationType.';
comment on column user_session.app_version is 'Version of the application. appVersion.';
comment on column user_session.user_type is 'REAL_USER, ROBOT or SYNTHETIC. userType.';
comment on column user_session.user_id is 'User, as the application tagged the session. Personal: see mask. userId.';
comment on column user_session.internal_user_id is 'User, as Dynatrace tells them apart. internalUserId.';
comment on column user_session.new_user is 'Whether the user came for the first time. newUser.';
comment on column user_session.bounce is 'Whether there was one user action at most.';
comment on column user_session.user_action_count is 'Number of user actions. userActionCount.';
comment on column user_session.has_error is 'Whether there was an error; null in older documents. hasError.';
comment on column user_session.total_error_count is 'Number of errors. totalErrorCount.';
comment on column user_session.has_crash is 'Whether there was a crash. hasCrash.';
comment on column user_session.crash_group_id is 'Group of crashes that the one of a mobile session belongs to. crashGroupId.';
comment on column user_session.user_experience_score is 'SATISFIED, TOLERATED, FRUSTRATED or UNDEFINED. userExperienceScore.';
comment on column user_session.number_of_rage_clicks is 'Number of rage clicks. numberOfRageClicks.';
comment on column user_session.number_of_rage_taps is 'Number of rage taps. numberOfRageTaps.';
comment on column user_session.matching_conversion_goals is 'Conversion goals that the session reached, a list of their names. matchingConversionGoals.';
comment on column user_session.matching_conversion_goals_count is 'Number of these. matchingConversionGoalsCount.';
comment on column user_session.total_license_credit_count is 'Sessions that it is billed as. totalLicenseCreditCount.';
comment on column user_session.ip is 'Address that it came from, IPv4 or IPv6. Personal: see mask.';
comment on column user_session.isp is 'Internet provider, by the address.';
comment on column user_session.continent is 'Continent, by the address. Older: geolocationContinentName.';
comment on column user_session.country is 'Country, by the address. Older: geolocationCountryName.';
comment on column user_session.region is 'Region within the country, by the address. Older: geolocationRegionName.';
comment on column user_session.city is 'City, by the address. Older: geolocationCityName.';
comment on column user_session.browser_type is 'Type of browser. browserType.';
comment on column user_session.browser_family is 'Browser. browserFamily.';
comment on column user_session.browser_major_version is 'Its version. browserMajorVersion.';
comment on column user_session.browser_monitor_id is 'Synthetic monitor that made the session, by its id. browserMonitorId.';
comment on column user_session.browser_monitor_name is 'Its name. browserMonitorName.';
comment on column user_session.os_family is 'Operating system. osFamily, older: osFamilyName.';
comment on column user_session.os_version is 'Its version. osVersion, older: osVersionName.';
comment on column user_session.manufacturer is 'Manufacturer of the device.';
comment on column user_session.device is 'Device.';
comment on column user_session.rooted_or_jailbroken is 'Whether the mobile device is rooted or jailbroken; null where that is not known. rootedOrJailbroken.';
comment on column user_session.carrier is 'Mobile carrier.';
comment on column user_session.network_technology is 'Technology of the mobile network. networkTechnology.';
comment on column user_session.connection_type is 'MOBILE, WIFI, LAN, OFFLINE or UNKNOWN. connectionType.';
comment on column user_session.screen_width is 'Width of the screen. screenWidth.';
comment on column user_session.screen_height is 'Height of the screen. screenHeight.';
comment on column user_session.screen_orientation is 'PORTRAIT, LANDSCAPE or UNDEFINED. screenOrientation.';
comment on column user_session.display_resolution is 'Resolution of the screen by its usual name, e.g. FHD. displayResolution.';
comment on column user_session.client_type is 'More about the client; browser_type is what Dynatrace''s own queries know. clientType.';
comment on column user_session.client_time_offset is 'How far the client''s clock is off, in milliseconds. clientTimeOffset.';
comment on column user_session.has_session_replay is 'Whether there is a Session Replay. hasSessionReplay.';
comment on column user_session.replay_start is 'When it begins, UTC. replayStart.';
comment on column user_session.replay_end is 'When it ends, UTC. replayEnd.';
comment on column user_session.reason_for_no_session_replay is 'Why there is none, on the web. reasonForNoSessionReplay.';
comment on column user_session.reason_for_no_session_replay_mobile is 'Why there is none, on mobile. reasonForNoSessionReplayMobile.';
comment on column user_session._file_id is 'landfall.file.id of the batch that the row came with.';
comment on column user_session._line is 'Line within that batch, from 1.';
comment on column user_session._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table user_action (
  tenant_id                   text not null,
  user_session_id             text not null,
  start_time                  timestamptz not null,
  ordinal                     bigint not null,
  name                        text,
  type                        text,
  action_start_time           timestamptz,
  action_end_time             timestamptz,
  duration                    bigint,
  application                 text,
  internal_application_id     text,
  domain                      text,
  target_url                  text,
  apdex_category              text,
  key_user_action             boolean,
  internal_key_user_action_id text,
  has_crash                   boolean,
  custom_error_count          bigint,
  javascript_error_count      bigint,
  request_error_count         bigint,
  error_count                 bigint,
  failed_images               bigint,
  failed_xhr_requests         bigint,
  http_requests_with_errors   bigint,
  matching_conversion_goals   jsonb,
  synthetic_event             text,
  synthetic_event_id          text,
  navigation_start            timestamptz,
  request_start               bigint,
  response_start              bigint,
  response_end                bigint,
  document_interactive_time   bigint,
  dom_content_loaded_time     bigint,
  dom_complete_time           bigint,
  load_event_start            bigint,
  load_event_end              bigint,
  visually_complete_time      bigint,
  speed_index                 bigint,
  first_input_delay           bigint,
  largest_contentful_paint    bigint,
  cumulative_layout_shift     double precision,
  total_blocking_time         bigint,
  network_time                bigint,
  server_time                 bigint,
  frontend_time               bigint,
  first_party_resources       bigint,
  first_party_busy_time       bigint,
  third_party_resources       bigint,
  third_party_busy_time       bigint,
  cdn_resources               bigint,
  cdn_busy_time               bigint,
  user_action_property_count  bigint,
  string_properties           jsonb,
  long_properties             jsonb,
  double_properties           jsonb,
  date_properties             jsonb,
  _file_id                    bigint not null,
  _line                       bigint not null,
  _extra                      jsonb,
  primary key (tenant_id, user_session_id, start_time, ordinal)
);
create index user_action_file on user_action using brin (_file_id) with (autosummarize = on);
create index user_action_time on user_action using brin (start_time) with (autosummarize = on);

comment on table user_action is 'What users did: page loads, clicks, swipes. The fields of userActions.';
comment on column user_action.tenant_id is 'user_session.tenant_id.';
comment on column user_action.user_session_id is 'user_session.user_session_id.';
comment on column user_action.start_time is 'user_session.start_time: when the session began.';
comment on column user_action.ordinal is 'Number of the action within its session, or part of one, from 1.';
comment on column user_action.name is 'Name: of the page, or what was clicked.';
comment on column user_action.type is 'Load, Xhr, Custom, RageClick, Error, EndVisit, UserSessionProperties, VisitTag or SyntheticHiddenAction.';
comment on column user_action.action_start_time is 'When it began, UTC. startTime.';
comment on column user_action.action_end_time is 'When it ended, UTC. endTime.';
comment on column user_action.duration is 'Its length, in milliseconds.';
comment on column user_action.application is 'Application, by its name.';
comment on column user_action.internal_application_id is 'Application, by its entity id. internalApplicationId.';
comment on column user_action.domain is 'DNS domain.';
comment on column user_action.target_url is 'Where it led. May hold personal data. targetUrl.';
comment on column user_action.apdex_category is 'SATISFIED, TOLERATING, FRUSTRATED or UNKNOWN. apdexCategory.';
comment on column user_action.key_user_action is 'Whether it is a key user action. keyUserAction.';
comment on column user_action.internal_key_user_action_id is 'Which, by its entity id. internalKeyUserActionId.';
comment on column user_action.has_crash is 'Whether it crashed. hasCrash.';
comment on column user_action.custom_error_count is 'Number of errors that the application reported itself. customErrorCount.';
comment on column user_action.javascript_error_count is 'Number of errors of JavaScript. javascriptErrorCount.';
comment on column user_action.request_error_count is 'Number of errors of requests. requestErrorCount.';
comment on column user_action.error_count is 'Number of errors, in older documents alone. errorCount.';
comment on column user_action.failed_images is 'Number of images that did not load, in older documents alone. failedImages.';
comment on column user_action.failed_xhr_requests is 'Number of XHR requests that failed, in older documents alone. failedXhrRequests.';
comment on column user_action.http_requests_with_errors is 'Number of HTTP requests with errors, in older documents alone. httpRequestsWithErrors.';
comment on column user_action.matching_conversion_goals is 'Conversion goals that the action reached, a list of their names. matchingConversionGoals.';
comment on column user_action.synthetic_event is 'Synthetic event that set it off, by its name. syntheticEvent.';
comment on column user_action.synthetic_event_id is 'synthetic_event.synthetic_event_id of that event. syntheticEventId.';
comment on column user_action.navigation_start is 'When navigation began, UTC. navigationStart.';
comment on column user_action.request_start is 'Time until the request began, in milliseconds. requestStart.';
comment on column user_action.response_start is 'Time until the response began, in milliseconds. responseStart.';
comment on column user_action.response_end is 'Time until it had come, in milliseconds. responseEnd.';
comment on column user_action.document_interactive_time is 'Time until the document could be used, in milliseconds. documentInteractiveTime.';
comment on column user_action.dom_content_loaded_time is 'Time until the DOM was loaded, in milliseconds. domContentLoadedTime.';
comment on column user_action.dom_complete_time is 'Time until the DOM was complete, in milliseconds. domCompleteTime.';
comment on column user_action.load_event_start is 'Time until the load event began, in milliseconds. loadEventStart.';
comment on column user_action.load_event_end is 'Time until it ended, in milliseconds. loadEventEnd.';
comment on column user_action.visually_complete_time is 'Time until everything in view was there, in milliseconds. visuallyCompleteTime.';
comment on column user_action.speed_index is 'Speed index: mean time until what is in view was there, in milliseconds. speedIndex.';
comment on column user_action.first_input_delay is 'First input delay (FID), in milliseconds. firstInputDelay.';
comment on column user_action.largest_contentful_paint is 'Largest contentful paint (LCP), in milliseconds. largestContentfulPaint.';
comment on column user_action.cumulative_layout_shift is 'Cumulative layout shift (CLS), a score. cumulativeLayoutShift.';
comment on column user_action.total_blocking_time is 'Total blocking time, in milliseconds. The vendor gives it up. totalBlockingTime.';
comment on column user_action.network_time is 'Time that data were on their way, in milliseconds. networkTime.';
comment on column user_action.server_time is 'Time that servers took, in milliseconds. serverTime.';
comment on column user_action.frontend_time is 'Time that the browser took, in milliseconds. frontendTime.';
comment on column user_action.first_party_resources is 'Number of resources from the site''s own servers. firstPartyResources.';
comment on column user_action.first_party_busy_time is 'Time spent waiting for these, in milliseconds. firstPartyBusyTime.';
comment on column user_action.third_party_resources is 'Number of resources from others. thirdPartyResources.';
comment on column user_action.third_party_busy_time is 'Time spent waiting for these, in milliseconds. thirdPartyBusyTime.';
comment on column user_action.cdn_resources is 'Number of resources from content delivery networks. cdnResources.';
comment on column user_action.cdn_busy_time is 'Time spent waiting for these, in milliseconds. cdnBusyTime.';
comment on column user_action.user_action_property_count is 'Number of its properties. userActionPropertyCount.';
comment on column user_action.string_properties is 'Its properties that are texts, a list of {key, value}: see user_action_property. stringProperties.';
comment on column user_action.long_properties is 'Those that are whole numbers. longProperties.';
comment on column user_action.double_properties is 'Those that are numbers. doubleProperties.';
comment on column user_action.date_properties is 'Those that are dates. dateProperties.';
comment on column user_action._file_id is 'landfall.file.id of the batch that the row came with.';
comment on column user_action._line is 'Line within that batch, from 1.';
comment on column user_action._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table user_event (
  tenant_id               text not null,
  user_session_id         text not null,
  start_time              timestamptz not null,
  ordinal                 bigint not null,
  type                    text,
  name                    text,
  event_start_time        timestamptz,
  application             text,
  internal_application_id text,
  domain                  text,
  metadata                text,
  page                    text,
  page_group              text,
  page_referrer           text,
  page_referrer_group     text,
  _file_id                bigint not null,
  _line                   bigint not null,
  _extra                  jsonb,
  primary key (tenant_id, user_session_id, start_time, ordinal)
);
create index user_event_file on user_event using brin (_file_id) with (autosummarize = on);
create index user_event_time on user_event using brin (start_time) with (autosummarize = on);

comment on table user_event is 'What else happened in sessions: page changes, rage clicks, tags of users. The fields of events.';
comment on column user_event.tenant_id is 'user_session.tenant_id.';
comment on column user_event.user_session_id is 'user_session.user_session_id.';
comment on column user_event.start_time is 'user_session.start_time: when the session began.';
comment on column user_event.ordinal is 'Number of the event within its session, or part of one, from 1.';
comment on column user_event.type is 'E.g. PageChange, RageClick, RageTap, UserTag, Behavioral.';
comment on column user_event.name is 'Name. Of a UserTag it is the user''s, as in user_session.user_id. Personal: see mask.';
comment on column user_event.event_start_time is 'When it happened, UTC. startTime.';
comment on column user_event.application is 'Application, by its name.';
comment on column user_event.internal_application_id is 'Application, by its entity id. internalApplicationId.';
comment on column user_event.domain is 'DNS domain.';
comment on column user_event.metadata is 'What was attached to it.';
comment on column user_event.page is 'Of a page change, the page that the user went to.';
comment on column user_event.page_group is 'Group of that page. pageGroup.';
comment on column user_event.page_referrer is 'Of a page change, the page that the user came from. pageReferrer.';
comment on column user_event.page_referrer_group is 'Group of that page. pageReferrerGroup.';
comment on column user_event._file_id is 'landfall.file.id of the batch that the row came with.';
comment on column user_event._line is 'Line within that batch, from 1.';
comment on column user_event._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table user_error (
  tenant_id               text not null,
  user_session_id         text not null,
  start_time              timestamptz not null,
  ordinal                 bigint not null,
  type                    text,
  name                    text,
  error_start_time        timestamptz,
  application             text,
  internal_application_id text,
  domain                  text,
  _file_id                bigint not null,
  _line                   bigint not null,
  _extra                  jsonb,
  primary key (tenant_id, user_session_id, start_time, ordinal)
);
create index user_error_file on user_error using brin (_file_id) with (autosummarize = on);
create index user_error_time on user_error using brin (start_time) with (autosummarize = on);

comment on table user_error is 'Errors and crashes in sessions. The fields of errors.';
comment on column user_error.tenant_id is 'user_session.tenant_id.';
comment on column user_error.user_session_id is 'user_session.user_session_id.';
comment on column user_error.start_time is 'user_session.start_time: when the session began.';
comment on column user_error.ordinal is 'Number of the error within its session, or part of one, from 1.';
comment on column user_error.type is 'E.g. Error or Crash.';
comment on column user_error.name is 'Name.';
comment on column user_error.error_start_time is 'When it happened, UTC. startTime.';
comment on column user_error.application is 'Application, by its name.';
comment on column user_error.internal_application_id is 'Application, by its entity id. internalApplicationId.';
comment on column user_error.domain is 'DNS domain.';
comment on column user_error._file_id is 'landfall.file.id of the batch that the row came with.';
comment on column user_error._line is 'Line within that batch, from 1.';
comment on column user_error._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table synthetic_event (
  tenant_id          text not null,
  user_session_id    text not null,
  start_time         timestamptz not null,
  ordinal            bigint not null,
  synthetic_event_id text,
  sequence_number    bigint,
  name               text,
  type               text,
  timestamp          timestamptz,
  error_code         bigint,
  error_name         text,
  _file_id           bigint not null,
  _line              bigint not null,
  _extra             jsonb,
  primary key (tenant_id, user_session_id, start_time, ordinal)
);
create index synthetic_event_file on synthetic_event using brin (_file_id) with (autosummarize = on);
create index synthetic_event_time on synthetic_event using brin (start_time) with (autosummarize = on);

comment on table synthetic_event is 'Steps of synthetic monitors in their sessions. The fields of syntheticEvents.';
comment on column synthetic_event.tenant_id is 'user_session.tenant_id.';
comment on column synthetic_event.user_session_id is 'user_session.user_session_id.';
comment on column synthetic_event.start_time is 'user_session.start_time: when the session began.';
comment on column synthetic_event.ordinal is 'Number of the event within its session, or part of one, from 1.';
comment on column synthetic_event.synthetic_event_id is 'Synthetic event, by its entity id. syntheticEventId.';
comment on column synthetic_event.sequence_number is 'Its number within the whole monitor. sequenceNumber.';
comment on column synthetic_event.name is 'Name.';
comment on column synthetic_event.type is 'Type, e.g. click or keystroke.';
comment on column synthetic_event.timestamp is 'When it was simulated, UTC.';
comment on column synthetic_event.error_code is 'Code of the error that it met. errorCode.';
comment on column synthetic_event.error_name is 'That error in words. errorName.';
comment on column synthetic_event._file_id is 'landfall.file.id of the batch that the row came with.';
comment on column synthetic_event._line is 'Line within that batch, from 1.';
comment on column synthetic_event._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table session_property (
  tenant_id       text not null,
  user_session_id text not null,
  start_time      timestamptz not null,
  ordinal         bigint not null,
  type            text,
  field           text,
  key             text,
  value           text,
  long_value      bigint,
  double_value    double precision,
  date_value      timestamptz,
  _file_id        bigint not null,
  _line           bigint not null,
  _extra          jsonb,
  primary key (tenant_id, user_session_id, start_time, ordinal)
);
create index session_property_file on session_property using brin (_file_id) with (autosummarize = on);
create index session_property_time on session_property using brin (start_time) with (autosummarize = on);

comment on table session_property is 'Properties of sessions, whatever their kind. Older documents call them tags.';
comment on column session_property.tenant_id is 'user_session.tenant_id.';
comment on column session_property.user_session_id is 'user_session.user_session_id.';
comment on column session_property.start_time is 'user_session.start_time: when the session began.';
comment on column session_property.ordinal is 'Number of the property within its session, or part of one, from 1.';
comment on column session_property.type is 'string, long, double or date. Older documents have no long: their whole numbers are double.';
comment on column session_property.field is 'Field that it came in: stringProperties, longProperties, doubleProperties, dateProperties, stringTags, numTags or dateTags.';
comment on column session_property.key is 'Name of the property.';
comment on column session_property.value is 'Value, as text; what is no text in JSON is its JSON. May be personal: see mask.';
comment on column session_property.long_value is 'Value of a long, or of a double that is a whole number of 64 bits; null otherwise.';
comment on column session_property.double_value is 'Value of a double or long as a number; null where it is none.';
comment on column session_property.date_value is 'Value of a date, UTC: milliseconds since 1970 or ISO 8601; null where it is neither.';
comment on column session_property._file_id is 'landfall.file.id of the batch that the row came with.';
comment on column session_property._line is 'Line within that batch, from 1.';
comment on column session_property._extra is 'Fields of the row that this table has no column for; null when there are none.';
