/**
 * Values of partition folders (`event=<value>/`) as Spark and Hive write them into paths: a fixed set of ASCII
 * characters becomes `%XX`, everything else, UTF-8 included, stands as it is. Seen in the vendor's buckets:
 * `event=Main_Nav_javascript%3Avoid(0);`, where `:` is escaped and `(`, `)`, `;` are not.
 */

/** Hive's name for "no value". */
const hiveNull = '__HIVE_DEFAULT_PARTITION__';

const escaped = /[\u0001-\u001f\u007f"#%'*/:=?\\{[\]^]/g;

/** The value as Spark writes it into a path; null becomes Hive's default partition. */
export function escapePartition(value: string | null): string {
  if (value === null) return hiveNull;
  return value.replace(
    escaped,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/**
 * The value behind a folder name. Never throws: what is no escape of Spark's is kept literally. That goes for `%`
 * without two hex digits, for `%80` and above (Spark escapes ASCII only) and for `%00`, which Spark never writes and
 * Postgres text cannot hold.
 *
 * The literal `NULL` is kept: the vendor writes `event=NULL` for events without a name, and an event may be called
 * that. Only Hive's default partition is null.
 */
export function unescapePartition(name: string): string | null {
  if (name === hiveNull) return null;
  return name.replace(/%([0-7][0-9A-Fa-f])/g, (escape, hex: string) =>
    hex === '00' ? escape : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
