import assert from 'node:assert/strict';

import { checkPostgres } from '../../client/checks/postgres.js';
import type { Finding } from '../../client/checks/finding.js';
import type { Place } from '../../client/place.js';
import { maskDigest } from '../../config/mask-digest.js';
import type { SourceConfig } from '../../config/schema.js';
import { secret } from '../../config/secret.js';
import { requireMask, setMask } from '../../warehouse/mask-changes.js';
import type { LoadPlan } from '../../warehouse/plan-load.js';
import { maskedSource, maskKey, type MaskedSource } from '../support/masking.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { load, openVisits, plan, publish, seen, stage, written, type Visits } from '../warehouse/adding.js';

const metrics = (date: string) =>
  [
    'metrics',
    date,
    [{ key: `metrics-day-${date}.json.gz`, bytes: '{"id":"a","ip":"192.0.2.1"}\n' }],
  ] as const;

describe('mask rules that change', function () {
  this.timeout(60_000);
  let source: MaskedSource;
  let hashing: SourceConfig;
  beforeEach(async () => {
    source = await maskedSource('megaphone', {});
    hashing = source.changed({ mask: { ip: 'hash' }, maskKey });
  });
  afterEach(() => source.drop());

  const checked = async (config: SourceConfig): Promise<readonly Finding[]> => {
    const place = { postgresUrl: () => secret(source.database.url) } as unknown as Place;
    return (await checkPostgres(place, [config])).filter(({ what }) => what.startsWith('masks'));
  };
  const ips = async (): Promise<unknown> =>
    (await source.database.pool.query('select distinct length(ip) from masked.metric')).rows;

  it('are refused by a check and by workers until setup has set them', async () => {
    await source.load(...metrics('2026-11-20'));
    assert.deepEqual(await checked(source.config), []);

    const [notSet] = await checked(hashing);
    assert.equal(notSet?.ok, false);
    assert.match(notSet?.found ?? '', /not those that 'landfall setup' has set last/);
    await assert.rejects(source.load(...metrics('2026-11-21'), hashing), {
      name: 'MasksDiffer',
      message: /stages nothing of delivery masked\/2026-11-21\. The step is tried again until a worker/,
    });

    assert.equal(await source.setUp(hashing), true);
    await source.load(...metrics('2026-11-21'), hashing);
    await assert.rejects(source.load(...metrics('2026-11-22')), { name: 'MasksDiffer' });
    assert.equal(await source.setUp(hashing), false, 'setting the same again changes nothing');
  });

  it('are compared by a check with each load, until the earlier days are loaded again', async () => {
    await source.load(...metrics('2026-11-20'));
    await source.load(...metrics('2026-11-21'));
    await source.setUp(hashing);
    assert.match(
      (await checked(hashing))[0]?.found ?? '',
      /^2 deliveries were loaded by other mask rules .* \(masked\/2026-11-20, masked\/2026-11-21\); 'landfall reprocess'/,
    );
    await source.load(...metrics('2026-11-20'), hashing);
    assert.match((await checked(hashing))[0]?.found ?? '', /^1 delivery was .* \(masked\/2026-11-21\)/);
    await source.load(...metrics('2026-11-21'), hashing);
    assert.deepEqual(await checked(hashing), []);
    assert.deepEqual(await ips(), [{ length: 64 }]);

    const otherKey = source.changed({ mask: { ip: 'hash' }, maskKey: `${maskKey} and another` });
    const [notSet, others] = await checked(otherKey);
    assert.equal(notSet?.ok, false);
    assert.match(others?.found ?? '', /^2 deliveries were/);
  });

  it('and their key are not kept in the ledger', async () => {
    await source.setUp(hashing);
    await source.load(...metrics('2026-11-20'), hashing);
    const everything = await source.everything();
    assert.match(everything, new RegExp(maskDigest(hashing)));
    assert.ok(!everything.includes(maskKey));
  });
});

describe('a load whose files are staged while mask rules change', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let visits: Visits;
  const a = written('a', '1', ['s1', 1]);
  const b = written('b', '1', ['s2', 1]);

  before(async () => {
    database = await testDatabase();
  });
  beforeEach(async () => {
    visits = await openVisits(database.pool);
  });
  after(() => database.drop());

  const stageBy = ({ loadId }: LoadPlan, digest: string): Promise<void> =>
    requireMask(visits.pool, visits.source, loadId, digest);
  const setUp = (digest: string): Promise<boolean> => setMask(visits.pool, visits.source, digest);

  it('takes the rules of one worker alone, where two with others begin it at once', async () => {
    const planned = await plan(visits, [a, b]);
    const outcomes = await Promise.allSettled([stageBy(planned, 'one'), stageBy(planned, 'other')]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    assert.equal((refused?.reason as Error).name, 'MasksDiffer');
  });

  it('is given up by a worker with the new rules, and planned again', async () => {
    const planned = await plan(visits, [a, b]);
    await stageBy(planned, 'old');
    await setUp('new');
    await assert.rejects(stageBy(planned, 'old'), { name: 'MasksDiffer' });
    await assert.rejects(stageBy(planned, 'new'), { name: 'LoadSuperseded' });
    const again = await plan(visits, [a, b]);
    assert.notEqual(again.loadId, planned.loadId);
    await stageBy(again, 'new');
  });

  it('is not joined by a plan after the change', async () => {
    const planned = await plan(visits, [a, b]);
    await stageBy(planned, 'old');
    assert.equal((await plan(visits, [a, b])).loadId, planned.loadId, 'before it is');
    await setUp('new');
    assert.notEqual((await plan(visits, [a, b])).loadId, planned.loadId);
  });

  it('is not published by old rules once new ones are set, but staged again', async () => {
    const planned = await plan(visits, [a]);
    await stageBy(planned, 'old');
    await stage(visits, planned, [a]);
    await setUp('new');
    await assert.rejects(publish(visits, planned.loadId), {
      ...{ name: 'StagingLost', message: /was staged by mask rules that no longer hold/ },
    });
    assert.deepEqual(await seen(visits), []);
    await load(visits, [a]);
    assert.equal((await seen(visits)).length, 1);
  });

  it('stages all files anew where those that readers see were masked by others', async () => {
    const first = await plan(visits, [a]);
    await stageBy(first, 'old');
    await stage(visits, first, [a]);
    await publish(visits, first.loadId);
    const second = await plan(visits, [a, b]);
    assert.equal(second.kept, 1, 'by the same rules they are kept');
    await setUp('new');
    assert.equal((await plan(visits, [a, b])).kept, 0);
  });
});
