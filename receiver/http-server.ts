/** The server below the routes: HTTP/1.1, with or without TLS, and its limits. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

import type { KeyPair } from './certificate.js';

export interface HttpLimits {
  /** Milliseconds for the head of a request. */
  readonly head: number;
  /** Milliseconds for all of a request, time in the queue included. */
  readonly request: number;
  readonly connections: number;
}

/** `awaits`: the request's sender waits to be told to send the body. */
export type Handler = (request: IncomingMessage, response: ServerResponse, awaits: boolean) => void;

export interface HttpServer {
  readonly server: Server;
  /** Of connections from now on; without TLS nothing happens. */
  readonly renew: (pair: KeyPair) => void;
}

export function createHttpServer(limits: HttpLimits, pair: KeyPair | undefined): HttpServer {
  const options = {
    headersTimeout: limits.head,
    requestTimeout: limits.request,
    connectionsCheckingInterval: Math.min(5_000, limits.head),
    // Longer than senders and proxies usually keep a connection, so that it is they who close it.
    keepAliveTimeout: 75_000,
    maxHeaderSize: 16 * 1024,
  };
  const bound = ({ server, renew }: HttpServer): HttpServer => {
    server.maxConnections = limits.connections;
    return { server, renew };
  };
  if (pair === undefined) return bound({ server: createServer(options), renew: () => undefined });
  const server = createSecureServer({
    ...{ ...options, ...secureOptions(pair) },
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: limits.head,
  });
  return bound({ server, renew: (changed) => server.setSecureContext(secureOptions(changed)) });
}

export function serve(server: Server, handler: Handler): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) =>
    handler(request, response, false),
  );
  // Else Node tells everyone to go on before credentials have been looked at.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    handler(request, response, true),
  );
}

function secureOptions({ cert, key }: KeyPair) {
  return { cert, key, minVersion: 'TLSv1.2' } as const;
}
