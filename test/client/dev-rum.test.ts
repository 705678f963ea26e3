import assert from 'node:assert/strict';
import { join } from 'node:path';

import { bringRum } from '../../client/dev/samples.js';
import { writeSampleConfig } from '../../client/dev/sample-config.js';
import { watchDeliveries } from '../../client/dev/watch-deliveries.js';
import { loadConfig } from '../../config/load.js';
import { silently } from '../../sandbox/progress.js';
import { eventually } from '../support/eventually.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { insertBody, insertDelivery } from './inbox.js';
import { writeSource } from './ledger.js';

describe("the user sessions of 'landfall dev'", function () {
  this.timeout(60_000);

  it('are sent to a receiver that lets them in, and are quick to watch', () =>
    inTemporaryDirectory(async (folder) => {
      const ends: (() => Promise<void>)[] = [];
      const terminal = { env: {}, cwd: folder } as never;
      const sandbox = { folder, terminal, progress: silently, fail: assert.ifError };
      const sample = await bringRum({ ...sandbox, defer: (end) => ends.push(end) });
      try {
        const path = join(folder, 'landfall.yaml');
        await writeSampleConfig(path, [sample]);
        const { sources, receiver } = await loadConfig({ env: {}, cwd: folder, path });
        const [source] = sources;
        assert.ok(source?.vendor === 'dynatrace');
        assert.deepEqual([source.name, source.schema, source.gatherWithin], ['rum', 'dynatrace', 2_000]);
        assert.equal(source.discoverEvery, 60_000, 'what nobody told of is found');
        assert.equal(source.auth.basic?.username, 'dynatrace');
        assert.match(source.auth.basic.password.reveal(), /^[0-9a-f]{64}$/);
        assert.deepEqual(receiver.port, sample.receiver.port);
      } finally {
        for (const end of ends) await end();
      }
    }));

  describe('when they are watched', () => {
    let database: TestDatabase;
    const { signal } = new AbortController();

    before(async () => {
      database = await testDatabase();
      await writeSource(database.pool, 'rum');
    });
    after(() => database.drop());

    it('are waited for until all are sent, gathered and at rest', async () => {
      const { pool } = database;
      const told: string[] = [];
      let sent: () => void = () => undefined;
      const sending = new Promise<void>((resolve) => (sent = resolve));
      let done = false;
      const watched = { ids: [], sentTo: ['rum'], sending };
      const watching = watchDeliveries(pool, watched, (line) => told.push(line), signal).finally(() => {
        done = true;
      });

      await insertDelivery(pool, 'rum/2026-11-20/1', 'final');
      await eventually(() => told.length === 1);
      const body = await insertBody(pool, 'rum', 3);
      sent();
      await insertDelivery(pool, 'rum/2026-11-20/2', 'loading');
      await eventually(() => told.length === 2);
      assert.equal(done, false, 'a body waits');
      await pool.query('update landfall.inbox set delivery_id = $2 where id = $1', [
        body,
        'rum/2026-11-20/2',
      ]);
      await pool.query(`update landfall.delivery set finality = 'final' where id = 'rum/2026-11-20/2'`);
      const deliveries = await watching;
      assert.deepEqual(
        deliveries.map(({ delivery, finality }) => [delivery, finality]),
        [
          ['rum/2026-11-20/1', 'final'],
          ['rum/2026-11-20/2', 'final'],
        ],
      );
    });

    it('are given up when they cannot be sent', async () => {
      const sending = Promise.reject(new Error('It was not let in.'));
      const watching = watchDeliveries(
        database.pool,
        { ids: [], sentTo: ['rum'], sending },
        () => undefined,
        signal,
      );
      await assert.rejects(watching, /^Error: It was not let in\.$/);
    });
  });
});
