-- Properties of actions as rows, and counts by day. Repeatable: it runs again when it changes.
-- Columns are bound when a view is made, so that they work under any search_path.
--
-- A session counts on the UTC day on which it began; of one that was split, each part on its own. start_time is the
-- session's in every table, so that the counts of actions and errors are those of the same sessions.
--
-- The parts of a session share its user_session_id, so sessions are counted by it.

create or replace view user_action_property as
select
  a.tenant_id,
  a.user_session_id,
  a.start_time,
  a.ordinal as action_ordinal,
  p.number as property_ordinal,
  a.application,
  a.name as action_name,
  l.type,
  p.property ->> 'key' as key,
  p.property ->> 'value' as value,
  case
    when n.number = trunc(n.number) and n.number between -9223372036854775808 and 9223372036854775807
    then n.number::bigint
  end as long_value,
  -- A number that double precision cannot hold is in value alone.
  case when abs(n.number) < 1e308 and (n.number = 0 or abs(n.number) > 1e-307) then n.number::double precision end
    as double_value
from user_action a
cross join lateral (
  values
    ('string', a.string_properties),
    ('long', a.long_properties),
    ('double', a.double_properties),
    ('date', a.date_properties)
) l (type, properties)
cross join lateral jsonb_array_elements(
  case jsonb_typeof(l.properties) when 'array' then l.properties else '[]' end
) with ordinality p (property, number)
cross join lateral (
  select case when l.type in ('long', 'double') and jsonb_typeof(p.property -> 'value') = 'number'
    then (p.property ->> 'value')::numeric end
) n (number);
comment on view user_action_property is 'Properties of user actions, a row each.';
comment on column user_action_property.tenant_id is 'user_session.tenant_id.';
comment on column user_action_property.user_session_id is 'user_session.user_session_id.';
comment on column user_action_property.start_time is 'user_session.start_time: when the session began.';
comment on column user_action_property.action_ordinal is 'user_action.ordinal.';
comment on column user_action_property.property_ordinal is 'Number of the property within those of its type, from 1.';
comment on column user_action_property.application is 'Application of the action, by its name.';
comment on column user_action_property.action_name is 'Name of the action.';
comment on column user_action_property.type is 'string, long, double or date.';
comment on column user_action_property.key is 'Name of the property.';
comment on column user_action_property.value is 'Value, as text. May be personal: see mask.';
comment on column user_action_property.long_value is 'Value of a long, or of a double that is a whole number of 64 bits; null otherwise.';
comment on column user_action_property.double_value is 'Value of a double or long as a number; null where it is none.';

create or replace view daily_session as
select
  s.tenant_id,
  (s.start_time at time zone 'UTC')::date as date,
  s.application_type,
  s.user_type,
  count(distinct s.user_session_id) as sessions,
  count(*) as parts,
  count(distinct s.internal_user_id) as users,
  count(distinct s.user_session_id) filter (where s.new_user) as new_user_sessions,
  count(distinct s.user_session_id) filter (where s.bounce) as bounces,
  -- Older documents have the number alone.
  count(distinct s.user_session_id) filter (where s.has_error or s.total_error_count > 0) as error_sessions,
  count(distinct s.user_session_id) filter (where s.has_crash) as crash_sessions,
  coalesce(sum(s.user_action_count), 0) as user_actions,
  coalesce(sum(s.total_error_count), 0) as errors,
  count(*) filter (where s.user_experience_score = 'SATISFIED') as satisfied_parts,
  count(*) filter (where s.user_experience_score = 'TOLERATED') as tolerated_parts,
  count(*) filter (where s.user_experience_score = 'FRUSTRATED') as frustrated_parts,
  (avg(s.duration) / 1000)::double precision as average_duration
from user_session s
group by 1, 2, 3, 4;
comment on view daily_session is 'Sessions by the UTC day on which they began, type of application and type of user.';
comment on column daily_session.tenant_id is 'user_session.tenant_id.';
comment on column daily_session.date is 'Day on which the sessions began (UTC).';
comment on column daily_session.application_type is 'user_session.application_type.';
comment on column daily_session.user_type is 'user_session.user_type: robots and synthetic monitors are not left out.';
comment on column daily_session.sessions is 'Number of sessions, each once however many parts it has.';
comment on column daily_session.parts is 'Number of rows: a session that was not split is one.';
comment on column daily_session.users is 'Users, as Dynatrace tells them apart. Not to be added up.';
comment on column daily_session.new_user_sessions is 'Sessions of users who came for the first time.';
comment on column daily_session.bounces is 'Sessions with one user action at most.';
comment on column daily_session.error_sessions is 'Sessions with an error.';
comment on column daily_session.crash_sessions is 'Sessions with a crash.';
comment on column daily_session.user_actions is 'Number of user actions.';
comment on column daily_session.errors is 'Number of errors.';
comment on column daily_session.satisfied_parts is 'Rows whose user experience score is SATISFIED.';
comment on column daily_session.tolerated_parts is 'Rows whose user experience score is TOLERATED.';
comment on column daily_session.frustrated_parts is 'Rows whose user experience score is FRUSTRATED.';
comment on column daily_session.average_duration is 'Mean length of a row, in seconds.';

-- Apdex as its standard has it: satisfied actions and half of the tolerating ones, as a share of those that were judged.
create or replace view daily_application as
select
  a.tenant_id,
  (a.start_time at time zone 'UTC')::date as date,
  a.application,
  count(distinct a.user_session_id) as sessions,
  count(distinct s.internal_user_id) as users,
  count(*) as user_actions,
  count(*) filter (where a.apdex_category = 'SATISFIED') as satisfied,
  count(*) filter (where a.apdex_category = 'TOLERATING') as tolerating,
  count(*) filter (where a.apdex_category = 'FRUSTRATED') as frustrated,
  (count(*) filter (where a.apdex_category = 'SATISFIED')
    + count(*) filter (where a.apdex_category = 'TOLERATING') / 2.0)::double precision
    / nullif(count(*) filter (where a.apdex_category in ('SATISFIED', 'TOLERATING', 'FRUSTRATED')), 0) as apdex,
  count(*) filter (where a.has_crash) as crashed_actions,
  -- Newer documents count three kinds of errors, older ones all together.
  count(*) filter (
    where coalesce(a.custom_error_count, 0) + coalesce(a.javascript_error_count, 0)
      + coalesce(a.request_error_count, 0) + coalesce(a.error_count, 0) > 0
  ) as error_actions,
  (avg(a.duration) / 1000)::double precision as average_duration
from user_action a
left join user_session s using (tenant_id, user_session_id, start_time)
group by 1, 2, 3;
comment on view daily_application is 'User actions by application and the UTC day on which their session began.';
comment on column daily_application.tenant_id is 'user_session.tenant_id.';
comment on column daily_application.date is 'Day on which the sessions began (UTC).';
comment on column daily_application.application is 'Application, by its name.';
comment on column daily_application.sessions is 'Sessions with an action in it. Not to be added up over applications.';
comment on column daily_application.users is 'Users of these sessions. Not to be added up.';
comment on column daily_application.user_actions is 'Number of user actions.';
comment on column daily_application.satisfied is 'Actions whose Apdex category is SATISFIED.';
comment on column daily_application.tolerating is 'Actions whose Apdex category is TOLERATING.';
comment on column daily_application.frustrated is 'Actions whose Apdex category is FRUSTRATED.';
comment on column daily_application.apdex is 'Satisfied actions and half of the tolerating ones, as a share of those that have a category, from 0 to 1; null where none has.';
comment on column daily_application.crashed_actions is 'Actions that crashed.';
comment on column daily_application.error_actions is 'Actions with an error.';
comment on column daily_application.average_duration is 'Mean length of an action, in seconds.';

create or replace view daily_error as
select
  e.tenant_id,
  (e.start_time at time zone 'UTC')::date as date,
  e.application,
  e.type,
  e.name,
  count(*) as errors,
  count(distinct e.user_session_id) as sessions
from user_error e
group by 1, 2, 3, 4, 5;
comment on view daily_error is 'Errors and crashes by application, type and name, and the UTC day on which their session began.';
comment on column daily_error.tenant_id is 'user_session.tenant_id.';
comment on column daily_error.date is 'Day on which the sessions began (UTC).';
comment on column daily_error.application is 'Application, by its name.';
comment on column daily_error.type is 'user_error.type.';
comment on column daily_error.name is 'Name of the error.';
comment on column daily_error.errors is 'Number of errors.';
comment on column daily_error.sessions is 'Sessions that had it. Not to be added up.';
