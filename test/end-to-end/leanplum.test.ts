import assert from 'node:assert/strict';

import type { Client, WorkflowHandle } from '@temporalio/client';

import type { DeliveryInput, DeliveryResult, DeliveryStatus } from '../../model/control.js';
import { flawedCsvShards } from '../../sandbox/leanplum/flawed-csv.js';
import { flawedShards, type FlawedShard, type Outcome } from '../../sandbox/leanplum/flaws.js';
import { brokenOff, makeJob, type JobToMake, type MadeJob } from '../../sandbox/leanplum/job.js';
import { manifestShapes } from '../../sandbox/leanplum/manifest.js';
import { countRows, mergeRows, noRows, type LeanplumRows } from '../../sandbox/leanplum/rows.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import { dateFolder, kindsOf } from '../../vendors/leanplum/layout.js';
import { leanplum } from '../../vendors/leanplum/vendor.js';
import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { signal, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent } from '../support/landed.js';
import { prefix } from '../support/landfall.js';
import { leanplumSource, type LeanplumSource } from '../support/leanplum.js';
import { heldRows, inKeyOrder } from '../support/leanplum-rows.js';
import { currentDetails } from '../workflows/observe.js';

const date = '2026-11-20';
const until = Date.parse('2026-11-20T18:00:00Z');
const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

type Delivery = WorkflowHandle<(input: DeliveryInput) => Promise<DeliveryResult>>;

describe('a Leanplum job, end to end', function () {
  this.timeout(60_000);
  let source: LeanplumSource;
  afterEach(async () => {
    await assertConsistent(source.database.pool);
    await source.drop();
  });

  /** Any 120 sessions in a row have everything that an export may hold. */
  const made = (number: number, more: Partial<JobToMake> = {}): MadeJob =>
    makeJob({ uuid: uuid(number), date, sessions: makeSessions({ count: 120, until }), shards: 3, ...more });
  const held = (): Promise<LeanplumRows> => heldRows(source.database.pool, source.config.schema);
  const load = async (client: Client, job: Pick<MadeJob, 'uuid'>): Promise<DeliveryResult> =>
    (await source.start(client, source.job(job.uuid, date))).result();
  const put = ({ files }: Pick<MadeJob, 'files'>): Promise<void> => source.put(files);
  const status = (delivery: Delivery): Promise<DeliveryStatus> => delivery.query<DeliveryStatus>('status');

  for (const [index, manifest] of manifestShapes.entries()) {
    const format = index % 2 === 0 ? 'json' : 'csv';
    it(`lands whole in seven tables: ${format}, a manifest of ${manifest}`, async () => {
      source = await leanplumSource();
      const job = made(1, { format, manifest, gzip: index > 2, shards: format === 'json' ? 3 : 2 });
      await put(job);
      await withWorker(source, async (client) => {
        const { finality, counts, reason } = await load(client, job);
        assert.equal(finality, 'final', reason);
        assert.equal(counts?.quarantined, job.quarantined);
        assert.equal(counts?.files, job.files.filter(({ role }) => role === 'shard').length);
      });
      assert.deepEqual(await held(), inKeyOrder(job.rows));
    });
  }

  it('lands in CSV as it does in JSON, but for what CSV has no place for', async () => {
    source = await leanplumSource();
    const [json, csv] = [made(1), made(2, { format: 'csv' })];
    await put(json);
    await put(csv);
    await withWorker(source, async (client) => {
      await load(client, json);
      const before = countRows(await held());
      await load(client, csv);
      assert.deepEqual(await held(), inKeyOrder(csv.rows), 'each session took the place of the one before');
      assert.equal(countRows(await held()).session, before.session);
    });
  });

  it('sent again by a later job, takes the place of its rows in all tables, whatever the format', async () => {
    source = await leanplumSource();
    const older = makeSessions({ count: 60, until });
    const grown = makeSessions({ from: 40, count: 60, until, version: 2 });
    const first = made(1, { sessions: older });
    const later = [made(2, { sessions: grown }), made(3, { sessions: grown, format: 'csv' })];
    for (const job of [first, ...later]) await put(job);
    await withWorker(source, async (client) => {
      await load(client, first);
      for (const job of later) {
        await load(client, job);
        assert.deepEqual(await held(), inKeyOrder(mergeRows(first.rows, job.rows)));
      }
    });
  });

  it('leaves a shard alone that no manifest lists, and says so', async () => {
    source = await leanplumSource();
    const job = made(1, { unlisted: ['-1'] });
    await put(job);
    await withWorker(source, async (client) => {
      await load(client, job);
    });
    assert.deepEqual(await held(), inKeyOrder(job.rows));
    const [row] = await source.rows('select notice from landfall.delivery');
    assert.match(String(row!['notice']), /^1 shard of the job is in no manifest and was left alone \(/);
  });

  it('waits for a listed shard, and for one that is cut off to be uploaded whole', async () => {
    source = await leanplumSource();
    const job = made(1, { withheld: ['-2'], gzip: true });
    const [missing] = job.withheld;
    const whole = missing!.bytes;
    await put(job);
    await withWorker(source, async (client) => {
      const delivery = await source.start(client, source.job(job.uuid, date));
      await eventually(async () => (await status(delivery)).next.includes('is missing or not whole'));
      await source.put([{ key: missing!.key, bytes: whole.subarray(0, whole.length >> 1) }]);
      await eventually(async () => (await status(delivery)).next.includes('its gzip is cut off'), {
        timeoutMs: 10_000,
      });
      assert.deepEqual(countRows(await held()), countRows(noRows()));
      await source.put([{ key: missing!.key, bytes: whole }]);
      assert.equal((await delivery.result()).finality, 'final');
    });
    const all = made(1, { gzip: true });
    assert.deepEqual(await held(), inKeyOrder(all.rows));
  });

  it('fails when a listed shard does not come, and keeps that visible', async () => {
    source = await leanplumSource({ uploadGrace: '2 seconds' });
    const job = made(1, { withheld: ['-0'] });
    await put(job);
    await withWorker(source, async (client) => {
      const { finality, reason } = await load(client, job);
      assert.equal(finality, 'failed');
      assert.match(reason, /1 of the 3 listed shards is missing or not whole \(.*-output-0\)/);
    });
    assert.deepEqual(await source.rows('select state from landfall.load'), []);
  });

  it('without its manifest is discarded, nothing of it staged; with one that comes late it is taken up again', async () => {
    source = await leanplumSource({ discardAfter: '2 seconds', since: date });
    const job = made(1);
    const [broken, manifest] = [brokenOff(job), job.files.at(-1)!];
    await source.put(broken);
    await withWorker(source, async (client) => {
      const delivery = await source.start(client, source.job(job.uuid, date));
      assert.equal((await delivery.result()).finality, 'discarded');
      assert.match(await currentDetails(delivery), /\| Finality \| discarded \|/);
      assert.deepEqual(await source.rows('select id from landfall.load'), []);
      await source.put(job.files);
      assert.equal(manifest.role, 'manifest');
      const { started } = (await client.workflow.execute('discover', {
        taskQueue: source.taskQueue,
        workflowId: `${source.config.name}/discover`,
        args: [{ source: source.config.name }],
      })) as { started: string[] };
      assert.deepEqual(started, [delivery.workflowId]);
      const again: Delivery = client.workflow.getHandle(delivery.workflowId);
      const { finality, reason } = await again.result();
      assert.equal(finality, 'final');
      assert.match(reason, /^The job was discarded without its manifest, which has come after all\./);
    });
    assert.deepEqual(await held(), inKeyOrder(job.rows));
  });

  it('discarded with deleteDiscarded, leaves the bucket; the job that re-sends its sessions lands', async () => {
    source = await leanplumSource({ discardAfter: '2 seconds', deleteDiscarded: true });
    const [failed, again] = [made(1), made(2)];
    await source.put(brokenOff(failed));
    await put(again);
    await withWorker(source, async (client) => {
      const results = await Promise.all([load(client, failed), load(client, again)]);
      assert.deepEqual(
        results.map(({ finality }) => finality),
        ['discarded', 'final'],
      );
    });
    const keys = await source.bucket.list(prefix + dateFolder(date));
    assert.deepEqual(keys, again.files.map(({ key }) => prefix + key).sort());
    const deleted = await source.rows('select count(*)::int as n from landfall.deleted_file');
    assert.equal(deleted[0]!['n'], 3);
    assert.deepEqual(await held(), inKeyOrder(again.rows));
  });

  it('is loaded once by two executions that know nothing of each other', async () => {
    source = await leanplumSource();
    const job = made(1, { gzip: true });
    await put(job);
    await withWorker(source, async (client) => {
      const input = source.job(job.uuid, date);
      const run = (name: string): Promise<DeliveryResult> =>
        client.workflow.execute('leanplum', {
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
    assert.deepEqual(await held(), inKeyOrder(job.rows));
    assert.deepEqual(await source.rows('select state from landfall.load'), [{ state: 'published' }]);
  });

  it('two jobs with the same sessions at the same time leave each session once', async () => {
    source = await leanplumSource();
    const jobs = [made(1), made(2), made(3, { format: 'csv' })];
    for (const job of jobs) await put(job);
    await withWorker(source, async (client) => {
      const results = await Promise.all(jobs.map((job) => load(client, job)));
      assert.ok(results.every(({ finality }) => finality === 'final'));
    });
    assert.deepEqual(await held(), inKeyOrder(jobs[2]!.rows), 'those of the job whose manifests came last');
  });

  it('older than another with the same sessions, and completed after it, changes nothing that readers see', async () => {
    source = await leanplumSource({ discardAfter: '2 seconds' });
    const earlier = '2026-11-19';
    const sessions = makeSessions({ count: 20, until });
    const older = made(9, { date: earlier, sessions });
    const newer = made(1, { sessions: makeSessions({ count: 20, until, version: 2 }), format: 'csv' });
    const loaded = async (job: MadeJob): Promise<unknown> =>
      (
        await source.rows(
          `select l.rows_loaded::int as loaded, l.rows_superseded::int as superseded from landfall.load l
           where l.delivery_id = '${source.job(job.uuid, date).id}' and l.state = 'published'`,
        )
      )[0];
    await source.put(brokenOff(older));
    await put(newer);
    await withWorker(source, async (client) => {
      const late = source.job(older.uuid, earlier);
      assert.equal((await (await source.start(client, late)).result()).finality, 'discarded');
      await load(client, newer);
      const before = await loaded(newer);
      await put(older);
      const { finality, counts } = await signal(source, client, 'reprocess', 'its manifest has come', late);
      assert.deepEqual([finality, counts?.loaded, counts?.superseded], ['final', 0, 20]);
      assert.deepEqual(await held(), inKeyOrder(newer.rows));
      assert.deepEqual(await loaded(newer), before);
      await signal(source, client, 'discard', 'the newer one', source.job(newer.uuid, date));
      assert.deepEqual(await held(), inKeyOrder(older.rows), 'those of the older job are back');
      assert.deepEqual(await loaded(older), { loaded: 20, superseded: 0 });
      await signal(source, client, 'reprocess', 'it was right', source.job(newer.uuid, date));
      await signal(source, client, 'discard', 'the older one', late);
      assert.deepEqual(await held(), inKeyOrder(newer.rows));
    });
  });

  it('discarded by a person, is gone from all tables; reprocessed, it is back', async () => {
    source = await leanplumSource();
    const [one, other] = [made(1), made(2, { sessions: makeSessions({ from: 500, count: 10, until }) })];
    await put(one);
    await put(other);
    await withWorker(source, async (client) => {
      await load(client, one);
      await load(client, other);
      const input = source.job(one.uuid, date);
      assert.equal((await signal(source, client, 'discard', 'a test of it', input)).finality, 'discarded');
      assert.deepEqual(await held(), inKeyOrder(other.rows));
      assert.equal((await signal(source, client, 'reprocess', 'it was right', input)).finality, 'final');
      assert.deepEqual(await held(), inKeyOrder(mergeRows(one.rows, other.rows)));
    });
  });

  for (const [format, flawed] of [
    ['json', oneOfEach(flawedShards().map((flaw) => ({ ...flaw, kind: '' })))],
    ['csv', oneOfEach(flawedCsvShards())],
  ] as const) {
    it(`in ${format}: shards that cannot be read, with bad rows, with a session twice`, async () => {
      source = await leanplumSource({ quarantineLimit: '100%', uploadGrace: '1 second' });
      const { pool } = source.database;
      await withWorker(
        source,
        async (client) => {
          for (const [number, { title, bytes, outcome, kind }] of flawed.entries()) {
            const name = (what: string): string =>
              `${dateFolder(date)}export-77-${uuid(number)}-output${what}`;
            const empty = kindsOf(format).map((one) => (one === 'json' ? '' : one));
            await source.put([
              ...empty.map((one) => ({ key: name(`${one}-manifest`), bytes: '[]' })),
              { key: name(`${kind}-0`), bytes },
              { key: name(`${kind}-manifest`), bytes: JSON.stringify([name(`${kind}-0`)]) },
            ]);
            const { id } = source.job(uuid(number), date);
            const result = load(client, { uuid: uuid(number) });
            if (outcome.is === 'unreadable') {
              await assert.rejects(result, `a shard ${title} is loaded`);
              assert.deepEqual(countRows(await held()), countRows(noRows()), title);
              const { rows } = await pool.query('select finality from landfall.delivery where id = $1', [id]);
              assert.deepEqual(rows, [{ finality: 'failed' }], title);
              continue;
            }
            const { counts } = await result;
            assert.equal(counts?.conflicting ?? 0, outcome.conflicting.length, title);
            assert.deepEqual(await held(), inKeyOrder(outcome.rows), title);
            const bad = await pool.query<{ line: number }>(
              `select q.line::int from landfall.quarantine q join landfall.load l on l.id = q.load_id
               where l.delivery_id = $1 order by 1`,
              [id],
            );
            assert.deepEqual(
              bad.rows.map(({ line }) => line),
              [...outcome.bad, ...outcome.conflicting],
              title,
            );
            // The next one brings the same sessions.
            await discardDelivery(pool, {
              ...{ deliveryId: id, reason: 'the next one', request: 'test' },
              target: { schema: source.config.schema, date, ...leanplum.landing('sessions') },
            });
          }
        },
        // The default: a line of 10 MB takes more than the 128 MB of the other tests.
        { memoryLimit: '256MB' },
      );
    });
  }
});

/** One that cannot be read, one with a bad row, one with a session twice. What else may be wrong the reader's tests have. */
function oneOfEach<T extends Pick<FlawedShard, 'outcome'>>(flawed: readonly T[]): readonly T[] {
  const kinds: readonly ((outcome: Outcome) => boolean)[] = [
    ({ is }) => is === 'unreadable',
    (outcome) => outcome.is === 'read' && outcome.bad.length > 0,
    (outcome) => outcome.is === 'read' && outcome.conflicting.length > 0,
  ];
  return kinds.flatMap((isKind) => flawed.find(({ outcome }) => isKind(outcome)) ?? []);
}
