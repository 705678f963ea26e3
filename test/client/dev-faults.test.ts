import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { Client, Connection } from '@temporalio/client';
import pg from 'pg';

import { addDays, dayOf } from '../../model/day.js';
import { writeSampleExport } from '../../sandbox/optimizely/sample.js';
import { deleteCluster } from '../../sandbox/postgres-place.js';
import { eventually } from '../support/eventually.js';
import { runLandfall, type LandfallProcess } from '../support/landfall-process.js';
import { testBucket, type TestBucket } from '../support/s3.js';
import { endTest } from '../support/shared.js';
import '../support/temporal.js';

const lastDay = addDays(dayOf(Date.now()), -1);
const none = { DATABASE_URL: '', TEMPORAL_ADDRESS: '', LANDFALL_SAMPLES: '' };

/** Sources by name, each with the key by which it is let into the bucket, or is not. */
function yamlOf(bucket: TestBucket, keys: Readonly<Record<string, string>>): string {
  const sources = Object.entries(keys).map(([name, accessKeyId]) => [
    name,
    {
      ...{ vendor: 'optimizely', schema: name, types: ['events'], since: addDays(lastDay, -2) },
      store: {
        ...{
          type: 's3',
          bucket: bucket.bucket,
          prefix: 'v1/',
          endpoint: bucket.endpoint,
          forcePathStyle: true,
        },
        ...{ accessKeyId, secretAccessKey: bucket.secretAccessKey },
      },
    },
  ]);
  return JSON.stringify({ sources: Object.fromEntries(sources) as unknown });
}

/** The process of a server that this `landfall dev` has started. */
function serverOf({ child }: LandfallProcess, command: RegExp): number {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'ppid=,pid=,args='], { encoding: 'utf8' });
  const found = stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .find((columns) => Number(columns?.[1]) === child.pid && command.test(columns?.[3] ?? ''));
  assert.ok(found, `landfall dev has no child process ${String(command)}:\n${stdout}`);
  return Number(found[2]);
}

describe('landfall dev, where something fails', function () {
  this.timeout(300_000);
  let cwd: string;
  let bucket: TestBucket;

  before(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'landfall-dev-export-'));
    await writeSampleExport({ directory, lastDay });
    bucket = await testBucket();
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((one) => one.isFile())) {
      const path = join(entry.parentPath, entry.name);
      const key = relative(directory, path).replace(/^.*?(?=type=)/, 'v1/');
      await bucket.put(key, await readFile(path));
    }
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'landfall-dev-'));
  });
  afterEach(async () => {
    await endTest();
    await deleteCluster(join(cwd, '.landfall', 'postgres'));
    await rm(cwd, { recursive: true, force: true });
  });

  it('goes on with the others where one source has wrong credentials, and says what is wrong with that one', async () => {
    await writeFile(
      join(cwd, 'landfall.yaml'),
      yamlOf(bucket, { good: bucket.accessKeyId, bad: 'NOTTHEKEY', fine: bucket.accessKeyId }),
    );
    const dev = runLandfall(['dev', '--once', '-o', 'json'], { cwd, env: none });
    assert.equal(await dev.ended, 1, dev.err());
    assert.doesNotMatch(dev.err(), /Channel has been shut down/);
    assert.match(dev.err(), /^ {2}bad: .*(?:InvalidAccessKeyId|credentials)/m);
    const { deliveries, results, problems } = JSON.parse(dev.out()) as {
      deliveries: { delivery: string; finality: string; rows: number }[];
      results: { source: string; results: unknown[] }[];
      problems: { source: string; problem: string }[];
    };
    assert.deepEqual(
      problems.map(({ source }) => source),
      ['bad'],
    );
    for (const source of ['good', 'fine']) {
      const own = deliveries.filter(({ delivery }) => delivery.startsWith(`${source}/`));
      assert.ok(own.filter(({ finality, rows }) => finality === 'final' && rows > 0).length === 2, dev.err());
      assert.ok(results.some((one) => one.source === source && one.results.length > 0));
    }
  });

  it('says that a server was killed or does not answer, starts it again and goes on with what it kept', async () => {
    await writeFile(join(cwd, 'landfall.yaml'), yamlOf(bucket, { shop: bucket.accessKeyId }));
    const dev = runLandfall(['dev'], { cwd, env: none });
    const says = (what: RegExp, from = 0): Promise<unknown> =>
      eventually(() => what.test(dev.err().slice(from)), {
        timeoutMs: 120_000,
        what: `${String(what)} in what dev says`,
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${dev.err()}`);
      });
    await says(/Stays up until Ctrl-C/);
    const { temporal, postgresUrl } = JSON.parse(
      await readFile(join(cwd, '.landfall', 'dev.json'), 'utf8'),
    ) as { temporal: { address: string }; postgresUrl: string };
    const delivery = `shop/events/${lastDay}`;
    const id = `shop/events/${addDays(lastDay, -2)}`;

    let said = dev.err().length;
    process.kill(serverOf(dev, /start-dev/), 'SIGKILL');
    await says(/The Temporal dev server has ended \(SIGKILL\): it is started again/, said);
    await says(/The Temporal dev server works again/, said);

    said = dev.err().length;
    process.kill(serverOf(dev, /start-dev/), 'SIGSTOP');
    await says(/The Temporal dev server does not (?:answer|work)/, said);
    await says(/The Temporal dev server works again/, said);

    const connection = await Connection.connect(temporal);
    try {
      const { workflow } = new Client({ connection });
      assert.equal(
        (await workflow.getHandle(id).describe()).status.name,
        'COMPLETED',
        'it knows what it knew',
      );
    } finally {
      await connection.close();
    }

    said = dev.err().length;
    process.kill(serverOf(dev, /postgres.* -D /), 'SIGKILL');
    await says(/Postgres has ended \(SIGKILL\): it is started again/, said);
    await says(/Postgres works again/, said);
    const pool = new pg.Pool({ connectionString: postgresUrl });
    try {
      const { rows } = await pool.query(`select finality from landfall.delivery where id = $1`, [id]);
      assert.deepEqual(rows, [{ finality: 'final' }]);
    } finally {
      await pool.end();
    }

    // The worker has all of it again: what waited is loaded.
    const waits = runLandfall(['accept', delivery, '--reason', 'by hand'], { cwd, env: none });
    assert.equal(await waits.ended, 0, waits.err());
    await eventually(
      async () => {
        const status = runLandfall(['status', 'shop', '-o', 'json'], { cwd, env: none });
        assert.equal(await status.ended, 0, status.err());
        const known = JSON.parse(status.out()) as { delivery: string; finality: string }[];
        assert.equal(known.find((one) => one.delivery === delivery)?.finality, 'final');
        return true;
      },
      { timeoutMs: 90_000 },
    );
    dev.child.kill('SIGINT');
    assert.equal(await dev.ended, 0, dev.err());
  });

  it('says what it is that keeps one source from being set up, and sets up the others', async () => {
    await mkdir(join(cwd, '.landfall'));
    await writeFile(join(cwd, 'landfall.yaml'), yamlOf(bucket, { shop: bucket.accessKeyId }));
    const first = runLandfall(['dev', '--once'], { cwd, env: none });
    assert.equal(await first.ended, 0, first.err());
    const taken = JSON.parse(yamlOf(bucket, { mine: bucket.accessKeyId, other: bucket.accessKeyId })) as {
      sources: Record<string, object>;
    };
    taken.sources['mine'] = { ...taken.sources['mine'], schema: 'shop' };
    await writeFile(join(cwd, 'landfall.yaml'), JSON.stringify(taken));
    const dev = runLandfall(['dev', '--once', '-o', 'json'], { cwd, env: none });
    assert.equal(await dev.ended, 1, dev.err());
    assert.match(dev.err(), /^ {2}mine: Schema 'shop' belongs to source 'shop'/m);
    const { deliveries } = JSON.parse(dev.out()) as { deliveries: { delivery: string; finality: string }[] };
    assert.equal(deliveries.filter(({ finality }) => finality === 'final').length, 2);
    assert.ok(deliveries.every(({ delivery }) => delivery.startsWith('other/')));
  });
});
