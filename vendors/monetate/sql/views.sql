-- Sessions with the names of what they hold, and their counts by day. Repeatable: it runs again when it changes.
-- Columns are bound when a view is made, so that they work under any search_path.
--
-- "Monetate provides unique IDs because these IDs never change, whereas you can change the display name": names are joined
-- as they are known now, from the left, so that an id without a name loses no row. A name is found by its primary key and
-- never multiplies one.
--
-- A session counts on the UTC day on which it began, whatever file it came in. Such a day is complete when the delivery of
-- that day is final in landfall.delivery.

create or replace view offer as
select
  o.session_id,
  o.ordinal,
  s.account_id,
  (s.start_time at time zone 'UTC')::date as date,
  o.variant_id,
  v.variant_name,
  v.experience_id,
  v.experience_name,
  v.experience_type,
  o.first_seen
from session_offer o
left join session s on s.session_id = o.session_id
left join variant v on v.variant_id = o.variant_id;
comment on view offer is 'Variants that were seen in sessions, with their names.';
comment on column offer.session_id is 'session.session_id.';
comment on column offer.ordinal is 'session_offer.ordinal.';
comment on column offer.account_id is 'session.account_id.';
comment on column offer.date is 'Day on which the session began (UTC).';
comment on column offer.variant_id is 'variant.variant_id.';
comment on column offer.variant_name is 'Name of the variant; null while none is known.';
comment on column offer.experience_id is 'Experience of the variant; null while none is known.';
comment on column offer.experience_name is 'Name of the experience; null while none is known.';
comment on column offer.experience_type is 'Type of the experience; null while none is known.';
comment on column offer.first_seen is 'When it was first seen in the session, UTC.';

create or replace view page_event_seen as
select
  e.session_id,
  e.ordinal,
  s.account_id,
  (s.start_time at time zone 'UTC')::date as date,
  e.page_event_id,
  p.title,
  e.first_seen
from session_page_event e
left join session s on s.session_id = e.session_id
left join page_event p on p.page_event_id = e.page_event_id;
comment on view page_event_seen is 'Page events that happened in sessions, with their names.';
comment on column page_event_seen.session_id is 'session.session_id.';
comment on column page_event_seen.ordinal is 'session_page_event.ordinal.';
comment on column page_event_seen.account_id is 'session.account_id.';
comment on column page_event_seen.date is 'Day on which the session began (UTC).';
comment on column page_event_seen.page_event_id is 'page_event.page_event_id.';
comment on column page_event_seen.title is 'Name of the page event; null while none is known.';
comment on column page_event_seen.first_seen is 'When it first happened in the session, UTC.';

create or replace view custom_target_value as
select
  t.session_id,
  t.ordinal,
  s.account_id,
  (s.start_time at time zone 'UTC')::date as date,
  t.custom_target_id,
  c.title,
  c.is_identifier,
  c.collects_person_id,
  t.value
from session_custom_target t
left join session s on s.session_id = t.session_id
left join custom_target c on c.custom_target_id = t.custom_target_id;
comment on view custom_target_value is 'Values of custom targets in sessions, with the names of the targets.';
comment on column custom_target_value.session_id is 'session.session_id.';
comment on column custom_target_value.ordinal is 'session_custom_target.ordinal.';
comment on column custom_target_value.account_id is 'session.account_id.';
comment on column custom_target_value.date is 'Day on which the session began (UTC).';
comment on column custom_target_value.custom_target_id is 'custom_target.custom_target_id.';
comment on column custom_target_value.title is 'Name of the custom target; null while none is known.';
comment on column custom_target_value.is_identifier is 'Whether it is an ID collector; null while that is not known.';
comment on column custom_target_value.collects_person_id is 'Whether it collects the id of a person; null while that is not known.';
comment on column custom_target_value.value is 'Value. May be personal: see mask.';

-- The value of a purchase stands in one field and what was bought in another; either may lack what the other has.
create or replace view purchase as
select
  session_id,
  purchase_id,
  s.account_id,
  (s.start_time at time zone 'UTC')::date as date,
  l.time,
  coalesce(p.value, l.total_value) as value,
  coalesce(l.items, 0) as items,
  l.quantity
from session_purchase p
full join (
  select
    i.session_id,
    i.purchase_id,
    min(i.purchase_time) as time,
    max(i.purchase_total_value) as total_value,
    count(*) as items,
    sum(i.quantity) as quantity
  from session_purchase_item i
  group by 1, 2
) l using (session_id, purchase_id)
left join session s using (session_id);
comment on view purchase is 'Purchases of sessions, with how many items they had.';
comment on column purchase.session_id is 'session.session_id.';
comment on column purchase.purchase_id is 'Purchase, by the id that your integration gives it.';
comment on column purchase.account_id is 'session.account_id.';
comment on column purchase.date is 'Day on which the session began (UTC).';
comment on column purchase.time is 'When it was made, UTC; null where no item says so.';
comment on column purchase.value is 'session_purchase.value; where the session has none for it, the total value that stands with its items.';
comment on column purchase.items is 'Number of items. May be too few where session.purchase_lines_truncated.';
comment on column purchase.quantity is 'Sum of their quantities; null where none has one.';

create or replace view daily_session as
select
  s.account_id,
  (s.start_time at time zone 'UTC')::date as date,
  count(*) as sessions,
  count(distinct s.guid) as visitors,
  count(*) filter (where s.is_bounce) as bounces,
  count(*) filter (where s.has_new_customer) as new_customer_sessions,
  sum(s.page_views) as page_views,
  count(*) filter (where s.has_product_view) as product_view_sessions,
  count(*) filter (where s.has_cart) as cart_sessions,
  count(*) filter (where s.has_purchase) as purchase_sessions,
  coalesce(sum(s.purchase_count), 0) as purchases,
  coalesce(sum(s.session_value), 0) as revenue,
  count(*) filter (
    where s.offers_truncated or s.page_event_ids_truncated or s.custom_targets_truncated or s.view_lines_truncated
      or s.cart_lines_truncated or s.purchases_truncated or s.purchase_lines_truncated
  ) as truncated_sessions
from session s
group by 1, 2;
comment on view daily_session is 'Sessions by account and the UTC day on which they began.';
comment on column daily_session.account_id is 'session.account_id.';
comment on column daily_session.date is 'Day on which the sessions began (UTC); null for those without a time.';
comment on column daily_session.sessions is 'Number of sessions.';
comment on column daily_session.visitors is 'Number of visitors (guid). Not to be added up over days.';
comment on column daily_session.bounces is 'Sessions whose visitor bounced.';
comment on column daily_session.new_customer_sessions is 'Sessions of new customers.';
comment on column daily_session.page_views is 'Number of pages viewed.';
comment on column daily_session.product_view_sessions is 'Sessions with a product page viewed.';
comment on column daily_session.cart_sessions is 'Sessions with an item in the cart.';
comment on column daily_session.purchase_sessions is 'Sessions with a purchase.';
comment on column daily_session.purchases is 'Number of purchases.';
comment on column daily_session.revenue is 'Value of the purchases.';
comment on column daily_session.truncated_sessions is 'Sessions with a list that is to be taken for incomplete: likely bots.';

create or replace view daily_variant as
select
  s.account_id,
  (s.start_time at time zone 'UTC')::date as date,
  o.variant_id,
  v.variant_name,
  v.experience_id,
  v.experience_name,
  count(*) as sessions,
  count(*) filter (where s.is_bounce) as bounces,
  count(*) filter (where s.has_purchase) as purchase_sessions,
  coalesce(sum(s.purchase_count), 0) as purchases,
  coalesce(sum(s.session_value), 0) as revenue
from session_offer o
left join session s on s.session_id = o.session_id
left join variant v on v.variant_id = o.variant_id
group by 1, 2, 3, 4, 5, 6;
comment on view daily_variant is 'Sessions in which a variant was seen, by account, UTC day and variant. A session counts for each of its variants.';
comment on column daily_variant.account_id is 'session.account_id.';
comment on column daily_variant.date is 'Day on which the sessions began (UTC).';
comment on column daily_variant.variant_id is 'variant.variant_id.';
comment on column daily_variant.variant_name is 'Name of the variant; null while none is known.';
comment on column daily_variant.experience_id is 'Experience of the variant; null while none is known.';
comment on column daily_variant.experience_name is 'Name of the experience; null while none is known.';
comment on column daily_variant.sessions is 'Number of sessions.';
comment on column daily_variant.bounces is 'Sessions whose visitor bounced.';
comment on column daily_variant.purchase_sessions is 'Sessions with a purchase.';
comment on column daily_variant.purchases is 'Number of purchases in them.';
comment on column daily_variant.revenue is 'Value of these purchases, whatever led to them.';

create or replace view daily_page_event as
select
  s.account_id,
  (s.start_time at time zone 'UTC')::date as date,
  e.page_event_id,
  p.title,
  count(*) as sessions
from session_page_event e
left join session s on s.session_id = e.session_id
left join page_event p on p.page_event_id = e.page_event_id
group by 1, 2, 3, 4;
comment on view daily_page_event is 'Sessions in which a page event happened, by account, UTC day and page event.';
comment on column daily_page_event.account_id is 'session.account_id.';
comment on column daily_page_event.date is 'Day on which the sessions began (UTC).';
comment on column daily_page_event.page_event_id is 'page_event.page_event_id.';
comment on column daily_page_event.title is 'Name of the page event; null while none is known.';
comment on column daily_page_event.sessions is 'Number of sessions.';

create or replace view unnamed_id as
select 'variant' as kind, o.variant_id as id, count(*) as sessions, max(s.end_time) as last_used, v.gone_at
from session_offer o
left join session s on s.session_id = o.session_id
left join variant v on v.variant_id = o.variant_id
where v.first_seen is null
group by 2, 5
union all
select 'page_event', e.page_event_id, count(*), max(s.end_time), p.gone_at
from session_page_event e
left join session s on s.session_id = e.session_id
left join page_event p on p.page_event_id = e.page_event_id
where p.first_seen is null
group by 2, 5
union all
select 'custom_target', t.custom_target_id, count(distinct t.session_id), max(s.end_time), c.gone_at
from session_custom_target t
left join session s on s.session_id = t.session_id
left join custom_target c on c.custom_target_id = t.custom_target_id
where c.first_seen is null
group by 2, 5;
comment on view unnamed_id is 'Ids in sessions of which no name is known. Reads all sessions.';
comment on column unnamed_id.kind is 'variant, page_event or custom_target.';
comment on column unnamed_id.id is 'The id.';
comment on column unnamed_id.sessions is 'Number of sessions that have it.';
comment on column unnamed_id.last_used is 'End of the last of them.';
comment on column unnamed_id.gone_at is 'When the metadata API first said that there is no such id; null: it was not asked yet.';
