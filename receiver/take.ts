/** From a request to a row of the inbox. */

import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

import { countDocuments } from '../vendors/dynatrace/bulk.js';
import type { BodyForm, InboxBody } from '../warehouse/insert-body.js';
import type { Access } from './access.js';
import { accept, type Answer } from './answer.js';
import { writeBulkAnswer } from './bulk-answer.js';
import type { Memory, Reservation } from './memory.js';
import { announcedLength, codingOf, readBody, type BodyLimits } from './read-body.js';
import { refusals, tooLarge, wrongCredentials, type Refusal } from './refusal.js';
import type { Seen } from './seen.js';

export interface Taking {
  readonly access: Access;
  readonly memory: Memory;
  readonly limits: BodyLimits & {
    /** Milliseconds that a request may hold memory; then its connection is cut. */
    readonly hold: number;
  };
  /** Commits a body and gives its number. */
  readonly keep: (body: InboxBody) => Promise<string>;
  /** A body could not be kept. */
  readonly failed: (source: string, error: unknown) => void;
}

export interface Delivered {
  /** Of the path; undefined where the path names none, so that the credentials tell. */
  readonly source: string | undefined;
  /** The index that Elasticsearch's path names. */
  readonly index?: string | undefined;
  readonly form: BodyForm;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly seen: Seen;
}

/** Gives the answer to what was sent: a refusal, or after the commit one that says so. 'gone': nobody is there to be told. */
export async function take(taking: Taking, delivered: Delivered): Promise<Answer | Refusal | 'gone'> {
  const { request, response, seen } = delivered;
  const { memory, limits } = taking;
  const source = sourceOf(taking.access, delivered);
  if (typeof source === 'object') return source;
  seen.source = source;
  seen.form = delivered.form;
  const coding = codingOf(request);
  if (typeof coding === 'object') return coding;
  const announced = announcedLength(request);
  if (announced !== undefined && announced > limits.maxBody) return tooLarge(limits.maxBody);

  const reserved = coding === 'gzip' || announced === undefined ? limits.maxBody : announced;
  const held = await memory.reserve(reserved, closing(response));
  if (held === 'busy') return refusals.busy;
  if (held === 'gone') return held;
  const releases = whileHeld(delivered, held, limits.hold);
  if (seen.awaits) {
    response.writeContinue();
    seen.awaits = false;
  }
  const body = await readBody(request, coding, limits);
  if (!Buffer.isBuffer(body)) {
    releases();
    return body;
  }
  held.shrink(body.length);
  return keep(taking, delivered, source, body);
}

/** The source that a request is for, once its credentials are known to be right. */
function sourceOf(access: Access, { source, index, request }: Delivered): string | Refusal {
  const allowed = access.allowed(request.headers.authorization);
  if (allowed.length === 0) return wrongCredentials(access.challenges);
  if (source !== undefined) return allowed.includes(source) ? source : refusals.unknownSource;
  if (index !== undefined && allowed.includes(index)) return index;
  return allowed.length === 1 && allowed[0] !== undefined ? allowed[0] : refusals.severalSources;
}

async function keep(
  taking: Taking,
  { index, form, seen, request, response }: Delivered,
  source: string,
  body: Buffer,
): Promise<Answer | Refusal | 'gone'> {
  const began = performance.now();
  seen.bytes = body.length;
  seen.documents = countDocuments(body);
  const row = {
    ...{ source, form, bytes: body.length, documents: seen.documents },
    sha256: createHash('sha256').update(body).digest(),
    gzip: await compress(body, { level: 1, chunkSize: outputChunk }),
  };
  // It will be sent again, and then be waited for.
  if (response.closed) return 'gone';
  try {
    const id = await taking.keep(row);
    if (form === 'documents') return accept(request, `{"documents":${row.documents}}\n`);
    const took = performance.now() - began;
    return accept(request, writeBulkAnswer({ body, index: index ?? source, id, took }));
  } catch (error) {
    taking.failed(source, error);
    return refusals.notKept;
  }
}

const compress = promisify(gzip);
/** Each piece of output costs a turn of the event loop; zlib's own 16 KB would make ten of a usual body. */
const outputChunk = 256 * 1024;

function closing(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}

/** Gives memory back when the answer has ended, and ends a request that takes for ever, such as one whose answer is not read. */
function whileHeld({ request, response }: Delivered, held: Reservation, hold: number): () => void {
  const timer = setTimeout(() => request.socket.destroy(), hold);
  const release = (): void => {
    clearTimeout(timer);
    held.release();
  };
  response.once('close', release);
  return release;
}
