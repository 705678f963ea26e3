import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { nodeArguments } from './program.js';

export interface LandfallProcess {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

const main = fileURLToPath(new URL('../../client/main.ts', import.meta.url));

/** Runs `landfall …` from the sources as a process of its own, as a person would. */
export function runLandfall(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): LandfallProcess {
  const child = spawn(process.execPath, nodeArguments(main, ...args), {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const heard = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (heard.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (heard.err += chunk.toString()));
  return {
    child,
    out: () => heard.out,
    err: () => heard.err,
    ended: new Promise((resolve) =>
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown')),
    ),
  };
}
