import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import type { BatchLimits } from '../../warehouse/plan-request.js';
import { workflowBundle, type TestSource } from './landfall.js';
import { nodeArguments } from './program.js';
import { atTheEnd } from './shared.js';
import { devServer } from './temporal.js';

export interface WorkerProgramSettings {
  readonly address: string;
  readonly taskQueue: string;
  readonly postgresUrl: string;
  readonly configText: string;
  readonly spoolDirectory: string;
  readonly batchLimits: BatchLimits;
  readonly bundlePath: string;
}

export interface WorkerProcess {
  readonly pid: number;
  /** Lets it work, and returns once it does: it was started ahead, since that takes a second. */
  readonly work: () => Promise<void>;
  /** Ends it as the machine's end would, and waits until it is gone. */
  readonly kill: () => Promise<void>;
}

let started = 0;

/** Starts a process that becomes a worker of the source on demand. `folder` holds its spool and the workflows' code. */
export async function startWorkerProcess(
  source: TestSource,
  folder: string,
  batchLimits: BatchLimits,
): Promise<WorkerProcess> {
  // One of its own: another process may be reading its.
  const bundlePath = join(folder, `workflows-${++started}.js`);
  await writeFile(bundlePath, (await workflowBundle()).code);
  const settings: WorkerProgramSettings = {
    address: (await devServer()).address,
    taskQueue: source.taskQueue,
    postgresUrl: source.database.url,
    configText: source.configText,
    spoolDirectory: folder,
    batchLimits,
    bundlePath,
  };
  const program = fileURLToPath(new URL('worker-program.ts', import.meta.url));
  const child = spawn(process.execPath, nodeArguments(program), {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, LANDFALL_TEST_WORKER: JSON.stringify(settings) },
  });
  const ended = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  atTheEnd(kill);
  const work = async (): Promise<void> => {
    child.stdin.write('work\n');
    for await (const line of createInterface({ input: child.stdout })) if (line === 'working') return;
    throw new Error('the worker ended before it could work');
  };
  return { pid: child.pid!, work, kill };
}
