import assert from 'node:assert/strict';

import { vendors } from '../../vendors/registry.js';
import { sortableInstant } from '../../vendors/written.js';

interface Seen {
  readonly key: string;
  readonly modified: number;
}

const noon = Date.parse('2026-11-20T12:00:00Z');
const minutes = (count: number): number => noon + count * 60_000;
const file = (key: string, modified = noon): Seen => ({ key, modified });

/** What a vendor says of a delivery's last file, when all are known. */
function newness(
  vendor: keyof typeof vendors,
  name: string,
  date: string,
  ...files: readonly Seen[]
): string {
  const delivery = { id: `source/${name}`, source: 'source', type: vendors[vendor].types[0] ?? '', date };
  const sorting = vendors[vendor].sorting(delivery, { take: 'all', read: new Map() });
  for (const one of files) sorting.sort({ ...one, version: 'v1', size: 1 });
  return sorting.newness(files.at(-1)!);
}

describe('how new the copies in a file are', () => {
  /** From old to new. */
  const assertOrder = (...texts: readonly string[]): void => {
    assert.deepEqual(
      [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      texts,
    );
    assert.equal(new Set(texts).size, texts.length);
  };

  describe('of Leanplum', () => {
    const uuid = (digit: string): string => `0000000${digit}-0000-4000-8000-000000000000`;
    const job = (
      digit: string,
      day: string,
      manifest: number | undefined,
      ...shards: readonly number[]
    ): string => {
      const place = `${day.replaceAll('-', '')}/export-1-${uuid(digit)}-output`;
      return newness(
        'leanplum',
        uuid(digit),
        day,
        ...[
          ...(manifest === undefined ? [] : [file(`${place}-manifest`, manifest)]),
          ...shards.map((modified, index) => file(`${place}-${index}`, modified)),
        ],
      );
    };

    it('is the day on which their job was started, then when its manifest came', () =>
      assertOrder(
        job('9', '2026-11-19', minutes(5_000), minutes(1)),
        job('8', '2026-11-20', minutes(1), minutes(0)),
        job('1', '2026-11-20', minutes(2), minutes(0)),
        job('2', '2026-11-20', minutes(2), minutes(0)),
        job('0', '2026-11-21', minutes(-9), minutes(-9)),
      ));

    it('is the same for all shards of a job; without manifests its newest shard counts', () => {
      assert.equal(job('1', '2026-11-20', minutes(9), 1, 2), job('1', '2026-11-20', minutes(9), 3));
      assert.equal(
        job('1', '2026-11-20', undefined, minutes(7), minutes(3)),
        job('1', '2026-11-20', minutes(7)),
      );
    });

    it('is when the last manifest of a CSV job came', () => {
      const place = `20261120/export-1-${uuid('1')}-output`;
      const files = [
        file(`${place}events-manifest`, minutes(3)),
        file(`${place}states-manifest`, minutes(8)),
      ];
      assert.match(
        newness('leanplum', uuid('1'), '2026-11-20', ...files),
        /^2026-11-20 2026-11-20T12:08:00\.000Z /,
      );
    });
  });

  it('of Monetate is the interval of their file, whatever the folder and whenever it was written', () => {
    const of = (key: string, modified?: number): string =>
      newness('monetate', '2026-11-20', '2026-11-20', file(key, modified));
    assertOrder(
      of('2026/11/20/20261120T034500.000Z_PT15M-1.json.gz', minutes(9)),
      of('2026/11/20/20261120T034500.000Z_PT30M-1.json.gz'),
      of('2026/11/20/20261120T040000.000Z_PT15M-1.json.gz', minutes(2)),
      of('2026/11/21/20261121T000000.000Z_PT15M-0.json.gz', minutes(1)),
    );
    assert.equal(
      of('2026/11/20/20261120T034500.000Z_PT15M-1.json.gz'),
      of('2026/11/20/20261120T034500.000Z_PT15M-2.json.gz'),
    );
  });

  it('of Dynatrace is when the last body of their batch came, then the number of its first', () => {
    const of = (name: string, received: number): string =>
      newness('dynatrace', name, '2026-11-20', file(`${name}.ndjson`, received));
    assertOrder(
      of('2026-11-20/1042', minutes(1)),
      of('2026-11-20/999', minutes(2)),
      of('2026-11-20/1000', minutes(2)),
      of('2026-11-19/7', minutes(3)),
    );
  });

  for (const [vendor, key] of [
    ['optimizely', 'type=decisions/date=2026-11-20/part-0.snappy.parquet'],
    ['megaphone', 'metrics-day-2026-11-20.json.gz'],
  ] as const) {
    it(`of ${vendor} is when their file was written`, () => {
      const of = (modified: number): string => newness(vendor, 'x', '2026-11-20', file(key, modified));
      assertOrder(of(minutes(-1)), of(minutes(0)), of(minutes(1)));
    });
  }

  it('can be told of a file whose clock was never set', () => {
    assertOrder(
      sortableInstant(Number.NaN),
      sortableInstant(1),
      sortableInstant(noon),
      sortableInstant(1e300),
    );
    assert.equal(sortableInstant(-5), sortableInstant(0));
  });
});
