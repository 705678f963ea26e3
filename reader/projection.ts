/**
 * From a file's columns to a table's: SQL that types what can be typed and says why a row cannot be. Pure.
 *
 * A column that the file lacks is NULL, one that the table lacks goes into `_extra`. A value that is there but cannot be
 * typed makes its row a bad one; nothing is guessed and nothing dropped.
 */

import type { Table } from '../vendors/vendor.js';
import { identifier, literal } from './duckdb.js';
import { typeColumn, typeExtra, type Fault, type FileColumn } from './typing.js';

export interface FileConstants {
  /** UTC day of the delivery. */
  readonly exportDate: string;
  readonly partitionValue: string | null;
  readonly loadId: string;
  readonly fileId: string;
}

export interface Projection {
  /** Table columns in the order of `good`. */
  readonly columns: readonly string[];
  /** Query for the rows that can be loaded. */
  readonly good: string;
  /** Query for the others: load_id, file_id, line, reason, raw. */
  readonly bad: string;
  readonly unknown: readonly string[];
  readonly missing: readonly string[];
}

/** Postgres' btree refuses keys beyond 2,704 bytes, and an id that long is none. */
const longestKey = 1_000;

/**
 * `source` is a table expression that yields the file's columns and `line` an expression for a row's line, from 1.
 */
export function project(
  table: Table,
  fileColumns: readonly FileColumn[],
  source: string,
  line: string,
  constants: FileConstants,
): Projection {
  // Names of our own within the query, so that whatever the vendor calls a column clashes with none of them.
  const raw = new Map(fileColumns.map((column, index) => [column.name, { ...column, as: `raw_${index}` }]));
  const known = new Set(table.columns.map((column) => column.field));
  const unknown = [...raw.values()].filter((column) => !known.has(column.name));
  const missing = table.columns.filter((column) => !raw.has(column.field)).map((column) => column.field);

  const typed = table.columns.map((column, index) => {
    const inFile = raw.get(column.field);
    return { ...(inFile ? typeColumn(column.type, inFile, `value_${index}`) : absent), as: `value_${index}` };
  });
  const extra = { ...typeExtra(unknown, 'extra'), as: 'extra' };
  const key = table.columns.findIndex((column) => column.name === table.key);
  const keyField = table.columns[key]?.field ?? table.key;
  const faults = [
    ...keyFaults(keyField, `value_${key}`, raw.has(keyField)),
    ...[...typed, extra].flatMap((column) => column.faults),
  ];
  const isBad = faults.map(({ when }) => `coalesce(${when}, false)`).join('\n     or ');
  const reason = faults.map(({ when, reason }) => `when ${when} then ${reason}`).join('\n    ');
  const whole = fileColumns.map(({ name }) => `${literal(name)}: ${raw.get(name)?.as}`).join(', ');

  const read = `(
    select ${[
      `${line} as line`,
      ...[...raw.values()].map((column) => `${identifier(column.name)} as ${column.as}`),
    ].join(',\n      ')}
    from ${source}
  )`;
  // The limit, beyond any file, keeps the condition from being moved before the values, which would then be worked out
  // twice: 1.7 s instead of 3.5 s for the 500,000 rows of the bench.
  const rows = `(
    select *, ${[...typed, extra].map((column) => `${column.value} as ${column.as}`).join(',\n      ')}
    from ${read}
    limit 9223372036854775807
  )`;
  return {
    columns: [
      'export_date',
      'partition_value',
      '_file_id',
      '_line',
      ...table.columns.map((column) => column.name),
      '_extra',
    ],
    good: `select ${[
      literal(constants.exportDate),
      literal(constants.partitionValue),
      BigInt(constants.fileId).toString(),
      'line',
      ...[...typed, extra].map((column) => column.as),
    ].join(', ')}\n  from ${rows}\n  where not (${isBad})`,
    bad: `select ${BigInt(constants.loadId)}, ${BigInt(constants.fileId)}, line, case ${reason} end, to_json({${whole}})
  from ${rows}\n  where ${isBad}`,
    unknown: unknown.map((column) => column.name),
    missing,
  };
}

const absent = { value: 'null', faults: [] };

function keyFaults(field: string, value: string, there: boolean): readonly Fault[] {
  if (!there) return [{ when: 'true', reason: literal(`the file has no column ${field}, which is the key`) }];
  return [
    { when: `${value} is null`, reason: literal(`${field} is missing, and it is the key`) },
    {
      when: `strlen(${value}::varchar) > ${longestKey}`,
      reason: literal(`${field} is longer than ${longestKey} bytes, and it is the key`),
    },
  ];
}
