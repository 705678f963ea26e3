import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import { MockActivityEnvironment } from '@temporalio/testing';

import { createNextDeliveries, type NextDelivery } from '../../activities/backfill.js';
import { createDeleteDiscarded } from '../../activities/delete-discarded.js';
import { createDiscover } from '../../activities/discover.js';
import type { Dependencies } from '../../activities/dependencies.js';
import { createLook } from '../../activities/look.js';
import { createPlan } from '../../activities/plan.js';
import { nameJob } from '../../config/name-delivery.js';
import { deliveryOf } from '../../model/control.js';
import type { Delivery, Finality } from '../../model/delivery.js';
import { dateFolder } from '../../vendors/leanplum/layout.js';
import type { JobSighting } from '../../vendors/leanplum/sighting.js';
import { recordChange } from '../../warehouse/ledger-change.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { openActivities, type OpenActivities } from '../support/activities.js';
import { prefix } from '../support/landfall.js';
import { leanplumSource, type LeanplumSource } from '../support/leanplum.js';

const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const today = '2026-11-20';
const now = Date.parse(`${today}T18:00:00Z`);
const at = { now, pollEvery: 60_000 };

describe('jobs, which the store shows and the calendar does not', () => {
  let source: LeanplumSource;
  let deps: OpenActivities['deps'];
  let run: OpenActivities['run'];
  let close: OpenActivities['close'];

  const use = async (settings: Record<string, unknown> = {}): Promise<void> => {
    source = await leanplumSource(settings);
    ({ deps, run, close } = openActivities(source));
  };
  afterEach(async () => {
    await close();
    await source.drop();
  });

  const key = (job: number, what: string, date = today): string =>
    `${dateFolder(date)}export-77-${uuid(job)}-output${what}`;
  const put = (...keys: readonly (string | readonly [key: string, bytes: string | Uint8Array])[]) =>
    source.put(
      keys
        .map((file) => (typeof file === 'string' ? [file, file] : file))
        .map(([k, bytes]) => ({ key: k, bytes })),
    );
  const jobOf = (job: number, date = today): Delivery => nameJob(source.config, 'sessions', date, uuid(job));
  const inLedger = async (job: number, finality: Finality, byRule = false, date = today): Promise<void> => {
    const delivery = jobOf(job, date);
    await openDelivery(deps.pool, delivery, now);
    await recordChange(deps.pool, {
      ...{ id: delivery.id, kind: finality, finality, byRule, reason: 'The test says so.', request: 'test' },
    });
  };

  describe('are discovered', () => {
    const discovered = async (): Promise<string[]> =>
      (await run(createDiscover, { source: source.config.name, now })).starts.map(
        ({ workflowId }) => workflowId,
      );

    it('by their files, whatever the state of their upload, and each once', async () => {
      await use();
      await put(key(1, '-0'), key(1, '-1'), key(2, 'sessions-0'), key(3, '-manifest'));
      await put(`${dateFolder(today)}notes.txt`, '20261120/deeper/export.txt', 'readme', '20261399/x');
      assert.deepEqual(await discovered(), [jobOf(1).id, jobOf(2).id, jobOf(3).id]);
    });

    it('oldest day first, as far back as a job may be waited for', async () => {
      await use();
      await put(
        ...['2026-11-20', '2026-11-17', '2026-11-16', '2026-11-15'].map((date, n) => key(n, '-0', date)),
      );
      assert.deepEqual(await discovered(), [jobOf(2).id, jobOf(1).id, jobOf(0).id]);
      await close();
      await source.drop();
      await use({ since: '2026-01-01' });
      await put(key(1, '-0', '2026-01-01'), key(2, '-0', '2025-12-31'));
      assert.deepEqual(await discovered(), [jobOf(1).id]);
    });

    it('when the ledger has them as under way, and not when they came to rest', async () => {
      await use();
      await put(key(1, '-0'), key(2, '-0'), key(3, '-0'), key(4, '-0'));
      await inLedger(1, 'final');
      await inLedger(2, 'failed');
      await inLedger(3, 'loading');
      await inLedger(5, 'waiting', false, '2026-01-01');
      assert.deepEqual(await discovered(), [jobOf(5).id, jobOf(3).id, jobOf(4).id]);
    });

    it('again once the manifest of one has come that the rule had discarded, however old its folder is', async () => {
      await use();
      const old = '2026-10-02';
      await put(key(1, '-0', old), key(2, '-0', old), key(3, '-0', old));
      await inLedger(1, 'discarded', true, old);
      await inLedger(2, 'discarded', true, old);
      await inLedger(3, 'discarded', false, old);
      assert.deepEqual(await discovered(), []);
      await put(key(1, '-manifest', old), key(3, '-manifest', old));
      assert.deepEqual(await discovered(), [jobOf(1).id], 'and not what a person discarded');
    });
  });

  it('are backfilled by the folders of a range', async () => {
    await use();
    await put(
      key(1, '-0'),
      key(2, '-0', '2026-11-19'),
      key(3, '-0', '2026-11-19'),
      key(4, '-0', '2026-11-18'),
    );
    await inLedger(2, 'final', false, '2026-11-19');
    const range = { source: source.config.name, types: ['sessions'], from: '2026-11-19', to: today };
    const found = await run<Parameters<ReturnType<typeof createNextDeliveries>>[0], readonly NextDelivery[]>(
      createNextDeliveries,
      { ...range, daysDone: 0, days: 10 },
    );
    assert.deepEqual(
      found.map(({ day, id, start }) => [day, id, start?.input.date]),
      [
        [0, jobOf(1).id, today],
        [1, jobOf(2, '2026-11-19').id, undefined],
        [1, jobOf(3, '2026-11-19').id, '2026-11-19'],
      ],
    );
  });

  describe('are looked at', () => {
    const look = async (job: number): Promise<JobSighting> =>
      (await run(createLook, { delivery: jobOf(job), ...at })) as JobSighting;

    it('with what their manifests say, gzip or not', async () => {
      await use();
      const names = JSON.stringify(['-0', '-1'].map((what) => key(1, what)));
      for (const bytes of [names, gzipSync(names)]) {
        await put(key(1, '-0'), [key(1, '-manifest'), bytes]);
        const { shardsListed, shardsMissing, whole, marker } = await look(1);
        assert.deepEqual(
          { shardsListed, shardsMissing, whole },
          { shardsListed: 2, shardsMissing: 1, whole: false },
        );
        assert.equal(marker?.key, key(1, '-manifest'));
      }
      await put(key(1, '-1'));
      assert.equal((await look(1)).whole, true);
    });

    const faults: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
      ['is empty', '', /It is empty\.$/],
      ['is no JSON', '20261120/x', /It is no JSON; it begins with 20261120\/x\.$/],
      ['is cut off', gzipSync('["x"]').subarray(0, 14), /Its gzip is damaged or cut off\.$/],
      ['is not UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), /It is not UTF-8\.$/],
      ['holds two lists', '{"a":["x"],"b":["y"]}', /several lists/],
      ['holds no list', '{"a":1}', /no list of files/],
      ['names no file', '[{"x":1}]', /names no file/],
    ];
    for (const [how, bytes, fault] of faults) {
      it(`whose manifest ${how}`, async () => {
        await use();
        await put(key(1, '-0'), [key(1, '-manifest'), bytes]);
        const sighting = await look(1);
        assert.match(sighting.fault ?? '', fault);
        assert.equal(sighting.whole, false);
      });
    }
  });

  describe('are planned', () => {
    const plan = async (take?: 'all') => {
      const delivery = jobOf(1);
      await openDelivery(deps.pool, delivery, now);
      const sighting = (await run(createLook, { delivery, ...at })) as JobSighting;
      const step = {
        ...{ delivery, request: 'r', force: false },
        ...(sighting.marker ? { marker: sighting.marker } : {}),
        ...(take ? { take } : {}),
      };
      return { step, planned: () => run(createPlan, step) };
    };
    const planned = async (): Promise<unknown[]> =>
      (
        await source.rows(
          'select f.key from landfall.load_file join landfall.file f on f.id = file_id order by 1',
        )
      ).map((row) => row['key']);

    it('with the shards that a manifest lists, and no other', async () => {
      await use();
      await put(key(1, '-0'), key(1, '-1'), key(2, '-0'), [
        key(1, '-manifest'),
        JSON.stringify([key(1, '-1')]),
      ]);
      const { ignored, files } = await (await plan()).planned();
      assert.deepEqual({ ignored, files }, { ignored: 3, files: 1 });
      assert.deepEqual(await planned(), [key(1, '-1')]);
    });

    it('with all shards where a person accepted the job without its manifest', async () => {
      await use();
      await put(key(1, '-0'), key(1, '-1'), key(2, '-0'));
      await (await plan('all')).planned();
      assert.deepEqual(await planned(), [key(1, '-0'), key(1, '-1')]);
    });

    it('anew when a manifest is written anew, or a shard goes, after it was looked at', async () => {
      await use();
      const list = (...shards: string[]) =>
        [key(1, '-manifest'), JSON.stringify(shards.map((s) => key(1, s)))] as const;
      await put(key(1, '-0'), key(1, '-1'), list('-0', '-1'));
      const rewritten = await plan();
      await put(list('-0'));
      await assert.rejects(rewritten.planned(), {
        name: 'FileChanged',
        message: /a manifest was written anew/,
      });
      const gone = await plan();
      await source.bucket.remove(prefix + key(1, '-0'));
      await assert.rejects(gone.planned(), { name: 'FileChanged' });
    });
  });

  describe('that are discarded', () => {
    const remove = (job: number): Promise<boolean> => run(createDeleteDiscarded, jobOf(job));
    const left = (): Promise<string[]> => source.bucket.list(prefix);
    const listed = () =>
      source.rows(`select f.key, x.deleted_at is not null as deleted
                   from landfall.deleted_file x join landfall.file f on f.id = x.file_id order by 1`);

    it('have their shards deleted, and only they, listed in the ledger first', async () => {
      await use();
      const others = [key(2, '-0'), `${dateFolder(today)}notes.txt`, key(1, 'states-manifest')];
      await put(key(1, 'states-0'), key(1, 'events-0'), ...others);
      await inLedger(1, 'discarded', true);
      assert.equal(await remove(1), true);
      assert.deepEqual(await left(), others.map((name) => prefix + name).sort());
      assert.deepEqual(await listed(), [
        { key: key(1, 'events-0'), deleted: true },
        { key: key(1, 'states-0'), deleted: true },
      ]);
      const [{ reason }] = (await source.rows('select reason from landfall.delivery')) as [
        { reason: string },
      ];
      assert.match(reason, /^The test says so\. 2 files of it \(\d+ bytes\) were deleted from s3:\/\//);
      assert.equal(await remove(1), true);
      assert.equal(
        (await source.rows(`select from landfall.delivery_event where kind = 'deleted'`)).length,
        1,
      );
    });

    it('keep them when the manifest has come', async () => {
      await use();
      await put(key(1, '-0'), key(1, '-manifest'));
      await inLedger(1, 'discarded', true);
      assert.equal(await remove(1), false);
      assert.deepEqual(await left(), [prefix + key(1, '-0'), prefix + key(1, '-manifest')]);
      assert.deepEqual(await listed(), []);
    });

    it('are marked deleted by the attempt after one that ended half-way', async () => {
      await use();
      await put(key(1, '-0'), key(1, '-1'));
      await inLedger(1, 'discarded', true);
      const { store } = deps.source(source.config.name);
      const broken: Dependencies = {
        ...deps,
        source: (name) => ({
          ...deps.source(name),
          store: {
            ...store,
            remove: async (file) => {
              if (file.key.endsWith('-1')) throw new Error('the worker dies');
              await store.remove(file);
            },
          },
        }),
      };
      const step = createDeleteDiscarded(broken);
      await assert.rejects(
        new MockActivityEnvironment().run<[Delivery], boolean, typeof step>(step, jobOf(1)),
        /the worker dies/,
      );
      assert.deepEqual(await listed(), [
        { key: key(1, '-0'), deleted: false },
        { key: key(1, '-1'), deleted: false },
      ]);
      assert.equal(await remove(1), true);
      assert.deepEqual(
        (await listed()).map(({ deleted }) => deleted),
        [true, true],
      );
    });
  });

  it('keep in the ledger which export they are the results of', async () => {
    await use();
    const delivery = { ...jobOf(1), exportJob: 'export_1_2' };
    await openDelivery(deps.pool, delivery, now);
    const { starts } = await run(createDiscover, { source: source.config.name, now });
    assert.deepEqual(
      starts.map(({ input }) => deliveryOf(input)),
      [delivery],
    );
  });
});
