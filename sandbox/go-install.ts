import { join } from 'node:path';
import { cached, machine } from './cache.js';
import { findOnPath, run } from './commands.js';
import { whileWorking, type Progress } from './progress.js';

export interface GoProgram {
  /** The name of the binary, e.g. "temporal". */
  readonly name: string;
  /** The Go package, without its version. */
  readonly package: string;
  /** Without the leading "v". */
  readonly version: string;
  /** What the progress line says, e.g. "Building the Temporal dev server with Go (about 2.5 minutes, once)". */
  readonly line: string;
}

/** The name a program has in the cache, whichever way it came there. */
export const cachedName = (program: { readonly name: string; readonly version: string }): string =>
  `${program.name}-${program.version}-${machine}`;

/** Builds the program into the cache. Rejects with one sentence where Go is missing or the build fails. */
export async function goInstall(program: GoProgram, progress: Progress): Promise<string> {
  const go = await findOnPath('go');
  if (go === undefined) throw new Error('Go is not installed');
  return cached(cachedName(program), progress, async (workDirectory) => {
    const built = await whileWorking(
      progress,
      program.line,
      run(go, ['install', `${program.package}@v${program.version}`], {
        // Without GOFLAGS: a -mod=vendor in it would fail outside a module.
        env: { ...process.env, GOBIN: workDirectory, GOFLAGS: '' },
        cwd: workDirectory,
      }),
    );
    if (!built.ok) throw new Error(built.failure);
    return join(workDirectory, program.name);
  });
}
