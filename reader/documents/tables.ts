/** From a piece of documents to DuckDB's tables of it, query by query. */

import type { FileTable } from '../../model/row-text.js';
import type { DocumentTable, ItemTable, PairTable } from '../../vendors/table.js';
import { entriesColumns, manyQuery, maybeManyQuery, twiceQueries } from './entries.js';
import { itemMask } from './masks.js';
import { keysQuery, lifting, namesIn, twiceQuery, type Of } from './lift.js';
import { longNumbers, noLongNumbers, type LongNumbers } from './numbers.js';
import type { GroupPiece } from './pieces.js';
import type { PieceFault } from './quarantine.js';
import {
  badLinesQuery,
  fieldsOf,
  keysOfLinesQuery,
  linesQuery,
  maskQueries,
  maskedValues,
  oddKeysQuery,
} from './query.js';
import { givenMasked, itemsQuery, outerQuery, pairsQuery } from './within.js';
import { literal } from '../duckdb.js';
import { writtenMacro } from '../masks/sql.js';
import { placeOf, type FileConstants } from '../projection.js';

/** The good rows of a table, of a piece. */
export interface RowsOf {
  readonly table: FileTable;
  /** Query for them, with the table's columns. */
  readonly select: string;
  /** How many there are, by file. A file without any is not there. */
  readonly byFile: ReadonlyMap<string, number>;
}

export interface Unfolded {
  /** In the order of the piece. */
  readonly faults: readonly PieceFault[];
  /** The root table first. */
  readonly rows: readonly RowsOf[];
  /** Gives back what the rows take. */
  readonly drop: () => Promise<void>;
}

export type Run = (sql: string) => Promise<void>;
/** Values as `getRowsJson` gives them: 64-bit integers as text. */
export type Ask = (sql: string) => Promise<unknown[][]>;

export interface DocumentTables {
  readonly tables: readonly [FileTable, ...FileTable[]];
  readonly unfold: (piece: GroupPiece, run: Run, ask: Ask) => Promise<Unfolded>;
}

/** Keeps the rows of a query as a table of DuckDB's. */
type Keep = (name: string, query: string) => Promise<void>;

/** `mark` stands nowhere in the files. Throws `RangeError` for tables that do not fit together. */
export function documentTables(
  root: DocumentTable,
  constants: Omit<FileConstants, 'fileId'>,
  mark: string,
): DocumentTables {
  const { masks } = constants;
  const fields = fieldsOf(root, masks);
  const marking = longNumbers(mark);
  const ofPlace = root.ofFile.map((column) => literal(placeOf[column]({ ...constants, fileId: '0' })));
  const landing = (table: DocumentTable | PairTable | ItemTable): FileTable => ({
    name: table.name,
    columns: [
      ...table.ofFile,
      ...['_file_id', '_line'],
      ...('inherits' in table ? [...table.inherits.map(({ name }) => name), table.ordinal] : []),
      ...table.columns.map(({ name }) => name),
      '_extra',
    ],
  });
  const rootTable = landing(root);
  const twice = twiceQueries(root, fields);
  const counting = entriesColumns(root);
  const within = root.nested.map((table, index) => ({
    table,
    landing: landing(table),
    name: `within_${index}`,
    outer: `outer_${index}`,
  }));

  /** Keeps the lines of which columns for entries are true; the tables by the column. */
  const manyIn = async (keep: Keep, ask: Ask): Promise<ReadonlyMap<string, string>> => {
    const many = new Map<string, string>();
    if (counting.length === 0) return many;
    const [may] = await ask(maybeManyQuery(root, fields));
    for (const [index, column] of counting.entries()) {
      if (may?.[index] !== true) continue;
      many.set(column.name, `many_${index}`);
      await keep(`many_${index}`, manyQuery(fields, column));
    }
    return many;
  };

  /** Keeps the items; their rows, and queries for faults where one has a key twice. */
  const unfoldItems = async (
    table: ItemTable,
    { name, outer }: { readonly name: string; readonly outer: string },
    numbers: LongNumbers,
    keep: Keep,
    ask: Ask,
  ): Promise<{ readonly rows: string; readonly twice: readonly string[] }> => {
    const faulty: string[] = [];
    const present = async (from: string, of: Of): Promise<ReadonlySet<string>> => {
      const [found] = await ask(keysQuery(from, of, namesIn(table, of)));
      const [names, any] = found as [string[] | null, boolean | null];
      if (any === true) faulty.push(twiceQuery(from, of, table.within.field, masks));
      return new Set(names);
    };
    const masked = itemMask(masks, fields, table);
    let lifted = outer;
    if (table.within.each !== undefined) {
      await keep(outer, outerQuery(root, fields, table));
      lifted = lifting(table, ['outer', 'outer key'], await present(outer, 'outer'), numbers, masked, outer);
    }
    await keep(name, itemsQuery(root, fields, table, lifted));
    return {
      rows: lifting(table, ['item', 'key'], await present(name, 'item'), numbers, masked, name),
      twice: faulty,
    };
  };

  const unfold = async (piece: GroupPiece, run: Run, ask: Ask): Promise<Unfolded> => {
    const numbers = piece.longNumbers ? marking : noLongNumbers;
    const names = new Set<string>();
    const keep: Keep = async (name, query) => {
      await run(`create or replace temp table ${name} as ${query}`);
      names.add(name);
    };
    if (masks) await run(writtenMacro(numbers.plain));
    await keep('place', placeQuery(piece));
    await keep('line_keys', keysOfLinesQuery(piece));
    await keep('odd', oddKeysQuery(fields));
    const anyOdd = (await ask('select 1 from odd limit 1')).length > 0;
    await keep('document', linesQuery(root, fields, piece, numbers, anyOdd, masks));
    for (const query of maskQueries(fields)) await keep('document', query);
    const many = await manyIn(keep, ask);
    const faults = [
      'select seq, fault, 0 as level, 0 as ordinal from document where fault is not null',
      ...twice.map((query) => `select seq, fault, 0, 1 from (${query})`),
    ];
    const rows = [
      {
        table: rootTable,
        from: 'document',
        select: [
          ...[...ofPlace, 'file_id', 'line'],
          ...maskedValues(root, fields, numbers, many, masks),
          'extra',
        ].join(', '),
      },
    ];
    for (const [index, { table, landing, name, outer }] of within.entries()) {
      const level = index + 1;
      const carried = ['file_id', 'line', ...givenMasked(root, table, masks), 'ordinal'];
      const select = [...carried, ...table.columns.map((_, column) => `value_${column}`), 'null'].join(', ');
      if (table.within.as === 'map') {
        await keep(name, pairsQuery(root, fields, table as PairTable, numbers, masks));
        faults.push(`select seq, fault, ${level}, ordinal from ${name} where fault is not null`);
        rows.push({ table: landing, from: name, select });
        continue;
      }
      const unfolding = await unfoldItems(table as ItemTable, { name, outer }, numbers, keep, ask);
      faults.push(...unfolding.twice.map((query) => `select seq, fault, ${level}, 0 from (${query})`));
      rows.push({ table: landing, from: unfolding.rows, select });
    }
    const bad = await badOf(faults, masks && badLinesQuery(root, piece, numbers, masks), keep, ask);
    const onlyGood = bad.length > 0 ? ' anti join bad_line using (seq)' : '';
    const counted = [['document'], ...within.map(({ name }) => [name])].map(
      ([name], level) =>
        `select ${level}, file_id::varchar, count(*)::integer from ${name}${onlyGood} group by file_id`,
    );
    const counts = (await ask(counted.join(' union all '))) as [number, string, number][];
    return {
      faults: bad,
      rows: rows.map(({ table, from, select }, level) => ({
        table,
        select: `select ${select} from ${from}${onlyGood}`,
        byFile: new Map(counts.filter(([of]) => of === level).map(([, id, count]) => [id, count])),
      })),
      drop: async () => {
        for (const name of names) await run(`drop table ${name}`);
      },
    };
  };
  return { tables: [rootTable, ...within.map(({ landing }) => landing)], unfold };
}

/** Which line of which file a line of the piece is. */
function placeQuery({ runs }: GroupPiece): string {
  const values = runs.map(
    ({ file, above, before, lines }) => `(${BigInt(file.id)}::bigint, ${above}, ${before}, ${lines})`,
  );
  return `select above + number as seq, file_id, before + number as line
    from (
      select *, unnest(range(1, lines + 1)) as number
      from (values ${values.join(', ')}) as runs (file_id, above, before, lines)
    )`;
}

/** Keeps the bad lines in DuckDB's table `bad_line`. `maskedLines` is a query for what is kept of them: `seq` and `masked`. */
async function badOf(
  faults: readonly string[],
  maskedLines: string | undefined,
  keep: Keep,
  ask: Ask,
): Promise<PieceFault[]> {
  await keep(
    'bad_line',
    `select seq, first(fault order by level, ordinal) as fault from (${faults.join('\n union all ')}) group by seq`,
  );
  if (maskedLines === undefined) {
    const found = (await ask('select seq::integer, fault from bad_line order by seq')) as [number, string][];
    return found.map(([seq, reason]) => ({ seq, reason }));
  }
  const found = (await ask(
    `select seq::integer, fault, masked from bad_line join (${maskedLines}) using (seq) order by seq`,
  )) as [number, string, string | null][];
  return found.map(([seq, reason, masked]) => ({ seq, reason, masked }));
}
