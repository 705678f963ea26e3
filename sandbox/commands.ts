import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Account } from './server-process.js';

export interface CommandOptions {
  readonly account?: Account | undefined;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The command is ended after this many milliseconds. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface CommandResult {
  readonly ok: boolean;
  readonly output: string;
  /** One sentence about a failure, with the last lines the command wrote; empty when it succeeded. */
  readonly failure: string;
}

/** Runs a command to its end. Never rejects: a command that cannot be started is a result like any other. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.env && { env: options.env }),
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.account && { uid: options.account.uid, gid: options.account.gid }),
      ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
      ...(options.signal && { signal: options.signal }),
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.once('error', (error) => {
      resolve({ ok: false, output, failure: `${command}: ${error.message}` });
    });
    child.once('close', (code, signal) => {
      if (code === 0) {
        resolve({ ok: true, output, failure: '' });
        return;
      }
      const said = `${output}\n${errors}`.trim().split('\n').slice(-4).join(' ').trim();
      const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
      resolve({ ok: false, output, failure: `${command}: ${how}${said === '' ? '' : `: ${said}`}` });
    });
  });
}

/** The first file called `name` on PATH that may be executed. */
export async function findOnPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    if (directory === '') continue;
    const candidate = join(directory, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The program that an environment variable names. A path that leads nowhere is the person's mistake, and said. */
export async function chosenProgram(variable: string): Promise<string | undefined> {
  const path = process.env[variable];
  if (path === undefined || path === '') return undefined;
  if (await isExecutable(path)) return path;
  throw new Error(
    `${variable} is ${path}, which is not a program that can be executed. Correct it or unset it.`,
  );
}
