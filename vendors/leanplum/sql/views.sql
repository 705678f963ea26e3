-- What the vendor counts, by day. Repeatable: it runs again when it changes.
-- Columns are bound when a view is made, so that they work under any search_path.
--
-- "The calculation of all session metrics (DAU, First-time users, Retention, Total sessions, etc.) should include
-- filtering for 'isSession = true'. When counting message events, purchases or custom events/states, isSession should
-- be ignored."
--
-- Each daily view has a twin by Pacific days: "All times inside the exported files are in UTC. Note that the Analytics
-- is in PST". Pacific days follow the clocks of Los Angeles, so one a year has 23 hours and one 25. Not both dates in
-- one view: a day's users or first-time users cannot be added up from the parts of two days.
--
-- The session is joined for its user only. It is found by its primary key and never multiplies a row, so Postgres leaves
-- the join away where no column asks for users; a left join keeps events whose session was refused as a bad row.

create or replace view daily_session as
select
  (s.time at time zone 'UTC')::date as date,
  count(*) as sessions,
  count(distinct s.user_id) as users,
  count(distinct s.user_id) filter (
    where (s.first_run at time zone 'UTC')::date = (s.time at time zone 'UTC')::date
  ) as first_time_users,
  avg(s.duration) as average_duration
from session s
where s.is_session
group by 1;
comment on view daily_session is 'Session metrics by UTC day: records with is_session alone.';
comment on column daily_session.date is 'Day on which the sessions began (UTC); null for those without a time.';
comment on column daily_session.sessions is 'Number of sessions.';
comment on column daily_session.users is 'Users with a session: DAU. Not to be added up over days.';
comment on column daily_session.first_time_users is 'Of these, users whose first session was on that day.';
comment on column daily_session.average_duration is 'Mean length of a session, in seconds.';

create or replace view daily_session_pacific as
select
  (s.time at time zone 'America/Los_Angeles')::date as pacific_date,
  count(*) as sessions,
  count(distinct s.user_id) as users,
  count(distinct s.user_id) filter (
    where (s.first_run at time zone 'America/Los_Angeles')::date
      = (s.time at time zone 'America/Los_Angeles')::date
  ) as first_time_users,
  avg(s.duration) as average_duration
from session s
where s.is_session
group by 1;
comment on view daily_session_pacific is
  'Session metrics by Pacific day, as the vendor''s dashboard counts: records with is_session alone.';
comment on column daily_session_pacific.pacific_date is 'Day on which the sessions began in Los Angeles; null for those without a time.';
comment on column daily_session_pacific.sessions is 'Number of sessions.';
comment on column daily_session_pacific.users is 'Users with a session: DAU. Not to be added up over days.';
comment on column daily_session_pacific.first_time_users is 'Of these, users whose first session was on that day.';
comment on column daily_session_pacific.average_duration is 'Mean length of a session, in seconds.';

create or replace view daily_event as
select
  (e.time at time zone 'UTC')::date as date,
  e.name,
  count(*) as events,
  count(distinct s.user_id) as users,
  sum(e.value) as value
from event e
left join session s on s.session_id = e.session_id
group by 1, 2;
comment on view daily_event is 'Events by UTC day and name, those outside of sessions included.';
comment on column daily_event.date is 'Day of the events (UTC); null for those without a time.';
comment on column daily_event.name is 'Name of the events.';
comment on column daily_event.events is 'Number of events.';
comment on column daily_event.users is 'Users with such an event. Not to be added up over days or names.';
comment on column daily_event.value is 'Sum of their values; null when none has one.';

create or replace view daily_event_pacific as
select
  (e.time at time zone 'America/Los_Angeles')::date as pacific_date,
  e.name,
  count(*) as events,
  count(distinct s.user_id) as users,
  sum(e.value) as value
from event e
left join session s on s.session_id = e.session_id
group by 1, 2;
comment on view daily_event_pacific is
  'Events by Pacific day, as the vendor''s dashboard counts, and name, those outside of sessions included.';
comment on column daily_event_pacific.pacific_date is 'Day of the events in Los Angeles; null for those without a time.';
comment on column daily_event_pacific.name is 'Name of the events.';
comment on column daily_event_pacific.events is 'Number of events.';
comment on column daily_event_pacific.users is 'Users with such an event. Not to be added up over days or names.';
comment on column daily_event_pacific.value is 'Sum of their values; null when none has one.';

-- "Use "Purchase" to identify a monetization event, with the event value being the revenue" (the vendor's API reference,
-- track). An account may name another event instead; the export does not say which.
create or replace view daily_purchase as
select
  (e.time at time zone 'UTC')::date as date,
  count(*) as purchases,
  count(distinct s.user_id) as users,
  coalesce(sum(e.value), 0) as revenue
from event e
left join session s on s.session_id = e.session_id
where e.name = 'Purchase'
group by 1;
comment on view daily_purchase is
  'Purchases by UTC day: events called Purchase, those outside of sessions included. Where purchases have other names, take daily_event.';
comment on column daily_purchase.date is 'Day of the purchases (UTC); null for those without a time.';
comment on column daily_purchase.purchases is 'Number of purchases.';
comment on column daily_purchase.users is 'Users with a purchase. Not to be added up over days.';
comment on column daily_purchase.revenue is 'Sum of their values.';

create or replace view daily_purchase_pacific as
select
  (e.time at time zone 'America/Los_Angeles')::date as pacific_date,
  count(*) as purchases,
  count(distinct s.user_id) as users,
  coalesce(sum(e.value), 0) as revenue
from event e
left join session s on s.session_id = e.session_id
where e.name = 'Purchase'
group by 1;
comment on view daily_purchase_pacific is
  'Purchases by Pacific day, as the vendor''s dashboard counts: events called Purchase, those outside of sessions included. Where purchases have other names, take daily_event_pacific.';
comment on column daily_purchase_pacific.pacific_date is 'Day of the purchases in Los Angeles; null for those without a time.';
comment on column daily_purchase_pacific.purchases is 'Number of purchases.';
comment on column daily_purchase_pacific.users is 'Users with a purchase. Not to be added up over days.';
comment on column daily_purchase_pacific.revenue is 'Sum of their values.';

-- `.m6678706135760896 Accept` is an action on a message, `.m6678706135760896` alone says that it was sent.
create or replace view message_event as
select
  e.session_id,
  e.ordinal,
  -- A number beyond 64 bits is none of the vendor's ids; the event counts all the same.
  case when m.parts[1]::numeric <= 9223372036854775807 then m.parts[1]::bigint end as message_id,
  coalesce(m.parts[2], 'Sent') as action,
  s.user_id,
  e.time,
  (e.time at time zone 'America/Los_Angeles')::date as pacific_date,
  e.event_id,
  e.name,
  e.value,
  e.info
from event e
cross join lateral regexp_match(e.name, '^\.m(\d+)(?: +(.+))?$') as m (parts)
left join session s on s.session_id = e.session_id
-- The first condition spares the pattern the other events.
where e.name like '.m%'
  and m.parts is not null;
comment on view message_event is
  'Events of messages, whose names are .m, the message''s id and the action; those outside of sessions included, which is where messages are sent.';
comment on column message_event.session_id is 'event.session_id.';
comment on column message_event.ordinal is 'event.ordinal.';
comment on column message_event.message_id is 'Message, by its id.';
comment on column message_event.action is 'What happened to it, in the vendor''s words: View, Open, Accept …; Sent where the name ends with the id.';
comment on column message_event.user_id is 'session.user_id.';
comment on column message_event.time is 'When, UTC, to the millisecond.';
comment on column message_event.pacific_date is 'The day of it in Los Angeles.';
comment on column message_event.event_id is 'event.event_id.';
comment on column message_event.name is 'event.name.';
comment on column message_event.value is 'event.value.';
comment on column message_event.info is 'event.info.';

create or replace view daily_message as
select
  (m.time at time zone 'UTC')::date as date,
  m.message_id,
  m.action,
  count(*) as events,
  count(distinct m.user_id) as users
from message_event m
group by 1, 2, 3;
comment on view daily_message is 'Events of messages by UTC day, message and action, those outside of sessions included.';
comment on column daily_message.date is 'Day of the events (UTC); null for those without a time.';
comment on column daily_message.message_id is 'Message, by its id.';
comment on column daily_message.action is 'Sent, or what happened to it, in the vendor''s words.';
comment on column daily_message.events is 'Number of events.';
comment on column daily_message.users is 'Users with such an event. Not to be added up.';

create or replace view daily_message_pacific as
select
  m.pacific_date,
  m.message_id,
  m.action,
  count(*) as events,
  count(distinct m.user_id) as users
from message_event m
group by 1, 2, 3;
comment on view daily_message_pacific is
  'Events of messages by Pacific day, as the vendor''s dashboard counts, message and action, those outside of sessions included.';
comment on column daily_message_pacific.pacific_date is 'Day of the events in Los Angeles; null for those without a time.';
comment on column daily_message_pacific.message_id is 'Message, by its id.';
comment on column daily_message_pacific.action is 'Sent, or what happened to it, in the vendor''s words.';
comment on column daily_message_pacific.events is 'Number of events.';
comment on column daily_message_pacific.users is 'Users with such an event. Not to be added up.';
