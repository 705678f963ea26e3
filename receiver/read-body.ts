/** The body of a request, whole and within its limits. */

import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';

import { refusals, tooLarge, type Refusal } from './refusal.js';

export interface BodyLimits {
  /** Bytes, decompressed. */
  readonly maxBody: number;
  /** Milliseconds without a byte after which a body is given up. */
  readonly stallAfter: number;
  /** Milliseconds after which it is given up in any case. */
  readonly within: number;
}

/** How the body is coded on its way, or why it is not taken. */
export function codingOf({ headers }: IncomingMessage): 'identity' | 'gzip' | Refusal {
  const transfer = headers['transfer-encoding']?.trim().toLowerCase() ?? 'chunked';
  const content = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (transfer !== 'chunked') return refusals.unknownCoding;
  if (content === '' || content === 'identity') return 'identity';
  return content === 'gzip' || content === 'x-gzip' ? 'gzip' : refusals.unknownCoding;
}

/** Bytes that the body has by its header; undefined where it comes in chunks. */
export function announcedLength({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined;
  return Number(headers['content-length'] ?? 0);
}

/**
 * Reads the body, decompressed. A refusal leaves the rest of the request unread; 'gone' means that its sender went away.
 * What is held never exceeds `maxBody`, but for the moment in which the room for it grows.
 */
export function readBody(
  request: IncomingMessage,
  coding: 'identity' | 'gzip',
  { maxBody, stallAfter, within }: BodyLimits,
): Promise<Buffer | Refusal | 'gone'> {
  return new Promise((resolve) => {
    let settled = false;
    const settle = (outcome: Buffer | Refusal | 'gone'): void => {
      if (settled) return;
      settled = true;
      clearTimeout(stalling);
      clearTimeout(late);
      request.pause().off('data', take).off('end', sink.end).off('error', gone).off('close', gone);
      sink.close();
      resolve(outcome);
    };
    const length = coding === 'identity' ? announcedLength(request) : undefined;
    const room = growing(length ?? 256 * 1024, maxBody);
    const ends: SinkEnds = {
      keep: (part) => {
        if (!settled && !room.take(part)) settle(tooLarge(maxBody));
      },
      whole: () => settle(room.bytes()),
      unreadable: () => settle(refusals.unreadableGzip),
    };
    const sink = coding === 'gzip' ? inflating(ends) : plain(ends);
    const take = (chunk: Buffer): void => {
      stalling.refresh();
      if (sink.take(chunk, () => request.resume()) === 'full' && !settled) request.pause();
    };
    // A request closes when it was read to its end, too.
    const gone = (): void => {
      if (!request.complete) settle('gone');
    };
    const stalling = setTimeout(() => settle(refusals.stalled), stallAfter);
    const late = setTimeout(() => settle(refusals.stalled), within);
    request.on('data', take).on('end', sink.end).on('error', gone).on('close', gone);
    if (request.destroyed) gone();
  });
}

interface SinkEnds {
  readonly keep: (part: Buffer) => void;
  readonly whole: () => void;
  readonly unreadable: () => void;
}

interface Sink {
  /** 'full': nothing more until `drained` is called. */
  take(chunk: Buffer, drained: () => void): 'full' | 'open';
  readonly end: () => void;
  readonly close: () => void;
}

function plain({ keep, whole }: SinkEnds): Sink {
  return {
    take: (chunk) => {
      keep(chunk);
      return 'open';
    },
    end: whole,
    close: () => undefined,
  };
}

/** Several gzip members in a row are one body. Anything else behind one is refused: it would be lost. */
function inflating({ keep, whole, unreadable }: SinkEnds): Sink {
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  let given = 0;
  let ended = false;
  gunzip.on('data', keep).on('error', unreadable);
  gunzip.on('end', () => (ended && gunzip.bytesWritten === given ? whole() : unreadable()));
  return {
    take: (chunk, drained) => {
      given += chunk.length;
      if (gunzip.write(chunk)) return 'open';
      gunzip.once('drain', drained);
      return 'full';
    },
    end: () => {
      ended = true;
      // Nothing at all is no gzip either, but nothing is lost in it.
      if (given === 0) whole();
      else gunzip.end();
    },
    close: () => gunzip.destroy(),
  };
}

/** One piece of memory, however small the parts are in which a body comes. */
function growing(first: number, limit: number) {
  let bytes = Buffer.allocUnsafeSlow(Math.min(first, limit));
  let size = 0;
  return {
    /** False: the limit is passed. */
    take: (part: Buffer): boolean => {
      const needed = size + part.length;
      if (needed > limit) return false;
      if (needed > bytes.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(limit, Math.max(needed, 2 * bytes.length)));
        bytes.copy(larger, 0, 0, size);
        bytes = larger;
      }
      part.copy(bytes, size);
      size = needed;
      return true;
    },
    bytes: () => bytes.subarray(0, size),
  };
}
