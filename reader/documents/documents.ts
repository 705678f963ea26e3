import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

import type { DuckDBConnection } from '@duckdb/node-api';

import type { Failure } from '../../model/failure.js';
import { rowTextOfDuckDb, type FileRows, type FileTable } from '../../model/row-text.js';
import type { DocumentTable } from '../../vendors/table.js';
import { documentTables, type RowsOf } from './tables.js';
import { inGroupPieces, type GroupFile, type GroupPiece } from './pieces.js';
import { badRowsOf, keeper, type PieceFault } from './quarantine.js';
import { literal } from '../duckdb.js';
import type { FileAt } from '../file-bytes.js';
import { withText } from '../nested/nested-lines.js';
import { oneAhead } from '../pieces.js';
import type { FileConstants } from '../projection.js';
import { released, streamed } from '../row-source.js';

/** What became of the lines of a file. */
export interface FileCounts {
  readonly parsed: number;
  readonly loaded: number;
  readonly quarantined: number;
  /** Loaded rows by table. */
  readonly byTable: Readonly<Record<string, number>>;
}

/** The rows of some files together. What is told of single files is known once `good` has been read to its end. */
export interface DocumentRows extends FileRows {
  /** Of a file that could be read. */
  readonly of: (fileId: string) => FileCounts;
  /** Files that could not be read, each with its `FileUnreadable`. No row of them is among those that are handed over. */
  readonly unreadable: () => readonly { readonly id: string; readonly error: Failure }[];
}

/** Rows of a table as text in a file. */
interface RowsFile {
  readonly table: FileTable;
  readonly path: string;
}

/**
 * The rows of files whose lines are documents, JSON lines as they are or gzip, with the rows of other tables within them.
 * `constants` are of all files. A line is bad as a whole: nothing of it is among the good rows of any table. Numbers keep
 * all their digits. Blank lines are no rows. docs/decisions/0011-documents.md tells how, and what it takes.
 */
export function documentRows(
  connection: DuckDBConnection,
  root: DocumentTable,
  files: readonly GroupFile[],
  constants: Omit<FileConstants, 'fileId'>,
  folder: string,
  signal: AbortSignal,
): DocumentRows {
  const tables = documentTables(root, constants, `${randomUUID()}:`);
  const name: FileAt = { path: folder, key: groupName(files) };
  const counts = new Map<string, { parsed: number; quarantined: number; byTable: Record<string, number> }>();
  const unreadable: { readonly id: string; readonly error: Failure }[] = [];
  let quarantine = keeper(join(folder, 'bad'));

  const query = async (sql: string): Promise<void> => {
    signal.throwIfAborted();
    await connection.run(sql);
  };
  const values = async (sql: string): Promise<unknown[][]> => {
    signal.throwIfAborted();
    return (await connection.runAndReadAll(sql)).getRowsJson();
  };

  async function* goodRows(): AsyncGenerator<readonly RowsFile[]> {
    quarantine = keeper(join(folder, 'bad'));
    unreadable.length = 0;
    counts.clear();
    for (const { id } of files) counts.set(id, { parsed: 0, quarantined: 0, byTable: {} });
    // Lines are numbered in the order of the piece.
    await query('set preserve_insertion_order = true');
    let number = 0;
    const refuse = ({ id }: GroupFile, error: Failure): void => void unreadable.push({ id, error });
    try {
      for await (const piece of oneAhead(inGroupPieces(files, folder, signal, refuse))) {
        const { faults, rows, drop } = await tables.unfold(piece, query, values);
        await quarantine.put(badRowsOf(piece, faults, constants.loadId));
        count(piece, faults, rows);
        const written: RowsFile[] = [];
        for (const [index, { table, select, byFile }] of rows.entries()) {
          if (byFile.size === 0) continue;
          const path = join(folder, `rows-${number % 2}-${index}`);
          await query(`copy (${select}) to ${literal(path)} (${rowTextOfDuckDb}, use_tmp_file false)`);
          written.push({ table, path });
        }
        await drop();
        number += 1;
        yield written;
      }
    } finally {
      await quarantine.end();
    }
  }

  async function* badRows(): AsyncGenerator<Buffer> {
    signal.throwIfAborted();
    for await (const rows of quarantine.rows()) {
      signal.throwIfAborted();
      yield rows;
    }
  }

  const count = (piece: GroupPiece, faults: readonly PieceFault[], rows: readonly RowsOf[]): void => {
    let next = 0;
    for (const { file, above, lines, rows: parsed } of piece.runs) {
      const of = counts.get(file.id);
      if (of === undefined) throw new RangeError(`${file.key} is not of the group`);
      of.parsed += parsed;
      for (let fault = faults[next]; fault && fault.seq <= above + lines; fault = faults[(next += 1)]) {
        of.quarantined += 1;
      }
    }
    for (const { table, byFile } of rows) {
      for (const [id, loaded] of byFile) {
        const byTable = counts.get(id)?.byTable ?? {};
        byTable[table.name] = (byTable[table.name] ?? 0) + loaded;
      }
    }
  };

  return {
    tables: tables.tables,
    good: (consume) => {
      const steps = oneAhead(goodRows());
      return released(connection, name, steps, async () => {
        let taken = 0;
        for await (const written of steps) {
          for (const { table, path } of written) {
            const copied = await withText(path, (rows) => consume(rows, table));
            if (table === tables.tables[0]) taken += copied;
          }
        }
        return taken;
      });
    },
    bad: streamed(connection, name, badRows),
    parsed: () => [...counts.values()].reduce((sum, { parsed }) => sum + parsed, 0),
    of: (fileId) => {
      const of = counts.get(fileId);
      if (of === undefined) throw new RangeError(`${fileId} is not of the group`);
      return { ...of, loaded: of.byTable[root.name] ?? 0 };
    },
    unreadable: () => unreadable,
  };
}

/** What errors call some files. */
export function groupName([first, ...others]: readonly GroupFile[]): string {
  return others.length === 0
    ? (first?.key ?? 'no file')
    : `${first?.key} and ${others.length} files after it`;
}

/** The rows of one file, as `documentRows`; `good` throws `FileUnreadable` where it cannot be read. */
export function documentsOf(
  connection: DuckDBConnection,
  root: DocumentTable,
  file: FileAt,
  constants: FileConstants,
  folder: string,
  signal: AbortSignal,
): FileRows {
  const group = [{ ...file, id: constants.fileId }];
  const rows = documentRows(connection, root, group, constants, folder, signal);
  return {
    ...rows,
    good: async (consume) => {
      const taken = await rows.good(consume);
      for (const { error } of rows.unreadable()) throw error;
      return taken;
    },
  };
}
