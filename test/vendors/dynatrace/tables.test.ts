import assert from 'node:assert/strict';

import { session, storedTables } from '../../../vendors/dynatrace/tables.js';
import { dynatrace } from '../../../vendors/dynatrace/vendor.js';
import type { Table } from '../../../vendors/table.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { columnsOf, expected, ours, silentIn, tableOf } from '../catalog.js';
import { current, older } from './documents.js';
import { createTablesOf } from '../create-tables.js';
import { putRows } from '../put-rows.js';
import { unfold, type Row } from './unfold.js';

/** The fields of the vendor's tables, by the objects that they are of; those that hold rows are left out. */
const described: Readonly<Record<string, string>> = {
  user_session:
    'appVersion applicationType bounce browserFamily browserMajorVersion browserMonitorId browserMonitorName browserType ' +
    'carrier city clientTimeOffset clientType connectionType continent country crashGroupId device displayResolution ' +
    'duration endReason endTime hasCrash hasError hasSessionReplay internalUserId ip isp manufacturer ' +
    'matchingConversionGoals matchingConversionGoalsCount networkTechnology newUser numberOfRageClicks numberOfRageTaps ' +
    'osFamily osVersion partNumber reasonForNoSessionReplay reasonForNoSessionReplayMobile region replayEnd replayStart ' +
    'rootedOrJailbroken screenHeight screenOrientation screenWidth startTime tenantId totalErrorCount ' +
    'totalLicenseCreditCount userActionCount userExperienceScore userId userSessionId userType',
  user_action:
    'apdexCategory application cdnBusyTime cdnResources cumulativeLayoutShift customErrorCount dateProperties ' +
    'documentInteractiveTime domCompleteTime domContentLoadedTime domain doubleProperties duration endTime ' +
    'firstInputDelay firstPartyBusyTime firstPartyResources frontendTime hasCrash internalApplicationId ' +
    'internalKeyUserActionId javascriptErrorCount keyUserAction largestContentfulPaint loadEventEnd loadEventStart ' +
    'longProperties matchingConversionGoals name navigationStart networkTime requestErrorCount requestStart responseEnd ' +
    'responseStart serverTime speedIndex startTime stringProperties syntheticEvent syntheticEventId targetUrl ' +
    'thirdPartyBusyTime thirdPartyResources totalBlockingTime type userActionPropertyCount visuallyCompleteTime',
  user_event:
    'application domain internalApplicationId metadata name page pageGroup pageReferrer pageReferrerGroup startTime type',
  user_error: 'application domain internalApplicationId name startTime type',
  synthetic_event: 'errorCode errorName name sequenceNumber syntheticEventId timestamp type',
  session_property: 'key value',
};

const olderActions = 'errorCount failedImages failedXhrRequests httpRequestsWithErrors';

describe('the tables of a Dynatrace source', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTablesOf(dynatrace, database.pool, 'rum');
  });
  after(async () => database.drop());

  const found = async (sql: string): Promise<unknown[][]> =>
    (await database.pool.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;

  it('are six, each once, and are those that loads are merged into', () => {
    assert.deepEqual(
      storedTables.map(({ name }) => name),
      Object.keys(described),
    );
    const { how, tables } = dynatrace.landing('sessions');
    assert.equal(how, 'merge');
    assert.equal(tables, storedTables);
  });

  it('have a column for every field that the vendor describes, and for four more that actions had', () => {
    const tables: readonly Table[] = [session, ...session.nested];
    const fields = new Map<string, Set<string>>();
    for (const { name, columns } of tables) {
      const known = fields.get(name) ?? new Set();
      for (const { field } of columns) known.add(field);
      fields.set(name, known);
    }
    for (const [name, words] of Object.entries(described)) {
      const more = name === 'user_action' ? olderActions.split(' ') : [];
      assert.deepEqual([...(fields.get(name) ?? [])].sort(), [...words.split(' '), ...more].sort(), name);
    }
  });

  it('have the names of columns in the vendor’s words', () => {
    const snake = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const own: Readonly<Record<string, readonly string[]>> = {
      user_action: ['action_start_time', 'action_end_time'],
      user_event: ['event_start_time'],
      user_error: ['error_start_time'],
      session_property: ['long_value', 'double_value', 'date_value'],
    };
    for (const { name: table, columns } of [session, ...session.nested]) {
      for (const { name, field } of columns) {
        assert.ok(name === snake(field) || own[table]?.includes(name), `${table}.${name} of ${field}`);
      }
    }
  });

  it('a table within another holds its three columns, and none of its own by their names', () => {
    const [{ key }, ...others] = storedTables;
    for (const table of others) {
      assert.deepEqual(table.key, [...key, 'ordinal']);
      assert.deepEqual(
        table.columns.slice(0, 4).map(({ name }) => name),
        table.key,
      );
    }
    for (const { name, columns } of session.nested) {
      assert.ok(!columns.some((column) => key.includes(column.name)), name);
    }
  });

  for (const table of storedTables) {
    it(`${table.name} has its columns, all but the key nullable, and ours behind`, async () => {
      assert.deepEqual(await columnsOf(database.pool, 'rum', table.name), [
        ...expected(table.columns, table.key),
        ...ours,
      ]);
    });

    it(`${table.name} has a key, an index of files, one of days, and no other`, async () => {
      const there = await tableOf(database.pool, 'rum', table.name);
      const on = `ON rum.${table.name} USING`;
      const indexes = [
        `CREATE UNIQUE INDEX ${table.name}_pkey ${on} btree (${table.key.join(', ')})`,
        `CREATE INDEX ${table.name}_file ${on} brin (_file_id) WITH (autosummarize='on')`,
        `CREATE INDEX ${table.name}_time ${on} brin (start_time) WITH (autosummarize='on')`,
      ];
      assert.deepEqual(there, { partitions: null, indexes, foreignKeys: 0 });
    });
  }

  it('everything says what it is: tables, views and their columns have comments', async () => {
    assert.deepEqual(await silentIn(database.pool, 'rum'), []);
  });

  describe('documents of both generations', () => {
    const rowsOf = (document: Row, table: string): readonly Row[] =>
      unfold(session, document).get(table) ?? [];

    before(async () => {
      for (const document of [current, older]) {
        for (const [table, rows] of unfold(session, document))
          await putRows(database.pool, 'rum', table, rows);
      }
    });

    it('fill every column between them, and leave nothing to _extra', () => {
      for (const { name, columns } of storedTables) {
        const rows = [...rowsOf(current, name), ...rowsOf(older, name)];
        const never = columns.filter((column) => rows.every((row) => (row[column.name] ?? null) === null));
        // These are null in every session that did not crash, and in all that are no app.
        const may = ['crash_group_id', 'rooted_or_jailbroken'];
        assert.deepEqual(
          never.map((column) => column.name).filter((column) => !may.includes(column)),
          [],
          name,
        );
        assert.ok(
          rows.every((row) => (row['_extra'] ?? null) === null),
          name,
        );
      }
    });

    it('have one place and one operating system, whatever they called them', async () => {
      assert.deepEqual(
        await found(
          `select user_session_id, continent, country, region, city, os_family, os_version
           from rum.user_session order by 1`,
        ),
        [
          ['17_4', 'Africa', 'Ghana', 'Ashanti', 'Kumasi', 'Android', 'Android 7'],
          ['JKLMNO-0', 'Europe', 'Austria', 'Tyrol', 'Lienz', 'Linux', 'Linux 6'],
        ],
      );
    });

    it('have instants to the millisecond, and lengths as they came', async () => {
      assert.deepEqual(
        await found(
          `select ordinal, start_time, action_start_time, action_end_time, navigation_start, response_start,
                  cumulative_layout_shift
           from rum.user_action where user_session_id = 'JKLMNO-0' order by 1`,
        ),
        [
          [
            ...['1', new Date('2026-11-20T10:00:00.123Z'), new Date('2026-11-20T10:00:00.123Z')],
            ...[new Date('2026-11-20T10:00:01.623Z'), new Date('2026-11-20T10:00:00.118Z'), '90', 0.0312],
          ],
          [
            '2',
            new Date('2026-11-20T10:00:00.123Z'),
            new Date('2026-11-20T10:00:02.123Z'),
            null,
            null,
            null,
            null,
          ],
        ],
      );
    });

    it('have their properties and tags in one table, numbered on, typed where they can be', async () => {
      const columns = 'ordinal, type, field, key, value, long_value, double_value, date_value';
      const of = (id: string): Promise<unknown[][]> =>
        found(`select ${columns} from rum.session_property where user_session_id = '${id}' order by 1`);
      assert.deepEqual(await of('JKLMNO-0'), [
        ['1', 'string', 'stringProperties', 'plan', 'gold', null, null, null],
        // A text of digits is a text.
        ['2', 'string', 'stringProperties', 'digits', '12', null, null, null],
        ['3', 'long', 'longProperties', 'visits', '7', '7', 7, null],
        ['4', 'long', 'longProperties', 'large', '9223372036854775807', '9223372036854775807', 2 ** 63, null],
        ['5', 'double', 'doubleProperties', 'basket', '59.9', null, 59.9, null],
        ['6', 'double', 'doubleProperties', 'whole', '3', '3', 3, null],
        [
          '7',
          'date',
          'dateProperties',
          'joined',
          '2026-01-02T03:04:05Z',
          null,
          null,
          new Date('2026-01-02T03:04:05Z'),
        ],
        ['8', 'date', 'dateProperties', 'said', 'last week', null, null, null],
      ]);
      const since = Date.parse('2026-11-20T10:00:00.123Z');
      assert.deepEqual(await of('17_4'), [
        ['1', 'string', 'stringTags', 'tier', 'silver', null, null, null],
        ['2', 'double', 'numTags', 'score', '1.5', null, 1.5, null],
        ['3', 'double', 'numTags', 'level', '4', '4', 4, null],
        ['4', 'double', 'numTags', 'odd', 'many', null, null, null],
        ['5', 'date', 'dateTags', 'since', String(since), null, null, new Date(since)],
      ]);
    });
  });
});
