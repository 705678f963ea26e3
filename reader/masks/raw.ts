/** Rows of files of columns as they go into the quarantine where something is masked. Pure. */

import type { Column, Table } from '../../vendors/table.js';
import { literal } from '../duckdb.js';
import { fateWithin, isDropped, isKept, type Fate } from './fates.js';
import { columnFate, extraFate, maskExtra, maskLine } from './rows.js';
import { maskJson, maskTyped } from './sql.js';
import type { Masks } from './masks.js';
import type { OfLine } from '../of-line.js';
import type { RawColumn } from '../typing.js';

/**
 * A row as JSON, as an expression: the line, where it is a JSON object; else its columns, by name, and what the line has
 * besides. `values` are the typed values of the table's columns. Null for a line that is no row at all.
 */
export function maskedRaw(
  masks: Masks,
  table: Table,
  raw: readonly RawColumn[],
  values: readonly string[],
  ofLine?: OfLine,
): string {
  if (ofLine?.object !== undefined) {
    return `case when line_fault is null then ${maskLine(masks, table, 'line_object')} end`;
  }
  const pairKey = values[table.columns.findIndex(({ name }) => name === table.pairs?.key)];
  const fields = raw.flatMap((column) => {
    const index = table.columns.findIndex(({ field }) => field === column.name);
    const known = table.columns[index];
    const shown = known
      ? maskKnown(masks, table, known, column, known.name === table.pairs?.value ? pairKey : undefined)
      : maskUnknown(column, fateWithin(extraFate(masks, table), column.name));
    return shown === undefined ? [] : [`${literal(column.name)}: ${shown}`];
  });
  const columns = fields.length === 0 ? `'{}'::json` : `to_json({${fields.join(', ')}})`;
  if (!ofLine) return columns;
  const extra = maskExtra(masks, table, 'line_extra');
  return `json_merge_patch(${columns}, coalesce(${extra}, '{}')::json)`;
}

/** As it came and not as it was typed, which it may not have been; undefined where it is left out. */
function maskKnown(
  masks: Masks,
  table: Table,
  { name, type }: Column,
  { as, type: inFile }: RawColumn,
  key: string | undefined,
): string | undefined {
  const fate = columnFate(masks, table.name, name);
  if (isKept(fate)) return as;
  if (isDropped(fate)) return undefined;
  const text = textOf(as, inFile);
  if (type !== 'jsonb') return maskTyped(type, text, fate, key);
  // What is no JSON has no keys that rules could speak of.
  const whole = fate.treatment === 'keep' ? `'(masked)'` : maskTyped('text', text, { ...fate, depth: 2 });
  return `case when json_valid(${text}) then ${maskTyped('jsonb', text, fate)} else ${whole} end`;
}

/** The text that is made of a value of any type, if not by the same way. */
function textOf(as: string, inFile: string): string {
  if (inFile === 'BLOB') return `coalesce(try(decode(${as})), ${as}::varchar)`;
  return inFile === 'VARCHAR' || inFile === 'JSON' ? `${as}::varchar` : `to_json(${as})->>'$'`;
}

function maskUnknown({ as }: RawColumn, fate: Fate): string | undefined {
  if (isKept(fate)) return as;
  return isDropped(fate) ? undefined : `(${maskJson(`to_json(${as})`, fate)})::json`;
}
