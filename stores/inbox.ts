import { createHash, type Hash } from 'node:crypto';
import { open as openFile } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';

import type pg from 'pg';

import { Failure, failureTypes } from '../model/failure.js';
import { nameOf, type Delivery } from '../model/delivery.js';
import { isActionLine, longestActionLine } from '../vendors/dynatrace/bulk.js';
import { changed } from './download.js';
import type { FetchOptions, Store, StoredFile } from './store.js';

/** A body as the inbox holds it. */
interface Body {
  readonly id: string;
  /** Gzip. */
  readonly body: Buffer;
  /** Of what it inflates to. */
  readonly sha256: Buffer;
}

/**
 * The batch of a delivery as a store of one file, `<day>/<first body>.ndjson`, in which its bodies stand one after the other,
 * in the order of their numbers. Each ends with a line break. Action lines of Elasticsearch's form are blank lines in it.
 * The store is empty once the bodies are deleted. Its connections belong to `pool`.
 */
export function openInbox(pool: pg.Pool, delivery: Delivery): Store {
  const name = `inbox of ${delivery.source}`;
  const key = `${nameOf(delivery)}.ndjson`;

  const listed = async (): Promise<StoredFile | undefined> => {
    const { rows } = await pool.query<{ bodies: string; size: string; modified: string; version: string }>(
      `select count(*) as bodies, sum(bytes) as size, extract(epoch from max(received_at)) * 1000 as modified,
              encode(sha256(string_agg(int8send(id) || sha256, ''::bytea order by id)), 'hex') as version
       from landfall.inbox where delivery_id = $1`,
      [delivery.id],
    );
    const row = rows[0];
    if (!row || row.bodies === '0') return undefined;
    return { key, version: row.version, size: Number(row.size), modified: Number(row.modified) };
  };

  /** The first one after another: one at a time is held. */
  const bodyAfter = async (id: string): Promise<Body | undefined> => {
    const { rows } = await pool.query<Body>(
      `select id, body, sha256 from landfall.inbox where delivery_id = $1 and id > $2 order by id limit 1`,
      [delivery.id, id],
    );
    return rows[0];
  };

  const fetch = async (file: StoredFile, path: string, options: FetchOptions = {}): Promise<void> => {
    const digest = createHash('sha256');
    const target = await openFile(path, 'w');
    try {
      let written = 0;
      const write = async (chunk: Buffer): Promise<void> => {
        await target.writeFile(chunk);
        written += chunk.length;
        options.onBytes?.(chunk.length);
      };
      for (let last = '0'; ;) {
        options.signal?.throwIfAborted();
        const body = await bodyAfter(last);
        if (body === undefined) break;
        note(digest, body);
        for await (const chunk of withoutActions(withoutByteOrderMark(inflated(body, delivery)))) {
          options.signal?.throwIfAborted();
          // A body that is gzip within gzip is no rows, and must not make the whole batch look like gzip.
          if (written === 0 && isGzip(chunk)) await write(lineBreak);
          await write(chunk);
        }
        last = body.id;
      }
    } finally {
      await target.close();
    }
    if (digest.digest('hex') === file.version) return;
    throw changed(`${name}: `, file, 'bodies of it were deleted meanwhile');
  };

  return {
    name,
    async *list(prefix, { signal } = {}) {
      signal?.throwIfAborted();
      const file = await listed();
      yield { files: file?.key.startsWith(prefix) === true ? [file] : [], folders: [] };
    },
    fetch,
    remove: () =>
      Promise.reject(
        new Error(`Bodies of ${delivery.id} are not deleted one by one: they go once keepInbox has passed.`),
      ),
    close: () => Promise.resolve(),
  };
}

function note(digest: Hash, { id, sha256 }: Body): void {
  const number = Buffer.alloc(8);
  number.writeBigInt64BE(BigInt(id));
  digest.update(number).update(sha256);
}

/** The bytes of a body as they were sent. Throws `FileUnreadable`, at the end at the latest, when they are not these. */
async function* inflated({ id, body, sha256 }: Body, delivery: Delivery): AsyncGenerator<Buffer> {
  const damaged = (how: string): Failure =>
    new Failure(
      failureTypes.fileUnreadable,
      `Body ${id} of ${delivery.id} in landfall.inbox is not what was received: ${how}. Nothing of the batch is loaded. ` +
        `Restore the row from a backup, or delete it, which loses its sessions; then reprocess the delivery.`,
    );
  const digest = createHash('sha256');
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  gunzip.end(body);
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      digest.update(chunk);
      yield chunk;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code?.startsWith('Z_') === true ? damaged(`its gzip is damaged (${message})`) : error;
  }
  if (!digest.digest().equals(sha256)) throw damaged('its bytes have another SHA-256');
}

const byteOrderMark = Buffer.from('\ufeff');

async function* withoutByteOrderMark(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // A chunk is all of a body, or more of it than a mark has bytes.
  let atStart = true;
  for await (const chunk of bytes) {
    yield atStart && chunk.indexOf(byteOrderMark) === 0 ? chunk.subarray(byteOrderMark.length) : chunk;
    atStart = false;
  }
}

const lineBreak = Buffer.from('\n');
const nothing = Buffer.alloc(0);

/** Leaves blank lines where action lines stood, and ends the last line. */
async function* withoutActions(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // The beginning of a line whose end has not come yet, as long as it may be an action.
  let held: Buffer = nothing;
  let within = false;
  for await (const chunk of bytes) {
    const lines: Buffer[] = [];
    const rest: Buffer = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let from = 0;
    for (let end = rest.indexOf(lineBreak); end >= 0; end = rest.indexOf(lineBreak, from)) {
      const isAction = !within && isActionLine(rest.subarray(from, end));
      lines.push(isAction ? lineBreak : rest.subarray(from, end + 1));
      within = false;
      from = end + 1;
    }
    held = rest.subarray(from);
    if (within || held.length > longestActionLine) {
      within = true;
      lines.push(held);
      held = nothing;
    }
    if (lines.length > 0) yield Buffer.concat(lines);
  }
  if (held.length > 0 && !isActionLine(held)) yield held;
  if (held.length > 0 || within) yield lineBreak;
}

function isGzip(chunk: Buffer): boolean {
  return chunk[0] === 0x1f && chunk[1] === 0x8b;
}
