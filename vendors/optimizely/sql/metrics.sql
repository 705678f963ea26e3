-- The vendor's metrics, by experiment and variation over a window of time, for events that carry their experiments.
-- Repeatable: it runs again when it changes.
-- Bodies are SQL-standard ("begin atomic"), so names are bound when they are made and work under any search_path; each
-- is a single query, which Postgres inlines into the caller's.
--
-- Windows go by "timestamp", from_time to to_time, both included, as the vendor's examples have it
-- ("timestamp between 1579039200000 and 1579644000000"). Rows without a timestamp are in no window.

create or replace view conversion_experiment as
select
  x.entry ->> 'experiment_id' as experiment_id,
  x.entry ->> 'variation_id' as variation_id,
  x.entry ->> 'campaign_id' as campaign_id,
  (x.entry ->> 'is_holdback')::boolean as is_holdback,
  c.entity_id,
  c.event_name,
  c.visitor_id,
  c.timestamp,
  c.revenue,
  c.value,
  c.quantity,
  c.uuid,
  c.export_date
from conversion c
cross join lateral jsonb_array_elements(
  case jsonb_typeof(c.experiments) when 'array' then c.experiments else '[]'::jsonb end
) as x (entry)
-- The vendor's schema allows an entry to be null.
where jsonb_typeof(x.entry) = 'object';
comment on view conversion_experiment is
  'Conversions by the experiments they are attributed to: one row per event and entry of experiments. Events without experiments are absent.';

create or replace function unique_visitors_full_stack(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity'
)
returns table (experiment_id text, variation_id text, unique_visitors bigint)
language sql stable parallel safe
begin atomic
  select d.experiment_id, d.variation_id, count(distinct d.visitor_id)
  from decision d
  where d.timestamp between from_time and to_time
    and d.is_holdback = false
  group by d.experiment_id, d.variation_id;
end;
comment on function unique_visitors_full_stack is
  'Unique visitors by Optimizely''s Full Stack method: visitors with a decision that is not a holdback.';

create or replace function unique_visitors_web(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity'
)
returns table (experiment_id text, variation_id text, unique_visitors bigint)
language sql stable parallel safe
begin atomic
  select seen.experiment_id, seen.variation_id, count(distinct seen.visitor_id)
  from (
    select c.experiment_id, c.variation_id, c.visitor_id
    from conversion_experiment c
    where c.timestamp between from_time and to_time
    union all
    select d.experiment_id, d.variation_id, d.visitor_id
    from decision d
    where d.timestamp between from_time and to_time
      and d.is_holdback = false
  ) seen
  group by seen.experiment_id, seen.variation_id;
end;
comment on function unique_visitors_web is
  'Unique visitors by Optimizely''s Web method: visitors with any attributed event or with a decision that is not a holdback.';

create or replace function unique_conversions(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  entity text default null
)
returns table (experiment_id text, variation_id text, entity_id text, unique_conversions bigint)
language sql stable parallel safe
begin atomic
  select c.experiment_id, c.variation_id, c.entity_id, count(distinct c.visitor_id)
  from conversion_experiment c
  where c.timestamp between from_time and to_time
    and (entity is null or c.entity_id = entity)
  group by c.experiment_id, c.variation_id, c.entity_id;
end;
comment on function unique_conversions is
  'Visitors who converted at least once, by event (entity_id); entity limits it to one event.';

create or replace function total_conversions(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  entity text default null
)
returns table (experiment_id text, variation_id text, entity_id text, total_conversions bigint)
language sql stable parallel safe
begin atomic
  select c.experiment_id, c.variation_id, c.entity_id, count(*)
  from conversion_experiment c
  where c.timestamp between from_time and to_time
    and (entity is null or c.entity_id = entity)
  group by c.experiment_id, c.variation_id, c.entity_id;
end;
comment on function total_conversions is
  'Conversions, by event (entity_id); entity limits it to one event. An event counts for each experiment it is attributed to.';

create or replace function total_revenue(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  entity text default null
)
returns table (experiment_id text, variation_id text, entity_id text, total_revenue bigint)
language sql stable parallel safe
begin atomic
  select c.experiment_id, c.variation_id, c.entity_id, coalesce(sum(c.revenue), 0)::bigint
  from conversion_experiment c
  where c.timestamp between from_time and to_time
    and (entity is null or c.entity_id = entity)
  group by c.experiment_id, c.variation_id, c.entity_id;
end;
comment on function total_revenue is
  'Revenue in cents, by event (entity_id); entity limits it to one event. 0 where no event carries revenue.';

create or replace function total_value(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  entity text default null
)
returns table (experiment_id text, variation_id text, entity_id text, total_value double precision)
language sql stable parallel safe
begin atomic
  select c.experiment_id, c.variation_id, c.entity_id, coalesce(sum(c.value), 0)
  from conversion_experiment c
  where c.timestamp between from_time and to_time
    and (entity is null or c.entity_id = entity)
  group by c.experiment_id, c.variation_id, c.entity_id;
end;
comment on function total_value is
  'Sum of value, by event (entity_id); entity limits it to one event. 0 where no event carries a value.';

create or replace function experiment_results(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  entity text default null
)
returns table (
  experiment_id text,
  variation_id text,
  unique_visitors_full_stack bigint,
  unique_visitors_web bigint,
  unique_conversions bigint,
  total_conversions bigint,
  total_revenue bigint,
  total_value double precision
)
language sql stable parallel safe
begin atomic
  -- One pass over each table: a visitor's first row per method is what the distinct counts count.
  select
    seen.experiment_id,
    seen.variation_id,
    count(distinct seen.visitor_id) filter (where seen.is_decision),
    count(distinct seen.visitor_id),
    count(distinct seen.visitor_id) filter (where seen.is_counted),
    count(*) filter (where seen.is_counted),
    coalesce(sum(seen.revenue) filter (where seen.is_counted), 0)::bigint,
    coalesce(sum(seen.value) filter (where seen.is_counted), 0)
  from (
    select
      c.experiment_id, c.variation_id, c.visitor_id, c.revenue, c.value,
      false as is_decision,
      entity is null or coalesce(c.entity_id = entity, false) as is_counted
    from conversion_experiment c
    where c.timestamp between from_time and to_time
    union all
    select d.experiment_id, d.variation_id, d.visitor_id, null, null, true, false
    from decision d
    where d.timestamp between from_time and to_time
      and d.is_holdback = false
  ) seen
  group by seen.experiment_id, seen.variation_id;
end;
comment on function experiment_results is
  'All metrics side by side, one row per experiment and variation. entity limits conversions, revenue and value to one event; without it they are over all events. Visitors are never limited.';

create or replace function experiment_totals(
  from_time timestamptz default '-infinity',
  to_time timestamptz default 'infinity',
  entity text default null
)
returns table (
  experiment_id text,
  unique_visitors_full_stack bigint,
  unique_visitors_web bigint,
  unique_conversions bigint,
  total_conversions bigint,
  total_revenue bigint,
  total_value double precision
)
language sql stable parallel safe
begin atomic
  -- The grain of the vendor's own queries. A visitor who saw two variations counts once, so visitors and unique
  -- conversions are no sums of what experiment_results gives.
  select
    seen.experiment_id,
    count(distinct seen.visitor_id) filter (where seen.is_decision),
    count(distinct seen.visitor_id),
    count(distinct seen.visitor_id) filter (where seen.is_counted),
    count(*) filter (where seen.is_counted),
    coalesce(sum(seen.revenue) filter (where seen.is_counted), 0)::bigint,
    coalesce(sum(seen.value) filter (where seen.is_counted), 0)
  from (
    select
      c.experiment_id, c.visitor_id, c.revenue, c.value,
      false as is_decision,
      entity is null or coalesce(c.entity_id = entity, false) as is_counted
    from conversion_experiment c
    where c.timestamp between from_time and to_time
    union all
    select d.experiment_id, d.visitor_id, null, null, true, false
    from decision d
    where d.timestamp between from_time and to_time
      and d.is_holdback = false
  ) seen
  group by seen.experiment_id;
end;
comment on function experiment_totals is
  'The same metrics with one row per experiment, as Optimizely''s own queries count them: a visitor of several variations counts once. entity limits conversions, revenue and value to one event.';
