/** A delivery of each vendor on a database that is reached in some special way, held against what was delivered. */

import assert from 'node:assert/strict';

import { pino } from 'pino';

import { isSent } from '../../config/schema.js';
import { addDays } from '../../model/day.js';
import { makeJob } from '../../sandbox/leanplum/job.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import { planFiles } from '../../sandbox/monetate/day.js';
import { openNudge } from '../../receiver/nudge.js';
import { startReceiver } from '../../receiver/server.js';
import { send, sendingSource } from '../receiver/receiving.js';
import { deliver, load, signal, withWorker } from './delivery.js';
import { dynatraceSource, dynatraceToken, sessions } from './dynatrace.js';
import { eventually } from './eventually.js';
import { assertConsistent, landed } from './landed.js';
import { testSource } from './landfall.js';
import { leanplumSource } from './leanplum.js';
import { heldRows, inKeyOrder } from './leanplum-rows.js';
import { assertRows, daysAgo, dropConsistent, ended, putFiles, visitsSource } from './monetate-day.js';
import type { TestDatabase } from './postgres.js';
import { devServer } from './temporal.js';
import { terminateAll } from '../workflows/observe.js';

const date = '2026-03-01';
const flaws = { nulCharacter: 9, outOfRange: 6, duplicatesAcross: 20 };
const day = { type: 'events', date, rows: 2_000, parts: 4, folders: false, flaws } as const;

/** Defines the tests. `open` gives a database with all migrations, whose address is what is tested. */
export function landsEveryVendor(open: () => Promise<TestDatabase>): void {
  it('Optimizely: a day is loaded, replaced and discarded', async () => {
    const calm = await testSource();
    await deliver(calm, day);
    await load(calm, 'events', date, {}, { deadline: 0 });
    const undisturbed = await landed(calm.database.pool);
    await calm.drop();

    const source = await testSource({ database: await open() });
    await deliver(source, day);
    const input = source.input('events', date, { deadline: 0 });
    await withWorker(source, async (client) => {
      const first = await source.start(client, input);
      assert.equal((await first.result()).finality, 'final');
      assert.deepEqual(await landed(source.database.pool), undisturbed);
      await signal(source, client, 'reprocess', 'once more', input);
      assert.deepEqual(await landed(source.database.pool), undisturbed);
      await assertConsistent(source.database.pool);
      const { finality } = await signal(source, client, 'discard', 'they must go', input);
      assert.equal(finality, 'discarded');
    });
    assert.deepEqual(await source.rows('select count(*)::integer as rows from experiments.conversion'), [
      { rows: 0 },
    ]);
    await source.drop();
  });

  for (const format of ['json', 'csv'] as const) {
    it(`Leanplum: a job in ${format} is merged`, async () => {
      const source = await leanplumSource({}, { database: await open() });
      const made = makeSessions({ count: 60, until: Date.parse('2026-11-20T18:00:00Z') });
      const uuid = '00000000-0000-4000-8000-000000000001';
      const job = makeJob({ uuid, date: '2026-11-20', sessions: made, shards: 2, format });
      await source.put(job.files);
      await withWorker(source, async (client) => {
        const input = source.job(uuid, '2026-11-20');
        await (await source.start(client, input)).result();
        await signal(source, client, 'reprocess', 'once more', input);
      });
      assert.deepEqual(await heldRows(source.database.pool, source.config.schema), inKeyOrder(job.rows));
      await assertConsistent(source.database.pool);
      await source.drop();
    });
  }

  it('Monetate: files are added to a day as they come', async () => {
    const source = await visitsSource({ quarantineLimit: '20%' }, { database: await open() });
    const first = daysAgo(40);
    const files = planFiles([{ date: first, sessions: 80 }], { filesPerInterval: 1 });
    const folder = `${first.replaceAll('-', '/')}/`;
    const own = files.filter(({ key }) => key.startsWith(folder));
    const night = files.filter(({ key }) => !key.startsWith(folder));
    const half = Math.ceil(own.length / 2);
    // Until the next day is loaded this one is not final, however quickly it is looked at again.
    assert.ok(half < own.length && night.length > 0);
    await withWorker(source, async (client) => {
      const start = (date: string) =>
        source.start(client, source.input('sessions', date, { deadline: Date.now() + 3_600_000 }));
      await putFiles(source, [...night, ...own.slice(0, half)]);
      const day = await start(first);
      await eventually(
        async () =>
          (await source.rows(`select from landfall.load where state = 'published' and files >= ${half}`))
            .length > 0,
        { timeoutMs: 60_000, everyMs: 100, what: 'the first files' },
      );
      await putFiles(source, own.slice(half));
      // A day is final when those after it show that nothing more comes.
      const all = [day, await start(addDays(first, 1)), await start(addDays(first, 2))];
      for (const one of all) assert.equal((await ended(one)).finality, 'final');
    });
    await assertRows(source, files);
    await dropConsistent(source);
  });

  it('Dynatrace: what the receiver answered with 200 is loaded', async () => {
    const source = await dynatraceSource({ gatherWithin: '200 ms' }, { database: await open() });
    const { config, database, taskQueue } = source;
    assert.ok(isSent(config));
    const { address, namespace, environment } = await devServer();
    const log = pino({ enabled: false });
    const temporal = { connectionOptions: { address }, namespace };
    const nudge = openNudge({ temporal, taskQueue, sources: [config], log });
    const receiver = await startReceiver({
      ...{ settings: sendingSource('any').settings, sources: [config], postgresUrl: database.url },
      ...{ nudge: nudge.nudge, log },
    });
    try {
      const statuses = await Promise.all(
        Array.from({ length: 40 }, async (_, number) => {
          const body = sessions(number * 5, 5);
          const headers = { authorization: `Bearer ${dynatraceToken}` };
          return (await send(receiver.url, { path: `/dynatrace/${config.name}`, headers, body })).status;
        }),
      );
      assert.deepEqual(new Set(statuses), new Set([200]));
      const landedRows = 'select count(*)::integer as rows from experiments.user_session';
      await withWorker(source, () =>
        eventually(async () => (await source.rows(landedRows))[0]?.['rows'] === 200, {
          ...{ timeoutMs: 60_000, everyMs: 100, what: '200 sessions' },
        }),
      );
    } finally {
      await nudge.close();
      await receiver.close();
      await terminateAll(environment.client, taskQueue);
    }
    await source.drop();
  });
}
