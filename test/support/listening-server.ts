import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A request as it came. */
export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly version: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface ListeningServer {
  readonly url: string;
  readonly heard: readonly Heard[];
  readonly stop: () => Promise<void>;
}

/** What is answered to the request of that number, from 0. Default 200. */
export type Answer = (response: ServerResponse, number: number) => void;

const ok: Answer = (response) => void response.writeHead(200).end();

/** Listens on the loopback, and remembers what came; with `secure` over HTTPS. */
export async function listeningServer(
  answer: Answer = ok,
  secure?: { readonly key: string; readonly cert: string },
): Promise<ListeningServer> {
  const heard: Heard[] = [];
  const listener: RequestListener = (request, response) => {
    void buffer(request).then(
      (body) => {
        const { method = '', url: path = '', httpVersion: version, headers } = request;
        heard.push({ method, path, version, headers, body });
        answer(response, heard.length - 1);
      },
      // The client has gone.
      () => undefined,
    );
  };
  const server = secure === undefined ? createServer(listener) : createSecureServer(secure, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${secure === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    heard,
    stop: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
