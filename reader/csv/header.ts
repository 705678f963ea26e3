/** Which columns a CSV file has. Pure. */

import { isUtf8 } from 'node:buffer';

import type { CsvFile } from '../../vendors/table.js';
import { unreadableFile } from '../unreadable.js';

/** The names in a header that is written as it should be, in their order. */
export function headerNames(record: Buffer, key: string): readonly string[] {
  if (!isUtf8(record) || record.includes(0)) {
    throw unreadableFile(key, 'CSV', 'its header is not text in UTF-8.');
  }
  const text = record.toString();
  const field = /(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/gy;
  const names: string[] = [];
  for (let more = true; more;) {
    const [whole, quoted, plain = ''] = field.exec(text) ?? [''];
    names.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    more = whole.endsWith(',');
  }
  return names;
}

/** By number, the columns that a file has, and those that the table has none for. */
export interface KnownHeader {
  readonly known: ReadonlyMap<string, number>;
  readonly unknown: readonly (readonly [name: string, number: number])[];
}

/**
 * Finds the columns of a table by the names that the vendor gives them, without regard to case or order. Throws
 * `FileUnreadable` where every row would lack one that it needs, or have one twice.
 */
export function matchHeader(names: readonly string[], file: CsvFile, key: string): KnownHeader {
  const numbers = new Map<string, number>();
  for (const [number, name] of names.entries()) {
    const folded = name.toLowerCase();
    if (numbers.has(folded)) throw unreadableFile(key, 'CSV', `its header has the column ${name} twice.`);
    numbers.set(folded, number);
  }
  const known = new Map<string, number>();
  for (const [column, header] of Object.entries(file.headers)) {
    const number = numbers.get(header.toLowerCase());
    if (number !== undefined) known.set(column, number);
    else if (file.required.includes(column)) {
      throw unreadableFile(key, 'CSV', `its header has no column ${header}, which every row needs.`);
    }
  }
  const taken = new Set(known.values());
  return { known, unknown: names.flatMap((name, number) => (taken.has(number) ? [] : [[name, number]])) };
}
