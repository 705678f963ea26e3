-- The tables of a source, created once in the source's schema (search_path names it).
--
-- Every vendor column but the session is nullable: a session has what happened in it.
--
-- Plain tables: a session is in the files of the day on which it ended, which is not the day that people count it under,
-- and one that comes again replaces its rows wherever they are. No foreign keys: all tables of a load are merged in one
-- transaction, which makes them agree, and a key would be looked up for each of their rows.
--
-- Beside the primary key each table that files fill has a BRIN index on _file_id, by which rows of a file are found to be
-- counted, taken out or looked at. A file's rows lie together, so the index is tiny.
--
-- What ids are called has a table a kind. One that sessions have and the API does not know is there too, without names, so
-- that it is not asked for every day.
--
-- Squares and money are numeric: squares of time outgrow the 15 digits of double precision, and sums of money must not
-- depend on their order.

create table session (
  export_date                   date not null,
  session_id                    text not null primary key,
  account_id                    bigint,
  guid                          text,
  customer_id                   text,
  customer_link                 text,
  start_time                    timestamptz,
  end_time                      timestamptz,
  time_on_site                  double precision,
  time_on_site_ss               numeric,
  session_count                 bigint,
  is_closed                     boolean,
  is_bounce                     boolean,
  has_stealth                   boolean,
  browser                       text,
  browser_version               text,
  os                            text,
  os_version                    text,
  device_type                   text,
  screen_width                  bigint,
  screen_height                 bigint,
  country_code                  text,
  region                        text,
  city                          text,
  page_views                    bigint,
  page_views_ss                 numeric,
  has_product_view              boolean,
  product_view_count            bigint,
  has_cart                      boolean,
  has_purchase                  boolean,
  purchase_count                bigint,
  purchase_value_ss             numeric,
  session_value                 numeric,
  session_value_ss              numeric,
  has_new_customer              boolean,
  has_recommendation_impression boolean,
  has_recommendation_click      boolean,
  has_recommendation_cart       boolean,
  has_recommendation_purchase   boolean,
  offers                        jsonb,
  offers_truncated              boolean,
  page_event_ids                jsonb,
  page_event_ids_truncated      boolean,
  custom_targets                jsonb,
  custom_targets_truncated      boolean,
  view_lines                    jsonb,
  view_lines_truncated          boolean,
  cart_lines                    jsonb,
  cart_lines_truncated          boolean,
  purchases                     jsonb,
  purchases_truncated           boolean,
  purchase_lines                jsonb,
  purchase_lines_truncated      boolean,
  _file_id                      bigint not null,
  _line                         bigint not null,
  _extra                        jsonb
);
create index session_file on session using brin (_file_id) with (autosummarize = on);

comment on table session is 'Sessions of visitors, each written when it has ended. One that comes again replaces its rows in all tables.';
comment on column session.export_date is 'UTC day of the folder that its file lay in: the day on which the session ended, and that of its delivery.';
comment on column session.session_id is 'Session: the guid, purchase count, start and end time.';
comment on column session.account_id is 'Account at Monetate.';
comment on column session.guid is 'Visitor, as account id:Monetate ID.';
comment on column session.customer_id is 'Customer, as the page said in this session. Personal: see mask.';
comment on column session.customer_link is 'Customer whom an earlier session was linked to; may differ from customer_id. Personal: see mask.';
comment on column session.start_time is 'When the session began, UTC, to the millisecond.';
comment on column session.end_time is 'When it ended, UTC, to the millisecond.';
comment on column session.time_on_site is 'Time on the site, in seconds.';
comment on column session.time_on_site_ss is 'Its square, in seconds squared.';
comment on column session.session_count is 'Always 1.';
comment on column session.is_closed is 'Whether the session is closed.';
comment on column session.is_bounce is 'Whether the visitor bounced.';
comment on column session.has_stealth is 'Whether the visitor is in Stealth Mode, by the account''s settings.';
comment on column session.browser is 'Browser.';
comment on column session.browser_version is 'Its version.';
comment on column session.os is 'Operating system.';
comment on column session.os_version is 'Its version.';
comment on column session.device_type is 'Type of device, by the user agent.';
comment on column session.screen_width is 'Width of the screen, in pixels.';
comment on column session.screen_height is 'Height of the screen, in pixels.';
comment on column session.country_code is 'Country, by its two letters, e.g. US.';
comment on column session.region is 'Code of the region.';
comment on column session.city is 'City, by the IP address.';
comment on column session.page_views is 'Number of pages viewed.';
comment on column session.page_views_ss is 'Its square.';
comment on column session.has_product_view is 'Whether a product page was viewed.';
comment on column session.product_view_count is 'Number of product views.';
comment on column session.has_cart is 'Whether the cart page was viewed with an item in the cart.';
comment on column session.has_purchase is 'Whether a product was purchased.';
comment on column session.purchase_count is 'Number of purchases.';
comment on column session.purchase_value_ss is 'Sum of the squares of the purchases'' values.';
comment on column session.session_value is 'Value of all purchases.';
comment on column session.session_value_ss is 'Its square.';
comment on column session.has_new_customer is 'Whether the visitor is a new customer; false: a returning one.';
comment on column session.has_recommendation_impression is 'Whether a recommendation was seen.';
comment on column session.has_recommendation_click is 'Whether a recommendation was clicked.';
comment on column session.has_recommendation_cart is 'Whether a recommended product was put into the cart.';
comment on column session.has_recommendation_purchase is 'Whether a recommended product was purchased.';
comment on column session.offers is 'Variants that were seen, and when first, in Unix milliseconds: an object by variant id. Unfolded in session_offer.';
comment on column session.offers_truncated is 'Whether offers holds 1,000 entries or more, and is to be taken for incomplete.';
comment on column session.page_event_ids is 'Page events that happened, and when first, in Unix milliseconds: an object by page event id. Unfolded in session_page_event.';
comment on column session.page_event_ids_truncated is 'Whether page_event_ids holds 1,000 entries or more, and is to be taken for incomplete.';
comment on column session.custom_targets is 'Custom targets that the visitor matched, with their values: an object by custom target id. May be personal: see mask. Unfolded in session_custom_target.';
comment on column session.custom_targets_truncated is 'Whether custom_targets holds 1,000 entries or more, and is to be taken for incomplete.';
comment on column session.view_lines is 'Products viewed: a list. Unfolded in session_view_line.';
comment on column session.view_lines_truncated is 'Whether view_lines holds 1,000 items or more, and is to be taken for incomplete.';
comment on column session.cart_lines is 'Products put into the cart: a list. Unfolded in session_cart_line.';
comment on column session.cart_lines_truncated is 'Whether cart_lines holds 1,000 items or more, and is to be taken for incomplete.';
comment on column session.purchases is 'Purchases and their values: an object by purchase id. Unfolded in session_purchase.';
comment on column session.purchases_truncated is 'Whether purchases holds 1,000 entries or more, and is to be taken for incomplete.';
comment on column session.purchase_lines is 'What was purchased: an object by purchase id, of objects with items. Unfolded in session_purchase_item.';
comment on column session.purchase_lines_truncated is 'Whether purchase_lines holds 1,000 purchases or more, or one of them 1,000 items or more, and is to be taken for incomplete.';
comment on column session._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session._line is 'Line within that file, from 1.';
comment on column session._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table session_offer (
  session_id text not null,
  ordinal    bigint not null,
  variant_id text,
  first_seen timestamptz,
  _file_id   bigint not null,
  _line      bigint not null,
  _extra     jsonb,
  primary key (session_id, ordinal)
);
create index session_offer_file on session_offer using brin (_file_id) with (autosummarize = on);

comment on table session_offer is 'Variants of experiences that were seen in sessions.';
comment on column session_offer.session_id is 'session.session_id.';
comment on column session_offer.ordinal is 'Number of the offer within its session, from 1.';
comment on column session_offer.variant_id is 'Variant: what Monetate calls the split id. variant.variant_id.';
comment on column session_offer.first_seen is 'When it was first seen in the session, UTC.';
comment on column session_offer._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session_offer._line is 'Line within that file, from 1.';
comment on column session_offer._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table session_page_event (
  session_id    text not null,
  ordinal       bigint not null,
  page_event_id text,
  first_seen    timestamptz,
  _file_id      bigint not null,
  _line         bigint not null,
  _extra        jsonb,
  primary key (session_id, ordinal)
);
create index session_page_event_file on session_page_event using brin (_file_id) with (autosummarize = on);

comment on table session_page_event is 'Page events that happened in sessions.';
comment on column session_page_event.session_id is 'session.session_id.';
comment on column session_page_event.ordinal is 'Number of the page event within its session, from 1.';
comment on column session_page_event.page_event_id is 'page_event.page_event_id.';
comment on column session_page_event.first_seen is 'When it first happened in the session, UTC.';
comment on column session_page_event._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session_page_event._line is 'Line within that file, from 1.';
comment on column session_page_event._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table session_custom_target (
  session_id       text not null,
  ordinal          bigint not null,
  custom_target_id text,
  value            text,
  _file_id         bigint not null,
  _line            bigint not null,
  _extra           jsonb,
  primary key (session_id, ordinal)
);
create index session_custom_target_file on session_custom_target using brin (_file_id) with (autosummarize = on);

comment on table session_custom_target is 'Custom targets that visitors matched, with their values.';
comment on column session_custom_target.session_id is 'session.session_id.';
comment on column session_custom_target.ordinal is 'Number of the value within its session, from 1.';
comment on column session_custom_target.custom_target_id is 'custom_target.custom_target_id.';
comment on column session_custom_target.value is 'Value, as text; what is no text is its JSON. Of a list of values each is a row. May be personal: see mask.';
comment on column session_custom_target._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session_custom_target._line is 'Line within that file, from 1.';
comment on column session_custom_target._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table session_view_line (
  session_id  text not null,
  ordinal     bigint not null,
  product_id  text,
  sku         text,
  time        timestamptz,
  unit_price  numeric,
  quantity    numeric,
  total_value numeric,
  item        jsonb,
  _file_id    bigint not null,
  _line       bigint not null,
  _extra      jsonb,
  primary key (session_id, ordinal)
);
create index session_view_line_file on session_view_line using brin (_file_id) with (autosummarize = on);

comment on table session_view_line is 'Products that were viewed in sessions.';
comment on column session_view_line.session_id is 'session.session_id.';
comment on column session_view_line.ordinal is 'Number of the item within its session, from 1.';
comment on column session_view_line.product_id is 'Product, where the item has a key that means it (product_id, productId, pid …).';
comment on column session_view_line.sku is 'SKU, where the item has such a key.';
comment on column session_view_line.time is 'When, UTC, where the item has a time.';
comment on column session_view_line.unit_price is 'Price of one, where the item has a unit_price or price.';
comment on column session_view_line.quantity is 'How many, where the item has a quantity.';
comment on column session_view_line.total_value is 'Value, where the item has a total_value or total.';
comment on column session_view_line.item is 'The item whole, as it came.';
comment on column session_view_line._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session_view_line._line is 'Line within that file, from 1.';
comment on column session_view_line._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table session_cart_line (
  session_id  text not null,
  ordinal     bigint not null,
  product_id  text,
  sku         text,
  time        timestamptz,
  unit_price  numeric,
  quantity    numeric,
  total_value numeric,
  item        jsonb,
  _file_id    bigint not null,
  _line       bigint not null,
  _extra      jsonb,
  primary key (session_id, ordinal)
);
create index session_cart_line_file on session_cart_line using brin (_file_id) with (autosummarize = on);

comment on table session_cart_line is 'Products that were put into the cart in sessions.';
comment on column session_cart_line.session_id is 'session.session_id.';
comment on column session_cart_line.ordinal is 'Number of the item within its session, from 1.';
comment on column session_cart_line.product_id is 'Product, where the item has a key that means it (product_id, productId, pid …).';
comment on column session_cart_line.sku is 'SKU, where the item has such a key.';
comment on column session_cart_line.time is 'When, UTC, where the item has a time.';
comment on column session_cart_line.unit_price is 'Price of one, where the item has a unit_price or price.';
comment on column session_cart_line.quantity is 'How many, where the item has a quantity.';
comment on column session_cart_line.total_value is 'Value, where the item has a total_value or total.';
comment on column session_cart_line.item is 'The item whole, as it came.';
comment on column session_cart_line._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session_cart_line._line is 'Line within that file, from 1.';
comment on column session_cart_line._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table session_purchase (
  session_id  text not null,
  ordinal     bigint not null,
  purchase_id text,
  value       numeric,
  _file_id    bigint not null,
  _line       bigint not null,
  _extra      jsonb,
  primary key (session_id, ordinal)
);
create index session_purchase_file on session_purchase using brin (_file_id) with (autosummarize = on);

comment on table session_purchase is 'Purchases of sessions, a checkout each.';
comment on column session_purchase.session_id is 'session.session_id.';
comment on column session_purchase.ordinal is 'Number of the purchase within its session, from 1.';
comment on column session_purchase.purchase_id is 'Purchase, by the id that your integration gives it.';
comment on column session_purchase.value is 'Value of the purchase.';
comment on column session_purchase._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session_purchase._line is 'Line within that file, from 1.';
comment on column session_purchase._extra is 'Fields of the row that this table has no column for; null when there are none.';

create table session_purchase_item (
  session_id           text not null,
  ordinal              bigint not null,
  purchase_id          text,
  purchase_time        timestamptz,
  purchase_total_value numeric,
  product_id           text,
  sku                  text,
  time                 timestamptz,
  unit_price           numeric,
  quantity             numeric,
  total_value          numeric,
  item                 jsonb,
  _file_id             bigint not null,
  _line                bigint not null,
  _extra               jsonb,
  primary key (session_id, ordinal)
);
create index session_purchase_item_file on session_purchase_item using brin (_file_id) with (autosummarize = on);

comment on table session_purchase_item is 'Products that were purchased in sessions.';
comment on column session_purchase_item.session_id is 'session.session_id.';
comment on column session_purchase_item.ordinal is 'Number of the item within its session, from 1, over all purchases.';
comment on column session_purchase_item.purchase_id is 'session_purchase.purchase_id, in the same session.';
comment on column session_purchase_item.purchase_time is 'When the purchase was made, UTC, where it has a time.';
comment on column session_purchase_item.purchase_total_value is 'Value of the whole purchase, where it has a total_value or total.';
comment on column session_purchase_item.product_id is 'Product, where the item has a key that means it (product_id, productId, pid …).';
comment on column session_purchase_item.sku is 'SKU, where the item has such a key.';
comment on column session_purchase_item.time is 'When, UTC, where the item has a time.';
comment on column session_purchase_item.unit_price is 'Price of one, where the item has a unit_price or price.';
comment on column session_purchase_item.quantity is 'How many, where the item has a quantity.';
comment on column session_purchase_item.total_value is 'Value, where the item has a total_value or total.';
comment on column session_purchase_item.item is 'The item whole, as it came.';
comment on column session_purchase_item._file_id is 'landfall.file.id of the version of the file that the row came from.';
comment on column session_purchase_item._line is 'Line within that file, from 1.';
comment on column session_purchase_item._extra is 'Fields of the row that this table has no column for; null when there are none.';

-- What ids are called. Sessions hold ids as text (keys of JSON objects) and the metadata API numbers: these are text, so
-- that they join. No row of these is ever deleted: a deleted id keeps its last names.

create table variant (
  variant_id          text not null primary key,
  variant_name        text,
  variant_description text,
  experience_id       text,
  experience_name     text,
  experience_type     text,
  integration_type    text,
  account_domain      text,
  first_seen          timestamptz,
  last_seen           timestamptz,
  gone_at             timestamptz,
  asked_at            timestamptz not null
);

comment on table variant is 'Names of variants and their experiences, from Monetate''s metadata API.';
comment on column variant.variant_id is 'Variant, by the split id that sessions know it by.';
comment on column variant.variant_name is 'Name of the variant within its experience. split_name.';
comment on column variant.variant_description is 'Its description. split_description.';
comment on column variant.experience_id is 'Experience.';
comment on column variant.experience_name is 'Name of the experience.';
comment on column variant.experience_type is 'Type of the experience.';
comment on column variant.integration_type is 'js-tag, engine-api or email.';
comment on column variant.account_domain is 'Domain of the account.';
comment on column variant.first_seen is 'When the metadata API first gave it; null: it never did.';
comment on column variant.last_seen is 'When it last did.';
comment on column variant.gone_at is 'When the API first said that there is none, or no more; its names are the last known. Null while there is.';
comment on column variant.asked_at is 'When the API last answered about it, whatever it said.';

create table page_event (
  page_event_id text not null primary key,
  title         text,
  first_seen    timestamptz,
  last_seen     timestamptz,
  gone_at       timestamptz,
  asked_at      timestamptz not null
);

comment on table page_event is 'Names of page events, from Monetate''s metadata API.';
comment on column page_event.page_event_id is 'Page event.';
comment on column page_event.title is 'Its name.';
comment on column page_event.first_seen is 'When the metadata API first gave it; null: it never did.';
comment on column page_event.last_seen is 'When it last did.';
comment on column page_event.gone_at is 'When the API first said that there is none, or no more; its names are the last known. Null while there is.';
comment on column page_event.asked_at is 'When the API last answered about it, whatever it said.';

create table custom_target (
  custom_target_id   text not null primary key,
  title              text,
  description        text,
  is_identifier      boolean,
  collects_person_id boolean,
  first_seen         timestamptz,
  last_seen          timestamptz,
  gone_at            timestamptz,
  asked_at           timestamptz not null
);

comment on table custom_target is 'Names of custom targets, from Monetate''s metadata API.';
comment on column custom_target.custom_target_id is 'Custom target.';
comment on column custom_target.title is 'Its name.';
comment on column custom_target.description is 'Its description.';
comment on column custom_target.is_identifier is 'Whether it is an ID collector, whose values tell who the visitor is.';
comment on column custom_target.collects_person_id is 'Whether it collects the id of a person.';
comment on column custom_target.first_seen is 'When the metadata API first gave it; null: it never did.';
comment on column custom_target.last_seen is 'When it last did.';
comment on column custom_target.gone_at is 'When the API first said that there is none, or no more; its names are the last known. Null while there is.';
comment on column custom_target.asked_at is 'When the API last answered about it, whatever it said.';
