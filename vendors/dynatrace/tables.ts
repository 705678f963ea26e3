/**
 * The six tables, and where their columns stand in documents. The DDL is in sql/001-tables.sql; a test holds the two
 * against each other. A line is a session, or one of the parts that a long session is split into, with everything in it:
 *
 *     userActions[], events[], errors[], syntheticEvents[]                → user_action, user_event, user_error, synthetic_event
 *     stringProperties[], longProperties[], doubleProperties[], dateProperties[]
 *     stringTags{}, numTags{}, dateTags{} of older documents              → session_property
 *
 * The vendor's key is tenantId-userSessionId-startTime, the `_id` that it gives documents for Elasticsearch. What lies in a
 * session has no id of its own: it is numbered, and holds those three columns too. So `start_time` is the session's in
 * every table, and a row's own time has another name. docs/decisions/0012-dynatrace-tables.md weighs the others.
 */

import type { Column, ColumnType, Inherited, NestedTable, RootTable } from '../table.js';

const column =
  (type: ColumnType) =>
  (name: string, field: string = name, older?: string): Column => ({
    ...{ name, type, field },
    ...(older === undefined ? {} : { older }),
  });
const text = column('text');
const whole = column('bigint');
const number = column('double precision');
const flag = column('boolean');
/** "UTC milliseconds". */
const instant = column('timestamptz');
const json = column('jsonb');

const key = ['tenant_id', 'user_session_id', 'start_time'] as const;
const ordinal = 'ordinal';
const ofSession: readonly Inherited[] = key.map((name) => ({ name, of: name }));
const numbered = { key: ordinal, ordinal, ofFile: [], inherits: ofSession } as const;

const userAction: NestedTable = {
  ...numbered,
  name: 'user_action',
  within: { field: 'userActions', as: 'list' },
  columns: [
    text('name'),
    text('type'),
    instant('action_start_time', 'startTime'),
    instant('action_end_time', 'endTime'),
    whole('duration'),
    text('application'),
    text('internal_application_id', 'internalApplicationId'),
    text('domain'),
    text('target_url', 'targetUrl'),
    text('apdex_category', 'apdexCategory'),
    flag('key_user_action', 'keyUserAction'),
    text('internal_key_user_action_id', 'internalKeyUserActionId'),
    flag('has_crash', 'hasCrash'),
    whole('custom_error_count', 'customErrorCount'),
    whole('javascript_error_count', 'javascriptErrorCount'),
    whole('request_error_count', 'requestErrorCount'),
    // Of older documents, and none of them is another name for one of the three: these count other things.
    whole('error_count', 'errorCount'),
    whole('failed_images', 'failedImages'),
    whole('failed_xhr_requests', 'failedXhrRequests'),
    whole('http_requests_with_errors', 'httpRequestsWithErrors'),
    json('matching_conversion_goals', 'matchingConversionGoals'),
    text('synthetic_event', 'syntheticEvent'),
    text('synthetic_event_id', 'syntheticEventId'),
    // All that follow are lengths in milliseconds, or counts, but this instant …
    instant('navigation_start', 'navigationStart'),
    whole('request_start', 'requestStart'),
    whole('response_start', 'responseStart'),
    whole('response_end', 'responseEnd'),
    whole('document_interactive_time', 'documentInteractiveTime'),
    whole('dom_content_loaded_time', 'domContentLoadedTime'),
    whole('dom_complete_time', 'domCompleteTime'),
    whole('load_event_start', 'loadEventStart'),
    whole('load_event_end', 'loadEventEnd'),
    whole('visually_complete_time', 'visuallyCompleteTime'),
    whole('speed_index', 'speedIndex'),
    whole('first_input_delay', 'firstInputDelay'),
    whole('largest_contentful_paint', 'largestContentfulPaint'),
    // … and this score.
    number('cumulative_layout_shift', 'cumulativeLayoutShift'),
    whole('total_blocking_time', 'totalBlockingTime'),
    whole('network_time', 'networkTime'),
    whole('server_time', 'serverTime'),
    whole('frontend_time', 'frontendTime'),
    whole('first_party_resources', 'firstPartyResources'),
    whole('first_party_busy_time', 'firstPartyBusyTime'),
    whole('third_party_resources', 'thirdPartyResources'),
    whole('third_party_busy_time', 'thirdPartyBusyTime'),
    whole('cdn_resources', 'cdnResources'),
    whole('cdn_busy_time', 'cdnBusyTime'),
    whole('user_action_property_count', 'userActionPropertyCount'),
    json('string_properties', 'stringProperties'),
    json('long_properties', 'longProperties'),
    json('double_properties', 'doubleProperties'),
    json('date_properties', 'dateProperties'),
  ],
};

const userEvent: NestedTable = {
  ...numbered,
  name: 'user_event',
  within: { field: 'events', as: 'list' },
  columns: [
    text('type'),
    text('name'),
    instant('event_start_time', 'startTime'),
    text('application'),
    text('internal_application_id', 'internalApplicationId'),
    text('domain'),
    text('metadata'),
    text('page'),
    text('page_group', 'pageGroup'),
    text('page_referrer', 'pageReferrer'),
    text('page_referrer_group', 'pageReferrerGroup'),
  ],
};

const userError: NestedTable = {
  ...numbered,
  name: 'user_error',
  within: { field: 'errors', as: 'list' },
  columns: [
    text('type'),
    text('name'),
    instant('error_start_time', 'startTime'),
    text('application'),
    text('internal_application_id', 'internalApplicationId'),
    text('domain'),
  ],
};

const syntheticEvent: NestedTable = {
  ...numbered,
  name: 'synthetic_event',
  within: { field: 'syntheticEvents', as: 'list' },
  columns: [
    text('synthetic_event_id', 'syntheticEventId'),
    whole('sequence_number', 'sequenceNumber'),
    text('name'),
    text('type'),
    instant('timestamp'),
    whole('error_code', 'errorCode'),
    text('error_name', 'errorName'),
  ],
};

/** Typed where it can be; `value` has it as it came, whatever it is. */
const typed = (type: ColumnType, name: string): Column => ({ name, type, field: 'value', lenient: true });
const longValue = typed('bigint', 'long_value');
const doubleValue = typed('double precision', 'double_value');
const dateValue = typed('timestamptz', 'date_value');

/** Properties of one kind: pairs, which older documents write as an object. */
const properties = (
  type: 'string' | 'long' | 'double' | 'date',
  field: string,
  as: 'list' | 'map',
  values: readonly Column[] = [],
): NestedTable => ({
  ...numbered,
  name: 'session_property',
  within: { field, as },
  fixed: { type, field },
  columns: [text('key'), text('value'), ...values],
  pairs: { key: 'key', value: 'value' },
});

/** A line of a body. */
export const session: RootTable = {
  name: 'user_session',
  key: 'user_session_id',
  required: ['tenant_id', 'start_time'],
  ofFile: [],
  columns: [
    text('tenant_id', 'tenantId'),
    text('user_session_id', 'userSessionId'),
    instant('start_time', 'startTime'),
    whole('part_number', 'partNumber'),
    instant('end_time', 'endTime'),
    whole('duration'),
    text('end_reason', 'endReason'),
    text('application_type', 'applicationType'),
    text('app_version', 'appVersion'),
    text('user_type', 'userType'),
    text('user_id', 'userId'),
    text('internal_user_id', 'internalUserId'),
    flag('new_user', 'newUser'),
    flag('bounce'),
    whole('user_action_count', 'userActionCount'),
    flag('has_error', 'hasError'),
    whole('total_error_count', 'totalErrorCount'),
    flag('has_crash', 'hasCrash'),
    text('crash_group_id', 'crashGroupId'),
    text('user_experience_score', 'userExperienceScore'),
    whole('number_of_rage_clicks', 'numberOfRageClicks'),
    whole('number_of_rage_taps', 'numberOfRageTaps'),
    json('matching_conversion_goals', 'matchingConversionGoals'),
    whole('matching_conversion_goals_count', 'matchingConversionGoalsCount'),
    whole('total_license_credit_count', 'totalLicenseCreditCount'),
    text('ip'),
    text('isp'),
    text('continent', 'continent', 'geolocationContinentName'),
    text('country', 'country', 'geolocationCountryName'),
    text('region', 'region', 'geolocationRegionName'),
    text('city', 'city', 'geolocationCityName'),
    text('browser_type', 'browserType'),
    text('browser_family', 'browserFamily'),
    text('browser_major_version', 'browserMajorVersion'),
    text('browser_monitor_id', 'browserMonitorId'),
    text('browser_monitor_name', 'browserMonitorName'),
    text('os_family', 'osFamily', 'osFamilyName'),
    text('os_version', 'osVersion', 'osVersionName'),
    text('manufacturer'),
    text('device'),
    flag('rooted_or_jailbroken', 'rootedOrJailbroken'),
    text('carrier'),
    text('network_technology', 'networkTechnology'),
    text('connection_type', 'connectionType'),
    whole('screen_width', 'screenWidth'),
    whole('screen_height', 'screenHeight'),
    text('screen_orientation', 'screenOrientation'),
    text('display_resolution', 'displayResolution'),
    text('client_type', 'clientType'),
    whole('client_time_offset', 'clientTimeOffset'),
    flag('has_session_replay', 'hasSessionReplay'),
    instant('replay_start', 'replayStart'),
    instant('replay_end', 'replayEnd'),
    text('reason_for_no_session_replay', 'reasonForNoSessionReplay'),
    text('reason_for_no_session_replay_mobile', 'reasonForNoSessionReplayMobile'),
  ],
  nested: [
    userAction,
    userEvent,
    userError,
    syntheticEvent,
    properties('string', 'stringProperties', 'list'),
    properties('long', 'longProperties', 'list', [longValue, doubleValue]),
    properties('double', 'doubleProperties', 'list', [longValue, doubleValue]),
    properties('date', 'dateProperties', 'list', [dateValue]),
    properties('string', 'stringTags', 'map'),
    // They do not say whether they are whole: `long_value` is where they are.
    properties('double', 'numTags', 'map', [longValue, doubleValue]),
    properties('date', 'dateTags', 'map', [dateValue]),
  ],
};

/** A column of a table in Postgres, before those that every table has. */
export type StoredColumn = Pick<Column, 'name' | 'type'>;

/** A table with all its columns, and those of its primary key. */
export interface StoredTable {
  readonly name: string;
  readonly columns: readonly StoredColumn[];
  readonly key: readonly string[];
}

const keyColumns = session.columns.filter(({ name }) => key.some((column) => column === name)).map(stored);

/** Every table that documents fill, once, with the columns of all that its rows are made of. */
export const storedTables: readonly [StoredTable, ...StoredTable[]] = [
  { name: session.name, columns: session.columns.map(stored), key },
  ...[...new Set(session.nested.map(({ name }) => name))].map((name) => {
    const entries = session.nested.filter((table) => table.name === name);
    const columns = entries.flatMap(({ columns, fixed = {} }) => [
      ...Object.keys(fixed).map((fixedName) => ({ name: fixedName, type: 'text' as const })),
      ...columns.map(stored),
    ]);
    return {
      name,
      columns: unique([...keyColumns, { name: ordinal, type: 'bigint' }, ...columns]),
      key: [...key, ordinal],
    };
  }),
];

function stored({ name, type }: StoredColumn): StoredColumn {
  return { name, type };
}

function unique(columns: readonly StoredColumn[]): readonly StoredColumn[] {
  return [...new Map(columns.map((column) => [column.name, column])).values()];
}
