import assert from 'node:assert/strict';

import { bulkLines } from '../../../sandbox/dynatrace/bulk.js';
import { sessionKey, sessionLine, type UserSession } from '../../../sandbox/dynatrace/session.js';
import { makeSessions, type SessionsToMake } from '../../../sandbox/dynatrace/sessions.js';
import type { NestedTable } from '../../../vendors/table.js';
import { session as declared } from '../../../vendors/dynatrace/tables.js';

const from = Date.parse('2026-11-20T10:00:00Z');
const make = (more: Partial<SessionsToMake> = {}): readonly UserSession[] =>
  makeSessions({ sessions: 500, from, ...more });
const made = make();
const lines = made.map(sessionLine);
const isOlder = (session: UserSession): boolean => 'stringTags' in session;

/** Names that occur anywhere in the documents with a value. */
function valuedNames(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of lines) {
    JSON.parse(line, (name, value: unknown) => {
      if (value !== null) names.add(name);
      return value;
    });
  }
  return names;
}

describe("the sandbox's Dynatrace sessions", () => {
  it('fill every field that has a column', () => {
    const names = valuedNames();
    const fieldsOf = (table: Pick<NestedTable, 'columns' | 'nested'>): string[] => [
      ...table.columns.flatMap(({ field, older }) => (older === undefined ? [field] : [field, older])),
      ...(table.nested ?? []).flatMap((nested) => [nested.within.field, ...fieldsOf(nested)]),
    ];
    const fields = fieldsOf(declared);
    assert.ok(fields.length >= 3);
    assert.deepEqual(
      fields.filter((field) => !names.has(field)),
      [],
    );
  });

  it('are the same every time, whatever number of them is made, and others with another seed', () => {
    assert.deepEqual(make(), made);
    assert.deepEqual(make({ sessions: 120 }), made.slice(0, 120));
    const keys = new Set(made.map(sessionKey));
    assert.equal(keys.size, 500, 'each has a key of its own');
    assert.ok(make({ seed: 'other' }).every((session) => !keys.has(sessionKey(session))));
  });

  it('are of both generations, and never of both at once', () => {
    const older = made.filter(isOlder);
    const later = made.filter((session) => !isOlder(session));
    assert.ok(older.length >= 90 && later.length >= 300);
    for (const session of older) {
      assert.ok('osFamilyName' in session && !('osFamily' in session));
      assert.ok('geolocationCityName' in session && !('city' in session));
      assert.ok(!('stringProperties' in session) && !('syntheticEvents' in session));
    }
    for (const session of later) {
      assert.ok('osFamily' in session && !('osFamilyName' in session));
      assert.ok('city' in session && !('geolocationCityName' in session));
    }
  });

  it('are of browsers, phones, kiosks and monitors', () => {
    const count = (is: (session: UserSession) => boolean): number => made.filter(is).length;
    assert.ok(count(({ applicationType }) => applicationType === 'WEB_APPLICATION') > 250);
    assert.ok(count(({ applicationType }) => applicationType === 'MOBILE_APPLICATION') > 100);
    assert.ok(count(({ applicationType }) => applicationType === 'CUSTOM_APPLICATION') > 30);
    assert.ok(count(({ userType }) => userType === 'ROBOT') > 5);
    const monitored = made.filter(({ userType }) => userType === 'SYNTHETIC');
    assert.ok(monitored.length > 10);
    assert.ok(monitored.every((session) => (session.syntheticEvents ?? []).length === 3));
    assert.ok(monitored.every(({ browserMonitorId: id }) => id !== undefined));
  });

  it('are counted rightly, last as long as they say, and hold what happened within them', () => {
    for (const session of made) {
      const { startTime, endTime, duration, userActions, errors } = session;
      assert.equal(session.userActionCount, userActions.length);
      assert.equal(session.totalErrorCount, errors.length);
      assert.equal(session.bounce, userActions.length <= 1);
      assert.equal(endTime - startTime, duration);
      assert.ok(userActions.every((action) => action.startTime >= startTime));
      assert.ok(userActions.every((action) => action.endTime - action.startTime === action.duration));
    }
  });

  it('have errors, crashes, events and actions in which much is null', () => {
    const errors = new Set(made.flatMap(({ errors }) => errors.map(({ type }) => type)));
    assert.deepEqual([...errors].sort(), ['Crash', 'Error']);
    const events = new Set(made.flatMap(({ events }) => events.map(({ type }) => type)));
    assert.deepEqual([...events].sort(), ['PageChange', 'RageClick', 'RageTap', 'UserTag']);
    const actions = made.flatMap(({ userActions }) => userActions);
    assert.ok(actions.filter(({ serverTime }) => serverTime === null).length > 200);
    assert.ok(actions.filter((action) => !('serverTime' in action)).length > 20);
    assert.ok(actions.filter(({ serverTime }) => typeof serverTime === 'number').length > 200);
  });

  it('are split at times: the parts have one id, and the second begins after the first', () => {
    const parts = made.filter(({ partNumber }) => partNumber !== undefined);
    assert.equal(parts.length, 20);
    for (let index = 0; index < parts.length; index += 2) {
      const [first, second] = [parts[index]!, parts[index + 1]!];
      assert.deepEqual([first.partNumber, second.partNumber], [0, 1]);
      assert.equal(first.userSessionId, second.userSessionId);
      assert.equal(first.internalUserId, second.internalUserId);
      assert.ok(second.startTime > first.endTime);
      assert.equal(first.endReason, 'USER_ACTION_LIMIT');
    }
  });

  it('have keys at times that are on no page', () => {
    assert.ok(made.some(({ consentMode }) => consentMode === 'asked'));
    assert.ok(made.some(({ userActions }) => userActions.some((action) => action.interactionToNextPaint)));
  });

  it('are lines of about 1 kB to 20 kB, with whole numbers beyond 2^53 as they are', () => {
    const sizes = lines.map((line) => Buffer.byteLength(line));
    assert.ok(Math.min(...sizes) > 600 && Math.min(...sizes) < 1_000, String(Math.min(...sizes)));
    assert.ok(Math.max(...sizes) > 15_000 && Math.max(...sizes) < 25_000, String(Math.max(...sizes)));
    assert.ok(lines.every((line) => !line.includes('\n')));
    assert.match(lines[0]!, /\{"key":"booking","value":9007199254740993\}/);
  });
});

describe('Dynatrace sessions in bulk', () => {
  it('are sessions that differ', () => {
    const next = bulkLines({ from });
    const bulk = [...next(1_000), ...next(1_000)];
    const keys = bulk.map((line) => sessionKey(JSON.parse(line) as UserSession));
    assert.equal(new Set(keys).size, 2_000);
    const { userActions } = JSON.parse(bulk[401]!) as UserSession;
    assert.ok(userActions.length > 0);
  });

  it('may be so small that 1,000 of them are sent at once', () => {
    const bulk = bulkLines({ from, largest: 896 })(1_000);
    assert.ok(
      bulk.every((line) => Buffer.byteLength(line) <= 896 + 4),
      'but for the number in the id',
    );
    assert.throws(
      () => bulkLines({ from, largest: 100 }),
      /^RangeError: no session has a line of 100 bytes or less$/,
    );
  });
});
