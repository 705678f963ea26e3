/**
 * The same file loaded by dlt, which many would take for this: https://dlthub.com/docs. Its own way to read JSON lines, its
 * own CSV for COPY, columns given, no key and nothing to fetch; see dlt-load.py.
 */

import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cached, machine } from '../sandbox/cache.js';
import { findOnPath, run } from '../sandbox/commands.js';
import type { Progress } from '../sandbox/progress.js';

const version = '1.31.0';
const program = fileURLToPath(new URL('dlt-load.py', import.meta.url));

export interface Dlt {
  /** Seconds of one load of a file of JSON lines, gzip; `folder` is for what lies in between. */
  readonly load: (file: string, postgresUrl: string, folder: string) => Promise<number>;
  readonly name: string;
}

/** Installs dlt into the cache where it is not there yet. Throws, in a sentence, where that cannot be done. */
export async function installDlt(progress: Progress): Promise<Dlt> {
  const python = await findOnPath('python3');
  if (python === undefined) throw new Error('dlt is left out: there is no python3.');
  const environment = await cached(`dlt-${version}-${machine}`, progress, async (folder) => {
    progress(`Installing dlt ${version} for Python`);
    const path = join(folder, 'environment');
    await must(python, ['-m', 'venv', path]);
    await must(join(path, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `dlt[postgres]==${version}`]);
    return path;
  });
  return {
    name: `dlt ${version}`,
    load: async (file, postgresUrl, folder) => {
      const pipelines = await mkdtemp(join(folder, 'dlt-'));
      const output = await must(join(environment, 'bin', 'python'), [program, file, postgresUrl, pipelines]);
      return (JSON.parse(output.trim().split('\n').at(-1) ?? '') as { readonly seconds: number }).seconds;
    },
  };
}

async function must(command: string, args: readonly string[]): Promise<string> {
  const { ok, output, failure } = await run(command, args);
  if (!ok) throw new Error(`dlt is left out: ${failure}`);
  return output;
}
