import assert from 'node:assert/strict';

import { deliver } from '../support/delivery.js';
import { endingPostgres, type EndingPostgres } from '../support/ending-postgres.js';
import { assertConsistent } from '../support/landed.js';
import { inTemporaryFolder, testSource, type TestSource } from '../support/landfall.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { devServer } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const date = '2026-03-01';

describe('a worker whose connections to Postgres end as soon as they are ready', function () {
  this.timeout(90_000);
  let database: TestDatabase;
  let postgres: EndingPostgres;
  let source: TestSource;
  before(async () => {
    database = await testDatabase();
    postgres = await endingPostgres(database.url);
    source = await testSource({ database: { ...database, url: postgres.url } });
  });
  after(async () => {
    await postgres.stop();
    await source.drop();
  });

  it('lives, and loads the delivery once they last', async () => {
    await deliver(source, { type: 'events', date, rows: 200, parts: 4, folders: false });
    await inTemporaryFolder(async (folder) => {
      const worker = await startWorkerProcess(source, folder, { files: 1, bytes: 1e9 });
      await worker.work();
      // Three fail the first attempt at its first step, the fourth passes unnoticed.
      const ends = Array.from({ length: 4 }, () => 'when ready' as const);
      postgres.endNext(...ends);
      const { client } = (await devServer()).environment;
      const delivery = await source.start(client, source.input('events', date, { deadline: 0 }));
      assert.equal((await delivery.result()).finality, 'final');
      assert.equal(postgres.left(), 0);
      assert.doesNotThrow(() => process.kill(worker.pid, 0), 'it is the same process');
      await worker.kill();
    });
    await assertConsistent(database.pool);
  });
});
