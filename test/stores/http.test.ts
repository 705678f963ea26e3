import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

import { readText, send, Unanswered } from '../../stores/http.js';

/** A server that does this with every connection. */
async function withServer<T>(
  serve: (socket: Socket) => void,
  work: (port: number) => Promise<T>,
): Promise<T> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
const answers = (text: string) => (socket: Socket) => void socket.once('data', () => socket.end(text));
const unanswered =
  (mayHaveArrived: boolean, message: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof Unanswered, String(error));
    assert.equal(error.mayHaveArrived, mayHaveArrived);
    assert.match(error.message, message);
    assert.ok(!error.message.includes('do-not-tell'));
    return true;
  };

describe('an HTTP request', () => {
  it('gives whatever answer there is, redirects too', () =>
    withServer(
      answers('HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 2\r\n\r\nno'),
      async (port) => {
        const answer = await send({ method: 'GET', url: `http://127.0.0.1:${port}/` });
        assert.equal(answer.statusCode, 302);
        assert.equal(await readText(answer, 2), 'no');
      },
    ));

  it('cannot have arrived where no connection came about', async () => {
    const port = await withServer(
      () => undefined,
      (open) => Promise.resolve(open),
    );
    const url = `http://127.0.0.1:${port}/?key=do-not-tell`;
    await assert.rejects(send({ method: 'POST', url, body: 'x' }), unanswered(false, /ECONNREFUSED/));
  });

  it('cannot have arrived where the other end speaks no TLS', () =>
    withServer(
      (socket) => socket.end('SSH-2.0\r\n'),
      async (port) => {
        const url = `https://127.0.0.1:${port}/`;
        await assert.rejects(send({ method: 'POST', url, body: 'x' }), unanswered(false, /./));
      },
    ));

  it('may have arrived once there was a connection', () =>
    withServer(
      (socket) => void socket.once('data', () => socket.destroy()),
      async (port) => {
        const url = `http://127.0.0.1:${port}/?key=do-not-tell`;
        await assert.rejects(
          send({ method: 'POST', url, body: 'x' }),
          unanswered(true, /socket hang up|ECONNRESET/),
        );
      },
    ));

  it('is given up when not a byte comes', () =>
    withServer(
      () => undefined,
      async (port) => {
        const request = { method: 'GET', url: `http://127.0.0.1:${port}/`, idleTimeout: 50 } as const;
        await assert.rejects(send(request), unanswered(true, /^not a byte came for 0 seconds$/));
      },
    ));

  it('says that an answer did not come whole, or is too long', () =>
    withServer(answers('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'), async (port) => {
      const url = `http://127.0.0.1:${port}/`;
      const half = await send({ method: 'GET', url });
      await assert.rejects(readText(half, 100), unanswered(true, /^the answer did not come whole: /));
      const long = await send({ method: 'GET', url });
      await assert.rejects(readText(long, 3), unanswered(true, /longer than 3 bytes/));
    }));

  it('ends with the reason of the signal', () =>
    withServer(
      () => undefined,
      async (port) => {
        const abort = new AbortController();
        const sent = send({ method: 'GET', url: `http://127.0.0.1:${port}/`, signal: abort.signal });
        abort.abort(new Error('the worker stops'));
        await assert.rejects(sent, { message: 'the worker stops' });
      },
    ));
});
