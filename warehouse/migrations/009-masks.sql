-- By which mask rules each load's rows were masked.

alter table landfall.load add column mask_digest text;
comment on column landfall.load.mask_digest is
  'Of the mask rules and the maskKey by which its rows are masked; null before anything is staged. ''unknown'': loaded before a change that was not recorded by load.';
comment on column landfall.source.mask_digest is
  'Of the mask rules and the maskKey that ''landfall setup'' has set last: workers with others stage nothing. Null before anything is loaded.';
comment on column landfall.source.mask_changed_at is
  'When ''landfall setup'' last set other rules than before. Null where it never did.';

update landfall.load l
set mask_digest = case when s.mask_changed_at is null or l.ended_at >= s.mask_changed_at then s.mask_digest else 'unknown' end
from landfall.delivery d join landfall.source s on s.name = d.source
where d.id = l.delivery_id and s.mask_digest is not null and l.state in ('staging', 'published');
