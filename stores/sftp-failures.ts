/** What goes wrong with an SFTP server, as sentences. */

import { Failure, failureTypes } from '../model/failure.js';
import type { SftpServer } from './sftp-server.js';

/** Status codes of the protocol's version 3, which is the one that servers speak. */
export const sftpStatus = { endOfFile: 1, noSuchFile: 2, permissionDenied: 3 } as const;

/** The status by which a server answered a request; undefined for everything else that is thrown. */
export function statusOf(error: unknown): number | undefined {
  const { code } = error as { readonly code?: unknown };
  return error instanceof Error && typeof code === 'number' ? code : undefined;
}

/** `sftp://user@host`, with the port where it is another than 22. */
export function addressOf({ host, port, username }: Pick<SftpServer, 'host' | 'port' | 'username'>): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `sftp://${username}@${name}${port === 22 ? '' : `:${port}`}`;
}

/** `keys`: fingerprint and kind of everything that the server offered. */
export function hostKeyRefused(server: SftpServer, keys: readonly string[]): Failure {
  const port = server.port === 22 ? '' : `-p ${server.port} `;
  return new Failure(
    failureTypes.configInvalid,
    `${addressOf(server)} shows ${keys.length === 0 ? 'no host key of that kind' : `the host key ${keys.join(' and ')}`}, and store.hostKey is ` +
      `${server.hostKey.fingerprint}. Neither user nor password was sent. Ask the vendor for the fingerprint, or ` +
      `compare with what \`ssh-keyscan ${port}${server.host} | ssh-keygen -lf -\` shows from another network. If the ` +
      `server's key is the right one, put it into store.hostKey of the source; if not, somebody stands between.`,
    // Behind one name there may be several servers, of which one is set up wrongly.
    { mayPass: true },
  );
}

export function loginRefused(server: SftpServer, why: string, cause?: unknown): Failure {
  return new Failure(
    failureTypes.accessDenied,
    `Logging in to ${addressOf(server)} was refused: ${why}. It is tried twice an hour at the most, since servers lock ` +
      `out whoever tries often. Check username and ${'password' in server.login ? 'password' : 'privateKey'} of the source's ` +
      `store, then reprocess the delivery.`,
    { cause },
  );
}

/** `how`: what server and Landfall have not in common, and what to do. */
export function noAgreement(server: SftpServer, how: string): Failure {
  return new Failure(
    failureTypes.configInvalid,
    `${addressOf(server)} and Landfall ${how}; then restart the workers and reprocess the delivery. Neither user nor ` +
      `password was sent.`,
    { mayPass: true },
  );
}

export function keyUnreadable(server: SftpServer, why: string): Failure {
  return new Failure(
    failureTypes.configInvalid,
    `Logging in to ${addressOf(server)} is not possible: the store's privateKey cannot be read (${why}). Check ` +
      `store.privateKey and store.passphrase of the source.`,
  );
}

/** The `cause` of a `StoreUnavailable` that must not be tried again at once. */
export class LoginUnanswered extends Error {
  override readonly name = 'LoginUnanswered';
}

/** What a store that was closed answers to those who still use it. */
export class StoreClosed extends Error {
  override readonly name = 'StoreClosed';
  override readonly message = 'the store is closed';
}

/** The password or key was sent, and the connection ended before the server said what it thinks of it. */
export function loginUnanswered(server: SftpServer, error: Error): Failure {
  return new Failure(
    failureTypes.storeUnavailable,
    `Logging in to ${addressOf(server)} was not answered: ${messageOf(error)}. It is retried later, and not at once: the ` +
      `server may have refused the login without a word.`,
    { cause: new LoginUnanswered('the login was not answered', { cause: error }) },
  );
}

export function unavailable(doing: string, error: unknown): Failure {
  return new Failure(
    failureTypes.storeUnavailable,
    `${capital(doing)} failed: ${messageOf(error)}. It is retried.`,
    { cause: error },
  );
}

/** What may be tried again at once, over another connection. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof Failure)) return !(error instanceof StoreClosed);
  const { type, cause } = error;
  return (
    type === failureTypes.storeUnavailable &&
    !(cause instanceof LoginUnanswered || cause instanceof StoreClosed)
  );
}

/**
 * Turns what connections throw into our taxonomy; an abort passes as it is. `right` is what the user would have to be
 * allowed to do.
 */
export function explain(error: unknown, doing: string, right: string): unknown {
  if (error instanceof Failure || (error instanceof Error && error.name === 'AbortError')) return error;
  if (statusOf(error) !== sftpStatus.permissionDenied) return unavailable(doing, error);
  return new Failure(
    failureTypes.accessDenied,
    `${capital(doing)} was refused: ${messageOf(error)}. Check that the user of the source's store may ${right}, then ` +
      `reprocess the delivery.`,
    { cause: error },
  );
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses of a host that all refuse are an error without a message of its own.
  return (error.message || String((error as NodeJS.ErrnoException).code)).replace(/\.$/, '');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
