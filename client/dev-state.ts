/** What `landfall dev` leaves in its folder while it runs, so that commands in another terminal find its servers. */

import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { z } from 'zod';
import { isAlive } from '../worker/is-alive.js';

const devState = z.object({
  /** The process; the state is stale when it no longer runs. */
  pid: z.number(),
  /** The configuration that dev made, where there is no landfall.yaml. */
  configPath: z.string().optional(),
  /** Embedded Postgres, where none is configured. */
  postgresUrl: z.string().optional(),
  /** The dev server, where no other is configured. */
  temporal: z.object({ address: z.string(), namespace: z.string() }).optional(),
  /** `http://127.0.0.1:8233` */
  webUi: z.string().optional(),
});

export type DevState = Readonly<z.output<typeof devState>>;

function statePath(cwd: string): string {
  return join(cwd, '.landfall', 'dev.json');
}

/** Readable for this user alone: it holds the password of the embedded Postgres. */
export async function writeDevState(cwd: string, state: DevState): Promise<void> {
  const path = statePath(cwd);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
}

export async function removeDevState(cwd: string): Promise<void> {
  await rm(statePath(cwd), { force: true });
}

/** Undefined when no `landfall dev` runs in this directory. */
export async function readDevState(cwd: string): Promise<DevState | undefined> {
  const text = await readFile(statePath(cwd), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const state = devState.safeParse(parseJson(text));
  return state.success && isAlive(state.data.pid) ? state.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
