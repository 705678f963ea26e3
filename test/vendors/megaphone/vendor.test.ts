import assert from 'node:assert/strict';

import fc from 'fast-check';

import type { Sighting } from '../../../vendors/completion.js';
import { megaphone } from '../../../vendors/megaphone/vendor.js';
import type { SeenFile } from '../../../vendors/vendor.js';

const date = '2026-11-20';
const key = 'impressions-v2-day-2026-11-20.json.gz';
const file = (name: string, version: string): SeenFile => ({ key: name, version, size: 1, modified: 0 });
const day = file(key, '"a"');
const closing = file('_finalized_impressions-v2_2026-11-20_1795258800', '"c"');
const others = [
  file('impressions-v2-day-2026-11-19.json.gz', '"y"'),
  file('metrics-day-2026-11-20.json.gz', '"m"'),
  file('_finalized_impressions-v2_2026-11-19_1795172400', '"z"'),
];
const marker = { key, version: '"a"' };

const look = (pages: readonly (readonly SeenFile[])[]): Sighting => {
  const type = 'impressions-v2';
  const delivery = { id: `podcasts/${type}/${date}`, source: 'podcasts', type, date };
  const begun = megaphone.look(delivery, { now: 0, pollEvery: 1 });
  for (const files of pages) if (begun.see({ files, folders: [] })) break;
  return begun.sighting(new Map(), 0);
};
const { deliveries } = megaphone;
assert(deliveries.are === 'days');

describe('a look at a Megaphone bucket', () => {
  it('finds the file of the day, which is its own marker', () => {
    assert.deepEqual(look([[...others, day]]), { awaited: key, marker });
  });

  it('finds the marker that closes the day', () => {
    assert.deepEqual(look([[closing, ...others, day]]), { awaited: key, marker, closed: true });
    assert.deepEqual(look([[closing]]), { awaited: key, closed: true });
  });

  it('finds nothing of the day where only other days lie', () => {
    assert.deepEqual(look([others]), { awaited: key });
    assert.deepEqual(look([]), { awaited: key });
  });

  it('says the same however the listing is cut into pages', () => {
    const cuts = fc.array(fc.nat({ max: 5 }), { maxLength: 4 });
    fc.assert(
      fc.property(cuts, (at) => {
        const files = [closing, ...others, day];
        const bounds = [0, ...at.sort((a, b) => a - b), files.length];
        const pages = bounds.slice(1).map((to, index) => files.slice(bounds[index], to));
        assert.deepEqual(look(pages), { awaited: key, marker, closed: true });
      }),
    );
  });
});

describe('what Megaphone is to the rest of Landfall', () => {
  it('lists everything one level deep below the root', () => {
    for (const type of megaphone.types) {
      assert.equal(megaphone.prefix(type, date), '');
      assert.deepEqual(deliveries.prefixes(type, date, date), ['']);
    }
    assert.equal(megaphone.depth, 'level');
  });

  it('shows each type its own days', () => {
    assert.equal(deliveries.parseDay('impressions-v2', key), date);
    assert.equal(deliveries.parseDay('impressions', key), undefined);
    assert.equal(deliveries.parseDay('metrics', closing.key), undefined);
  });

  it('calls a day of metrics by its date alone', () => {
    assert.equal(deliveries.name('metrics', date), megaphone.exampleName);
    assert.deepEqual(deliveries.parseName(megaphone.exampleName), { type: 'metrics', date });
  });

  it('has a table of its own for each type', () => {
    assert.deepEqual(
      megaphone.types.flatMap((type) => megaphone.landing(type).tables.map(({ name }) => name)),
      ['metric', 'impression', 'impression_v2'],
    );
  });

  it('refuses types that it does not have', () => {
    const message = "Megaphone delivers metrics, impressions, impressions-v2, not 'events'";
    assert.throws(() => megaphone.landing('events'), { name: 'RangeError', message });
    assert.throws(() => deliveries.closeAfter('events'), { name: 'RangeError', message });
  });
});
