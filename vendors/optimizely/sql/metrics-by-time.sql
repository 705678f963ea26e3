-- Attribution by time, for events without experiments (since 2023-10-09): a visitor's first decision of an experiment,
-- and what the visitor did in the 48 hours after it. Repeatable; windows and bodies are as in metrics.sql.

create or replace function experiment_unit(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity'
)
returns table (experiment_id text, visitor_id text, variation_id text, decided_at timestamptz)
language sql stable parallel safe
begin atomic
  -- Decisions of the same instant: the smallest variation, so that every run and every reload says the same.
  select distinct on (d.experiment_id, d.visitor_id)
    d.experiment_id, d.visitor_id, d.variation_id, d.timestamp
  from decision d
  where d.timestamp between from_time and to_time
    and d.is_holdback = false
    and d.experiment_id is not null
    and d.visitor_id is not null
  order by d.experiment_id, d.visitor_id, d.timestamp, d.variation_id;
end;
comment on function experiment_unit is
  'Visitors of an experiment, each with its first decision of the window (holdbacks aside): the unit that observations are made of.';

create or replace function attributed_event(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  within interval default '48 hours'
)
returns table (
  experiment_id text,
  variation_id text,
  visitor_id text,
  decided_at timestamptz,
  "timestamp" timestamptz,
  entity_id text,
  event_name text,
  revenue bigint,
  value double precision,
  quantity bigint,
  uuid text,
  export_date date
)
language sql stable parallel safe
begin atomic
  select
    u.experiment_id, u.variation_id, u.visitor_id, u.decided_at,
    c.timestamp, c.entity_id, c.event_name, c.revenue, c.value, c.quantity, c.uuid, c.export_date
  from experiment_unit(from_time, to_time) u
  join conversion c
    on c.visitor_id = u.visitor_id
   and c.timestamp between u.decided_at and u.decided_at + within
  -- Follows from the line above; said again because only this bound can be used to skip days.
  where c.timestamp between from_time and to_time + within;
end;
comment on function attributed_event is
  'Events attributed by time: a unit''s events from its decision (made in the window) to 48 hours, or within, later, both included. An event counts for each of its visitor''s experiments.';

create or replace function observation(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  entity text default null,
  within interval default '48 hours'
)
returns table (
  experiment_id text,
  variation_id text,
  visitor_id text,
  decided_at timestamptz,
  conversions bigint,
  revenue bigint,
  value double precision
)
language sql stable parallel safe
begin atomic
  select
    u.experiment_id, u.variation_id, u.visitor_id, u.decided_at,
    coalesce(e.conversions, 0), coalesce(e.revenue, 0), coalesce(e.value, 0)
  from experiment_unit(from_time, to_time) u
  left join (
    select
      a.experiment_id, a.visitor_id,
      count(*) as conversions, sum(a.revenue)::bigint as revenue, sum(a.value) as value
    from attributed_event(from_time, to_time, within) a
    where entity is null or a.entity_id = entity
    group by a.experiment_id, a.visitor_id
  ) e on e.experiment_id = u.experiment_id and e.visitor_id = u.visitor_id;
end;
comment on function observation is
  'One row per unit: how often it converted in its 48 hours (or within), its revenue in cents and its value, 0 where it did not. entity limits it to one event.';

create or replace function attributed_results(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  entity text default null,
  within interval default '48 hours'
)
returns table (
  experiment_id text,
  variation_id text,
  units bigint,
  unique_conversions bigint,
  total_conversions bigint,
  total_revenue bigint,
  total_value double precision,
  conversion_rate double precision,
  mean_conversions double precision,
  mean_revenue double precision,
  mean_value double precision
)
language sql stable parallel safe
begin atomic
  select
    o.experiment_id,
    o.variation_id,
    count(*),
    count(*) filter (where o.conversions > 0),
    sum(o.conversions)::bigint,
    sum(o.revenue)::bigint,
    sum(o.value),
    avg((o.conversions > 0)::integer)::double precision,
    avg(o.conversions)::double precision,
    avg(o.revenue)::double precision,
    avg(o.value)
  from observation(from_time, to_time, entity, within) o
  group by o.experiment_id, o.variation_id;
end;
comment on function attributed_results is
  'Metrics by time attribution, one row per experiment and variation: sums and means of its units'' observations. conversion_rate is the share of units that converted; mean_revenue is in cents per unit.';
