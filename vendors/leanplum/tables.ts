/**
 * The seven tables, and where their columns stand in the files. The DDL is in sql/001-tables.sql; a test holds the two
 * against each other. Column names follow the JSON export; csv.ts says what the CSV export calls them.
 *
 * A JSON line is a session with everything in it:
 *
 *     session ⊃ states[] ⊃ events[] ⊃ parameters{}      → state, event, event_parameter
 *               states[] ⊃ parameters{}                 → state_parameter
 *               experiments[], userAttributes{}         → experiment, user_attribute
 *
 * Ids repeat inside a session: one real session holds the same experiment and variant three times, one state the same
 * event four times. So rows below a session are numbered, and the number is their key.
 */

import type { Column, ColumnType, Inherited, NestedTable, RootTable } from '../table.js';

const column =
  (type: ColumnType) =>
  (name: string, field: string = name): Column => ({ name, type, field });
const text = column('text');
const whole = column('bigint');
const number = column('double precision');
const flag = column('boolean');
const instant = (name: string, field: string = name): Column => ({
  ...{ name, field },
  type: 'timestamptz',
  unit: 'seconds',
});

const ordinal = 'ordinal';
const ofSession: Inherited = { name: 'session_id', of: 'session_id' };
const numbered = { key: ordinal, ordinal, ofFile: [] } as const;

const nameAndValue = {
  columns: [text('name', 'key'), text('value')],
  pairs: { key: 'name', value: 'value' },
} as const;

const eventParameter: NestedTable = {
  ...numbered,
  name: 'event_parameter',
  within: { field: 'parameters', as: 'map' },
  inherits: [ofSession, { name: 'event_ordinal', of: ordinal }, { name: 'event_id', of: 'event_id' }],
  ...nameAndValue,
};

const event: NestedTable = {
  ...numbered,
  name: 'event',
  within: { field: 'events', as: 'list' },
  inherits: [
    ofSession,
    { name: 'state_ordinal', of: ordinal },
    { name: 'state_id', of: 'state_id' },
    // An event outside any state comes in "a 'dummy' state with no name and a random ID".
    { name: 'has_state', of: 'name', as: 'presence' },
  ],
  columns: [
    whole('event_id', 'eventId'),
    text('name'),
    instant('time'),
    number('value'),
    text('info'),
    number('time_until_first_for_user', 'timeUntilFirstForUser'),
  ],
  nested: [eventParameter],
};

const stateParameter: NestedTable = {
  ...numbered,
  name: 'state_parameter',
  within: { field: 'parameters', as: 'map' },
  inherits: [ofSession, { name: 'state_ordinal', of: ordinal }, { name: 'state_id', of: 'state_id' }],
  ...nameAndValue,
};

const state: NestedTable = {
  ...numbered,
  name: 'state',
  within: { field: 'states', as: 'list' },
  inherits: [ofSession],
  columns: [
    whole('state_id', 'stateId'),
    text('name'),
    instant('time'),
    number('duration'),
    text('info'),
    number('time_until_first_for_user', 'timeUntilFirstForUser'),
  ],
  nested: [event, stateParameter],
};

const experiment: NestedTable = {
  ...numbered,
  name: 'experiment',
  within: { field: 'experiments', as: 'list' },
  inherits: [ofSession],
  columns: [whole('experiment_id', 'id'), whole('variant_id', 'variantId'), flag('impressed')],
};

const userAttribute: NestedTable = {
  ...numbered,
  name: 'user_attribute',
  within: { field: 'userAttributes', as: 'map' },
  inherits: [ofSession],
  ...nameAndValue,
};

/** A line of a JSON shard. */
export const session: RootTable = {
  name: 'session',
  key: 'session_id',
  ofFile: [],
  columns: [
    // Digits in quotes in JSON, a number in CSV.
    whole('session_id', 'sessionId'),
    flag('is_session', 'isSession'),
    flag('is_developer', 'isDeveloper'),
    text('user_id', 'userId'),
    text('device_id', 'deviceId'),
    whole('user_bucket', 'userBucket'),
    instant('time'),
    number('duration'),
    instant('first_run', 'firstRun'),
    whole('prior_sessions', 'priorSessions'),
    whole('prior_states', 'priorStates'),
    whole('prior_events', 'priorEvents'),
    number('prior_time_spent_in_app', 'priorTimeSpentInApp'),
    text('country'),
    text('region'),
    text('city'),
    // Numbers in quotes.
    number('lat'),
    number('lon'),
    text('locale'),
    text('timezone'),
    whole('timezone_offset_seconds', 'timezoneOffsetSeconds'),
    text('app_version', 'appVersion'),
    text('client'),
    text('sdk_version', 'sdkVersion'),
    text('system_name', 'systemName'),
    text('system_version', 'systemVersion'),
    text('device_model', 'deviceModel'),
    text('browser_name', 'browserName'),
    text('browser_version', 'browserVersion'),
    text('source_publisher_id', 'sourcePublisherId'),
    text('source_publisher', 'sourcePublisher'),
    text('source_sub_publisher', 'sourceSubPublisher'),
    text('source_site', 'sourceSite'),
    text('source_campaign', 'sourceCampaign'),
    text('source_ad_group', 'sourceAdGroup'),
    text('source_ad', 'sourceAd'),
  ],
  nested: [state, experiment, userAttribute],
};

/** A column of a table in Postgres, before those that every table has. */
export type StoredColumn = Pick<Column, 'name' | 'type' | 'unit'>;

/** A table with all its columns, and those of its primary key. */
export interface StoredTable {
  readonly name: string;
  readonly columns: readonly StoredColumn[];
  readonly key: readonly string[];
}

/** Every table, each with its own columns after the inherited ones; a table comes before those that lie within it. */
export const storedTables: readonly [StoredTable, ...StoredTable[]] = [
  { name: session.name, columns: session.columns.map(stored), key: [session.key] },
  ...session.nested.flatMap((table) => flatten(table, session.columns.map(stored))),
];

function flatten(table: NestedTable, parent: readonly StoredColumn[]): readonly StoredTable[] {
  const [first, ...more] = table.inherits.map(({ name, of, as }): StoredColumn => {
    const type = parent.find((candidate) => candidate.name === of)?.type;
    if (type === undefined)
      throw new RangeError(`${table.name}.${name} is of ${of}, which its parent has not`);
    return { name, type: as === 'presence' ? 'boolean' : type };
  });
  const columns = [
    ...(first ? [first] : []),
    { name: table.ordinal, type: 'bigint' as const },
    ...more,
    ...table.columns.map(stored),
  ];
  const own = { name: table.name, columns, key: [ofSession.name, table.ordinal] };
  return [own, ...(table.nested ?? []).flatMap((inner) => flatten(inner, columns))];
}

function stored({ name, type, unit }: Column): StoredColumn {
  return { name, type, ...(unit === undefined ? {} : { unit }) };
}
