/** What Postgres has of a vendor's tables and views: their columns, indexes and comments. */

import type pg from 'pg';

export interface CatalogColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
}

/** The columns that stand behind the vendor's in every table that is loaded from files. */
export const ours: readonly CatalogColumn[] = [
  { name: '_file_id', type: 'bigint', nullable: false },
  { name: '_line', type: 'bigint', nullable: false },
  { name: '_extra', type: 'jsonb', nullable: true },
];

/** As the catalog should have them, where all but some may be null. */
export function expected(
  columns: readonly { readonly name: string; readonly type: string }[],
  notNull: readonly string[],
): readonly CatalogColumn[] {
  return columns.map(({ name, type }) => ({ name, type, nullable: !notNull.includes(name) }));
}

/** In their order. */
export async function columnsOf(
  pool: pg.Pool,
  schema: string,
  table: string,
): Promise<readonly CatalogColumn[]> {
  const { rows } = await pool.query<CatalogColumn>(
    `select column_name as name,
            case data_type when 'timestamp with time zone' then 'timestamptz' else data_type end as type,
            is_nullable = 'YES' as nullable
     from information_schema.columns
     where table_schema = $1 and table_name = $2 order by ordinal_position`,
    [schema, table],
  );
  return rows;
}

export interface CatalogTable {
  /** How it is partitioned; null: it is not. */
  readonly partitions: string | null;
  /** The primary key first, then by name. */
  readonly indexes: readonly string[];
  readonly foreignKeys: number;
}

export async function tableOf(pool: pg.Pool, schema: string, table: string): Promise<CatalogTable> {
  const { rows } = await pool.query<CatalogTable>(
    `select pg_get_partkeydef(c.oid) as partitions,
            array(select pg_get_indexdef(i.indexrelid) from pg_index i
                  join pg_class x on x.oid = i.indexrelid
                  where i.indrelid = c.oid order by i.indisprimary desc, x.relname) as indexes,
            (select count(*)::int from pg_constraint where conrelid = c.oid and contype = 'f') as "foreignKeys"
     from pg_class c where oid = (quote_ident($1) || '.' || quote_ident($2))::regclass`,
    [schema, table],
  );
  return rows[0]!;
}

export interface Silent {
  readonly of: 'table' | 'view' | 'function';
  /** Of a column: `table.column`. */
  readonly name: string;
}

/** What does not say what it is: tables, views, their columns and functions without a comment. */
export async function silentIn(pool: pg.Pool, schema: string): Promise<readonly Silent[]> {
  const { rows } = await pool.query<Silent>(
    `select case c.relkind when 'v' then 'view' else 'table' end as of,
            c.relname || coalesce('.' || a.attname, '') as name
     from pg_class c
     left join lateral (
       select attname, attnum from pg_attribute where attrelid = c.oid and attnum > 0
       union all select null, 0
     ) a on true
     where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
       and coalesce(case a.attnum when 0 then obj_description(c.oid, 'pg_class')
                                  else col_description(c.oid, a.attnum) end, '') = ''
     union all
     select 'function', proname from pg_proc
     where pronamespace = $1::regnamespace and coalesce(obj_description(oid, 'pg_proc'), '') = ''`,
    [schema],
  );
  return rows;
}
