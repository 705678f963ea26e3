/** The endpoint that vendors send to: one process of it, and others beside it where one is not enough. */

import { isIPv6, type AddressInfo } from 'node:net';

import type pg from 'pg';
import type pino from 'pino';

import type { Config, SentSource } from '../config/schema.js';
import type { InboxDepth } from '../model/inbox.js';
import { inboxDepth } from '../warehouse/inbox-depth.js';
import { insertBody } from '../warehouse/insert-body.js';
import { openPool } from '../warehouse/pool.js';
import { unpreparedSources } from '../warehouse/unprepared-sources.js';
import { readPair, watchPair, type KeyPair, type TlsFiles } from './certificate.js';
import { createAccess } from './access.js';
import { credentials } from './credentials.js';
import { createHttpServer, serve, type HttpServer } from './http-server.js';
import { createMemory } from './memory.js';
import { createMetrics, type ReceiverMetrics } from './metrics.js';
import { reasonOf } from './reason.js';
import { createRoutes, type Routes } from './routes.js';
import { createSight } from './seen.js';
import { usualTimes, type ReceiverTimes } from './times.js';

export interface ReceiverOptions {
  readonly settings: Config['receiver'];
  readonly sources: readonly SentSource[];
  readonly postgresUrl: string;
  /** Tells the workflow of a source of bodies; rejects when it could not. Nothing waits for it. */
  readonly nudge: (source: string, bytes: number) => Promise<void>;
  readonly log: pino.Logger;
  readonly times?: Partial<ReceiverTimes>;
}

export interface Receiver {
  readonly port: number;
  /** By which it is reached from this machine, without a path. */
  readonly url: string;
  /** Takes no new connections, lets requests under way come to their end, and cuts off those that do not. */
  close(): Promise<void>;
}

/** Bytes of a refused body that are read so that its sender sees the answer. */
const lingerBytes = 64 * 1024 * 1024;

/** Bodies that are inserted at the same time; each takes Postgres some milliseconds. */
const inserts = 8;

/** Connections beyond those that wait for memory: those that send, idle ones, probes, people. */
const moreConnections = 1_024;

/** Throws a sentence when certificate and key cannot be used, or nothing can listen at the address. */
export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const { settings, postgresUrl, log } = options;
  const times = { ...usualTimes, ...options.times };
  const pair = settings.tls === undefined ? undefined : await readPair(settings.tls);
  const pools = {
    bodies: openPool(postgresUrl, inserts, { connect: times.statement, statement: times.statement }),
    // Probes and scrapes must not wait behind bodies, nor bodies behind them.
    probes: openPool(postgresUrl, 2, { connect: 2_000, statement: 2_000 }),
  };
  const endPools = async (): Promise<void> => {
    await Promise.all([pools.bodies.end(), pools.probes.end()]);
  };
  const http = createHttpServer(
    {
      head: times.head,
      request: times.wait + times.body + times.linger,
      connections: settings.maxWaiting + moreConnections,
    },
    pair,
  );
  const app = createRoutes(routesOf(options, { http, pools, times }));
  try {
    await app.listen({ host: settings.host, port: settings.port });
  } catch (error) {
    await endPools();
    throw cannotListen(settings, error);
  }
  // A connection that cannot be accepted, for want of file descriptors for instance, is its sender's to make again.
  app.server.on('error', (error) => log.warn(reasonOf(error), 'A connection could not be accepted.'));
  const watch = pair && settings.tls ? keepCertificate(http, settings.tls, pair, times, log) : undefined;
  const announcement = await announceWaiting(options, pools.probes, times);
  const { port } = app.server.address() as AddressInfo;
  return {
    port,
    url: `${pair ? 'https' : 'http'}://${hostOf(settings.host)}:${port}`,
    close: async () => {
      watch?.close();
      announcement.close();
      const cut = setTimeout(() => app.server.closeAllConnections(), times.grace);
      const closed = app.close();
      app.server.closeIdleConnections();
      await closed;
      clearTimeout(cut);
      await endPools();
    },
  };
}

interface Parts {
  readonly http: HttpServer;
  readonly pools: { readonly bodies: pg.Pool; readonly probes: pg.Pool };
  readonly times: ReceiverTimes;
}

function routesOf(options: ReceiverOptions, { http, pools, times }: Parts): Routes {
  const { settings, sources, log } = options;
  const names = sources.map(({ name }) => name);
  const memory = createMemory({ ...settings, waitFor: times.wait });
  const metrics = createMetrics(memory);
  const sight = createSight(({ probe, ...seen }, status, seconds) => {
    if (!probe) metrics.finished(seen, status, seconds);
    const { source, form, bytes, documents } = seen;
    log.debug({ source, form, bytes, documents, status, seconds }, probe ? 'probe' : 'request');
  });
  return {
    ...{ sight, log, linger: { bytes: lingerBytes, within: times.linger } },
    paths: new Map(sources.flatMap(({ name, path }) => (path === undefined ? [] : [[path, name] as const]))),
    server: (handler) => {
      serve(http.server, (request, response, awaits) => {
        sight.begin(request, response, awaits);
        handler(request, response);
      });
      return http.server;
    },
    taking: {
      access: createAccess(new Map(sources.map(({ name, auth }) => [name, credentials(auth)]))),
      memory,
      limits: { maxBody: settings.maxBody, stallAfter: times.stall, within: times.body, hold: times.hold },
      keep: async (body) => {
        const id = await insertBody(pools.bodies, body);
        metrics.kept(body.source, body.bytes, body.documents);
        nudge(options, body.source, body.bytes, metrics);
        return id;
      },
      failed: (source, error) =>
        log.warn(
          { source, ...reasonOf(error) },
          'A body is not known to be in the inbox: its sender is told to come again.',
        ),
    },
    isReady: () =>
      unpreparedSources(pools.probes, names).then(
        (missing) => missing.length === 0,
        () => false,
      ),
    metrics: async () => ({
      contentType: metrics.contentType,
      text: await metrics.write(await readDepths(pools.probes, names), Date.now()),
    }),
  };
}

function nudge(options: ReceiverOptions, source: string, bytes: number, metrics?: ReceiverMetrics): void {
  options.nudge(source, bytes).catch(() => metrics?.nudgeFailed(source));
}

/** Undefined while Postgres is away. */
async function readDepths(
  pool: pg.Pool,
  sources: readonly string[],
): Promise<Map<string, InboxDepth> | undefined> {
  try {
    return new Map(
      await Promise.all(sources.map(async (source) => [source, await inboxDepth(pool, source)] as const)),
    );
  } catch {
    return undefined;
  }
}

/**
 * Of bodies that came before this start, whose workflow nobody may have told. While Postgres is away it is tried again, from
 * the first attempt on, for which this waits.
 */
async function announceWaiting(
  options: ReceiverOptions,
  pool: pg.Pool,
  { announce }: ReceiverTimes,
): Promise<{ close(): void }> {
  const names = options.sources.map(({ name }) => name);
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const attempt = async (): Promise<boolean> => {
    const depths = await readDepths(pool, names);
    if (closed) return true;
    if (depths === undefined) timer = setTimeout(() => void attempt(), announce);
    else for (const [source, { bodies, bytes }] of depths) if (bodies > 0) nudge(options, source, bytes);
    return depths !== undefined;
  };
  if (!(await attempt())) {
    options.log.warn(
      'Postgres cannot be reached, or is not set up: senders are told to come again until it is.',
    );
  }
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function keepCertificate(
  http: HttpServer,
  files: TlsFiles,
  pair: KeyPair,
  { certificate }: ReceiverTimes,
  log: pino.Logger,
): { close(): void } {
  return watchPair({
    ...{ files, pair, every: certificate },
    changed: (changed) => {
      http.renew(changed);
      log.info({ certificate: files.certificate }, 'A new certificate is used from now on.');
    },
    failed: (error) => log.warn(reasonOf(error), 'The certificate that was used before stays in use.'),
  });
}

function cannotListen({ host, port }: Config['receiver'], cause: unknown): Error {
  const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new Error(
    `The receiver cannot listen at ${host}:${port} (${why}). Set receiver.host and receiver.port to an address of this ` +
      `machine that is free.`,
    { cause },
  );
}

/** Every address of a machine is reached by its own. */
function hostOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}
