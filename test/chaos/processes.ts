/** Processes that a chaos run kills, freezes and starts again. Linux only: children are found in /proc. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

import { eventually } from '../support/eventually.js';

/** One component of the system under test. */
export interface Part {
  readonly name: string;
  /** Ends it with SIGKILL, children included, and starts it again. Returns once it answers. */
  readonly killAndStart: () => Promise<void>;
  /** Stops it with SIGSTOP, children included. */
  readonly freeze: () => Promise<void>;
  /** Continues it with SIGCONT. */
  readonly thaw: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

export interface ProgramToRun {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Both output streams are appended to this file. */
  readonly logFile: string;
  /** Whether it answers; asked again and again after a start. */
  readonly answers: () => Promise<boolean>;
}

export interface NodeProgram extends Part {
  /**
   * How it ended, each time that it did so without being asked to: its exit code, and the end of its log. It is started
   * again then, as a service manager would.
   */
  readonly endedByItself: () => readonly string[];
  /** Changes how the next start is made. */
  readonly change: (program: Partial<ProgramToRun>) => void;
}

/** Starts a Node program and keeps it running. */
export async function runProgram(name: string, first: ProgramToRun): Promise<NodeProgram> {
  let program = first;
  let child: ChildProcess;
  let wanted = true;
  const endings: string[] = [];
  const start = (): void => {
    const log = openSync(program.logFile, 'a');
    const started = spawn(process.execPath, [...program.args], {
      env: { ...process.env, ...program.env },
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    started.stdin?.on('error', () => undefined);
    started.on('error', () => undefined);
    started.once('exit', (code, signal) => {
      if (!wanted || child !== started) return;
      const log = readFileSync(program.logFile, 'utf8').trimEnd().split('\n').slice(-3).join('\n');
      endings.push(`${name} ended with ${signal ?? `exit code ${code}`}. The end of its log:\n${log}`);
      start();
    });
    child = started;
  };
  const answers = (): Promise<unknown> =>
    eventually(program.answers, { timeoutMs: 90_000, everyMs: 100, what: `${name} to answer` });
  const end = async (): Promise<void> => {
    wanted = false;
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    await signalFamily(child.pid, 'SIGKILL');
    await ended;
  };
  start();
  await answers();
  return {
    name,
    endedByItself: () => endings,
    change: (changed) => (program = { ...program, ...changed }),
    killAndStart: async () => {
      await end();
      wanted = true;
      start();
      await answers();
    },
    freeze: () => signalFamily(child.pid, 'SIGSTOP'),
    thaw: () => signalFamily(child.pid, 'SIGCONT'),
    stop: end,
  };
}

/** Signals a process and all that it has started. Nothing happens to one that is gone. */
export async function signalFamily(pid: number | undefined, signal: NodeJS.Signals): Promise<void> {
  if (pid === undefined) return;
  for (const member of await familyOf(pid)) {
    try {
      process.kill(member, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function familyOf(pid: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The name of a program may hold spaces and parentheses.
    const parent = text.slice(text.lastIndexOf(') ') + 2).split(' ')[1];
    parents.set(Number(name), Number(parent));
  }
  const family = [pid];
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child);
  }
  return family;
}
