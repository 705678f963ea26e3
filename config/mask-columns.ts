/** Whether rules fit the columns of a vendor's tables. */

import type { z } from 'zod';

import type { Landing, StoredType } from '../vendors/table.js';
import { missingKey, type Masked } from './mask.js';
import { writeTarget, type MaskRule } from './mask-rules.js';
import { didYouMean } from '../model/suggest.js';

/** What is known of a vendor's tables; every `Vendor` is such. */
export interface MaskedVendor {
  readonly types: readonly string[];
  table(type: string): MaskedTable;
  landing(type: string): Pick<Landing, 'tables' | 'completes'>;
}

/** A table as `Table`, `RootTable` and `DocumentTable` say it, with what lies within its rows. */
export interface MaskedTable {
  readonly name: string;
  readonly columns: readonly VendorColumn[];
  readonly inherits?: readonly { readonly name: string; readonly of: string; readonly as?: 'presence' }[];
  readonly within?: { readonly as: 'list' | 'map' | 'items' | 'values' };
  readonly pairs?: { readonly value: string };
  readonly nested?: readonly MaskedTable[];
}

interface VendorColumn {
  readonly name: string;
  readonly type: StoredType;
  /** Absent where the column is worked out, or of an item. */
  readonly field?: string;
  readonly of?: 'item' | 'key' | 'outer' | 'outer key';
}

interface MaskedColumn {
  readonly table: string;
  readonly name: string;
  readonly type: StoredType;
  /** Steps that a rule's path may have. */
  readonly steps: number;
  /** What it is that may not be dropped. */
  readonly needed?: string;
}

/** For `check` of a source's settings: a key for what is hashed, and rules that speak of what there is. */
export function maskCheck(vendor: MaskedVendor) {
  const columns = maskedColumns(vendor);
  return ({ value, issues }: z.core.ParsePayload<Masked>): void => {
    const missing = missingKey(value);
    if (missing !== undefined) {
      issues.push({ code: 'custom', message: missing, path: ['maskKey'], input: value.maskKey });
    }
    const named = new Map<string, string>();
    for (const rule of value.mask ?? []) {
      const anyCase = writeTarget({ ...rule, path: rule.path.map((step) => step.toLowerCase()) });
      const earlier = named.get(anyCase);
      named.set(anyCase, writeTarget(rule));
      const wrong = earlier === undefined ? wrongRule(rule, columns) : sameRule(earlier);
      if (wrong === undefined) continue;
      const path = ['mask', writeTarget(rule)];
      const issue = { code: 'custom', message: wrong.rule, path, input: rule.treatment } as const;
      // Of a name that is wrong it does not matter what is said of it.
      if (wrong.is === 'word') issues.push(issue);
      else issues.push({ ...issue, code: 'invalid_key', origin: 'record', issues: [{ ...issue, path: [] }] });
    }
  };
}

/** Every column that holds something of the vendor's, in every table that its files fill. */
export function maskedColumns(vendor: MaskedVendor): readonly MaskedColumn[] {
  const found = vendor.types.flatMap((type) => {
    const { tables, completes = [] } = vendor.landing(type);
    const keys = new Map(tables.map(({ name, key }) => [name, key]));
    return columnsOf(vendor.table(type), []).map((column): MaskedColumn => {
      if (keys.get(column.table)?.includes(column.name) === true) {
        return { ...column, needed: 'of the key' };
      }
      const seeker = completes.find(
        ({ table, lookup }) =>
          (table === column.table || lookup?.in === column.table) && lookup?.by.includes(column.name),
      );
      if (seeker?.lookup === undefined) return column;
      return { ...column, needed: `what rows of ${seeker.table} find theirs of ${seeker.lookup.in} by` };
    });
  });
  // Types may share a table, and its rows may lie in several fields: a path has to be one in each.
  const columns = new Map<string, MaskedColumn>();
  for (const column of found) {
    const name = written(column);
    columns.set(name, { ...column, steps: Math.min(column.steps, columns.get(name)?.steps ?? anySteps) });
  }
  return [...columns.values()];
}

const anySteps = Number.POSITIVE_INFINITY;

function columnsOf(table: MaskedTable, above: readonly MaskedColumn[]): readonly MaskedColumn[] {
  const { name, columns, inherits = [], within, pairs, nested = [] } = table;
  const inherited = inherits.flatMap(({ name: column, of, as }) => {
    const parent = above.find((candidate) => candidate.name === of);
    return parent === undefined || as === 'presence' ? [] : [{ ...parent, table: name, name: column }];
  });
  // A list may hold pairs too, if its table says so.
  const inPairs = columns.find((column) => column.name === pairs?.value)?.field;
  const valueField = within?.as === 'map' ? 'value' : (inPairs ?? null);
  const own = columns.flatMap((column): MaskedColumn[] => {
    if (column.field === undefined && column.of === undefined) return [];
    const ofPair =
      within?.as === 'map' || within?.as === 'list'
        ? column.field === valueField
        : within?.as === 'values' && column.of === 'item';
    const steps = column.type === 'jsonb' ? anySteps : ofPair ? 1 : 0;
    return [{ table: name, name: column.name, type: column.type, steps }];
  });
  const arePairs = within?.as === 'map' || within?.as === 'values';
  const extra: MaskedColumn[] = arePairs
    ? []
    : [{ table: name, name: '_extra', type: 'jsonb', steps: anySteps }];
  const all = [...inherited, ...own];
  return [...all, ...extra, ...nested.flatMap((inner) => columnsOf(inner, all))];
}

/** What is wrong with a rule, its name or its word, as the end of a sentence that begins with the name. */
export function wrongRule(
  rule: MaskRule,
  columns: readonly MaskedColumn[],
): { readonly is: 'name' | 'word'; readonly rule: string } | undefined {
  const name = wrongName(rule, columns);
  if (name !== undefined) return { is: 'name', rule: name };
  const word = wrongWord(
    rule,
    columns.filter((column) => column.name === rule.column && column.table === (rule.table ?? column.table)),
  );
  return word === undefined ? undefined : { is: 'word', rule: word };
}

/** Rules meet the names of keys whatever their case. */
function sameRule(earlier: string): ReturnType<typeof wrongRule> {
  return {
    is: 'name',
    rule: `names the same keys as '${earlier}', since their case does not matter: write one rule`,
  };
}

function wrongName(
  { table, column: name, path }: MaskRule,
  columns: readonly MaskedColumn[],
): string | undefined {
  const tables = [...new Set(columns.map((column) => column.table))];
  if (table !== undefined && !tables.includes(table)) {
    return `is of a table that there is not${didYouMean(table, tables) || `; there are ${tables.join(', ')}`}`;
  }
  const ofTable = columns.filter((column) => column.table === (table ?? column.table));
  const meant = ofTable.filter((column) => column.name === name);
  if (meant.length === 0) {
    const names = [...new Set(ofTable.map((column) => column.name))];
    const where = table === undefined ? 'no table has' : `table ${table} has not`;
    return `is of a column that ${where}${didYouMean(name, names) || `; a field without a column is '_extra.${name}'`}`;
  }
  const shallow = meant.find(({ steps }) => path.length > steps);
  if (shallow === undefined) return undefined;
  return shallow.steps === 0
    ? `has a path below ${written(shallow)}, which is ${shallow.type}: only jsonb and the values of pairs have keys`
    : `has more than one key below ${written(shallow)}: its path is the key of the pair`;
}

/** `meant` are the columns that the rule speaks of; it has to fit all of them. */
function wrongWord(rule: MaskRule, meant: readonly MaskedColumn[]): string | undefined {
  const { path, treatment } = rule;
  const plain = meant.find(({ type }) => treatment === 'hash' && type !== 'text' && type !== 'jsonb');
  if (plain !== undefined) {
    return `must be 'drop' or 'keep': ${written(plain)} is ${plain.type}, and a hash is a text${elsewhere(rule, meant)}`;
  }
  const needed = meant.find(
    (column) => treatment === 'drop' && path.length === 0 && column.needed !== undefined,
  );
  if (needed?.needed !== undefined) {
    return `must not be 'drop': ${written(needed)} is ${needed.needed}${elsewhere(rule, meant)}`;
  }
  return undefined;
}

function written({ table, name }: MaskedColumn): string {
  return `${table}:${name}`;
}

function elsewhere({ table, column }: MaskRule, meant: readonly MaskedColumn[]): string {
  return table !== undefined || meant.length === 1
    ? ''
    : `. Name the table, such as '${meant.at(-1)?.table ?? ''}:${column}'`;
}
