/** How rows that are made step by step are handed over. */

import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';

import type { DuckDBConnection } from '@duckdb/node-api';

import { binaryEnd, binaryStart, type RowForm, type RowSource } from '../model/row-text.js';
import type { FileAt } from './file-bytes.js';
import { oneAhead } from './pieces.js';
import { tooLittleMemory } from './unreadable.js';

/** Lets `work` use what a generator of ours yields. No query runs, and no file is open, when this returns or throws. */
export async function released<T>(
  connection: DuckDBConnection,
  file: FileAt,
  rows: AsyncGenerator,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    connection.interrupt();
    throw (error instanceof Error ? tooLittleMemory(error, file.key) : undefined) ?? error;
  } finally {
    // A query may still run where the consumer failed. Files are closed, and the connection is free, after this.
    await rows.return(undefined);
  }
}

/** Rows' text as a stream, from the start each time it is asked for. */
export function streamed(
  connection: DuckDBConnection,
  file: FileAt,
  rowsOf: () => AsyncGenerator<Buffer | string>,
): RowSource {
  return (consume) => {
    const rows = rowsOf();
    const source = Readable.from(rows, { objectMode: false });
    return released(connection, file, rows, async () => {
      try {
        return await consume(source);
      } finally {
        source.destroy();
      }
    });
  };
}

/** The text of files that follow one another; one is written while the one before is read. */
export async function* textOf(paths: AsyncGenerator<string>): AsyncGenerator<Buffer> {
  for await (const path of oneAhead(paths)) {
    yield* textOfFile(path);
  }
}

/**
 * Rows of either form, binary tuples or the path of a file of text, as one stream for as many as are of the same form. Each
 * stream has to be read to its end.
 */
export async function* inForms(
  rows: AsyncGenerator<Buffer | string>,
): AsyncGenerator<{ readonly form: RowForm; readonly bytes: AsyncGenerator<Buffer> }> {
  let next = await rows.next();
  async function* binary(): AsyncGenerator<Buffer> {
    yield binaryStart;
    for (; next.done !== true && typeof next.value !== 'string'; next = await rows.next()) yield next.value;
    yield binaryEnd;
  }
  async function* text(): AsyncGenerator<Buffer> {
    for (; next.done !== true && typeof next.value === 'string'; next = await rows.next()) {
      yield* textOfFile(next.value);
    }
  }
  while (next.done !== true) {
    const first: Buffer | string = next.value;
    yield typeof first === 'string' ? { form: 'text', bytes: text() } : { form: 'binary', bytes: binary() };
    if (next.value === first) return;
  }
}

function textOfFile(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 256 * 1024 });
}
