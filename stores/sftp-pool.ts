import { Failure, failureTypes } from '../model/failure.js';
import { sftpConnector, type SftpConnection } from './sftp-connection.js';
import type { SftpServer } from './sftp-server.js';
import { isPassing, StoreClosed } from './sftp-failures.js';

export interface PoolOptions {
  /** Connections at once to this host and port. Of stores that say different numbers, the smallest counts. */
  readonly connections: number;
  /** Milliseconds after which a connection that nobody uses is ended, so that the process may end. */
  readonly idleFor: number;
}

/** A connection, until it is released. */
export interface Lease {
  readonly connection: SftpConnection;
  readonly release: () => void;
}

/** A store's share in the connections that this process has to one server. */
export interface PoolShare {
  /**
   * Waits for a connection of this store's user. Aborting ends the wait, and the connection with all that waits for it.
   * Rejects as `sftpConnector` does.
   */
  readonly take: (signal?: AbortSignal) => Promise<Lease>;
  /** Ends what this store uses, and what nobody else may use. */
  readonly leave: () => Promise<void>;
}

/** By host and port: the bound is the server's, whoever logs in. A pool is here as long as a store is open. */
const pools = new Map<string, Pool>();

/** Takes part in the pool of a server, which the first store makes and the last one ends. */
export function joinPool(server: SftpServer, options: PoolOptions): PoolShare {
  const place = `${server.host.toLowerCase()}:${server.port}`;
  const pool = pools.get(place) ?? createPool();
  pools.set(place, pool);
  const member = pool.join(server, options);
  return {
    take: (signal) => pool.take(member, signal),
    leave: async () => {
      const ended = pool.leave(member);
      if (pool.isEmpty() && pools.get(place) === pool) pools.delete(place);
      await ended;
    },
  };
}

/** For tests: what is left of stores that were not closed. */
export function openPools(): string[] {
  return [...pools.keys()];
}

/** Who logs in, and how. The connections of one are not for another. */
interface Identity {
  readonly key: string;
  readonly connect: (signal: AbortSignal) => Promise<SftpConnection>;
  refused?: { readonly failure: Error; readonly until: number };
}

interface Member extends PoolOptions {
  readonly identity: Identity;
  readonly using: Set<SftpConnection>;
}

interface Idle {
  readonly identity: Identity;
  readonly connection: SftpConnection;
  readonly timer: NodeJS.Timeout;
}

interface Waiter {
  readonly member: Member;
  readonly take: (connection: SftpConnection) => void;
  readonly fail: (error: Error) => void;
}

/**
 * How long a login that was refused is not tried again: servers lock out who tries often, and a hundred steps may be about
 * to. Where it failed for another reason, as long as it takes for the steps that are under way to hear of it.
 */
const refusedFor = 30 * 60_000;
const wrongFor = 30_000;
const unansweredFor = 5_000;
/** How long a server that refused another connection beside the ones it has is not asked for more. */
const grantedFor = 60_000;

function pauseAfter(error: Error): number {
  const type = error instanceof Failure ? error.type : undefined;
  if (type === failureTypes.accessDenied) return refusedFor;
  return type === failureTypes.storeUnavailable ? unansweredFor : wrongFor;
}

/** What whoever asks for the login meanwhile is told: with the time after which it is tried again. */
function waitingFor({ failure, until }: NonNullable<Identity['refused']>): Error {
  if (!(failure instanceof Failure) || failure.type !== failureTypes.accessDenied) return failure;
  const { type, message, cause } = failure;
  return new Failure(type, message, { cause, retryIn: Math.max(1_000, until - Date.now()) });
}

type Pool = ReturnType<typeof createPool>;

function createPool() {
  const members = new Set<Member>();
  const idle: Idle[] = [];
  const waiting: Waiter[] = [];
  /** Connections that are opening, open, or not closed yet. */
  let alive = 0;
  /** One at a time: of four logins with a wrong password, three are not made. */
  let opening: AbortController | undefined;
  let granted = { connections: Infinity, until: 0 };

  function bound(): number {
    const asked = [...members].map(({ connections }) => connections);
    return Math.min(...asked, Date.now() < granted.until ? granted.connections : Infinity);
  }

  /** Gives whoever waits longest what there is, or sees to it that there will be something. */
  function serve(): void {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const { identity } = first.member;
      if (identity.refused !== undefined && Date.now() < identity.refused.until) {
        first.fail(waitingFor(identity.refused));
        continue;
      }
      const unused = idle.findLast((entry) => entry.identity === identity);
      if (unused !== undefined) {
        drop(unused);
        waiting.shift();
        first.take(unused.connection);
        continue;
      }
      if (opening === undefined && alive < bound()) void open(identity);
      // Those of others, which would be in the way until their time is up.
      else if (opening === undefined && idle[0] !== undefined) end(idle[0]);
      return;
    }
  }

  async function open(identity: Identity): Promise<void> {
    opening = new AbortController();
    alive += 1;
    try {
      const connection = await identity.connect(opening.signal);
      void connection.closed.then(() => {
        alive -= 1;
        for (const entry of idle.filter((other) => other.connection === connection)) drop(entry);
        serve();
      });
      keep(identity, connection, 1_000);
    } catch (error) {
      alive -= 1;
      if (isPassing(error) && alive > 0) {
        // It has as many as it wants to. Who waits gets one of those.
        granted = { connections: alive, until: Date.now() + grantedFor };
      } else {
        refuse(identity, error as Error);
      }
    } finally {
      opening = undefined;
      serve();
    }
  }

  function refuse(identity: Identity, error: Error): void {
    let told = error;
    if (!isPassing(error)) {
      identity.refused = { failure: error, until: Date.now() + pauseAfter(error) };
      told = waitingFor(identity.refused);
    }
    for (const waiter of waiting.filter(({ member }) => member.identity === identity)) waiter.fail(told);
  }

  function keep(identity: Identity, connection: SftpConnection, idleFor: number): void {
    if (!connection.isOpen()) return;
    if (![...members].some((member) => member.identity === identity)) {
      connection.close();
      return;
    }
    const entry = { identity, connection, timer: setTimeout(() => end(entry), idleFor) };
    idle.push(entry);
  }

  function drop(entry: Idle): void {
    clearTimeout(entry.timer);
    idle.splice(idle.indexOf(entry), 1);
  }

  function end(entry: Idle): void {
    drop(entry);
    entry.connection.close();
  }

  function lend(member: Member, connection: SftpConnection, signal: AbortSignal | undefined): Lease {
    member.using.add(connection);
    const stop = (): void => connection.close();
    signal?.addEventListener('abort', stop);
    return {
      connection,
      release: () => {
        signal?.removeEventListener('abort', stop);
        if (!member.using.delete(connection)) return;
        keep(member.identity, connection, member.idleFor);
        serve();
      },
    };
  }

  return {
    isEmpty: () => members.size === 0,

    join(server: SftpServer, options: PoolOptions): Member {
      const key = JSON.stringify(server);
      const known = [...members].find(({ identity }) => identity.key === key)?.identity;
      const member = {
        ...options,
        identity: known ?? { key, connect: sftpConnector(server) },
        using: new Set<SftpConnection>(),
      };
      members.add(member);
      return member;
    },

    take: (member: Member, signal?: AbortSignal) =>
      new Promise<Lease>((resolve, reject) => {
        signal?.throwIfAborted();
        if (!members.has(member)) throw new StoreClosed();
        const stop = (): void => waiter.fail(signal?.reason as Error);
        const waiter: Waiter = {
          member,
          take: (connection) => {
            signal?.removeEventListener('abort', stop);
            resolve(lend(member, connection, signal));
          },
          fail: (error) => {
            signal?.removeEventListener('abort', stop);
            waiting.splice(waiting.indexOf(waiter), 1);
            reject(error);
          },
        };
        signal?.addEventListener('abort', stop);
        waiting.push(waiter);
        serve();
      }),

    leave: async (member: Member): Promise<void> => {
      if (!members.delete(member)) return;
      for (const waiter of waiting.filter((other) => other.member === member)) {
        waiter.fail(new StoreClosed());
      }
      if (members.size === 0) opening?.abort(new StoreClosed());
      const inUse = new Set([...members].map(({ identity }) => identity));
      const unused = idle.filter(({ identity }) => !inUse.has(identity));
      const ended = [...member.using, ...unused.map(({ connection }) => connection)];
      for (const entry of unused) drop(entry);
      for (const connection of ended) connection.close(new StoreClosed());
      await Promise.all(ended.map(({ closed }) => closed));
    },
  };
}
