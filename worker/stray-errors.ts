import type pino from 'pino';

import { isConnectionLost } from '../warehouse/connection-lost.js';

/**
 * Keeps this process alive where a connection, socket or child process of some library fails and nobody listens: whoever
 * needs it fails too, and is tried again. Any other error that nobody catches is a fault of the program, and still ends it.
 */
export function outliveStrayErrors(log: pino.Logger): void {
  process.on('uncaughtException', (error: unknown) => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    if (isOfConnection(error)) {
      log.error(
        { reason: message },
        'A connection failed that nothing was waiting for. The process goes on.',
      );
      return;
    }
    log.fatal({ reason: message, stack }, 'The program has a fault, and ends.');
    process.exit(1);
  });
}

/** Of the system's calls, those of sockets and child processes. */
const calls = /^(read|write|connect|accept|shutdown|getaddrinfo|spawn.*)$/;

function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { syscall, code } = error as NodeJS.ErrnoException;
  // A file that cannot be read or written has a path; a child process' program is one.
  const ofFile = 'path' in error && syscall !== 'connect' && syscall?.startsWith('spawn') !== true;
  if (syscall !== undefined) return calls.test(syscall) && !ofFile;
  return isConnectionLost(error) || /^(ERR_SSL|ERR_TLS|ERR_HTTP2|ERR_STREAM_PREMATURE)/.test(code ?? '');
}
