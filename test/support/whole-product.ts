/** The product as people run it, command by command, on a database that is reached in some special way. */

import assert from 'node:assert/strict';

import type { Finding } from '../../client/checks/finding.js';
import type { ListedDelivery } from '../../client/queries/list-deliveries.js';
import { freePort } from '../../sandbox/ports.js';
import { writeDay } from '../../sandbox/optimizely/day.js';
import { openDesk, type Desk } from '../client/landfall-command.js';
import { send } from '../receiver/receiving.js';
import { terminateAll } from '../workflows/observe.js';
import { sessions } from './dynatrace.js';
import { eventually } from './eventually.js';
import { inTemporaryFolder, prefix, uploadFolder } from './landfall.js';
import { runLandfall, type LandfallProcess } from './landfall-process.js';
import { testBucket } from './s3.js';
import { atTheEnd } from './shared.js';
import { devServer } from './temporal.js';

const date = '2026-03-01';
let runs = 0;

/**
 * Sets up an empty database, and on it loads a day of Optimizely's and takes in what Dynatrace sends, with the worker and
 * the receiver as processes; asks for status and history, loads the day again and discards it.
 */
export async function worksAsAWhole(url: string): Promise<void> {
  const name = `whole-${process.pid}-${++runs}`;
  const { address, environment } = await devServer();
  const bucket = await testBucket();
  await inTemporaryFolder(async (directory) => {
    await writeDay({ directory, type: 'events', date, rows: 300, parts: 2, folders: false });
    await uploadFolder(bucket, directory);
  });
  const port = await freePort();
  const { endpoint, accessKeyId, secretAccessKey } = bucket;
  const yaml = JSON.stringify({
    postgres: { url: '${URL}' },
    temporal: { taskQueue: name },
    receiver: { port },
    sources: {
      [name]: {
        ...{ vendor: 'optimizely', schema: 'experiments', types: ['events'], discoverEvery: '1 day' },
        store: {
          ...{ type: 's3', bucket: bucket.bucket, prefix, endpoint, accessKeyId, secretAccessKey },
          forcePathStyle: true,
        },
      },
      [`${name}-rum`]: { vendor: 'dynatrace', auth: { bearer: 'a-token' }, gatherWithin: '200 ms' },
    },
  });
  const env = { URL: url, TEMPORAL_ADDRESS: address };
  const desk = await openDesk(yaml, env);
  const processes: LandfallProcess[] = [];
  try {
    await succeeds(desk, 'setup');
    await succeeds(desk, 'setup');
    const findings = JSON.parse((await desk.landfall('check', name, '-o', 'json')).out) as Finding[];
    const wrong = findings.filter(({ part, ok }) => part === 'postgres' && !ok);
    assert.deepEqual(wrong, []);

    for (const command of ['worker', 'receiver']) {
      const running = runLandfall([command], { cwd: desk.cwd, env: { ...env, HOME: desk.cwd } });
      atTheEnd(() => void running.child.kill('SIGKILL'));
      processes.push(running);
    }
    const receiver = processes[1]!;
    const path = `/dynatrace/${name}-rum`;
    await eventually(() => receiver.err().includes(path), { timeoutMs: 60_000, what: 'the receiver' });
    const headers = { authorization: 'Bearer a-token' };
    const { status } = await send(`http://127.0.0.1:${port}`, { path, headers, body: sessions(1, 3) });
    assert.equal(status, 200, receiver.err());

    const day = `${name}/events/${date}`;
    await succeeds(desk, 'backfill', name, '--from', date, '--to', date, '--wait');
    await standsAs(desk, day, 'final', 300);
    const all = await eventually(
      async () =>
        (await listed(desk)).find(({ source, finality }) => source !== name && finality === 'final'),
      { timeoutMs: 60_000, everyMs: 200, what: 'what Dynatrace sent' },
    );
    assert.equal(all.rows, 3);
    assert.ok(Math.abs(Date.parse(all.since) - Date.now()) < 3_600_000, all.since);

    await succeeds(desk, 'reprocess', day, '--reason', 'once more');
    await eventually(async () => (await succeeds(desk, 'show', day)).includes('once more'), {
      timeoutMs: 20_000,
    });
    await standsAs(desk, day, 'final', 300);
    await succeeds(desk, 'discard', day, '--reason', 'they must go');
    await standsAs(desk, day, 'discarded', null);
    const history = await succeeds(desk, 'show', day);
    assert.match(history, /they must go/);
    assert.match(await succeeds(desk, 'status'), /discarded/);
  } finally {
    for (const { child, ended } of processes) {
      child.kill('SIGTERM');
      await ended;
    }
    for (const id of [`${name}/discover`, `${name}-rum/discover`]) {
      await environment.client.schedule
        .getHandle(id)
        .delete()
        .catch(() => undefined);
    }
    await terminateAll(environment.client, name);
    await desk.leave();
  }
  for (const { ended, err } of processes) assert.equal(await ended, 0, err());
}

async function succeeds(desk: Desk, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await desk.landfall(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${err}${out}`);
  return out;
}

async function listed(desk: Desk): Promise<readonly ListedDelivery[]> {
  return JSON.parse(await succeeds(desk, 'status', '-o', 'json')) as ListedDelivery[];
}

function standsAs(desk: Desk, id: string, finality: string, rows: number | null): Promise<unknown> {
  return eventually(
    async () => {
      const found = (await listed(desk)).find(({ delivery }) => delivery === id);
      assert.deepEqual([found?.finality, found?.rows], [finality, rows]);
      return true;
    },
    { timeoutMs: 60_000, everyMs: 200, what: `${id} to be ${finality}` },
  );
}
