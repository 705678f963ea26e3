import assert from 'node:assert/strict';

import { checkPostgres } from '../../client/checks/postgres.js';
import type { Place } from '../../client/place.js';
import type { SourceConfig } from '../../config/schema.js';
import { secret } from '../../config/secret.js';
import { maskedSource, maskKey, type MaskedSource } from '../support/masking.js';

const metrics = (date: string) =>
  [
    'metrics',
    date,
    [{ key: `metrics-day-${date}.json.gz`, bytes: '{"id":"a","ip":"192.0.2.1"}\n' }],
  ] as const;

describe('mask rules that change', function () {
  this.timeout(60_000);
  let source: MaskedSource;
  beforeEach(async () => {
    source = await maskedSource('megaphone', {});
  });
  afterEach(() => source.drop());

  const warnings = (): number => [...source.logged().matchAll(/mask rules or the maskKey/g)].length;
  const checked = async (config: SourceConfig): Promise<readonly string[]> => {
    const place = { postgresUrl: () => secret(source.database.url) } as unknown as Place;
    const findings = await checkPostgres(place, [config]);
    assert.ok(findings.every(({ ok }) => ok));
    return findings.filter(({ what }) => what.startsWith('masks')).map(({ found }) => found);
  };

  it('are said once by a worker that loads by them, and by a check until the earlier days are loaded again', async () => {
    await source.load(...metrics('2026-11-20'));
    await source.load(...metrics('2026-11-21'));
    assert.equal(warnings(), 0);
    assert.deepEqual(await checked(source.config), []);

    const hashing = source.changed({ mask: { ip: 'hash' }, maskKey });
    const two =
      "2 deliveries were loaded by other mask rules or another maskKey; 'landfall reprocess' loads them again";
    assert.deepEqual(await checked(hashing), [two]);
    await source.load(...metrics('2026-11-22'), hashing);
    assert.equal(warnings(), 1);
    assert.match(
      source.logged(),
      /source masked have changed\. Rows that were loaded before stay as they are/,
    );
    assert.deepEqual(await checked(hashing), [two]);

    await source.load(...metrics('2026-11-20'), hashing);
    assert.equal(warnings(), 1);
    assert.match((await checked(hashing))[0] ?? '', /^1 delivery was loaded by other mask rules/);
    await source.load(...metrics('2026-11-21'), hashing);
    assert.deepEqual(await checked(hashing), []);

    const otherKey = source.changed({ mask: { ip: 'hash' }, maskKey: `${maskKey} and another` });
    assert.match((await checked(otherKey))[0] ?? '', /^3 deliveries were/);
  });

  it('and their key are not kept in the ledger', async () => {
    await source.load(...metrics('2026-11-20'), source.changed({ mask: { ip: 'hash' }, maskKey }));
    const { rows } = await source.database.pool.query<{ mask_digest: string }>(
      'select * from landfall.source',
    );
    assert.match(rows[0]?.mask_digest ?? '', /^[0-9a-f]{64}$/);
    assert.ok(!JSON.stringify(rows).includes(maskKey));
  });
});
