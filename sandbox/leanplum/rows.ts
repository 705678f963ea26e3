/** The rows that Landfall has to hold of a session that came as JSON: written out by hand, apart from its declarations. */

import type { Attributes, Instant, Session } from './session.js';

export const tableNames = [
  'session',
  'state',
  'event',
  'event_parameter',
  'state_parameter',
  'experiment',
  'user_attribute',
] as const;

export type TableName = (typeof tableNames)[number];

/**
 * Columns of a table but for Landfall's own, which begin with an underscore. What Postgres holds as bigint is text here,
 * as drivers give it, and an instant is in ISO 8601, UTC, with milliseconds.
 */
export type Row = Readonly<Record<string, string | number | boolean | null>>;

/** In the order in which the export has them. */
export type LeanplumRows = Readonly<Record<TableName, readonly Row[]>>;

export type RowCounts = Readonly<Record<TableName, number>>;

export function rowsOf(sessions: readonly Session[]): LeanplumRows {
  const rows = noRows();
  for (const session of sessions) {
    rows.session.push(sessionRow(session));
    putHappenings(rows, session);
  }
  return rows;
}

export function countRows(rows: LeanplumRows): RowCounts {
  return byTable((name) => rows[name].length);
}

/** What the tables hold after these loads, one after the other: a session that comes again replaces its rows everywhere. */
export function mergeRows(...loads: readonly LeanplumRows[]): LeanplumRows {
  return loads.reduce((before, load) => {
    const again = new Set(load.session.map((row) => row['session_id']));
    return byTable((name) => [...before[name].filter((row) => !again.has(row['session_id'])), ...load[name]]);
  }, noRows());
}

export function byTable<T>(of: (name: TableName) => T): Readonly<Record<TableName, T>> {
  return Object.fromEntries(tableNames.map((name) => [name, of(name)])) as Record<TableName, T>;
}

export function noRows(): Readonly<Record<TableName, Row[]>> {
  return byTable(() => []);
}

export function sessionRow(session: Session): Row {
  return {
    session_id: session.sessionId,
    is_session: session.isSession,
    is_developer: session.isDeveloper ?? null,
    user_id: session.userId,
    device_id: session.deviceId ?? null,
    user_bucket: String(session.userBucket),
    time: iso(session.time),
    duration: session.duration,
    first_run: iso(session.firstRun),
    prior_sessions: String(session.priorSessions),
    prior_states: String(session.priorStates),
    prior_events: String(session.priorEvents),
    prior_time_spent_in_app: session.priorTimeSpentInApp,
    country: session.country ?? null,
    region: session.region ?? null,
    city: session.city ?? null,
    lat: session.lat === undefined ? null : Number(session.lat),
    lon: session.lon === undefined ? null : Number(session.lon),
    locale: session.locale ?? null,
    timezone: session.timezone ?? null,
    timezone_offset_seconds: String(session.timezoneOffsetSeconds),
    app_version: session.appVersion ?? null,
    client: session.client,
    sdk_version: session.sdkVersion,
    system_name: session.systemName ?? null,
    system_version: session.systemVersion ?? null,
    device_model: session.deviceModel ?? null,
    browser_name: session.browserName ?? null,
    browser_version: session.browserVersion ?? null,
    source_publisher_id: session.sourcePublisherId ?? null,
    source_publisher: session.sourcePublisher ?? null,
    source_sub_publisher: session.sourceSubPublisher ?? null,
    source_site: session.sourceSite ?? null,
    source_campaign: session.sourceCampaign ?? null,
    source_ad_group: session.sourceAdGroup ?? null,
    source_ad: session.sourceAd ?? null,
  };
}

/** Ordinals count from 1 within the session, over all of its states and events. */
function putHappenings(rows: Readonly<Record<TableName, Row[]>>, session: Session): void {
  const session_id = session.sessionId;
  const numbers = new Map<TableName, number>();
  const put = (table: TableName, row: Row): string => {
    const ordinal = (numbers.get(table) ?? 0) + 1;
    numbers.set(table, ordinal);
    rows[table].push({ session_id, ordinal: String(ordinal), ...row });
    return String(ordinal);
  };
  for (const state of session.states ?? []) {
    const state_id = String(state.stateId);
    const state_ordinal = put('state', {
      state_id,
      name: state.name ?? null,
      time: iso(state.time),
      duration: state.duration ?? null,
      info: state.info ?? null,
      time_until_first_for_user: state.timeUntilFirstForUser ?? null,
    });
    for (const event of state.events) {
      const event_id = String(event.eventId);
      const event_ordinal = put('event', {
        ...{ state_ordinal, state_id, has_state: state.name !== undefined, event_id },
        name: event.name,
        time: iso(event.time),
        value: event.value,
        info: event.info ?? null,
        time_until_first_for_user: event.timeUntilFirstForUser ?? null,
      });
      for (const pair of pairsOf(event.parameters))
        put('event_parameter', { event_ordinal, event_id, ...pair });
    }
    for (const pair of pairsOf(state.parameters))
      put('state_parameter', { state_ordinal, state_id, ...pair });
  }
  for (const { id, variantId, impressed = null } of session.experiments ?? []) {
    put('experiment', { experiment_id: String(id), variant_id: String(variantId), impressed });
  }
  for (const pair of pairsOf(session.userAttributes)) put('user_attribute', pair);
}

/** A row of a parameter or attribute, without what it belongs to. */
export type Pair = Readonly<Record<'name' | 'value', string>>;

export function pairsOf(attributes: Attributes = {}): readonly Pair[] {
  return Object.entries(attributes).map(([name, value]) => ({ name, value: String(value) }));
}

/** To the millisecond, which is what the columns hold. */
export function iso(instant: Instant | undefined): string | null {
  return instant === undefined ? null : new Date(Math.round(Number(instant) * 1_000)).toISOString();
}
