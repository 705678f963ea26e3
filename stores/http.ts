/** Plain HTTP requests, each on a connection of its own, so that of each it is known whether it may have arrived. */

import { request as overHttp, type IncomingMessage } from 'node:http';
import { request as overHttps } from 'node:https';

import { AddressRefused, publicLookup, refusePrivate } from './private-addresses.js';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds without a byte after which it is given up. Default 30 seconds. */
  readonly idleTimeout?: number;
  readonly signal?: AbortSignal | undefined;
  /** Ask nobody in a private network, whatever name leads there. Throws `AddressRefused`. Redirects are never followed. */
  readonly onlyPublic?: boolean;
}

/** A request that got no answer. Its message holds no address. */
export class Unanswered extends Error {
  constructor(
    message: string,
    /** False: the connection did not come about, so nothing of the request can have arrived. */
    readonly mayHaveArrived: boolean,
  ) {
    super(message);
    this.name = 'Unanswered';
  }
}

/** Gives the answer when its head has come; whatever its status, and without following redirects. Throws `Unanswered`. */
export function send(request: HttpRequest): Promise<IncomingMessage> {
  const { method, url, headers = {}, body, idleTimeout = 30_000, signal, onlyPublic = false } = request;
  const address = new URL(url);
  const secure = address.protocol === 'https:';
  return new Promise((resolve, reject) => {
    if (onlyPublic) refusePrivate(address);
    let connected = false;
    const asked = (secure ? overHttps : overHttp)(address, {
      method,
      timeout: idleTimeout,
      // A kept connection may be closed by the server just as it is used again: then nobody knows what became of the
      // request.
      agent: false,
      ...(onlyPublic ? { lookup: publicLookup } : {}),
      headers: {
        // Bytes are counted as they lie there.
        'accept-encoding': 'identity',
        'user-agent': 'landfall',
        ...headers,
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      },
      ...(signal === undefined ? {} : { signal }),
    });
    asked.once('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => (connected = true));
    });
    asked.once('timeout', () =>
      asked.destroy(new Error(`not a byte came for ${Math.round(idleTimeout / 1_000)} seconds`)),
    );
    asked.on('error', (error) => {
      if (error instanceof AddressRefused) reject(error);
      else reject(signal?.aborted ? reasonOf(signal) : new Unanswered(wordOf(error), connected));
    });
    asked.once('response', resolve);
    asked.end(body);
  });
}

/** The body as a text, if it is no longer than `longest` bytes. Throws `Unanswered` where it does not come whole. */
export async function readText(answer: IncomingMessage, longest: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > longest) throw new Error(`it is longer than ${longest} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw new Unanswered(`the answer did not come whole: ${wordOf(error)}`, true);
  }
  return Buffer.concat(chunks).toString();
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}

/** Of several failures at once (a host with two addresses, say) the first one speaks. */
function wordOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return wordOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
