import { connect as connectSocket, type Socket } from 'node:net';

import type { ConnectConfig, SFTPWrapper } from 'ssh2';
import SftpClient from 'ssh2-sftp-client';

import type { Failure } from '../model/failure.js';
import {
  addressOf,
  hostKeyRefused,
  keyUnreadable,
  loginRefused,
  loginUnanswered,
  noAgreement,
  statusOf,
  unavailable,
} from './sftp-failures.js';
import { algorithmsOf, disagreement } from './sftp-algorithms.js';
import { algorithmOf, checkHostKey, type HostKeyCheck } from './sftp-host-key.js';
import { attemptLogin, readLogin, type Credentials, type LoginAttempt } from './sftp-login.js';
import type { SftpServer } from './sftp-server.js';

/** Takes the answer to a request. */
export type Answer<T> = (error: Error | null | undefined, value?: T) => void;

/** A session with an SFTP server, in which any number of requests may be under way. */
export interface SftpConnection {
  /** Sends a request. Rejects with the server's status (see `statusOf`), or because the connection broke. */
  readonly ask: <T>(send: (sftp: SFTPWrapper, answer: Answer<T>) => void) => Promise<T>;
  readonly isOpen: () => boolean;
  /** Ends it; what is under way fails for this reason. */
  readonly close: (why?: Error) => void;
  readonly closed: Promise<void>;
}

/** Milliseconds that a server has for its goodbye. */
const farewell = 1_000;

/** Firewalls forget who is silent, some after a minute; and a server that is gone without a word is noticed. */
const keepAlive = { keepaliveInterval: 15_000, keepaliveCountMax: 3 };

/**
 * Connects to one server again and again. Rejects with a `Failure`: `ConfigInvalid` for another host key than the
 * configured one and for a private key that cannot be read, `AccessDenied` for a refused login, else `StoreUnavailable`.
 */
export function sftpConnector(server: SftpServer): (signal?: AbortSignal) => Promise<SftpConnection> {
  // Once the right key was seen its kind is known, and nothing else is asked for.
  let { hostKey } = server;
  let credentials: Credentials | undefined;
  return async (signal) => {
    credentials ??= credentialsOf(server);
    const check = checkHostKey(hostKey);
    for (;;) {
      const connected = await connectOnce(server, credentials, check, signal);
      if (connected !== undefined) {
        hostKey = { ...hostKey, algorithm: connected.hostKeyAlgorithm };
        return connected.connection;
      }
      if (!check.hasOthers()) throw hostKeyRefused(server, check.wrong());
    }
  };
}

function credentialsOf(server: SftpServer): Credentials {
  try {
    return readLogin(server.login);
  } catch (error) {
    throw keyUnreadable(server, (error as Error).message);
  }
}

interface Connected {
  readonly connection: SftpConnection;
  readonly hostKeyAlgorithm: string;
}

/** Undefined where the server showed another host key than the right one. */
async function connectOnce(
  server: SftpServer,
  credentials: Credentials,
  check: HostKeyCheck,
  signal: AbortSignal | undefined,
): Promise<Connected | undefined> {
  const login = attemptLogin(server.username, credentials);
  const reach = (): Socket => {
    const socket = connectSocket({ host: server.host, port: server.port, noDelay: true });
    // ssh2 listens too, but not before it has understood its settings.
    socket.on('error', ignore);
    return socket;
  };
  const socket = reach();
  const client = new SftpClient('landfall', { error: ignore, end: ignore, close: ignore });
  // What ssh2 says first: the client's own errors drop its level, and tell of what followed.
  let fault: Fault | undefined;
  client.on('error', (error: Fault) => (fault ??= error));
  client.on('change password', () => socket.destroy(new Error(newPasswordWanted)));
  let loggedIn = false;
  client.on('ready', () => (loggedIn = true));
  const patience = server.loginTimeout ?? 20_000;
  const timer = setTimeout(
    () => socket.destroy(new Error(`the server was not ready after ${patience / 1_000} seconds`)),
    patience,
  );
  const stop = (): void => void socket.destroy(new Error('the wait for it was given up'));
  signal?.addEventListener('abort', stop);
  let right: Buffer | undefined;
  let wrong = false;
  const config: ConnectConfig = {
    sock: socket,
    username: server.username,
    hostVerifier: (key: Buffer): boolean => {
      if (check.isRight(key)) right = key;
      else wrong = true;
      return !wrong;
    },
    algorithms: { ...algorithmsOf(server.algorithms), serverHostKey: check.algorithms() },
    // Its type knows neither the first call, which has no list, nor the answer that ends.
    authHandler: login.next as NonNullable<ConnectConfig['authHandler']>,
    // Ours runs until files can be read, not only until the login.
    readyTimeout: 0,
    ...keepAlive,
  };
  try {
    const sftp = await client.connect(config);
    if (right === undefined) throw new Error('the host key was not checked');
    return {
      connection: session(server, { socket, client, sftp, fault: () => fault }),
      hostKeyAlgorithm: algorithmOf(right),
    };
  } catch (error) {
    socket.destroySoon();
    if (wrong) return undefined;
    if (fault?.message.includes('no matching host key') === true) {
      throw hostKeyRefused(server, check.wrong());
    }
    const how = fault && (await disagreement(fault, reach, config.algorithms ?? {}));
    if (how !== undefined) throw noAgreement(server, how);
    // That the connection ended is all there is to say of an error that ssh2 did not have.
    throw failureOf(server, fault ?? new Error('the server ended the connection', { cause: error }), {
      login,
      loggedIn,
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** An error as ssh2 has it: the code is the reason by which a server disconnected (RFC 4253, 11.1), or the system's. */
interface Fault extends Error {
  readonly level?: string;
  readonly code?: number | string;
}

const newPasswordWanted = 'the server wants a new password first';
const noMoreMethods = 14;

function failureOf(
  server: SftpServer,
  fault: Fault,
  { login, loggedIn }: { login: LoginAttempt; loggedIn: boolean },
): Failure {
  if (fault.message === newPasswordWanted) return loginRefused(server, newPasswordWanted, fault);
  if (fault.level === 'client-authentication') return loginRefused(server, login.refusal(), fault);
  if (!loggedIn && login.sent()) {
    // OpenSSH's server disconnects with "Too many authentication failures" where one failure is one too many.
    if (fault.code === noMoreMethods || /authentication fail/i.test(fault.message)) {
      return loginRefused(server, `${login.refusal()} (${fault.message})`, fault);
    }
    return loginUnanswered(server, fault);
  }
  return unavailable(`connecting to ${addressOf(server)}`, fault);
}

interface Session {
  readonly socket: Socket;
  readonly client: SftpClient;
  readonly sftp: SFTPWrapper;
  /** What ssh2 said of the connection's end. */
  readonly fault: () => Error | undefined;
}

function session(server: SftpServer, { socket, client, sftp, fault }: Session): SftpConnection {
  const patience = server.idleTimeout ?? 30_000;
  const waiting = new Set<(error: Error) => void>();
  let over: Error | undefined;
  let timer: NodeJS.Timeout | undefined;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));

  const close = (why = new Error('the connection was closed')): void => {
    if (over !== undefined) return;
    // An error of its own: the reason by which a server disconnects is a number too, and no status of a request.
    over = new Error(why.message, { cause: why });
    clearTimeout(timer);
    for (const reject of waiting) reject(over);
    waiting.clear();
    client.end().catch(ignore);
    // The server's own end is waited for, so that it never sees more connections than we count; but not for long.
    setTimeout(() => socket.destroy(), farewell).unref();
  };
  const ended = (): Error => fault() ?? new Error('the server ended the connection');
  const broke = (): void => close(ended());
  socket.once('close', broke);
  sftp.once('close', broke);
  sftp.on('error', close);

  const answered = (reject: (error: Error) => void): void => {
    waiting.delete(reject);
    if (waiting.size === 0) clearTimeout(timer);
    else timer?.refresh();
  };
  const asked = (reject: (error: Error) => void): void => {
    waiting.add(reject);
    if (waiting.size > 1) return;
    clearTimeout(timer);
    timer = setTimeout(() => close(new Error(`nothing came for ${patience / 1_000} seconds`)), patience);
  };

  return {
    ask: (send) =>
      new Promise((resolve, reject) => {
        if (over !== undefined) {
          reject(over);
          return;
        }
        asked(reject);
        send(sftp, (error, value) => {
          if (over !== undefined) return;
          answered(reject);
          if (!error) resolve(value as Parameters<typeof resolve>[0]);
          else if (statusOf(error) !== undefined) reject(error);
          else {
            // ssh2 has no other words for a connection that is gone, and what else it says is none to go on with.
            close(error.message === 'No response from server' ? ended() : error);
            reject(over ?? error);
          }
        });
      }),
    isOpen: () => over === undefined,
    close,
    closed,
  };
}

function ignore(): void {
  // ssh2-sftp-client prints what nobody listens to.
}
