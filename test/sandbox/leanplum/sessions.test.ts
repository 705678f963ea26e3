import assert from 'node:assert/strict';

import { doubleText, jsonLine } from '../../../sandbox/leanplum/lines.js';
import { countRows, mergeRows, rowsOf, tableNames, type Row } from '../../../sandbox/leanplum/rows.js';
import type { Event, Session, State } from '../../../sandbox/leanplum/session.js';
import { makeSessions } from '../../../sandbox/leanplum/sessions.js';
import { session, storedTables } from '../../../vendors/leanplum/tables.js';
import { leanplum } from '../../../vendors/leanplum/vendor.js';
import { parseLine } from '../../support/leanplum-lines.js';
import { heldRows, inKeyOrder } from '../../support/leanplum-rows.js';
import { testDatabase } from '../../support/postgres.js';
import { createTablesOf } from '../../vendors/create-tables.js';
import { putRows } from '../../vendors/put-rows.js';
import { unfold } from '../../vendors/leanplum/unfold.js';

const until = Date.parse('2026-11-20T18:00:00Z');
const day = 86_400_000;
const sessions = makeSessions({ count: 120, until });
const statesOf = ({ states = [] }: Session): readonly State[] => states;
const eventsOf = (one: Session): readonly Event[] => statesOf(one).flatMap(({ events }) => events);

/** Fields in the order of the vendor's page. */
const page =
  'isSession,appVersion,country,timezone,region,city,locale,deviceModel,priorEvents,priorStates,priorSessions,' +
  'systemName,systemVersion,time,deviceId,firstRun,sourcePublisherId,sourcePublisher,sourceSubPublisher,' +
  'sourceSite,sourceCampaign,sourceAdGroup,sourceAd,userId,client,browserName,browserVersion,sdkVersion,' +
  'sessionId,lat,lon,duration,priorTimeSpentInApp,timezoneOffsetSeconds,userBucket,isDeveloper,experiments,' +
  'states,userAttributes';

describe('made-up Leanplum sessions', () => {
  it('have all that the vendor’s own have to trip over', () => {
    const some = (is: (one: Session) => boolean) => sessions.some(is);
    const someState = (is: (state: State) => boolean) => sessions.some((one) => statesOf(one).some(is));
    const someEvent = (is: (event: Event) => boolean) => sessions.some((one) => eventsOf(one).some(is));
    const beyond = (id: bigint) => id > 2n ** 53n;
    const oddities: Readonly<Record<string, boolean>> = {
      'a time that is a number': some(({ time }) => typeof time === 'number'),
      'a time that is a text in E notation': some(({ time }) => /^"1\.\d+E9"$/.test(JSON.stringify(time))),
      'no session': some(
        ({ isSession, duration, ...one }) =>
          !isSession && duration === 0 && eventsOf(one as Session).length > 0,
      ),
      'a developer': some(({ isDeveloper }) => isDeveloper === true),
      'nothing said of developers': some(({ isDeveloper }) => isDeveloper === undefined),
      'the same experiment three times': some(
        ({ experiments = [] }) =>
          experiments.length === 3 && new Set(experiments.map(({ id }) => id)).size === 1,
      ),
      'no list of experiments': some(({ experiments }) => experiments === undefined),
      'an empty list of experiments': some(({ experiments }) => experiments?.length === 0),
      'the same event four times in a state': someState(
        ({ events }) =>
          events.filter(({ eventId }) => eventId === events.find(({ name }) => name === 'Scrolled')?.eventId)
            .length === 4,
      ),
      'the same state twice': some((one) => {
        const ids = statesOf(one).map(({ stateId }) => stateId);
        return new Set(ids).size < ids.length;
      }),
      'a dummy state': someState(
        (state) => Object.values(state).filter((value) => value !== undefined).length === 2,
      ),
      'events inside and outside of a state': some(
        (one) => new Set(statesOf(one).map(({ name }) => name !== undefined)).size === 2,
      ),
      'no list of states': some(({ states }) => states === undefined),
      'an empty list of states': some(({ states }) => states?.length === 0),
      'an event id beyond 2^53': someEvent(({ eventId }) => beyond(eventId)),
      'an event id below -2^53': someEvent(({ eventId }) => beyond(-eventId)),
      'a state id beyond 2^53': someState(({ stateId }) => beyond(stateId)),
      'a state id below -2^53': someState(({ stateId }) => beyond(-stateId)),
      'a session id beyond 2^53': some(({ sessionId }) => beyond(BigInt(sessionId))),
      'a message that was sent': someEvent(({ name }) => /^\.m\d+$/.test(name)),
      'a message that was seen': someEvent(({ name }) => /^\.m\d+ View$/.test(name)),
      'an action of two words': someEvent(({ name }) => /^\.m\d+ Held Back$/.test(name)),
      'a purchase while away': some(
        (one) => !one.isSession && eventsOf(one).some(({ name }) => name === 'Purchase'),
      ),
      'parameters of an event': someEvent(({ parameters }) => parameters !== undefined),
      'parameters that are no text': someEvent(
        ({ parameters }) => parameters?.['Count'] === 3n && parameters['Retry'] === false,
      ),
      'parameters of a state': someState(({ parameters }) => parameters !== undefined),
      'attributes with a space in their names': some(
        ({ userAttributes }) => userAttributes?.['Newsletter Opt In'] === 'True',
      ),
      'no attributes': some(({ userAttributes }) => userAttributes === undefined),
      'a line feed in a value': some((one) => jsonLine(one).includes(String.raw`\nand`)),
      'a quotation mark in a name': some((one) =>
        Object.keys(one.userAttributes ?? {}).includes('Last "note"'),
      ),
      'characters beyond 16 bits': some((one) => jsonLine(one).includes('🧦')),
      'nobody knows where': some(({ country, lat }) => country === undefined && lat === undefined),
      'a browser': some(({ browserName }) => browserName !== undefined),
      'a publisher': some(({ sourcePublisher }) => sourcePublisher !== undefined),
      'another order of the fields': some((one) => Object.keys(one)[0] === 'userAttributes'),
      'a session that comes late': some(({ time }) => Number(time) * 1_000 < until - 2 * day),
    };
    assert.deepEqual(
      Object.keys(oddities).filter((name) => !oddities[name]),
      [],
    );
  });

  it('stand in lines in the order of the vendor’s page', () => {
    const [first] = sessions;
    const fields = Object.keys(parseLine(jsonLine({ ...first!, states: [] })));
    assert.deepEqual(
      fields,
      page.split(',').filter((field) => fields.includes(field)),
    );
    assert.equal(Object.keys(first!).join(), page);
  });

  it('have the vendor’s types: bare ids, doubles with a point, the session’s own id and places as texts', () => {
    for (const one of sessions) {
      const line = jsonLine(one);
      assert.doesNotMatch(line, /\n/);
      assert.match(line, /"sessionId":"\d+"/);
      assert.match(line, /"duration":\d+\.\d+[,}]/);
      assert.match(line, /"userBucket":\d+[,}]/);
      for (const { stateId } of statesOf(one)) assert.ok(line.includes(`"stateId":${stateId}`));
      for (const { eventId } of eventsOf(one)) assert.ok(line.includes(`"eventId":${eventId}`));
    }
    assert.ok(sessions.every(({ lat }) => lat === undefined || typeof lat === 'string'));
  });

  it('are the same every time, whatever others are made with them', () => {
    assert.deepEqual(makeSessions({ from: 7, count: 1, until })[0], sessions[7]);
    assert.notDeepEqual(makeSessions({ count: 1, until, seed: 'another' })[0], sessions[0]);
    assert.equal(
      new Set(makeSessions({ count: 5_000, until }).map(({ sessionId }) => sessionId)).size,
      5_000,
    );
  });

  it('have begun by then, and at most 8 days before', () => {
    const starts = makeSessions({ count: 2_000, until }).map(({ time }) => Math.round(Number(time) * 1_000));
    assert.ok(Math.max(...starts) < until);
    assert.ok(Math.min(...starts) > until - 8 * day);
    assert.ok(Math.min(...starts) < until - 7 * day);
  });

  it('have grown when they are sent again: all they had, and a state more', () => {
    const [before, after] = [1, 2].map((version) => makeSessions({ count: 120, until, version }));
    for (const [index, earlier] of before!.entries()) {
      const later = after![index]!;
      assert.equal(later.sessionId, earlier.sessionId);
      if (!earlier.isSession) assert.deepEqual(later, earlier);
      else {
        assert.deepEqual(statesOf(later).slice(0, -1), statesOf(earlier));
        assert.ok(later.duration > earlier.duration);
      }
    }
  });
});

describe('the rows of Leanplum sessions', () => {
  const rows = rowsOf(sessions);

  it('have the columns of the tables', () => {
    assert.deepEqual(
      storedTables.map(({ name }) => name),
      tableNames,
    );
    for (const { name, columns } of storedTables) {
      const names = columns.map((column) => column.name).sort();
      for (const row of rows[name as (typeof tableNames)[number]])
        assert.deepEqual(Object.keys(row).sort(), names);
    }
  });

  it('are what the declaration of the tables makes of the lines', () => {
    const unfolded = Object.fromEntries(tableNames.map((name) => [name, [] as Row[]]));
    for (const one of sessions) {
      for (const [table, found] of unfold(session, parseLine(jsonLine(one)))) {
        const { columns } = storedTables.find(({ name }) => name === table)!;
        for (const row of found) {
          unfolded[table]!.push(
            Object.fromEntries(columns.map(({ name, type }) => [name, asHeld(type, row[name])])),
          );
        }
      }
    }
    for (const name of tableNames) assert.deepEqual(unfolded[name], rows[name], name);
  });

  it('are what Postgres holds of them', async () => {
    const database = await testDatabase();
    try {
      await createTablesOf(leanplum, database.pool, 'sessions');
      for (const name of tableNames) await putRows(database.pool, 'sessions', name, rows[name]);
      assert.deepEqual(await heldRows(database.pool, 'sessions'), inKeyOrder(rows));
    } finally {
      await database.drop();
    }
  });

  it('of a session that comes again take the place of the earlier ones, in all tables', () => {
    const again = makeSessions({ from: 100, count: 40, until, version: 2 });
    assert.deepEqual(mergeRows(rows, rowsOf(again)), rowsOf([...sessions.slice(0, 100), ...again]));
    assert.equal(countRows(mergeRows(rows, rowsOf(again))).session, 140);
  });
});

describe('a double as Leanplum writes it', () => {
  for (const [value, text] of [
    [0, '0.0'],
    [19.254, '19.254'],
    [3, '3.0'],
    [-2.5, '-2.5'],
    [38830.438, '38830.438'],
    [1_591_474_962.721, '1.591474962721E9'],
    [1e7, '1.0E7'],
    [0.0001, '1.0E-4'],
  ] as const) {
    it(`${value} is ${text}`, () => assert.equal(doubleText(value), text));
  }
});

/** A value of the unfolded line in the form in which rows hold it. */
function asHeld(type: string, value: unknown): Row[string] {
  if (value === null || value === undefined) return null;
  if (type === 'double precision') return Number(value);
  if (type === 'boolean') return value as boolean;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
