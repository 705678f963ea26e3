import assert from 'node:assert/strict';

import { csvFiles } from '../../../vendors/leanplum/csv.js';
import { csvKinds } from '../../../vendors/leanplum/layout.js';
import { session, storedTables } from '../../../vendors/leanplum/tables.js';
import type { NestedTable } from '../../../vendors/table.js';
import { leanplum } from '../../../vendors/leanplum/vendor.js';
import { testDatabase, type TestDatabase } from '../../support/postgres.js';
import { columnsOf, expected, ours, silentIn, tableOf } from '../catalog.js';
import { createTablesOf } from '../create-tables.js';
import { putRows } from '../put-rows.js';
import { unfold } from './unfold.js';

/** Cut short from a real, sanitised line. Ids are beyond 2^53 and stand in quotes here only. */
const realLine = `{"country":"US","firstRun":"1.550040022647E9","priorStates":0,
  "experiments":[{"id":800315004,"variantId":796675005},{"id":800315004,"variantId":796675005}],
  "lon":"-100.13395690917969","isSession":false,"deviceId":"a",
  "states":[{"stateId":"-2977495587907092018","events":[
    {"eventId":"8457531699855530674","name":"E_Opened_App","time":"1.591474962721E9","value":0.0},
    {"eventId":"8457531699855530674","name":"E_Opened_App","time":1591474962.722,"parameters":{"How":"tap"}}]},
   {"stateId":"2","name":"Home","time":1.591474963E9,"duration":1.5,"parameters":{"Tab":"1"},
    "events":[{"eventId":"3","name":"E_Tapped"}]}],
  "duration":0.0,"userAttributes":{"Mailto Is Default":"True"},"sessionId":"1","userId":"a",
  "timezoneOffsetSeconds":-25200,"priorTimeSpentInApp":38830.438,"time":"1.591474962721E9","userBucket":767}`;

function nestedTables(tables: readonly NestedTable[] = session.nested): readonly NestedTable[] {
  return tables.flatMap((table) => [table, ...nestedTables(table.nested ?? [])]);
}

describe('the tables of a Leanplum source', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
    await createTablesOf(leanplum, database.pool, 'sessions');
  });
  after(async () => database.drop());

  it('are seven', () => {
    assert.deepEqual(
      storedTables.map(({ name }) => name),
      ['session', 'state', 'event', 'event_parameter', 'state_parameter', 'experiment', 'user_attribute'],
    );
  });

  for (const table of storedTables) {
    it(`${table.name} has its columns, all but the key nullable, and ours behind`, async () => {
      assert.deepEqual(await columnsOf(database.pool, 'sessions', table.name), [
        ...expected(table.columns, table.key),
        ...ours,
      ]);
    });

    it(`${table.name} has a key, an index of files, and no other`, async () => {
      const there = await tableOf(database.pool, 'sessions', table.name);
      const on = `ON sessions.${table.name} USING`;
      const indexes = [
        `CREATE UNIQUE INDEX ${table.name}_pkey ${on} btree (${table.key.join(', ')})`,
        `CREATE INDEX ${table.name}_file ${on} brin (_file_id) WITH (autosummarize='on')`,
      ];
      assert.deepEqual(there, { partitions: null, indexes, foreignKeys: 0 });
    });
  }

  it('a real line fits, with its ids and instants exact', async () => {
    const rows = unfold(session, JSON.parse(realLine) as Record<string, unknown>);
    for (const [table, list] of rows) await putRows(database.pool, 'sessions', table, list);
    const found = async (sql: string): Promise<unknown[][]> =>
      (await database.pool.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;
    assert.deepEqual(
      await found(`select session_id, is_session, is_developer, lon, time, first_run, timezone_offset_seconds,
                          prior_time_spent_in_app from sessions.session`),
      [
        [
          ...['1', false, null, -100.13395690917969, new Date('2020-06-06T20:22:42.721Z')],
          ...[new Date('2019-02-13T06:40:22.647Z'), '-25200', 38830.438],
        ],
      ],
    );
    assert.deepEqual(await found('select ordinal, state_id, name, duration from sessions.state order by 1'), [
      ['1', '-2977495587907092018', null, null],
      ['2', '2', 'Home', 1.5],
    ]);
    assert.deepEqual(
      await found(`select ordinal, state_ordinal, state_id, has_state, event_id, time
                   from sessions.event order by 1`),
      [
        ...[
          ['1', '1', '-2977495587907092018', false, '8457531699855530674', '2020-06-06T20:22:42.721Z'],
          ['2', '1', '-2977495587907092018', false, '8457531699855530674', '2020-06-06T20:22:42.722Z'],
        ].map((row) => [...row.slice(0, 5), new Date(row[5] as string)]),
        ['3', '2', '2', true, '3', null],
      ],
    );
    assert.deepEqual(
      await found('select ordinal, event_ordinal, event_id, name, value from sessions.event_parameter'),
      [['1', '2', '8457531699855530674', 'How', 'tap']],
    );
    assert.deepEqual(
      await found('select ordinal, state_ordinal, state_id, name, value from sessions.state_parameter'),
      [['1', '2', '2', 'Tab', '1']],
    );
    assert.deepEqual(
      await found('select ordinal, experiment_id, variant_id, impressed from sessions.experiment order by 1'),
      [
        ['1', '800315004', '796675005', null],
        ['2', '800315004', '796675005', null],
      ],
    );
    assert.deepEqual(await found('select session_id, ordinal, name, value from sessions.user_attribute'), [
      ['1', '1', 'Mailto Is Default', 'True'],
    ]);
  });

  it('everything says what it is: tables, views and their columns have comments', async () => {
    assert.deepEqual(await silentIn(database.pool, 'sessions'), []);
  });

  describe('as the CSV export fills them', () => {
    const stored = (table: string) =>
      storedTables.find(({ name }) => name === table)!.columns.map(({ name }) => name);

    /** The vendor's columns in their order. */
    const headers: Readonly<Record<(typeof csvKinds)[number], string>> = {
      sessions:
        'sessionId,userId,userBucket,userStart,country,region,city,start,duration,lat,lon,locale,timezone,' +
        'timezoneOffset,appVersion,client,sdkVersion,osName,osVersion,deviceModel,browserName,browserVersion,' +
        'deviceId,priorEvents,priorSessions,priorTimeSpentInApp,priorStates,isDeveloper,isSession,' +
        'sourcePublisherId,sourcePublisher,sourceSubPublisher,sourceSite,sourceCampaign,sourceAdGroup,sourceAd',
      userattributes: 'sessionId,name,value',
      experiments: 'experimentId,sessionId,variantId',
      states: 'stateId,sessionId,stateName,start,duration,info,timeUntilFirstForUser',
      events: 'eventId,stateId,sessionId,eventName,start,value,info,timeUntilFirstForUser',
      eventparameters: 'eventId,name,value',
    };

    for (const kind of csvKinds) {
      const file = csvFiles[kind];

      it(`${kind}: every column of the vendor's goes somewhere`, () => {
        assert.deepEqual(Object.values(file.headers).sort(), headers[kind].split(',').sort());
      });

      it(`${kind}: every column of the table is filled once, but for impressed`, () => {
        const looked = file.lookup?.takes.map(({ name }) => name) ?? [];
        const filled = [...Object.keys(file.headers), ...looked, ...(file.ordinal ? [file.ordinal] : [])];
        const expected = stored(file.table).filter((name) => name !== 'impressed');
        assert.deepEqual(filled.sort(), [...expected].sort());
      });

      it(`${kind}: what it needs is there to be had`, () => {
        assert.ok(file.required.every((name) => name in file.headers));
        if (!file.lookup) return;
        const { in: other, by, takes } = file.lookup;
        assert.ok(by.every((name) => name in file.headers && stored(other).includes(name)));
        assert.ok(takes.every(({ of }) => stored(other).includes(of)));
      });
    }

    it('no file has parameters of states', () => {
      const filled = Object.values(csvFiles).map(({ table }) => table);
      const tables = ['session', ...nestedTables().map(({ name }) => name)];
      assert.deepEqual(
        tables.filter((name) => !filled.includes(name)),
        ['state_parameter'],
      );
    });
  });
});
