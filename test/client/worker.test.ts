import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../../sandbox/ports.js';
import { eventually } from '../support/eventually.js';
import { runLandfall } from '../support/landfall-process.js';
import { testDatabase } from '../support/postgres.js';
import { devServer } from '../support/temporal.js';

describe('landfall setup and worker', function () {
  this.timeout(90_000);

  it('serve metrics where the configuration says so, and stop within seconds on SIGTERM', async () => {
    const { address } = await devServer();
    const database = await testDatabase();
    const cwd = await mkdtemp(join(tmpdir(), 'landfall-worker-'));
    const port = await freePort();
    const name = `worker-test-${process.pid}`;
    await writeFile(
      join(cwd, 'landfall.yaml'),
      `postgres: { url: '\${DATABASE_URL}' }
temporal: { taskQueue: ${name} }
metrics: { prometheus: '127.0.0.1:${port}' }
sources:
  ${name}:
    vendor: optimizely
    schema: shop
    discoverEvery: 1 day
    store: { type: s3, bucket: none, prefix: v1/, endpoint: 'http://127.0.0.1:9', accessKeyId: a, secretAccessKey: b }
`,
    );
    const env = { DATABASE_URL: database.url, TEMPORAL_ADDRESS: address };
    try {
      for (const time of ['first', 'second']) {
        const setup = runLandfall(['setup', '-o', 'json'], { cwd, env });
        assert.equal(await setup.ended, 0, `${time} setup: ${setup.err()}`);
      }
      const worker = runLandfall(['worker'], { cwd, env });
      const metrics = await eventually(
        async () => {
          const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
          return text.includes('temporal_num_pollers') ? text : undefined;
        },
        { timeoutMs: 40_000 },
      );
      assert.ok(metrics.includes(`task_queue="${name}"`));
      const asked = Date.now();
      worker.child.kill('SIGTERM');
      assert.equal(await worker.ended, 0, worker.err());
      assert.ok(Date.now() - asked < 10_000);
    } finally {
      await database.drop();
      await rm(cwd, { recursive: true, force: true });
    }
  });
});
