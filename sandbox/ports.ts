import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/** Two servers that look for a port at the same moment must not be promised the same one. */
const promised = new Set<number>();

/** A TCP port of 127.0.0.1 that nothing listens on: `preferred` if it is free, else any. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && !promised.has(preferred)) {
    promised.add(preferred);
    if (await isFree(preferred)) return preferred;
    promised.delete(preferred);
  }
  const port = await anyFreePort();
  promised.add(port);
  return port;
}

/** Gives a promised port back once its server has stopped, so that a restart may have it again. */
export function givePortBack(port: number): void {
  promised.delete(port);
}

/** Whether something accepts connections on this port of 127.0.0.1. */
export async function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** Binding alone is not proof: macOS lets 127.0.0.1 be bound beside a server on every interface. */
async function isFree(port: number): Promise<boolean> {
  if (await isListening(port)) return false;
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/**
 * Below those that systems give to outgoing connections (from 32,768 on in Linux, 49,152 in macOS): one of these may take a
 * port between our looking and a server's listening, or while a server is being started again.
 */
const [lowest, highest] = [15_000, 32_000];

async function anyFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (!promised.has(port) && (await isFree(port))) return port;
  }
}
