/** The queries for rows that lie within documents: pairs, which are typed and may be bad, and items, which are taken as they are. Pure. */

import type { DocumentTable, ItemTable, PairTable } from '../../vendors/table.js';
import { rawOf, type Fields } from './fields.js';
import { pairIsGone, pairMask } from './masks.js';
import { noLongNumbers, type LongNumbers } from './numbers.js';
import { faultOf, valuesOf } from './query.js';
import { identifier, literal } from '../duckdb.js';
import { isKept, stricter } from '../masks/fates.js';
import { columnFate } from '../masks/rows.js';
import { maskTyped } from '../masks/sql.js';
import type { Masks } from '../masks/masks.js';
import { typeColumn } from '../typing.js';

/** What rows take from the line that they lie in. */
function givenOf(
  root: DocumentTable,
  fields: Fields,
  { name, inherits }: PairTable | ItemTable,
): readonly string[] {
  const values = valuesOf(root, fields, noLongNumbers, new Map());
  return inherits.map(({ of, as, name: column }) => {
    const value = values[root.columns.findIndex((parent) => parent.name === of)];
    if (value === undefined) throw new RangeError(`${name}.${column} is of ${of}, which its parent has not`);
    return as === 'presence' ? `(${value} is not null)` : value;
  });
}

const ofLine = 'seq, file_id, line';

function carried(root: DocumentTable, fields: Fields, table: PairTable | ItemTable): string {
  const given = givenOf(root, fields, table).map((value, index) => `${value} as given_${index}`);
  return [ofLine, ...given].join(', ');
}

function givenNames({ inherits }: PairTable | ItemTable): string[] {
  return inherits.map((_, index) => `given_${index}`);
}

/** What is handed on of those in a table of rows: masked as strictly as the line's own column, or more. */
export function givenMasked(
  root: DocumentTable,
  { name, inherits }: PairTable | ItemTable,
  masks: Masks | undefined,
): readonly string[] {
  return inherits.map(({ name: column, of, as }, index) => {
    const type = root.columns.find((parent) => parent.name === of)?.type;
    const given = `given_${index}`;
    if (as === 'presence' || type === undefined) return given;
    return maskTyped(
      type,
      given,
      stricter(columnFate(masks, root.name, of), columnFate(masks, name, column)),
    );
  });
}

/** Lines that have entries in a field. */
function having(raw: string): string {
  return `from document where fault is null and ${raw}::varchar not in ('{}', '[]')`;
}

/** What is left of a field where it is masked: rows whose form nobody promised are unfolded from that. */
function leftOf(fields: Fields, name: string): string {
  const { as, mask } = rawOf(fields, name);
  return mask?.as ?? as;
}

/** Query for DuckDB's table of pairs: of the line, `given_0` …, `ordinal`, `value_0` …, which are masked, and `fault`. */
export function pairsQuery(
  root: DocumentTable,
  fields: Fields,
  table: PairTable,
  numbers: LongNumbers,
  masks: Masks | undefined,
): string {
  const { field } = table.within;
  const raw = rawOf(fields, field).as;
  const columns = table.columns.map((column, index) => {
    const from = column.field === 'key' ? 'pair.key' : numbers.plain('pair.value');
    const place = `raw_${index}`;
    const as = `value_${index}`;
    const mask = pairMask(masks, fields, table, column);
    const raw = { name: column.field, as: place, type: 'VARCHAR', masked: !isKept(mask.fate) };
    const left = isKept(mask.fate) ? as : `${mask.of(as, 'pair.key')} as ${as}`;
    return { from: `${from} as ${place}`, as, left, ...typeColumn(column, raw, as) };
  });
  const faults = columns.flatMap((column) => column.faults);
  const inPlace = faults.map(({ when, reason }) => ({
    when,
    reason: `${literal(`${field}[`)} || ordinal || '].' || ${reason}`,
  }));
  const gone = pairIsGone(fields, table, 'pair.key');
  const ordinal =
    gone === undefined ? 'ordinal' : 'row_number() over (partition by seq order by ordinal) as ordinal';
  return `with pairs as (
    select * exclude (entries), unnest(entries) as pair, generate_subscripts(entries, 1) as ordinal
    from (
      select ${carried(root, fields, table)}, map_entries(from_json(${raw}, '"MAP(VARCHAR, VARCHAR)"')) as entries
      ${having(raw)}
    )
  ),
  raw as (select *, ${columns.map(({ from }) => from).join(', ')} from pairs),
  typed as (select *, ${columns.map(({ value, as }) => `${value} as ${as}`).join(', ')} from raw)
  select ${[ofLine, ...givenNames(table), ordinal, ...columns.map(({ left }) => left), faultOf(inPlace)].join(', ')}
  from typed${gone === undefined ? '' : `\n  where not ${gone} or fault is not null`}`;
}

/** Query for the values of an object that hold items: of the line, `place`, `outer_key` and `outer_value`. */
export function outerQuery(root: DocumentTable, fields: Fields, table: ItemTable): string {
  const raw = leftOf(fields, table.within.field);
  return `select * exclude (entries), unnest(map_keys(entries)) as outer_key, unnest(map_values(entries)) as outer_value,
      generate_subscripts(map_keys(entries), 1) as place
    from (
      select ${carried(root, fields, table)}, from_json(${raw}, '"MAP(VARCHAR, JSON)"') as entries
      ${having(raw)} and starts_with(${raw}, '{')
    )`;
}

/**
 * Query for DuckDB's table of items: of the line, `given_0` …, `ordinal`, `item`, and `key` where a column is of it. Those
 * within values of an object come from `outer`, the table of these with what is lifted out of them; the values themselves
 * are not kept with the items, of which one may hold 100,000.
 */
export function itemsQuery(root: DocumentTable, fields: Fields, table: ItemTable, outer: string): string {
  const { as, each } = table.within;
  const raw = leftOf(fields, table.within.field);
  const numbered = `row_number() over (partition by seq order by place, number) as ordinal`;
  if (each !== undefined) {
    const structure = literal(JSON.stringify({ [each]: 'JSON' }));
    const inner = `(
      select * exclude (outer_value), from_json(outer_value, ${structure}).${identifier(each)} as held
      from ${outer}
    )`;
    return `select * exclude (place, number), ${numbered} from ${unfolded(table, inner)}`;
  }
  const held = `(select ${carried(root, fields, table)}, ${raw} as held ${having(raw)})`;
  if (as === 'items') return `select * rename (number as ordinal) from ${unfolded(table, held)}`;
  return `select * exclude (place, number), ${numbered}
    from (
      select * exclude (items), unnest(items) as item, generate_subscripts(items, 1) as number
      from (
        select * exclude (pair), pair.key as key,
          case when starts_with(pair.value, '[') then from_json(pair.value, '["JSON"]') else [pair.value] end as items
        from (
          select * exclude (entries), unnest(entries) as pair, generate_subscripts(entries, 1) as place
          from (select * exclude (held), map_entries(from_json(held, '"MAP(VARCHAR, JSON)"')) as entries from ${held})
        )
      )
    )`;
}

/** Of JSON called `held`, its entries as `item`, counted by `number`: those of a list, or the values of an object, with `key`. */
function unfolded({ columns }: ItemTable, from: string): string {
  const ofKey = columns.some(({ of }) => of === 'key');
  const object = `from_json(held, '"MAP(VARCHAR, JSON)"')`;
  const either = (ofObject: string, ofList: string): string =>
    `case when starts_with(held, '{') then ${ofObject} else ${ofList} end`;
  const keys = ofKey ? `, ${either(`map_keys(${object})`, 'null')} as keys` : '';
  return `(
      select * exclude (items${ofKey ? ', keys' : ''}), unnest(items) as item, generate_subscripts(items, 1) as number
        ${ofKey ? ', unnest(keys) as key' : ''}
      from (select * exclude (held), ${either(`map_values(${object})`, `from_json(held, '["JSON"]')`)} as items${keys} from ${from})
    )`;
}
