import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { readLanded, writeLanded } from '../../client/dev/landed.js';
import { writeSampleConfig, type StoredSample } from '../../client/dev/sample-config.js';
import { bringVisits } from '../../client/dev/samples.js';
import { loadConfig } from '../../config/load.js';
import type { SourceConfig } from '../../config/schema.js';
import { variants } from '../../sandbox/monetate/names.js';
import { hundredths, rowsOf } from '../../sandbox/monetate/rows.js';
import { makeSessions } from '../../sandbox/monetate/sessions.js';
import { silently } from '../../sandbox/progress.js';
import { openStore } from '../../stores/open.js';
import { dayFolder, parseKey } from '../../vendors/monetate/layout.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { testDatabase } from '../support/postgres.js';
import { createTables, putRows } from '../vendors/monetate/rows.js';

/** The configuration that `landfall dev` makes for its sample visits, while their server runs. */
async function withVisits(
  body: (source: SourceConfig, sample: StoredSample, path: string) => Promise<void>,
): Promise<void> {
  await inTemporaryDirectory(async (folder) => {
    const ends: (() => Promise<void>)[] = [];
    try {
      const terminal = { env: {}, cwd: folder } as never;
      const sample = await bringVisits({
        folder,
        terminal,
        progress: silently,
        defer: (end) => ends.push(end),
        fail: assert.ifError,
      });
      const path = join(folder, 'landfall.yaml');
      await writeSampleConfig(path, [sample]);
      const { sources } = await loadConfig({ env: {}, cwd: folder, path });
      await body(sources[0]!, sample, path);
    } finally {
      for (const end of ends) await end();
    }
  });
}

describe("the visits of 'landfall dev'", function () {
  this.timeout(60_000);

  it('are configured so that a worker finds their days, and quick to watch', () =>
    withVisits(async (source, { from, to }, path) => {
      assert.ok(source.vendor === 'monetate');
      assert.deepEqual([source.name, source.schema, source.types], ['visits', 'monetate', ['sessions']]);
      assert.deepEqual([source.pollEvery, source.settleFor], [2_000, 12_000]);
      assert.ok(source.maskKey !== undefined && source.mask.every(({ treatment }) => treatment === 'hash'));
      assert.equal((await stat(path)).mode & 0o077, 0, 'it has a password in it');
      const store = openStore(source);
      try {
        for (const date of [from, to]) {
          const keys: string[] = [];
          for await (const { files } of store.list(dayFolder(date)))
            keys.push(...files.map(({ key }) => key));
          assert.ok(keys.filter((key) => parseKey(key)?.date === date).length > 60);
        }
      } finally {
        await store.close();
      }
    }));

  it('are shown by what variants were worth, whether these have names or not', async () => {
    const database = await testDatabase();
    const sessions = makeSessions({ date: '2026-11-20', sessions: 300 });
    const rows = rowsOf([{ date: '2026-11-20', sessions }]);
    await createTables(database.pool, 'monetate');
    for (const table of ['session', 'session_offer'] as const) {
      await putRows(database.pool, 'monetate', table, rows[table]);
    }
    const ask = async (): Promise<Awaited<ReturnType<typeof readLanded>>[number]> =>
      (
        await readLanded(database.pool, [
          { name: 'visits', vendor: 'monetate', schema: 'monetate' } as SourceConfig,
        ])
      )[0]!;
    const { results } = await ask();
    assert.equal(results.length, 10);
    const best = results[0]!;
    const seen = sessions.filter(({ offers }) => Object.hasOwn(offers ?? {}, String(best['variant'])));
    assert.equal(Number(best['sessions']), seen.length);
    assert.equal(
      Math.round(Number(best['revenue']) * 100),
      hundredths(rowsOf([{ date: '2026-11-20', sessions: seen }]).session, 'session_value'),
    );
    assert.ok(Number(best['revenue']) >= Number(results[1]!['revenue']));

    const named = variants.find(({ id }) => id === best['variant'])!;
    await putRows(database.pool, 'monetate', 'variant', [
      { variant_id: named.id, variant_name: named.split_name, experience_name: named.experience_name },
    ]);
    const again = await ask();
    assert.deepEqual(again.results[0], {
      ...best,
      experience: named.experience_name,
      variant: named.split_name,
    });
    assert.match(writeLanded(again), /by monetate\.daily_variant:\n.*REVENUE\n[^]*of no known name /);
  });
});
