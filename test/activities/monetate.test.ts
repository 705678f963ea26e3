import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';

import { createDiscover } from '../../activities/discover.js';
import { createLook } from '../../activities/look.js';
import { createPlan } from '../../activities/plan.js';
import { nameDay } from '../../config/name-delivery.js';
import type { Watch } from '../../model/control.js';
import type { Delivery, Finality } from '../../model/delivery.js';
import type { DaySighting } from '../../vendors/monetate/sighting.js';
import { recordChange } from '../../warehouse/ledger-change.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { openActivities, type OpenActivities } from '../support/activities.js';
import { monetateSource, type MonetateSource } from '../support/monetate.js';

const today = '2026-11-20';
const now = Date.parse(`${today}T18:00:00Z`);
const minute = 60_000;
const at = { now, pollEvery: 15 * minute };

/** `20T0345` of November 2026. */
const key = (interval: string, unique = '1'): string =>
  `2026/11/${interval.slice(0, 2)}/202611${interval}00.000Z_PT15M-${unique}.json.gz`;

describe('days of files that come one by one', () => {
  let source: MonetateSource;
  let deps: OpenActivities['deps'];
  let run: OpenActivities['run'];
  let close: OpenActivities['close'];

  const use = async (settings: Record<string, unknown> = {}): Promise<void> => {
    source = await monetateSource(settings);
    ({ deps, run, close } = openActivities(source));
  };
  afterEach(async () => {
    await close();
    await source.drop();
  });

  const dayOf = (date: string): Delivery => nameDay(source.config, 'sessions', date);
  const look = async (date: string, watch?: Watch): Promise<DaySighting> =>
    (await run(createLook, { delivery: dayOf(date), ...at, ...(watch ? { watch } : {}) })) as DaySighting;
  const plan = (date: string, upTo?: number) =>
    run(createPlan, {
      ...{ delivery: dayOf(date), request: `r-${Math.random()}`, force: false },
      ...(upTo === undefined ? {} : { upTo }),
    });

  describe('are looked at', () => {
    it('in their own folder and in the next one, as far as sessions of the day may be in it', async () => {
      await use();
      await source.put(key('19T2345'), 'a', now - 30 * minute);
      await source.put(key('19T2345', '2'), 'b', now - 20 * minute);
      await source.put('2026/11/19/notes.txt', 'mine');
      await source.put('2026/11/19/20261119T234500.000Z_PT15M-3.json.gz.filepart', 'c', now);
      await source.put(key('20T1215'), 'd', now - 25 * minute);
      await source.put(key('20T1230'), 'e', now);
      await source.put('2026/11/19/deeper/20261119T000000.000Z_PT15M-1.json.gz', 'f');
      const seen = await look('2026-11-19');
      assert.deepEqual(
        [seen.files, seen.growing, seen.ignored, seen.nextFiles, seen.nextUnloaded, seen.exportThere],
        [2, 2, 2, 1, 1, true],
      );
      assert.equal(seen.newest, now - 20 * minute);
      assert.equal(seen.marker, undefined, 'nothing stood still yet');
    });

    it('for what stood still since an earlier look', async () => {
      await use();
      await source.put(key('19T1000'), 'a', now - 30 * minute);
      await source.put(key('19T1015'), 'b', now - 5 * minute);
      const seen = [{ newest: now - 10 * minute, at: now - 15 * minute }];
      const { files, growing, firstGrowing, marker, upTo } = await look('2026-11-19', {
        ...{ version: 'x', since: 0 },
        seen,
      });
      assert.deepEqual([files, growing, upTo], [2, 1, now - 10 * minute]);
      assert.deepEqual(firstGrowing, ['20261119T101500.000Z_PT15M-1.json.gz']);
      assert.equal(marker?.key, '2026/11/19/');
    });

    it('where there is no folder of theirs, or none at all', async () => {
      await use();
      assert.deepEqual(await look('2026-11-19').then(({ files, exportThere }) => [files, exportThere]), [
        0,
        false,
      ]);
      await source.put(key('01T0000'), 'a');
      assert.deepEqual(await look('2026-11-19').then(({ files, exportThere }) => [files, exportThere]), [
        0,
        true,
      ]);
    });
  });

  describe('are planned', () => {
    it('with the files up to an instant, and the version that these are', async () => {
      await use();
      await openDelivery(deps.pool, dayOf('2026-11-19'), now);
      await source.put(key('19T1000'), 'a', now - 30 * minute);
      await source.put(key('19T1015'), 'bb', now - 5 * minute);
      await source.put('2026/11/19/notes.txt', 'mine');
      const part = await plan('2026-11-19', now - 10 * minute);
      assert.deepEqual([part.files, part.bytes, part.ignored], [1, 1, 2]);
      const seen = { version: 'x', since: 0, seen: [{ newest: now - 10 * minute, at: 0 }] };
      const { marker } = await look('2026-11-19', seen);
      const [load] = await source.rows(`select marker_key, marker_version from landfall.load`);
      assert.deepEqual([load?.['marker_key'], load?.['marker_version']], [marker?.key, marker?.version]);
      const all = await plan('2026-11-19');
      assert.deepEqual([all.files, all.bytes], [2, 3]);
    });
  });

  describe('are discovered', () => {
    const discovered = async (): Promise<string[]> =>
      (await run(createDiscover, { source: source.config.name, now })).starts.map(
        ({ workflowId }) => workflowId.split('/')[1] ?? '',
      );
    const inLedger = async (date: string, finality: Finality): Promise<void> => {
      const { id } = dayOf(date);
      await openDelivery(deps.pool, dayOf(date), now);
      await recordChange(deps.pool, {
        ...{ id, kind: finality, finality, reason: 'The test says so.', request: 'test' },
      });
    };

    it('as yesterday and today, whatever the store shows', async () => {
      await use();
      assert.deepEqual(await discovered(), ['2026-11-19', '2026-11-20']);
    });

    it('in folders of years, months and days, as far back as they may be waited for', async () => {
      await use();
      for (const file of [key('18T0000'), key('16T0000'), key('15T0000'), '2026/11/18x/a', '2026/13/01/b'])
        await source.put(file, 'a');
      assert.deepEqual(await discovered(), ['2026-11-16', '2026-11-18', '2026-11-19', '2026-11-20']);
    });

    it('over months and years since the configured day', async () => {
      await use({ since: '2025-12-30' });
      for (const file of ['2025/12/29/a', '2025/12/30/a', '2026/02/28/a', '2024/02/29/a'])
        await source.put(file, 'a');
      await inLedger('2026-11-19', 'final');
      assert.deepEqual(await discovered(), ['2025-12-30', '2026-02-28', '2026-11-20']);
    });

    it('again when the files of a final day are no longer those that were loaded', async () => {
      await use();
      await inLedger('2026-11-20', 'final');
      await source.put(key('19T1000'), 'a', now - 30 * minute);
      await openDelivery(deps.pool, dayOf('2026-11-19'), now);
      await plan('2026-11-19');
      await deps.pool.query(`update landfall.load set state = 'published'`);
      await deps.pool.query(
        `update landfall.delivery set published_at = now(), finality = 'final', since = $1 where id = $2`,
        [new Date(now), dayOf('2026-11-19').id],
      );
      assert.deepEqual(await discovered(), []);
      await source.put(key('19T1015'), 'late');
      assert.deepEqual(await discovered(), ['2026-11-19']);
      await rm(source.pathOf(key('19T1000')));
      await rm(source.pathOf(key('19T1015')));
      assert.deepEqual(await discovered(), [], 'files that are gone change nothing');
    });
  });
});
