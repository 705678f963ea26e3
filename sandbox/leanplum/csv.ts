/**
 * The CSV export of made-up sessions: what each kind of file holds, and the rows that Landfall has to make of it. It has
 * less than JSON: no parameters of states, no `impressed`, no row for a state without a name; and parameters of events
 * name the event's id alone.
 */

import type { CsvKind } from '../../vendors/leanplum/layout.js';
import { doubleText } from './lines.js';
import { iso, noRows, pairsOf, sessionRow, type LeanplumRows, type Row, type TableName } from './rows.js';
import type { Instant, Session } from './session.js';

/** The vendor's columns of each kind in their order. */
export const csvHeaders: Readonly<Record<CsvKind, readonly string[]>> = {
  sessions: [
    ...['sessionId', 'userId', 'userBucket', 'userStart', 'country', 'region', 'city', 'start', 'duration'],
    ...['lat', 'lon', 'locale', 'timezone', 'timezoneOffset', 'appVersion', 'client', 'sdkVersion', 'osName'],
    ...['osVersion', 'deviceModel', 'browserName', 'browserVersion', 'deviceId', 'priorEvents'],
    ...['priorSessions', 'priorTimeSpentInApp', 'priorStates', 'isDeveloper', 'isSession'],
    ...['sourcePublisherId', 'sourcePublisher', 'sourceSubPublisher', 'sourceSite', 'sourceCampaign'],
    ...['sourceAdGroup', 'sourceAd'],
  ],
  experiments: ['experimentId', 'sessionId', 'variantId'],
  states: ['stateId', 'sessionId', 'stateName', 'start', 'duration', 'info', 'timeUntilFirstForUser'],
  events: [
    ...['eventId', 'stateId', 'sessionId', 'eventName', 'start', 'value', 'info', 'timeUntilFirstForUser'],
  ],
  eventparameters: ['eventId', 'name', 'value'],
  userattributes: ['sessionId', 'name', 'value'],
};

/**
 * How instants are written, of which nothing is public: seconds since 1970 with a fraction, the same in E notation, or a
 * date with its time; UTC.
 */
export type InstantText = 'seconds' | 'scientific' | 'date';

/** A line of a file, and the row that it becomes, without what other lines have to tell: ordinals, the event's session. */
export interface CsvRecord {
  /** In the order of `csvHeaders`; an empty one is no value. */
  readonly values: readonly string[];
  readonly row: Row;
}

export type CsvRecords = Readonly<Record<CsvKind, readonly CsvRecord[]>>;

export function csvRecords(sessions: readonly Session[], instants: InstantText): CsvRecords {
  const records = {
    sessions: sessions.map((session) => sessionRecord(session, instants)),
    experiments: [] as CsvRecord[],
    states: [] as CsvRecord[],
    events: [] as CsvRecord[],
    eventparameters: [] as CsvRecord[],
    userattributes: [] as CsvRecord[],
  };
  for (const { sessionId: session_id, states = [], experiments = [], userAttributes } of sessions) {
    for (const { id, variantId } of experiments) {
      const [experiment_id, variant_id] = [String(id), String(variantId)];
      records.experiments.push({
        values: [experiment_id, session_id, variant_id],
        row: { session_id, experiment_id, variant_id, impressed: null },
      });
    }
    for (const state of states) {
      const state_id = String(state.stateId);
      if (state.name !== undefined)
        records.states.push(record([state_id, session_id], state, { session_id, state_id }, instants));
      for (const event of state.events) {
        const event_id = String(event.eventId);
        const ids = { session_id, state_id, event_id };
        records.events.push(record([event_id, state_id, session_id], event, ids, instants));
        for (const pair of pairsOf(event.parameters)) {
          records.eventparameters.push({
            values: [event_id, pair.name, pair.value],
            row: { event_id, ...pair },
          });
        }
      }
    }
    for (const pair of pairsOf(userAttributes)) {
      records.userattributes.push({
        values: [session_id, pair.name, pair.value],
        row: { session_id, ...pair },
      });
    }
  }
  return records;
}

/** What a state and an event have in common, and the one column in which they differ. */
interface Happened {
  readonly name?: string | undefined;
  readonly time?: Instant | undefined;
  /** Of a state. */
  readonly duration?: number | undefined;
  /** Of an event. */
  readonly value?: number | undefined;
  readonly info?: string | undefined;
  readonly timeUntilFirstForUser?: number | undefined;
}

function record(ids: readonly string[], of: Happened, row: Row, instants: InstantText): CsvRecord {
  const { name = '', time, duration, value, info, timeUntilFirstForUser: until } = of;
  const start = time === undefined ? '' : instantText(time, instants);
  return {
    values: [...ids, name, start, double(duration ?? value), info ?? '', double(until)],
    row: {
      ...row,
      ...{ name, time: iso(time), info: info ?? null, time_until_first_for_user: until ?? null },
      ...(value === undefined ? { duration: duration ?? null } : { value }),
    },
  };
}

function sessionRecord(session: Session, instants: InstantText): CsvRecord {
  // DECIMAL(12,2), where JSON has three digits behind the point.
  const prior_time_spent_in_app = session.priorTimeSpentInApp.toFixed(2);
  const row = { ...sessionRow(session), prior_time_spent_in_app: Number(prior_time_spent_in_app) };
  const named: Readonly<Record<string, string | undefined>> = {
    userBucket: String(session.userBucket),
    userStart: instantText(session.firstRun, instants),
    start: instantText(session.time, instants),
    duration: doubleText(session.duration),
    // DECIMAL(7,2).
    timezoneOffset: `${session.timezoneOffsetSeconds}.00`,
    osName: session.systemName,
    osVersion: session.systemVersion,
    priorEvents: String(session.priorEvents),
    priorSessions: String(session.priorSessions),
    priorStates: String(session.priorStates),
    priorTimeSpentInApp: prior_time_spent_in_app,
    isDeveloper: session.isDeveloper === undefined ? '' : String(session.isDeveloper),
    isSession: String(session.isSession),
  };
  const texts = session as unknown as Readonly<Record<string, string | undefined>>;
  return { values: csvHeaders.sessions.map((header) => named[header] ?? texts[header] ?? ''), row };
}

function instantText(instant: Instant, as: InstantText): string {
  const seconds = Number(instant);
  if (as === 'seconds') return seconds.toFixed(3);
  if (as === 'scientific') return doubleText(seconds);
  return new Date(Math.round(seconds * 1_000)).toISOString().replace('T', ' ').replace('Z', '');
}

function double(value: number | undefined): string {
  return value === undefined ? '' : doubleText(value);
}

/** Text of a file with its header. */
export function csvText(
  headers: readonly string[],
  lines: readonly (readonly string[])[],
  lineBreak: LineBreak = '\n',
): string {
  return [headers, ...lines].map((values) => csvLine(values, lineBreak)).join('');
}

/** Quoted as in RFC 4180 where a value needs it. */
export function csvLine(values: readonly string[], lineBreak: LineBreak = '\n'): string {
  return values.map(quoted).join() + lineBreak;
}

type LineBreak = '\n' | '\r\n';

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/**
 * The rows that these records become: numbered within their session in the order of the files, events with their state
 * where it has a row, parameters with the first event of that id. `orphans` are parameters of no event that is there,
 * `ambiguous` those of an id that occurs in several sessions: they are of nobody's.
 */
export function rowsOfCsv(records: CsvRecords): {
  readonly rows: LeanplumRows;
  readonly orphans: number;
  readonly ambiguous: number;
} {
  const rows = noRows();
  const numbers = new Map<string, number>();
  const put = (table: TableName, row: Row): Row => {
    const place = `${table} ${String(row['session_id'])}`;
    const ordinal = (numbers.get(place) ?? 0) + 1;
    numbers.set(place, ordinal);
    const numbered = { ...row, ordinal: String(ordinal) };
    rows[table].push(numbered);
    return numbered;
  };
  rows.session.push(...records.sessions.map(({ row }) => row));
  const states = new Map<string, Row>();
  for (const { row } of records.states) {
    const state = put('state', row);
    const place = placeOf(row);
    if (!states.has(place)) states.set(place, state);
  }
  const events = new Map<string, Row>();
  const shared = new Set<string>();
  for (const { row } of records.events) {
    const state_ordinal = states.get(placeOf(row))?.['ordinal'] ?? null;
    const event = put('event', { ...row, state_ordinal, has_state: state_ordinal !== null });
    const id = String(row['event_id']);
    const first = events.get(id);
    if (first === undefined) events.set(id, event);
    else if (first['session_id'] !== event['session_id']) shared.add(id);
  }
  let orphans = 0;
  let ambiguous = 0;
  for (const { row } of records.eventparameters) {
    const event = events.get(String(row['event_id']));
    if (!event) orphans += 1;
    else if (shared.has(String(row['event_id']))) ambiguous += 1;
    else {
      const { session_id = null, ordinal: event_ordinal = null } = event;
      put('event_parameter', { ...row, session_id, event_ordinal });
    }
  }
  for (const { row } of records.experiments) put('experiment', row);
  for (const { row } of records.userattributes) put('user_attribute', row);
  return { rows, orphans, ambiguous };
}

function placeOf(row: Row): string {
  return `${String(row['session_id'])} ${String(row['state_id'])}`;
}
