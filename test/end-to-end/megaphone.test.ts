import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import type { WorkflowHandle } from '@temporalio/client';

import type { DeliveryInput, DeliveryResult, DeliveryStatus } from '../../model/control.js';
import { finalVersion } from '../../sandbox/megaphone/versions.js';
import { withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent } from '../support/landed.js';
import { prefix, type TestSource } from '../support/landfall.js';
import { megaphoneSource, rewrite } from '../support/megaphone.js';
import { withSteps } from '../support/steps.js';
import { currentDetails, terminateAll } from '../workflows/observe.js';

const date = '2026-03-01';
const day = { date, rows: 2_400 } as const;
/** The vendor's hour for the day has come. */
const closed = { closesAt: 0 };

type Delivery = WorkflowHandle<(input: DeliveryInput) => Promise<DeliveryResult>>;

describe('a Megaphone day, end to end', function () {
  this.timeout(60_000);
  let source: TestSource;
  afterEach(async () => {
    await assertConsistent(source.database.pool);
    await source.drop();
  });

  const count = async (): Promise<number> =>
    Number((await source.rows('select count(*) as n from experiments.metric'))[0]!['n']);
  const loads = async (): Promise<unknown[]> =>
    (await source.rows('select state from landfall.load order by id')).map(({ state }) => state);
  const status = (delivery: Delivery): Promise<DeliveryStatus> => delivery.query<DeliveryStatus>('status');
  const events = async (): Promise<unknown[]> =>
    (await source.rows('select kind, finality, reason from landfall.delivery_event order by id')).filter(
      ({ kind }) => kind !== 'loading',
    );

  it('is provisional with each version until the vendor closed it and it stood still', async () => {
    source = await megaphoneSource();
    const first = await rewrite(source, { ...day, version: 20 });
    await withWorker(source, async (client) => {
      const closesAt = Date.now() + 12_000;
      const delivery = await source.start(client, source.input('metrics', date, { closesAt }));
      await eventually(async () => (await status(delivery)).finality === 'provisional');
      assert.equal(await count(), first.rows);
      const second = await rewrite(source, { ...day, version: finalVersion });
      await eventually(async () => (await count()) === second.rows, { timeoutMs: 15_000 });
      assert.ok(Date.now() < closesAt, 'the vendor may still write');
      await eventually(async () => (await status(delivery)).finality === 'provisional');
      assert.match(await currentDetails(delivery), /\| Finality \| provisional \|/);
      const result = await delivery.result();
      assert.equal(result.finality, 'final');
      assert.ok(Date.now() >= closesAt + 1_000, 'it stood still for a second after that');
      assert.equal(result.counts?.loaded, second.rows);
      assert.deepEqual(await loads(), ['replaced', 'published']);
      const reported = await source.rows('select count(*)::int as n from experiments.reported_metric');
      assert.equal(reported[0]!['n'], second.reported);
    });
    assert.deepEqual((await source.rows(`select finality, notice from landfall.delivery`))[0], {
      finality: 'final',
      notice: null,
    });
  });

  it('flags a version that has fewer rows than the one before, and publishes it all the same', async () => {
    source = await megaphoneSource();
    await rewrite(source, { ...day, version: 24 });
    await withWorker(source, async (client) => {
      const input = source.input('metrics', date, { closesAt: Date.now() + 6_000 });
      const delivery = await source.start(client, input);
      await eventually(async () => (await status(delivery)).finality === 'provisional');
      const fewer = await rewrite(source, { ...day, version: 24, flaws: { lost: 7 } });
      await eventually(async () => (await count()) === fewer.rows, { timeoutMs: 10_000 });
      await eventually(async () =>
        /\| Notice \| This version has .* rows, 7 fewer than/.test(await currentDetails(delivery)),
      );
      await delivery.result();
    });
    const [row] = await source.rows('select finality, notice from landfall.delivery');
    assert.equal(row!['finality'], 'final');
    assert.match(
      String(row!['notice']),
      /7 fewer than the one before .* vendor promises that none are removed/,
    );
  });

  it('stays skipped with the rows that are there, whatever the schedule finds', async () => {
    source = await megaphoneSource({ since: date });
    const first = await rewrite(source, { ...day, version: 20 });
    await withWorker(source, async (client) => {
      const input = source.input('metrics', date, { closesAt: Date.now() + 600_000 });
      const delivery = await source.start(client, input);
      await eventually(async () => (await status(delivery)).finality === 'provisional');
      await delivery.signal('skip', { reason: 'the feed is broken' });
      assert.equal((await delivery.result()).finality, 'skipped');
      await rewrite(source, { ...day, version: finalVersion });
      const { started } = (await client.workflow.execute('discover', {
        taskQueue: source.taskQueue,
        workflowId: `${source.config.name}/discover-${Date.now()}`,
        args: [{ source: source.config.name }],
      })) as { started: string[] };
      assert.ok(!started.includes(input.id), 'a person has decided');
    });
    assert.deepEqual(
      await source.rows(`select finality, reason from landfall.delivery where date = '${date}'`),
      [{ finality: 'skipped', reason: 'the feed is broken' }],
    );
    assert.equal(await count(), first.rows);
  });

  it('takes up a final day whose file changed, by the schedule, and says so', async () => {
    source = await megaphoneSource({ since: date });
    await rewrite(source, { ...day, version: finalVersion });
    await withWorker(source, async (client) => {
      const input = source.input('metrics', date, closed);
      await (await source.start(client, input)).result();
      const discover = (): Promise<{ started: string[] }> =>
        client.workflow.execute('discover', {
          taskQueue: source.taskQueue,
          workflowId: `${source.config.name}/discover-${Date.now()}`,
          args: [{ source: source.config.name }],
        });
      assert.ok(!(await discover()).started.includes(input.id), 'it has not changed');
      const changed = await rewrite(source, { ...day, version: 29 });
      assert.ok((await discover()).started.includes(input.id));
      await eventually(async () => (await count()) === changed.rows, { timeoutMs: 10_000 });
      const delivery: Delivery = client.workflow.getHandle(input.id);
      await eventually(async () =>
        (await currentDetails(delivery)).includes('| Notice | This day was final with version'),
      );
      assert.equal((await delivery.result()).finality, 'final');
      await terminateAll(client, source.taskQueue);
    });
    const told = (await events()).map((event) => (event as { reason: string }).reason).join('\n');
    assert.match(told, /A final day changed: .*metrics-day-2026-03-01\.json\.gz has a new version/);
    const [row] = await source.rows(`select finality, notice from landfall.delivery where date = '${date}'`);
    assert.equal(row!['finality'], 'final');
    assert.match(String(row!['notice']), /^This day was final with version/);
  });

  it('waits for the next version where one cannot be read, and keeps what readers see', async () => {
    source = await megaphoneSource();
    const first = await rewrite(source, { ...day, version: 12 });
    await withWorker(source, async (client) => {
      const delivery = await source.start(
        client,
        source.input('metrics', date, { closesAt: Date.now() + 9_000, deadline: Date.now() + 3_600_000 }),
      );
      await eventually(async () => (await status(delivery)).finality === 'provisional');
      const whole = gzipSync(JSON.stringify({ id: 'x' }).repeat(1_000));
      await source.bucket.put(`${prefix}metrics-day-${date}.json.gz`, whole.subarray(0, whole.length - 20));
      await eventually(async () => /cannot be read|ends in the middle/.test((await status(delivery)).next), {
        timeoutMs: 10_000,
      });
      assert.equal(await count(), first.rows);
      const second = await rewrite(source, { ...day, version: finalVersion });
      assert.equal((await delivery.result()).counts?.loaded, second.rows);
    });
    assert.equal(await count(), (await rewrite(source, { ...day, version: finalVersion })).rows);
  });

  it('plans again when the file is rewritten between the look and the reading of it', async () => {
    source = await megaphoneSource();
    await rewrite(source, { ...day, version: 20 });
    await withSteps(source, 'metrics', date, async (steps) => {
      const plan = await steps.plan('a');
      const newer = await rewrite(source, { ...day, version: 21 });
      await assert.rejects(steps.stage(plan, 0), { type: 'FileChanged' });
      const again = await steps.plan('b');
      await steps.stageAll(again);
      assert.equal((await steps.publish(again)).loaded, newer.rows);
    });
  });

  it('is loaded once by two executions that know nothing of each other', async () => {
    source = await megaphoneSource();
    const { rows } = await rewrite(source, { ...day, version: finalVersion });
    await withWorker(source, async (client) => {
      const input = source.input('metrics', date, closed);
      const run = (name: string): Promise<DeliveryResult> =>
        client.workflow.execute('megaphone', {
          workflowId: `${input.id}/${name}`,
          taskQueue: source.taskQueue,
          args: [input],
        });
      const results = await Promise.all([run('a'), run('b')]);
      assert.deepEqual(
        results.map(({ finality }) => finality),
        ['final', 'final'],
      );
    });
    assert.equal(await count(), rows);
    assert.deepEqual(await loads(), ['published']);
  });

  it('loads impressions by their line, and a V2 file at once where the vendor has marked it', async () => {
    source = await megaphoneSource({ types: ['impressions', 'impressions-v2'] });
    const line = { metric_id: 'm', podcast_id: 'p', position: 1, blacklisted_ip: false };
    const twice = `${JSON.stringify(line)}\n\n${JSON.stringify(line)}\n`;
    await source.bucket.put(`${prefix}impression-day-${date}.json.gz`, gzipSync(twice));
    await source.bucket.put(
      `${prefix}impressions-v2-day-${date}.json.gz`,
      gzipSync(`${JSON.stringify({ ...line, impression_type: 'DAI', campaign: { id: 7 } })}\n`),
    );
    await source.bucket.put(`${prefix}_finalized_impressions-v2_${date}_20260302T060000Z`, new Uint8Array());
    await withWorker(source, async (client) => {
      const open = { closesAt: Date.now() + 3_600_000 };
      const v2 = await (await source.start(client, source.input('impressions-v2', date, open))).result();
      assert.equal(v2.finality, 'final');
      assert.match(v2.reason, /the vendor has marked it so/);
      const v1 = await (await source.start(client, source.input('impressions', date, closed))).result();
      assert.equal(v1.counts?.loaded, 2);
    });
    assert.deepEqual(await source.rows('select _line, metric_id from experiments.impression order by 1'), [
      { _line: '1', metric_id: 'm' },
      { _line: '3', metric_id: 'm' },
    ]);
    assert.deepEqual(await source.rows('select impression_type, _extra from experiments.impression_v2'), [
      { impression_type: 'DAI', _extra: { campaign: { id: 7 } } },
    ]);
  });

  it('counts every flaw of a file, and keeps its lines', async () => {
    source = await megaphoneSource({ quarantineLimit: '5%' });
    const flaws = {
      ...{ malformedJson: 2, notAnObject: 1, brokenUtf8: 2, rawNul: 1, escapedNul: 1, loneSurrogate: 1 },
      ...{ untypedNumber: 3, numberTooLarge: 1, missingId: 2, duplicateId: 4, unknownKey: 5, blankLine: 3 },
      ...{ longLine: 1 },
    };
    const written = await rewrite(source, { ...day, version: finalVersion, flaws });
    await withWorker(
      source,
      async (client) => {
        const { counts } = await (await source.start(client, source.input('metrics', date, closed))).result();
        assert.deepEqual(
          { parsed: counts?.parsed, quarantined: counts?.quarantined, duplicate: counts?.duplicate },
          { parsed: written.rows, quarantined: written.quarantined, duplicate: written.duplicates },
        );
      },
      // The default: a line of 10 MB takes more than the 128 MB of the other tests.
      { memoryLimit: '256MB' },
    );
    const reported = await source.rows('select count(*)::int as n from experiments.reported_metric');
    assert.equal(reported[0]!['n'], written.reported);
    const extra = await source.rows(
      'select count(*)::int as n from experiments.metric where _extra is not null',
    );
    assert.equal(extra[0]!['n'], flaws.unknownKey);
  });
});
