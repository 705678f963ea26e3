-- What a person asked for stands in the ledger until it is done or refused.

alter table landfall.delivery
  add column wish         text,
  add column wished_at    timestamptz,
  add column wish_reason  text,
  add column wish_request text,
  add column refusal      text;
comment on column landfall.delivery.wish is
  'What a person asked for and is not done yet: reprocess, accept, skip or discard. Null once it is done or refused.';
comment on column landfall.delivery.wished_at is 'When it was asked for.';
comment on column landfall.delivery.wish_reason is 'Why, in the words of whoever asked.';
comment on column landfall.delivery.wish_request is 'Which entry of its history wrote the wish down.';
comment on column landfall.delivery.refusal is
  'Of a delivery whose rows stay final: what was last asked for or tried and could not be done, and why. Null once it was, or something else is asked for.';
create index delivery_wished on landfall.delivery (source) where wish is not null;
