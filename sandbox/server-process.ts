import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { isListening } from './ports.js';

/** The account a server runs as, where that is not our own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerCommand {
  /** What it is called in messages, e.g. "Postgres". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the process; nothing is added to it. */
  readonly env: NodeJS.ProcessEnv;
  readonly account?: Account | undefined;
  /** Both output streams are appended to this file. */
  readonly logFile: string;
  /** The signal that asks this server to end in good order, also when our own process has died. */
  readonly stopSignal: NodeJS.Signals;
}

export interface ServerProcess {
  readonly pid: number;
  /** Settles when the process has ended, with the way it ended: "exit code 1" or "SIGKILL". */
  readonly ended: Promise<string>;
  readonly running: () => boolean;
  /** Signals, waits for the end, and after `patienceMs` ends it with SIGKILL. */
  readonly stop: (signal?: NodeJS.Signals, patienceMs?: number) => Promise<void>;
}

/**
 * Waits on a pipe that only our process holds open. A line on it means that the server was stopped in good
 * order; its end without a line means that we are gone, SIGKILL included, and then the server must go too.
 */
const WATCHDOG = `
trap '' INT HUP TERM
if read -r released; then exit 0; fi
kill -s "$2" "$1" 2>/dev/null
waited=0
while kill -0 "$1" 2>/dev/null && [ "$waited" -lt 20 ]; do sleep 1; waited=$((waited + 1)); done
kill -s KILL "$1" 2>/dev/null
`;

/**
 * Starts a server in a session of its own, so that Ctrl-C in the terminal reaches us alone and we decide the
 * order in which things stop, and beside it a watchdog, so that the server never outlives this process.
 */
export async function startServerProcess(server: ServerCommand): Promise<ServerProcess> {
  const log = openSync(server.logFile, 'a');
  let child: ChildProcess;
  try {
    child = spawn(server.command, [...server.args], {
      detached: true,
      cwd: '/',
      env: server.env,
      stdio: ['ignore', log, log],
      ...(server.account && { uid: server.account.uid, gid: server.account.gid }),
    });
    await once(child, 'spawn');
  } catch (error) {
    throw new Error(`${server.name} could not be started: ${server.command}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    closeSync(log);
  }
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${server.name} could not be started: it has no process id`);

  const watchdog = spawn(
    '/bin/sh',
    ['-c', WATCHDOG, 'landfall-watchdog', String(pid), server.stopSignal.replace('SIG', '')],
    { detached: true, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] },
  );
  // A watchdog that cannot start leaves the server running as before; its absence shows only after a crash.
  watchdog.on('error', () => undefined);
  watchdog.stdin.on('error', () => undefined);
  child.unref();
  watchdog.unref();
  (watchdog.stdin as unknown as { unref(): void }).unref();

  let running = true;
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      running = false;
      watchdog.stdin.end('released\n');
      resolve(signal ?? `exit code ${code}`);
    });
  });

  return {
    pid,
    ended,
    running: () => running,
    stop: async (signal = server.stopSignal, patienceMs = 20_000) => {
      if (!running) return;
      child.ref();
      child.kill(signal);
      const hurry = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await ended;
      clearTimeout(hurry);
    },
  };
}

/** Returns once a server listens on its port; ends one that does not within 20 seconds, and throws the end of its log. */
export async function untilListening(
  server: ServerProcess,
  name: string,
  port: number,
  logFile: string,
): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isListening(port))) {
    if (!server.running() || Date.now() > deadline) {
      await server.stop();
      throw new Error(
        `${name} did not start on 127.0.0.1:${port} (${await server.ended}). The end of its log, ${logFile}:\n` +
          (await lastLines(logFile)),
      );
    }
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/** The last lines of a log file, for an error message about the server that wrote it. */
export async function lastLines(logFile: string, count = 12): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
