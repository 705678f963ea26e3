/**
 * Invented rows in the vendor's exact schema, as DuckDB expressions. Everything about a row follows from its number and
 * the seed by md5, so the same call makes the same bytes on every machine, and a count that a test asserts stays true.
 *
 * The world: a shop with two experiments that overlap. A visitor keeps its variations over all days of a seed. A few
 * decisions come with the other variation (traffic was shifted), a few visitors are held back, some events have no
 * experiments, clocks run late and ahead, revenue is in cents and, as seen in real files, 0 where there is none.
 */

import { startOfDay } from '../../model/day.js';
import { optimizelyTables, type OptimizelyType } from '../../vendors/optimizely/tables.js';
import { quote } from '../quote.js';

export const sampleAccount = '24680135790';

export const sampleExperiments = [
  { campaign: '30100000001', experiment: '30110000001', variations: ['30120000011', '30120000012'] },
  { campaign: '30100000002', experiment: '30110000002', variations: ['30120000021', '30120000022'] },
] as const;

/** Events by their share of the rows in percent. One has a name that Spark escapes, one is not ASCII, one has none. */
export const sampleEvents = [
  { name: 'page_view', entity: '30130000001', share: 45 },
  { name: 'add_to_cart', entity: '30130000002', share: 25 },
  { name: 'purchase', entity: '30130000003', share: 12 },
  { name: 'menu/pricing:open', entity: '30130000004', share: 8 },
  { name: 'añadir_a_favoritos', entity: '30130000005', share: 6 },
  { name: null, entity: '30130000006', share: 4 },
] as const;

export interface RowSource {
  readonly type: OptimizelyType;
  readonly date: string;
  /** Rows of the day; they are spread over its 24 hours. */
  readonly rows: number;
  /** How many visitors there are to draw from, over all days of a seed. */
  readonly visitors: number;
  readonly seed: string;
}

/** DuckDB type of each of the vendor's fields. */
const strings = 'VARCHAR';
const nested: Readonly<Record<string, string>> = {
  attributes: 'STRUCT(id VARCHAR, "name" VARCHAR, "type" VARCHAR, "value" VARCHAR)[]',
  experiments:
    'STRUCT(campaign_id VARCHAR, experiment_id VARCHAR, variation_id VARCHAR, is_holdback BOOLEAN)[]',
  tags: 'MAP(VARCHAR, VARCHAR)',
};
const plain = {
  text: strings,
  // Written as INT64 TIMESTAMP_MILLIS, which is what the vendor's files hold.
  timestamptz: 'TIMESTAMP_MS',
  bigint: 'BIGINT',
  'double precision': 'DOUBLE',
  boolean: 'BOOLEAN',
  jsonb: 'JSON',
} as const;

/** The vendor's fields in order, each as an expression over `rowSource`. */
export function vendorColumns(type: OptimizelyType): Map<string, string> {
  const expressions = type === 'decisions' ? { ...shared, ...ofDecision } : { ...shared, ...ofEvent };
  return new Map(
    optimizelyTables[type].columns.map(({ field, type: columnType }) => {
      const expression = expressions[field];
      if (expression === undefined) throw new Error(`the sample has no expression for ${type}.${field}`);
      return [field, `(${expression})::${nested[field] ?? plain[columnType]}`];
    }),
  );
}

/**
 * A relation with one record for each row number from `first` to `last` (exclusive): `i`, its number; `j`, the number
 * whose data it shows (another one for duplicates); and what the columns are made of.
 *
 * @param sourceOf expression over `i`: the row number whose data it shows
 */
export function rowSource(source: RowSource, first: number, last: number, sourceOf = 'i'): string {
  const key = quote(`${source.seed}/${source.type}/${source.date}/`);
  return `
    SELECT *,
      CASE WHEN in_second AND (NOT in_first OR h >> 50 & 1 = 1) THEN 2 ELSE 1 END AS experiment,
      ${byShare((event) => quote(event.name))} AS event_name,
      ${byShare((event) => quote(event.entity))} AS entity_id,
      -- Cents in steps of 25, so that value is exact in binary and sums do not depend on their order.
      (h >> 16) % 1000 * 25 + 500 AS cents
    FROM (
      SELECT *,
        (mixed >> 9) % 10 < 7 AS in_first,
        (mixed >> 9) % 10 >= 4 AS in_second,
        (mixed >> 24) % 40 = 0 AS held_back,
        1 + (mixed >> 20 & 1) AS first_variation,
        1 + (mixed >> 21 & 1) AS second_variation
      FROM (
        -- A multiplication, a fold and a multiplication: neighbours share no bits, and md5 is dear.
        SELECT *, xor(folded, folded >> 15) * 1540483477 % 4294967296 AS mixed
        FROM (SELECT *, visitor * 2654435761 % 4294967296 AS folded FROM (
          SELECT i, j, id, h,
            (h % ${source.visitors})::BIGINT AS visitor,
            ${startOfDay(source.date)} + j * 86400000 // ${source.rows} AS processed
          FROM (
            SELECT i, j, md5(${key} || j) AS id, md5_number_lower(${key} || j) AS h
            FROM (SELECT i, ${sourceOf} AS j FROM range(${first}, ${last}) AS numbers(i))
          )
        ))
      )
    )`;
}

/** Folder that the vendor files a row under: the experiment of a decision, the name of an event. */
export function folderColumn(type: OptimizelyType): string {
  return type === 'decisions' ? experimentId : 'event_name';
}

export function folderValues(type: OptimizelyType): readonly (string | null)[] {
  return type === 'decisions'
    ? sampleExperiments.map(({ experiment }) => experiment)
    : sampleEvents.map(({ name }) => name);
}

type Event = (typeof sampleEvents)[number];

function byShare(column: (event: Event) => string): string {
  let below = 0;
  const cases = sampleEvents.map(
    (event) => `WHEN (h >> 24) % 100 < ${(below += event.share)} THEN ${column(event)}`,
  );
  return `CASE ${cases.join(' ')} END`;
}

const pick = (shift: number, choices: readonly string[]): string =>
  `[${choices.map(quote).join(', ')}][1 + ((h >> ${shift}) % ${choices.length})::INTEGER]`;

const pair = (values: readonly [string, string]): string => `[${values.map(quote).join(', ')}]`;
const [first, second] = sampleExperiments;
const experimentId = `${pair([first.experiment, second.experiment])}[experiment]`;

const attribute = (id: string | null, name: string | null, type: string, value: string): string =>
  `{'id': ${quote(id)}, 'name': ${quote(name)}, 'type': ${quote(type)}, 'value': ${value}}`;

const shared: Readonly<Record<string, string>> = {
  uuid: 'upper(id::UUID::VARCHAR)',
  // Sent up to 90 s before it was processed; one in 97 up to 30 hours late, one in 101 up to 30 minutes ahead of time.
  timestamp: `make_timestamp_ms(processed - CASE
    WHEN h % 97 = 0 THEN (h >> 30) % 108000000
    WHEN h % 101 = 0 THEN -((h >> 30) % 1800000)::BIGINT
    ELSE (h >> 30) % 90000 END::BIGINT)`,
  process_timestamp: 'make_timestamp_ms(processed)',
  visitor_id: `'oeu' || (1772236800000 + visitor) || 'r0.' || mixed`,
  session_id: `CASE WHEN (h >> 44) % 5 > 0 THEN ((mixed * 7 + processed // 1800000) % 4294967296 - 2147483648)::BIGINT END`,
  account_id: quote(sampleAccount),
  attributes: `[
    ${attribute('100', null, 'browserId', pick(3, ['gc', 'ff', 'safari', 'edge', 'opera']))},
    ${attribute('300', null, 'device', pick(6, ['desktop', 'mobile', 'tablet']))},
    ${attribute('600', null, 'source_type', pick(9, ['direct', 'search', 'campaign', 'referral']))},
    ${attribute('30140000001', 'plan', 'custom', pick(12, ['free', 'team', 'business']))},
    ${attribute(null, 'attribution/captured', 'metadata', `'true'`)},
    ${attribute(null, 'attribution/enriched', 'metadata', `'false'`)}]`,
  // Addresses come with the last number zeroed. 198.18.0.0/15 is set aside for tests.
  user_ip: `'198.' || (18 + visitor % 2) || '.' || (mixed >> 4) % 256 || '.0'`,
  user_agent: pick(15, [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:148.0) Gecko/20100101 Firefox/148.0',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.3 Mobile/15E148 Safari/604.1',
  ]),
  referer: `CASE WHEN (h >> 47) % 9 > 0 THEN 'https://shop.example/' || ${pick(18, ['', 'sale', 'cart', 'über-uns'])} END`,
  revision: `CASE WHEN (h >> 47) % 9 > 0 THEN (1200 + (h >> 52) % 3) END`,
  client_engine: pick(40, ['js', 'js', 'node-sdk', 'ios-sdk']),
  client_version: pick(42, ['0.219.0', '0.220.1']),
};

const ofDecision: Readonly<Record<string, string>> = {
  campaign_id: `${pair([first.campaign, second.campaign])}[experiment]`,
  experiment_id: experimentId,
  // One decision in 61 tells the other variation than the visitor's own.
  variation_id: `CASE WHEN experiment = 1
    THEN ${pair(first.variations)}[CASE WHEN h % 61 = 0 THEN 3 - first_variation ELSE first_variation END]
    ELSE ${pair(second.variations)}[CASE WHEN h % 61 = 0 THEN 3 - second_variation ELSE second_variation END] END`,
  is_holdback: 'held_back',
};

const attributed = (
  { campaign, experiment, variations }: (typeof sampleExperiments)[number],
  own: string,
): string =>
  `{'campaign_id': ${quote(campaign)}, 'experiment_id': ${quote(experiment)},
    'variation_id': ${pair(variations)}[${own}], 'is_holdback': held_back}`;

const ofEvent: Readonly<Record<string, string>> = {
  experiments: `CASE
    WHEN (h >> 32) % 64 = 1 THEN NULL
    WHEN (h >> 32) % 8 = 0 THEN []
    WHEN in_first AND in_second
      THEN [${attributed(first, 'first_variation')}, ${attributed(second, 'second_variation')}]
    WHEN in_first THEN [${attributed(first, 'first_variation')}]
    ELSE [${attributed(second, 'second_variation')}] END`,
  entity_id: 'entity_id',
  event_type: 'NULL',
  event_name: 'event_name',
  revenue: `CASE WHEN event_name = 'purchase' THEN cents ELSE 0 END`,
  value: `CASE WHEN event_name = 'purchase' THEN cents / 100 END`,
  quantity: `CASE WHEN event_name = 'purchase' THEN 1 + (h >> 36) % 3 WHEN event_name = 'add_to_cart' THEN 0 END`,
  tags: `CASE WHEN event_name = 'purchase'
    THEN MAP {'revenue': cents::VARCHAR, 'currency': 'EUR', 'note': 'a "gift"'} ELSE MAP {} END`,
};
