/** How a vendor's tables and files are described to the reader. Pure. */

export type ColumnType = 'text' | 'timestamptz' | 'bigint' | 'double precision' | 'boolean' | 'jsonb';

export interface Column {
  /** Postgres column, snake_case. */
  readonly name: string;
  readonly type: ColumnType;
  /** The vendor's field name. */
  readonly field: string;
  /**
   * The instant is a number of seconds since 1970, as a number or as a text, also in E notation (`"1.591474962721E9"`);
   * the column holds it to the millisecond. CSV files may write it as `YYYY-MM-DD hh:mm:ss[.fff]` or in ISO 8601: UTC.
   */
  readonly unit?: 'seconds';
  /**
   * What the vendor called the field before. It counts where the field is absent or null; where both have a value it is kept
   * in `_extra`. Only in nested JSON lines, like the next.
   */
  readonly older?: string;
  /** A value that cannot be typed is null, and no fault: another column of the row holds it as it came. */
  readonly lenient?: true;
}

export interface Table {
  /** Table name below the source's schema. */
  readonly name: string;
  readonly columns: readonly Column[];
  /**
   * The column that identifies a row within a delivery; a row without it is quarantined. `_line` where the vendor gives
   * none.
   */
  readonly key: string;
  /** Columns before the vendor's that are filled from the file's place rather than its rows. */
  readonly ofFile: readonly ('export_date' | 'partition_value')[];
  readonly pairs?: Pairs;
}

/** Columns of rows that are pairs of an object: a rule for the value may speak of one key. */
export interface Pairs {
  readonly key: string;
  readonly value: string;
}

/** A column that is taken from the row that the row lies in. */
export interface Inherited {
  readonly name: string;
  /** Column of the parent's row: the vendor's, one that it inherits itself, or its ordinal. */
  readonly of: string;
  /** A boolean: whether the parent's column is not null. */
  readonly as?: 'presence';
}

/** Rows that lie within the rows of another table. */
export interface NestedTable extends Table {
  /** Field of the parent's object. Of a map, each pair is an object with the fields `key` and `value`. */
  readonly within: { readonly field: string; readonly as: 'list' | 'map' };
  readonly inherits: readonly Inherited[];
  /** Column that numbers the table's rows within one line of the file, from 1, in the order of the document. */
  readonly ordinal: string;
  readonly nested?: readonly NestedTable[];
  /**
   * Columns that are the same in each of its rows. Several entries of the root may have the same name, where rows of one
   * table lie in several fields: they are numbered on from one to the next, in the order of the entries. Each has those
   * of the table's columns that its fields can fill, and none has rows within its own.
   */
  readonly fixed?: Readonly<Record<string, string>>;
}

/** Rows that are lines of a file, with others within them. */
export interface RootTable extends Table {
  readonly nested: readonly NestedTable[];
  /** Columns besides the key without which a row is a bad one: they are of the tables' keys. */
  readonly required?: readonly string[];
}

/** Columns that are taken from a row of another table, one that the same delivery loads. */
export interface Lookup {
  /** The table, whose rows are compared. */
  readonly in: string;
  /**
   * Columns that are equal in both. Of several rows of one session the one with the smallest ordinal is meant; of several
   * sessions none, which counts as conflicting where the row is required.
   */
  readonly by: readonly string[];
  readonly takes: readonly {
    readonly name: string;
    readonly of: string;
    /** A boolean: whether there is such a row. */
    readonly as?: 'presence';
  }[];
  /** Whether a row without such a row is a bad one. */
  readonly required: boolean;
}

/** What no row of a file can tell by itself, so that it is filled in when all files of a delivery are staged. */
export interface Completion {
  readonly table: string;
  /**
   * Column that numbers the rows of a session, from 1: by file as people count (`-2` before `-10`), then by line. A row
   * that has its number needs no completing: it came with everything.
   */
  readonly ordinal: string;
  readonly lookup?: Lookup;
}

/** What a CSV file of one kind of rows holds. */
export interface CsvFile {
  readonly table: string;
  /** Header by column. */
  readonly headers: Readonly<Record<string, string>>;
  /** Columns without which a row is a bad one. */
  readonly required: readonly string[];
  /**
   * Column that numbers the rows of a session from 1. Its rows may stand in several shards, which are not ordered, so
   * they are numbered over all of them, by the shard's number and the line.
   */
  readonly ordinal?: string;
  readonly lookup?: Lookup;
  readonly pairs?: Pairs;
}

/** How a part of a delivery is to be read, and the tables that it fills. */
export type FileShape =
  | { readonly format: 'parquet' | 'json lines'; readonly table: Table }
  | { readonly format: 'nested json lines'; readonly table: RootTable }
  | { readonly format: 'documents'; readonly table: DocumentTable }
  /** `columns` are those of the table that the file has headers for. */
  | { readonly format: 'csv'; readonly file: CsvFile; readonly columns: readonly Column[] };

/** A table, and the columns that identify its rows: within the day for `replace`, of all rows for `merge`. */
export interface KeyedTable {
  /** Below the source's schema. */
  readonly name: string;
  readonly key: readonly string[];
}

/** Where rows go, and how they take the place of earlier ones. */
export interface Landing {
  /**
   * `replace`: the delivery is a UTC day, complete in itself, and its rows become the day's partition of the one table.
   * `merge`: rows are merged by the key of the first table, which the others hold too; what comes under one takes the
   * place of older copies of it, from any delivery, in all tables.
   */
  readonly how: 'replace' | 'merge';
  readonly tables: readonly [KeyedTable, ...KeyedTable[]];
  /**
   * For `merge`: what is to be filled in before, each table once. A lookup finds rows as the entries before it have left
   * them.
   */
  readonly completes?: readonly Completion[];
  /**
   * For `merge`, where nothing is completed: files of a delivery come one by one. A load stages those that readers do not
   * see yet and leaves the rows of the others, and a file that cannot be read is left out. Rows of one key in a file are
   * of one line, with one in the first table among them.
   */
  readonly adds?: true;
}

/**
 * Documents: lines of JSON whose rows lie in fields of which not all is promised. A line is bad as a whole. A key that is
 * there twice makes it so in the line itself, in an object whose values are rows or hold them, and in an object that is
 * one; what else is kept as JSON is taken as Postgres takes it.
 */
export interface DocumentTable extends Omit<Table, 'columns'> {
  /** A field may be a column and hold rows. */
  readonly columns: readonly (ValueColumn | EntriesColumn)[];
  readonly nested: readonly (PairTable | ItemTable)[];
}

export type StoredType = ColumnType | 'numeric';

/**
 * As `Column`; `numeric` is a number with all its digits, as money is, written as JSON's numbers are or as such a text. A
 * value of another type makes a bad row.
 */
export type ValueColumn = Column | (Pick<Column, 'name' | 'field'> & { readonly type: 'numeric' });

/** A boolean that is never null: whether a list or an object has so many entries. */
export interface EntriesColumn {
  readonly name: string;
  readonly type: 'boolean';
  readonly entriesOf: string;
  readonly atLeast: number;
  /** Or this field of one of its values has. */
  readonly orOfEach?: string;
}

/** Rows that are the pairs of an object, with the fields `key` and `value`. */
export interface PairTable extends Omit<NestedTable, 'columns' | 'nested' | 'within'> {
  readonly within: { readonly field: string; readonly as: 'map' };
  readonly columns: readonly ValueColumn[];
}

/** Rows whose form nobody promised: what does not have it holds no rows and gives no values, and is no fault. */
export interface ItemTable extends Omit<NestedTable, 'columns' | 'nested' | 'within'> {
  readonly within: {
    readonly field: string;
    /**
     * `items`: the entries of a list or the values of an object. `values`: the values of an object, each with its key; one
     * that is a list is several.
     */
    readonly as: 'items' | 'values';
    /** The items are those of this field, in each value of the object. */
    readonly each?: string;
  };
  readonly columns: readonly ItemColumn[];
}

export interface ItemColumn {
  readonly name: string;
  readonly type: StoredType;
  /** `key`: the item's in an object. `outer` and `outer key`: the value that `each` is a field of, and its key. */
  readonly of: 'item' | 'key' | 'outer' | 'outer key';
  /**
   * Names that the field may have. The first that is there and fits counts: a text or a number that the column takes.
   * Absent: the whole, whose text is that of its JSON where it is none.
   */
  readonly fields?: readonly string[];
}
