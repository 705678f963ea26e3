/** What is served at which path. */

import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type pino from 'pino';

import { reasonOf } from './reason.js';
import { accept, refuse, type LingerLimits } from './answer.js';
import { productHeader, serverInfo } from './elasticsearch.js';
import { refusalBody, refusals, wrongCredentials, type Refusal } from './refusal.js';
import type { Sight } from './seen.js';
import { take, type Delivered, type Taking } from './take.js';

export interface Routes {
  readonly server: (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server;
  readonly taking: Taking;
  /** Names of sources by their own paths. */
  readonly paths: ReadonlyMap<string, string>;
  readonly linger: LingerLimits;
  readonly sight: Sight;
  readonly isReady: () => Promise<boolean>;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly log: pino.Logger;
}

interface SourcePath {
  Params: { source?: string; index?: string };
}

/**
 * Names in paths may be percent-encoded, a slash at the end and a query change nothing (people add them, and some senders
 * do), and everything else has to be as it is written.
 */
export function createRoutes(routes: Routes): FastifyInstance {
  const app: FastifyInstance = Fastify({
    serverFactory: routes.server,
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket as never, routes.sight),
    frameworkErrors: (_error, request, reply) => {
      void end(routes, request, reply, refusals.malformed);
    },
  });
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    // Else the connection stays open, and whoever stops the receiver waits for it.
    if (closing) reply.header('connection', 'close');
    done(null, payload);
  });
  takeAnyContent(app);
  serveBase(app, routes, '/dynatrace/:source');
  for (const [path, source] of routes.paths) serveBase(app, routes, path, source);
  serveBase(app, routes, '');
  serveProbes(app, routes);
  app.setNotFoundHandler((request, reply) => end(routes, request, reply, notFound(routes, request)));
  app.setErrorHandler((error, request, reply) => {
    // Its sender went away, which is how the answer failed.
    if (reply.raw.destroyed) return reply.hijack();
    routes.log.error(
      { ...reasonOf(error), stack: (error as Error).stack },
      'A request failed by a fault of the receiver.',
    );
    return end(routes, request, reply, refusals.notKept);
  });
  return app;
}

/**
 * The paths below one base: the base itself takes documents, and `/_bulk` and `/<index>/_bulk` take Elasticsearch's form.
 * `GET` and `HEAD` of the base are what its clients begin with. The root takes that form alone: there the credentials tell
 * which source is meant.
 */
function serveBase(app: FastifyInstance, routes: Routes, base: string, named?: string): void {
  const { taking, sight } = routes;
  const takeAt = (url: string, form: Delivered['form']): void => {
    app.route<SourcePath>({
      ...{ method: ['PUT', 'POST'], url },
      handler: async (request, reply) => {
        const { raw, params } = request;
        const delivered: Delivered = {
          ...{ source: named ?? params.source, index: params.index, form },
          ...{ request: raw, response: reply.raw, seen: sight.of(raw) },
        };
        return end(routes, request, reply, await take(taking, delivered));
      },
    });
  };
  if (base !== '') takeAt(base, 'documents');
  takeAt(`${base}/_bulk`, 'bulk');
  takeAt(`${base}/:index/_bulk`, 'bulk');
  app.route<SourcePath>({
    ...{ method: ['GET', 'HEAD'], url: base === '' ? '/' : base },
    handler: (request, reply) => {
      const source = named ?? request.params.source;
      const allowed = taking.access.allowed(request.headers.authorization);
      if (allowed.length === 0)
        return end(routes, request, reply, wrongCredentials(taking.access.challenges));
      if (source !== undefined && !allowed.includes(source))
        return end(routes, request, reply, refusals.unknownSource);
      return end(routes, request, reply, accept(request.raw, serverInfo(request.raw)));
    },
  });
}

/** Who has no credentials does not learn which paths there are. */
function notFound({ taking, paths }: Routes, request: FastifyRequest): Refusal {
  if (taking.access.allowed(request.headers.authorization).length === 0)
    return wrongCredentials(taking.access.challenges);
  const path = request.url.replace(/\?.*$/s, '').replace(/\/$/, '');
  const takesBodies = /^\/dynatrace\/[^/]+$|\/_bulk$/.test(path) || paths.has(path);
  return takesBodies ? refusals.wrongMethod : refusals.unknownPath;
}

/** Whatever a sender says that it sends: what it is shows later, and nothing can be sent again. */
function takeAnyContent(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  // Without a header no parser is looked for by its type, and none is refused for not being a type at all.
  app.addHook('onRequest', (request, _reply, done) => {
    delete request.raw.headers['content-type'];
    done();
  });
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
}

function serveProbes(app: FastifyInstance, { sight, isReady, metrics }: Routes): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { url } = request.routeOptions;
    sight.of(request.raw).probe = url !== undefined && probes.includes(url);
    done();
  });
  app.get('/health', () => ({ status: 'alive' }));
  app.get('/ready', async (_request, reply) => {
    if (await isReady()) return { status: 'ready' };
    return reply.code(503).send({ status: 'Postgres cannot be reached, or is not set up for the sources.' });
  });
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await metrics();
    return reply.type(contentType).send(text);
  });
}

const probes = ['/health', '/ready', '/metrics'];

function end(
  { linger, sight }: Pick<Routes, 'linger' | 'sight'>,
  { raw }: FastifyRequest,
  reply: FastifyReply,
  outcome: Awaited<ReturnType<typeof take>>,
): FastifyReply {
  if (outcome === 'gone') {
    // Its connection is gone too.
    return reply.hijack();
  }
  const answer = 'payload' in outcome ? outcome : refuse(raw, outcome, linger, sight.of(raw).awaits);
  return reply.code(answer.status).headers(answer.headers).send(answer.payload);
}

/** To a sender whose request is none, on a connection where no answer is under way. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket, sight: Sight): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable || sight.isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const refusal: Refusal =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? refusals.stalled
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? refusals.longHeaders
        : refusals.malformed;
  const text = refusalBody(refusal);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'content-type: application/json; charset=utf-8',
    ...Object.entries(productHeader).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}
