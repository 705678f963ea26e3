/**
 * What this process has opened and not closed, with the test that did it: processes, servers, connections. Node itself tells
 * of each (`diagnostics_channel`), so that no helper and no test can forget to.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import type { Server, Socket } from 'node:net';

interface Opened {
  /** Title of a test; undefined: what tests share. */
  readonly by: string | undefined;
  readonly describe: () => string;
  /** False also where somebody is about to end it. */
  readonly isOpen: () => boolean;
  /** Ends it, whatever state it is in, and waits until it is gone. */
  readonly end: () => Promise<void>;
}

const opened = new Set<Opened>();
const sockets = new Set<Socket>();
const shared = new AsyncLocalStorage<true>();
let test: string | undefined;

/** What `work` opens is shared by the tests of the run, and stays when one of them ends. */
export function sharing<T>(work: () => T): T {
  return shared.run(true, work);
}

/** The test that opens what is opened now; undefined: it is shared. */
export function opener(): string | undefined {
  return shared.getStore() ? undefined : test;
}

export function setTest(title: string | undefined): void {
  test = title;
}

/** Must come before anything is opened. */
export function noticeOpened(): void {
  subscribe('child_process', (message) => noticeProcess((message as { process: ChildProcess }).process));
  subscribe('tracing:net.server.listen:asyncStart', (message) =>
    noticeServer((message as { server: Server }).server),
  );
  for (const channel of ['net.client.socket', 'net.server.socket']) {
    subscribe(channel, (message) => {
      const { socket } = message as { socket: Socket };
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
  }
}

function noticeProcess(child: ChildProcess): void {
  const gone = new Promise<void>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => child.pid === undefined && resolve());
  });
  notice(gone, {
    // The watchdog of a server ends when that has ended.
    isOpen: () => !child.killed && !child.spawnargs.includes('landfall-watchdog'),
    describe: () =>
      `process ${child.pid ?? 'that has not started'}: ${child.spawnargs.join(' ').slice(0, 200)}`,
    end: async () => {
      if (child.pid === undefined) return;
      child.ref();
      child.kill();
      const hurry = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(hurry);
    },
  });
}

function noticeServer(server: Server): void {
  const gone = new Promise<void>((resolve) => server.once('close', resolve));
  notice(gone, {
    isOpen: () => server.listening,
    describe: () => {
      const address = server.address();
      return `server on ${typeof address === 'object' ? `${address?.address}:${address?.port}` : address}`;
    },
    end: async () => {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) {
        if ((socket as { server?: unknown }).server === server) socket.destroy();
      }
      await gone;
    },
  });
}

function notice(gone: Promise<void>, what: Omit<Opened, 'by'>): void {
  const entry: Opened = { ...what, by: opener() };
  opened.add(entry);
  void gone.then(() => opened.delete(entry));
}

/** Ends what tests opened that is not shared, or with `'all'` everything. Gives what nobody was about to end. */
export async function endOpened(which: 'of tests' | 'all'): Promise<readonly string[]> {
  const isMeant = ({ by }: Opened): boolean => which === 'all' || by !== undefined;
  const left = (): readonly Opened[] => [...opened].filter(isMeant);
  // What was told to end may need a moment to be gone.
  for (let waits = 0; waits < 100 && left().some(({ isOpen }) => isOpen()); waits += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const names = left()
    .filter(({ isOpen }) => isOpen())
    .map(describe);
  await Promise.all(left().map(({ end }) => end()));
  return names;
}

/** One line for each, connections too. */
export function listOpened(): readonly string[] {
  const connections = [...sockets]
    .filter(({ destroyed }) => !destroyed)
    .map(
      ({ localPort, remoteAddress, remotePort }) =>
        `connection ${localPort} – ${remoteAddress}:${remotePort}`,
    );
  return [...[...opened].filter(({ isOpen }) => isOpen()).map(describe), ...connections];
}

function describe({ by, describe: what }: Opened): string {
  return by === undefined ? what() : `${what()} (opened by "${by}")`;
}
