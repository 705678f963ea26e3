/** Answers, and how they reach a sender that is still sending. */

import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

import { jsonTypeFor, productHeader } from './elasticsearch.js';
import { refusalBody, type Refusal } from './refusal.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string | Readable;
}

export interface LingerLimits {
  /** Bytes of a refused body that are read and thrown away. */
  readonly bytes: number;
  /** Milliseconds that this may take. */
  readonly within: number;
}

export function accept(request: IncomingMessage, payload: string | Generator<string>): Answer {
  return {
    status: 200,
    headers: { 'content-type': jsonTypeFor(request), ...productHeader },
    payload: typeof payload === 'string' ? payload : Readable.from(payload, { objectMode: false }),
  };
}

/**
 * The answer is written at once. If the sender is still at its body, that is read to its end before the answer ends:
 * closed with bytes unread, a connection is reset, and the sender may never see why.
 *
 * @param awaited whether the sender waits to be told to go on, and so has sent nothing that could be read
 */
export function refuse(
  request: IncomingMessage,
  refusal: Refusal,
  limits: LingerLimits,
  awaited: boolean,
): Answer {
  const text = refusalBody(refusal);
  const headers = {
    'content-type': jsonTypeFor(request),
    ...productHeader,
    'content-length': String(Buffer.byteLength(text)),
    ...refusal.headers,
  };
  const { status } = refusal;
  if (awaited) return { status, headers: { ...headers, connection: 'close' }, payload: text };
  if (request.complete || refusal.headers?.['connection'] === 'close')
    return { status, headers, payload: text };
  return { status, headers, payload: Readable.from(thenRest(text, request, limits), { objectMode: false }) };
}

async function* thenRest(
  text: string,
  request: IncomingMessage,
  limits: LingerLimits,
): AsyncGenerator<string> {
  yield text;
  await discardRest(request, limits);
}

/** Reads what is left of a request and throws it away; one that goes on for too long is cut off. */
function discardRest(request: IncomingMessage, { bytes, within }: LingerLimits): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes;
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', count).off('end', done).off('close', done);
      resolve();
    };
    const cut = (): void => {
      request.socket.destroy();
      done();
    };
    const count = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left < 0) cut();
    };
    const timer = setTimeout(cut, within);
    request.on('data', count).on('end', done).on('close', done).on('error', done);
    if (request.complete && request.readableEnded) done();
    else request.resume();
  });
}
