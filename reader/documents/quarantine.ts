/** The rows of the quarantine, on their way: found while good ones are read, handed over afterwards. */

import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { createGunzip, createGzip, constants, type Gzip } from 'node:zlib';

import { badLines, type LineFault } from '../bad-lines.js';
import type { GroupPiece } from './pieces.js';

/** A line of a piece that cannot be loaded, and why. */
export interface PieceFault {
  /** Which line of the piece, from 1. */
  readonly seq: number;
  readonly reason: string;
  /** Where something is masked, what is kept of the line; null for what cannot be taken apart. */
  readonly masked?: string | null;
}

/** The rows of the quarantine, as text, of a piece's lines in their order. */
export async function* badRowsOf(
  piece: GroupPiece,
  faults: readonly PieceFault[],
  loadId: string,
): AsyncGenerator<string> {
  if (faults.length === 0) return;
  const bytes = await readFile(piece.path);
  let next = 0;
  for (const { file, above, before, lines, rows, offset } of piece.runs) {
    const ofRun: LineFault[] = [];
    for (let fault = faults[next]; fault && fault.seq <= above + lines; fault = faults[(next += 1)]) {
      const line = String(fault.seq - above + before);
      ofRun.push(fault.masked === undefined ? [line, fault.reason] : [line, fault.reason, fault.masked]);
    }
    const run = { path: piece.path, before, rows, blank: piece.blank, unended: false };
    for (const { row } of badLines(bytes.subarray(offset), run, ofRun))
      yield row({ loadId, fileId: file.id });
  }
}

export interface Kept {
  readonly put: (rows: AsyncIterable<string>) => Promise<void>;
  /** Nothing is put any more. */
  readonly end: () => Promise<void>;
  /** What was put, once it has ended. */
  readonly rows: () => AsyncGenerator<Buffer>;
}

/**
 * Keeps text in a file, compressed as the vendor's own was, so that a file of nothing but bad lines takes no more room than
 * it did itself. Nothing is written before something is put.
 */
export function keeper(path: string): Kept {
  let gzip: Gzip | undefined;
  let written: Promise<void> | undefined;
  let any = false;
  const begin = (): Gzip => {
    const begun = createGzip({ level: constants.Z_BEST_SPEED });
    const file = begun.pipe(createWriteStream(path));
    begun.on('error', (error) => file.destroy(error));
    written = finished(file);
    written.catch(() => begun.destroy());
    any = true;
    return begun;
  };
  return {
    put: async (rows) => {
      for await (const row of rows) {
        gzip ??= begin();
        if (!gzip.write(row)) await Promise.race([once(gzip, 'drain'), written]);
      }
    },
    end: async () => {
      gzip?.end();
      gzip = undefined;
      await written;
    },
    async *rows() {
      if (!any) return;
      const file = createReadStream(path);
      const closed = once(file, 'close');
      const text = createGunzip();
      file.on('error', (error) => text.destroy(error));
      file.pipe(text);
      try {
        yield* text as AsyncIterable<Buffer>;
      } finally {
        file.destroy();
        await closed;
      }
    },
  };
}
