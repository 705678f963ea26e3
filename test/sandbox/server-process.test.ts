import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../../sandbox/postgres.js';
import { processName } from '../../sandbox/processes.js';
import { silently } from '../../sandbox/progress.js';
import { startServerProcess } from '../../sandbox/server-process.js';
import { eventually } from '../support/eventually.js';
import { inTemporaryDirectory, withDataDirectory } from '../support/isolated.js';
import { nodeArguments } from '../support/program.js';

const STARTER = fileURLToPath(new URL('../support/postgres-starter.ts', import.meta.url));

/** A process that started Postgres, and the process id of that Postgres. */
async function startedByAnother(...args: string[]): Promise<{ starter: ChildProcess; pid: number }> {
  const starter = spawn(process.execPath, nodeArguments(STARTER, ...args), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(starter.stdout, 'data')) as [Buffer];
  return { starter, pid: Number(line.toString()) };
}

describe('a server that was started', () => {
  for (const ending of ['SIGKILL', 'SIGINT', 'exit'] as const) {
    it(`does not outlive its process, which ends by ${ending}`, () =>
      withDataDirectory(async (dataDir) => {
        const { starter, pid } = await startedByAnother(dataDir, ...(ending === 'exit' ? [ending] : []));
        if (ending !== 'exit') starter.kill(ending);
        await eventually(async () => (await processName(pid)) === undefined, {
          timeoutMs: 10_000,
          what: `the end of process ${pid}`,
        });
        const next = await startPostgres({ dataDir, progress: silently });
        await next.stop();
      }));
  }

  it('is waited for by the next one on its data, when its process was killed a moment ago', () =>
    withDataDirectory(async (dataDir) => {
      const { starter } = await startedByAnother(dataDir);
      starter.kill('SIGKILL');
      const next = await startPostgres({ dataDir, progress: silently });
      await next.stop();
    }));

  it('is ended by force when it does not heed the signal', () =>
    inTemporaryDirectory(async (directory) => {
      const server = await startServerProcess({
        name: 'A stubborn server',
        command: '/bin/sh',
        args: ['-c', `trap '' TERM; while :; do read -r line; done`],
        env: {},
        logFile: join(directory, 'log'),
        stopSignal: 'SIGTERM',
      });
      await server.stop('SIGTERM', 100);
      assert.equal(await server.ended, 'SIGKILL');
      assert.equal(server.running(), false);
    }));

  it('is named in the error when it cannot be started', () =>
    inTemporaryDirectory(async (directory) => {
      const starting = startServerProcess({
        name: 'A server',
        command: '/nowhere/server',
        args: [],
        env: {},
        logFile: join(directory, 'log'),
        stopSignal: 'SIGTERM',
      });
      await assert.rejects(starting, /^Error: A server could not be started: \/nowhere\/server: .*ENOENT/);
    }));
});
