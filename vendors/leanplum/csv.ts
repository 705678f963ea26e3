/**
 * Which column of a CSV file fills which column of a table. Files have a header; columns are found by its names, without
 * regard to case or order. Values are quoted as in RFC 4180 and may hold line breaks.
 *
 * A table's columns that are not here stay null: `impressed` has no place in CSV, and `state_parameter` no file.
 */

import type { Column, Completion, CsvFile } from '../table.js';
import type { CsvKind } from './layout.js';
import { storedTables } from './tables.js';

const ordinal = 'ordinal';
const pairs = { key: 'name', value: 'value' } as const;

export const csvFiles: Readonly<Record<CsvKind, CsvFile>> = {
  sessions: {
    table: 'session',
    required: ['session_id'],
    headers: {
      session_id: 'sessionId',
      is_session: 'isSession',
      is_developer: 'isDeveloper',
      user_id: 'userId',
      device_id: 'deviceId',
      user_bucket: 'userBucket',
      time: 'start',
      duration: 'duration',
      first_run: 'userStart',
      prior_sessions: 'priorSessions',
      prior_states: 'priorStates',
      prior_events: 'priorEvents',
      prior_time_spent_in_app: 'priorTimeSpentInApp',
      country: 'country',
      region: 'region',
      city: 'city',
      lat: 'lat',
      lon: 'lon',
      locale: 'locale',
      timezone: 'timezone',
      // A DECIMAL(7,2), `-25200.00`: a fraction other than 0 makes a bad row.
      timezone_offset_seconds: 'timezoneOffset',
      app_version: 'appVersion',
      client: 'client',
      sdk_version: 'sdkVersion',
      system_name: 'osName',
      system_version: 'osVersion',
      device_model: 'deviceModel',
      browser_name: 'browserName',
      browser_version: 'browserVersion',
      source_publisher_id: 'sourcePublisherId',
      source_publisher: 'sourcePublisher',
      source_sub_publisher: 'sourceSubPublisher',
      source_site: 'sourceSite',
      source_campaign: 'sourceCampaign',
      source_ad_group: 'sourceAdGroup',
      source_ad: 'sourceAd',
    },
  },
  experiments: {
    table: 'experiment',
    required: ['session_id'],
    ordinal,
    headers: { session_id: 'sessionId', experiment_id: 'experimentId', variant_id: 'variantId' },
  },
  states: {
    table: 'state',
    required: ['session_id'],
    ordinal,
    headers: {
      session_id: 'sessionId',
      state_id: 'stateId',
      name: 'stateName',
      time: 'start',
      duration: 'duration',
      info: 'info',
      time_until_first_for_user: 'timeUntilFirstForUser',
    },
  },
  events: {
    table: 'event',
    required: ['session_id'],
    ordinal,
    headers: {
      session_id: 'sessionId',
      state_id: 'stateId',
      event_id: 'eventId',
      name: 'eventName',
      time: 'start',
      value: 'value',
      info: 'info',
      time_until_first_for_user: 'timeUntilFirstForUser',
    },
    // "The event is assigned a random 'StateId' and there will be no corresponding row in the 'states' table."
    lookup: {
      in: 'state',
      by: ['session_id', 'state_id'],
      takes: [
        { name: 'state_ordinal', of: ordinal },
        { name: 'has_state', of: ordinal, as: 'presence' },
      ],
      required: false,
    },
  },
  eventparameters: {
    table: 'event_parameter',
    pairs,
    required: ['event_id'],
    ordinal,
    headers: { event_id: 'eventId', name: 'name', value: 'value' },
    // The file names no session: the event leads to it.
    lookup: {
      in: 'event',
      by: ['event_id'],
      takes: [
        { name: 'session_id', of: 'session_id' },
        { name: 'event_ordinal', of: ordinal },
      ],
      required: true,
    },
  },
  userattributes: {
    table: 'user_attribute',
    pairs,
    required: ['session_id'],
    ordinal,
    headers: { session_id: 'sessionId', name: 'name', value: 'value' },
  },
};

/** The columns that a file fills, each with its header for the field. */
export function csvColumns({ table, headers }: CsvFile): readonly Column[] {
  const columns = storedTables.find(({ name }) => name === table)?.columns ?? [];
  return columns.flatMap((column) => {
    const field = headers[column.name];
    return field === undefined ? [] : [{ ...column, field }];
  });
}

/** States before the events that look for theirs, and events before their parameters. */
export const csvCompletions: readonly Completion[] = Object.values(csvFiles).flatMap(
  ({ table, ordinal, lookup }) =>
    ordinal === undefined ? [] : [{ table, ordinal, ...(lookup === undefined ? {} : { lookup }) }],
);
