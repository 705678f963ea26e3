import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { isListening } from '../../sandbox/ports.js';
import { processName } from '../../sandbox/processes.js';
import { startTemporal, type TemporalServer } from '../../sandbox/temporal-server.js';
import { eventually } from '../support/eventually.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { nodeArguments } from '../support/program.js';
import { devServerProgram, SEARCH_ATTRIBUTES } from '../support/temporal.js';

async function withClient<T>(server: TemporalServer, body: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address: server.address });
  try {
    return await body(new Client({ connection, namespace: server.namespace }));
  } finally {
    await connection.close();
  }
}

describe('the Temporal dev server of the sandbox', () => {
  let binary: string;

  before(async () => {
    binary = await devServerProgram();
  });

  it('keeps workflows across a restart, beside its Web UI and with our search attributes', () =>
    inTemporaryDirectory(async (directory) => {
      const options = {
        binary,
        dbFile: join(directory, 'temporal.db'),
        namespace: 'landfall',
        searchAttributes: SEARCH_ATTRIBUTES,
        logFile: join(directory, 'logs', 'temporal.log'),
      };
      const workflowId = 'podcasts/2026-11-20';
      const first = await startTemporal(options);
      try {
        assert.equal((await fetch(first.uiUrl)).status, 200);
        await withClient(first, async ({ workflow, connection }) => {
          await workflow.start('delivery', { workflowId, taskQueue: 'nobody-works-here' });
          const { customAttributes } = await connection.operatorService.listSearchAttributes({
            namespace: 'landfall',
          });
          for (const name of Object.keys(SEARCH_ATTRIBUTES)) assert.ok(name in customAttributes, name);
        });
      } finally {
        await first.stop();
      }
      assert.equal(await processName(first.pid), undefined);

      const second = await startTemporal(options);
      try {
        await withClient(second, async ({ workflow }) => {
          const { status } = await workflow.getHandle(workflowId).describe();
          assert.equal(status.name, 'RUNNING');
        });
      } finally {
        await second.stop();
      }
    }));

  it('takes another port when the usual one is taken, but not when a port was asked for', () =>
    inTemporaryDirectory(async (directory) => {
      const start = (name: string): Promise<TemporalServer> =>
        startTemporal({ binary, logFile: join(directory, name) });
      const [one, other] = await Promise.all([start('one.log'), start('other.log')]);
      try {
        assert.notEqual(one.address, other.address);
        assert.notEqual(one.uiUrl, other.uiUrl);
        const port = Number(one.address.split(':')[1]);
        await assert.rejects(
          startTemporal({ binary, port, logFile: join(directory, 'third.log') }),
          new RegExp(`^Error: Port ${port} of 127.0.0.1 is already in use`),
        );
      } finally {
        await Promise.all([one.stop(), other.stop()]);
      }
    }));

  it('says what its log said when it does not start', () =>
    inTemporaryDirectory(async (directory) => {
      const logFile = join(directory, 'temporal.log');
      await assert.rejects(
        startTemporal({ binary, logFile, extraArgs: ['--no-such-flag'] }),
        /ended while starting \(exit code 1\) on 127\.0\.0\.1:\d+\. The end of its log, .*unknown flag/s,
      );
    }));
});

describe('the time-skipping test server', () => {
  it('does not outlive a test process that was killed', () =>
    inTemporaryDirectory(async (directory) => {
      const starter = fileURLToPath(new URL('../support/time-skipping-starter.ts', import.meta.url));
      const killed = spawn(process.execPath, nodeArguments(starter), {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, TMPDIR: directory },
      });
      const [line] = (await once(killed.stdout, 'data')) as [Buffer];
      const port = Number(/:(\d+)\s*$/.exec(line.toString())?.[1]);
      assert.equal(await isListening(port), true);
      killed.kill('SIGKILL');
      await eventually(async () => !(await isListening(port)), { what: `port ${port} to close` });
    }));
});
