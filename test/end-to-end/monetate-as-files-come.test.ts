import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

import type { Client } from '@temporalio/client';

import type { DeliveryInput, DeliveryStatus } from '../../model/control.js';
import { addDays } from '../../model/day.js';
import { filesOfFolder, planFiles } from '../../sandbox/monetate/day.js';
import type { MonetateFile } from '../../sandbox/monetate/files.js';
import { signal, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { landed } from '../support/landed.js';
import {
  asked,
  assertRows,
  daysAgo,
  dropConsistent,
  ended,
  faultyPlace,
  putFiles,
  visitsSource,
  type Delivery,
  type FaultyPlace,
} from '../support/monetate-day.js';
import type { MonetateSource } from '../support/monetate.js';
import { currentDetails, terminateAll } from '../workflows/observe.js';

const date = daysAgo(20);
const next = addDays(date, 1);
const patient = { timeoutMs: 30_000, everyMs: 200 };

/** Every nth file. */
const part = (files: readonly MonetateFile[], of: number, ...which: number[]): MonetateFile[] =>
  files.filter((_, index) => which.includes(index % of));

describe('files of Monetate that come while their day is loaded', function () {
  this.timeout(180_000);
  let place: FaultyPlace;
  let source: MonetateSource;

  before(async () => {
    place = await faultyPlace();
  });
  after(() => place.close());
  beforeEach(async () => {
    source = await visitsSource({}, { server: place });
  });
  afterEach(async () => {
    await dropConsistent(source);
  });

  const status = (delivery: Delivery): Promise<DeliveryStatus> => delivery.query<DeliveryStatus>('status');
  const count = async (): Promise<number> =>
    Number((await source.rows('select count(*) as n from experiments.session'))[0]?.['n']);
  const sessionsIn = (files: readonly MonetateFile[]): number =>
    files.reduce((sum, { sessions }) => sum + sessions.length, 0);
  const seen = async (files: readonly MonetateFile[]): Promise<void> => {
    await eventually(async () => (await count()) === sessionsIn(files), patient);
  };
  const start = (client: Client, day: string, changes: Partial<DeliveryInput> = {}): Promise<Delivery> =>
    source.start(client, source.input('sessions', day, { deadline: Date.now() + 3_600_000, ...changes }));
  const ledgerOf = async (day: string): Promise<Record<string, unknown>> =>
    (await source.rows(`select finality, reason, notice from landfall.delivery where date = '${day}'`))[0]!;

  it('are staged once, provisional from the first, and final when the next day has loaded the night', async () => {
    const files = planFiles([{ date, sessions: 70 }], { filesPerInterval: 1 });
    const [own, night] = [filesOfFolder(files, date), filesOfFolder(files, next)];
    await withWorker(source, async (client) => {
      // Until somebody loads these, the day can be looked at for as long as it takes: it does not become final.
      await putFiles(source, night);
      const closesAt = Date.now() + 1_000;
      const day = await start(client, date, { closesAt });
      await putFiles(source, part(own, 3, 0));
      await seen(part(own, 3, 0));
      assert.equal((await ledgerOf(date))['finality'], 'provisional');
      await putFiles(source, part(own, 3, 1));
      await seen(part(own, 3, 0, 1));
      assert.equal((await status(day)).finality, 'provisional');
      await putFiles(source, part(own, 3, 2));
      await seen(own);
      await eventually(
        async () => (await status(day)).next.includes("They are the next day's to load"),
        patient,
      );
      assert.ok(Date.now() >= closesAt);
      assert.equal((await ledgerOf(date))['finality'], 'provisional');

      const after = await start(client, next, { closesAt });
      const [first, second] = await Promise.all([ended(day), ended(after)]);
      assert.deepEqual([first.finality, second.finality], ['final', 'final']);
      assert.equal(first.counts?.files, own.length);
    });
    await assertRows(source, files);
    for (const { key } of files) assert.equal(place.server.count(asked(source, 'open', key)), 1, key);
    const owners = await source.rows(
      `select d.date::text as date, count(*)::int as files from landfall.delivery d
       join landfall.load l on l.delivery_id = d.id and l.state = 'published'
       join landfall.load_file lf on lf.load_id = l.id group by 1 order by 1`,
    );
    assert.deepEqual(owners, [
      { date, files: own.length },
      { date: next, files: night.length },
    ]);
  });

  it('change nothing where they bring sessions again, and where a day is loaded again', async () => {
    const files = filesOfFolder(planFiles([{ date, sessions: 30 }], { filesPerInterval: 1 }), date);
    const again = files.slice(0, 3).map((file): MonetateFile => ({
      ...file,
      key: file.key.replace(/\.json\.gz$/, '0.json.gz'),
    }));
    const earlier = { ...files[5]!, key: files[5]!.key.replace(/\.json\.gz$/, '-0.json.gz') };
    await withWorker(source, async (client) => {
      const input = source.input('sessions', date);
      await putFiles(source, files);
      assert.equal((await ended(await source.start(client, input))).finality, 'final');
      await putFiles(source, again);
      const result = await ended(await start(client, date));
      assert.equal(result.finality, 'final');
      assert.equal(result.counts?.duplicate, sessionsIn(again));
      await assertRows(source, [...files, ...again]);
      assert.match(String((await ledgerOf(date))['notice']), /This day was final with other files/);

      const once = await landed(source.database.pool);
      const { counts } = await signal(source, client, 'reprocess', 'to see', input);
      assert.deepEqual(
        [counts?.parsed, counts?.duplicate],
        [sessionsIn([...files, ...again]), sessionsIn(again)],
      );
      assert.deepEqual(await landed(source.database.pool), once);
      for (const { key } of files) assert.equal(place.server.count(asked(source, 'open', key)), 2, key);
      await assertRows(source, [...files, ...again]);

      // Of one interval the longer name counts: the sessions are its own from then on.
      await putFiles(source, [earlier]);
      const last = await ended(await start(client, date));
      assert.equal(last.counts?.duplicate, sessionsIn([...again, earlier]));
    });
    await assertRows(source, [...files, ...again, earlier]);
  });

  /** A file that is written to ten times a second, until that is ended. */
  function growingFile(key: string): { readonly end: () => Promise<void> } {
    const over = new AbortController();
    const grow = async (): Promise<void> => {
      for (let size = 10; !over.signal.aborted; size += 10) {
        await source.put(key, Buffer.alloc(size), Date.now());
        await setTimeout(100);
      }
    };
    const grown = grow();
    return {
      end: () => {
        over.abort();
        return grown;
      },
    };
  }

  it('are not taken while they grow', async () => {
    const files = filesOfFolder(planFiles([{ date, sessions: 12 }], { filesPerInterval: 1 }), date);
    const [growing, ...others] = files;
    await putFiles(source, others, Date.now() - 5_000);
    await withWorker(source, async (client) => {
      const input = { closesAt: Date.now() + 1_000, pollEvery: 1_000 };
      const grown = growingFile(growing!.key);
      try {
        const day = await start(client, date, input);
        await eventually(async () => (await count()) === sessionsIn(others), patient);
        await eventually(
          async () => /1 file in .* may still be written/.test((await status(day)).next),
          patient,
        );
        assert.equal((await ledgerOf(date))['finality'], 'provisional');
        assert.equal(place.server.count(asked(source, 'open', growing!.key)), 0);
        await grown.end();
        await putFiles(source, [growing!], Date.now());
        assert.equal((await ended(day)).finality, 'final');
      } finally {
        await grown.end();
      }
    });
    await assertRows(source, files);
  });

  it('that come when the day is final are found by the schedule, and loaded with a notice', async () => {
    source = await renewed({ since: date });
    const files = filesOfFolder(planFiles([{ date, sessions: 16 }], { filesPerInterval: 1 }), date);
    await putFiles(source, files.slice(1));
    await withWorker(source, async (client) => {
      const day = await start(client, date);
      assert.equal((await ended(day)).finality, 'final');
      const discover = (): Promise<{ started: string[] }> =>
        client.workflow.execute('discover', {
          taskQueue: source.taskQueue,
          workflowId: `${source.config.name}/discover-${Date.now()}`,
          args: [{ source: source.config.name }],
        });
      assert.ok(!(await discover()).started.includes(day.workflowId), 'nothing has changed');
      await putFiles(source, files.slice(0, 1));
      assert.ok((await discover()).started.includes(day.workflowId));
      const running: Delivery = client.workflow.getHandle(day.workflowId);
      await eventually(
        async () =>
          (await currentDetails(running)).includes('| Notice | This day was final with other files'),
        patient,
      );
      assert.equal((await ended(running)).finality, 'final');
      await terminateAll(client, source.taskQueue);
    });
    assert.match(String((await ledgerOf(date))['notice']), /^This day was final with other files/);
    await assertRows(source, files);
  });

  const renewed = async (settings: Record<string, unknown>): Promise<MonetateSource> => {
    await source.drop();
    return visitsSource(settings, { server: place });
  };
});
