import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { WorkflowFailedError, type Client } from '@temporalio/client';

import { runCommandLine } from '../../client/program.js';
import { openStore } from '../../stores/open.js';
import type { Store } from '../../stores/store.js';
import type { WorkerSettings } from '../../worker/create.js';
import { deliver, load, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { faultyS3, getOf, listing, type Fault, type FaultyS3 } from '../support/faulty-s3.js';
import { assertConsistent } from '../support/landed.js';
import { inTemporaryFolder, testSource, type TestSource } from '../support/landfall.js';
import { devServer } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const date = '2026-03-01';
const past = { deadline: 0 };
const brokenServer: Fault = { kind: 'refuse', status: 500, code: 'InternalError' };

describe('steps that fail and are tried again', function () {
  this.timeout(120_000);
  let store: FaultyS3;
  let source: TestSource;
  let id: string;
  beforeEach(async () => {
    store = await faultyS3();
    source = await testSource({ through: store.endpoint });
    id = `${source.config.name}/events/${date}`;
    await deliver(source, { type: 'events', date, rows: 300, parts: 2, folders: false });
  });
  afterEach(async () => {
    await source.drop();
    await store.stop();
  });

  interface Row {
    readonly finality: string;
    readonly reason: string;
    readonly trouble: string | null;
  }
  const ledgerOf = async (): Promise<Row | undefined> =>
    (await source.rows(`select finality, reason, trouble from landfall.delivery where id = '${id}'`))[0] as
      Row | undefined;
  const until = (text: RegExp): Promise<Row> =>
    eventually(
      async () => {
        const row = await ledgerOf();
        assert.match(row?.reason ?? '', text);
        return row;
      },
      { timeoutMs: 60_000, what: `the ledger to say ${String(text)}` },
    );
  const start = (client: Client) => source.start(client, source.input('events', date, past));
  const assertOver = async (): Promise<void> => {
    const row = await ledgerOf();
    assert.deepEqual([row?.finality, row?.trouble], ['final', null]);
    assert.doesNotMatch(row?.reason ?? '', /Attempt/);
    assert.deepEqual(await source.rows('select * from landfall.trouble'), []);
    await assertConsistent(source.database.pool);
  };

  it('have the error, the number of attempts and the time of the next one in the ledger, until the store answers', async () => {
    store.fail(listing, brokenServer, Infinity);
    await withWorker(source, async (client) => {
      const handle = await start(client);
      await until(/InternalError: .*Attempt 1 of step 'look'; it is tried again at 20\S+ \S+ UTC\.$/);
      await until(/Attempt 2 of step 'look'/);
      assert.equal((await ledgerOf())?.finality, 'waiting');
      store.heal();
      await handle.result();
    });
    await assertOver();
  });

  it('are told of while an attempt goes on and its store tries again by itself', async () => {
    // Each try is given up after some seconds without a byte, and a step goes on for several of them.
    let release = (): void => undefined;
    const never = new Promise<void>((resolve) => (release = resolve));
    store.fail(getOf('.parquet'), { kind: 'hold', until: () => never }, Infinity);
    const slow: Partial<WorkerSettings> = {
      openStore: (config) => openStore(config, { idleTimeout: 4_000 }),
    };
    await withWorker(
      source,
      async (client) => {
        const handle = await start(client);
        await until(/Attempt 1 of step 'stage' goes on trying\.$/);
        store.heal();
        release();
        await handle.result();
      },
      slow,
    );
    await assertOver();
  });

  it('of a program that does not know what to do fail after five attempts, with a name and a sentence', async () => {
    const confused = (config: TestSource['config']): Store => ({
      ...openStore(config),
      list: () => {
        throw new TypeError("Cannot read properties of undefined (reading 'key')");
      },
    });
    await assert.rejects(load(source, 'events', date, { openStore: confused }, past), (error) => {
      assert.ok(error instanceof WorkflowFailedError);
      assert.equal((error.cause as { type?: string }).type, 'ProgramFault');
      return true;
    });
    const row = await ledgerOf();
    assert.equal(row?.finality, 'failed');
    assert.match(
      row?.reason ?? '',
      /^Step 'look' met an error that Landfall did not expect, 5 times in a row: TypeError: Cannot read .* reprocess the delivery\.$/,
    );
  });

  it('of a table that is not as it should be fail after five attempts', async () => {
    await source.database.pool.query('alter table experiments.conversion rename column uuid to moved');
    await assert.rejects(load(source, 'events', date, {}, past), WorkflowFailedError);
    const row = await ledgerOf();
    assert.equal(row?.finality, 'failed');
    assert.match(row?.reason ?? '', /uuid.*Run `landfall setup`/);
  });

  it('wait for a worker that has their source, and the ledger says so while nobody has', async () => {
    const { environment } = await devServer();
    const without = await source.worker(environment.nativeConnection, { sources: [] });
    const handle = await start(environment.client);
    try {
      await without.worker.runUntil(async () => {
        const word = new RegExp(
          `^No worker that polls this queue has source '${source.config.name}' in its configuration\\. .*Attempt \\d+ of`,
        );
        assert.equal((await until(word)).finality, 'waiting');
        // Beside it one that has it: it may take a few attempts until that one gets the step.
        await inTemporaryFolder(async (folder) => {
          const having = await startWorkerProcess(source, folder, { files: 250, bytes: 2 ** 25 });
          await having.work();
          assert.equal((await handle.result()).finality, 'final');
          await having.kill();
        });
      });
    } finally {
      await without.close();
    }
    await assertOver();
  });

  it('of no delivery wait for such a worker, too, and are told of under their workflow', async () => {
    const { environment } = await devServer();
    const { name } = source.config;
    const without = await source.worker(environment.nativeConnection, { sources: [] });
    const range = { source: name, types: ['events'], from: date, to: date, maxInFlight: 1 };
    const workflows = [
      [
        'inbox',
        `${name}/inbox`,
        { source: name, vendor: 'dynatrace', gatherBytes: 1, gatherWithin: 1 },
        'gather',
      ],
      ['discover', `${name}/discover`, { source: name }, 'discover'],
      ['backfill', `${name}/backfill/1`, range, 'nextDeliveries'],
    ] as const;
    try {
      await without.worker.runUntil(async () => {
        for (const [type, workflowId, input] of workflows) {
          await environment.client.workflow.start(type, {
            workflowId,
            taskQueue: source.taskQueue,
            args: [input],
          });
        }
        await eventually(
          async () => {
            const told = await source.rows(
              `select workflow_id, step from landfall.trouble
               where attempts >= 3 and reason like 'No worker that polls this queue has source%' order by step`,
            );
            assert.deepEqual(
              told.map((row) => [row['workflow_id'], row['step']]),
              workflows.map(([, id, , step]) => [id, step]).sort((a, b) => a[1]!.localeCompare(b[1]!)),
            );
            return true;
          },
          { timeoutMs: 60_000 },
        );
        for (const [, workflowId] of workflows)
          await environment.client.workflow.getHandle(workflowId).terminate();
      });
    } finally {
      await without.close();
    }
  });

  it('are told to who waits for a backfill', async () => {
    const { address } = await devServer();
    store.fail(listing, brokenServer, Infinity);
    const yaml = JSON.stringify({
      ...{ postgres: { url: source.database.url }, temporal: { taskQueue: source.taskQueue } },
      ...(JSON.parse(source.configText) as object),
    });
    let err = '';
    const said = new RegExp(
      `^${id}: .*InternalError: .* Attempt \\d+ of step 'look'; it is tried again at`,
      'm',
    );
    const code = await withWorker(source, () =>
      inTemporaryFolder(async (cwd) => {
        await writeFile(join(cwd, 'landfall.yaml'), yaml);
        const ended = runCommandLine(
          ['backfill', source.config.name, '--from', date, '--to', date, '--type', 'events', '--wait'],
          {
            ...{
              out: () => undefined,
              err: (text) => void (err += text),
              cwd,
              width: undefined,
              watched: false,
            },
            env: { HOME: cwd, TEMPORAL_ADDRESS: address },
          },
        );
        await eventually(
          () => {
            assert.match(err, said);
            return true;
          },
          { timeoutMs: 60_000, what: 'the command to say it' },
        );
        store.heal();
        return ended;
      }),
    );
    assert.equal(code, 0, err);
    await assertOver();
  });

  it('wait for a worker that knows their source as one of the same vendor', async () => {
    const { environment } = await devServer();
    const other = { ...source.config, vendor: 'megaphone' } as TestSource['config'];
    const wrong = await source.worker(environment.nativeConnection, { sources: [other] });
    const handle = await start(environment.client);
    try {
      await wrong.worker.runUntil(() => until(/has source '.*' as one of optimizely in its configuration/));
    } finally {
      await wrong.close();
    }
    await withWorker(source, () => handle.result());
    await assertOver();
  });
});
