import assert from 'node:assert/strict';

import {
  countOf,
  countRows,
  hundredths,
  rowsOf,
  tableNames,
  type Row,
} from '../../../sandbox/monetate/rows.js';
import { sessionLine } from '../../../sandbox/monetate/session.js';
import { makeSessions } from '../../../sandbox/monetate/sessions.js';
import { session as declared, storedTables } from '../../../vendors/monetate/tables.js';
import { unfold } from '../../vendors/monetate/unfold.js';

const date = '2026-11-20';
const sessions = makeSessions({ date, sessions: 600, unknownKeys: true });

/** A row as drivers give it. */
function asGiven(table: string, row: Row): Row {
  const types = new Map(
    storedTables.find(({ name }) => name === table)!.columns.map(({ name, type }) => [name, type]),
  );
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const type = types.get(name);
      if (value === null || value === undefined) return [name, null];
      if (type === 'bigint' || type === 'numeric') return [name, JSON.stringify(value)];
      if (type === 'boolean') return [name, value === 't' || value === true];
      return [name, value];
    }),
  );
}

describe('the rows that sessions of Monetate make', () => {
  it('are those that the declared tables say', () => {
    const rows = rowsOf([{ date, sessions }]);
    const counts = new Map<string, number>(tableNames.map((name) => [name, 0]));
    for (const session of sessions) {
      const line = JSON.parse(sessionLine(session)) as Record<string, unknown>;
      for (const [table, expected] of unfold(declared, line)) {
        const name = table as (typeof tableNames)[number];
        const from = counts.get(name)!;
        const found = rows[name].slice(from, from + expected.length);
        counts.set(name, from + expected.length);
        assert.deepEqual(
          found.map((row) => JSON.parse(JSON.stringify(row)) as unknown),
          expected.map((row) => ({
            ...(name === 'session' ? { export_date: date } : {}),
            ...asGiven(name, row),
          })),
        );
      }
    }
    assert.deepEqual(Object.fromEntries(counts), countRows(rows));
    assert.ok([...counts.values()].every((count) => count > 90));
  });

  it('have every column of the tables', () => {
    const rows = rowsOf([{ date, sessions }]);
    assert.deepEqual(
      storedTables.map(({ name }) => name),
      tableNames,
    );
    for (const { name, columns } of storedTables) {
      assert.deepEqual(
        Object.keys(rows[name as (typeof tableNames)[number]][0]!).sort(),
        columns.map((column) => column.name).sort(),
      );
    }
  });

  it('are counted without being made', () => {
    for (const session of sessions) {
      assert.deepEqual(countOf(session), countRows(rowsOf([{ date, sessions: [session] }])));
    }
  });

  it('take the place of those that an earlier file brought', () => {
    const [first, second] = [sessions.slice(0, 60), sessions.slice(40, 100)];
    const changed = second.map((session) => ({ ...session, offers: { '100001': session.start_time } }));
    const rows = rowsOf([
      { date, sessions: first },
      { date: '2026-11-21', sessions: changed },
    ]);
    assert.equal(rows.session.length, 100);
    assert.equal(rows.session.filter((row) => row['export_date'] === date).length, 40);
    const again = new Set(changed.map((session) => session.session_id));
    const offers = rows.session_offer.filter((row) => again.has(String(row['session_id'])));
    assert.equal(offers.length, 60);
  });

  it('can be summed', () => {
    const rows = rowsOf([{ date, sessions }]);
    const revenue = hundredths(rows.session, 'session_value');
    assert.ok(revenue > 0);
    assert.equal(hundredths(rows.session_purchase, 'value'), revenue);
    assert.equal(
      rows.session_purchase_item.reduce(
        (sum, row) => sum + Math.round(Number(row['unit_price']) * 100) * Number(row['quantity']),
        0,
      ),
      revenue,
    );
  });
});
