import assert from 'node:assert/strict';

import { flawedShards } from '../../sandbox/leanplum/flaws.js';
import { heldRows, inKeyOrder } from '../support/leanplum-rows.js';
import { landSessions, sessionTables, type Sessions } from './nested-landing.js';

describe('a shard of sessions', function () {
  this.timeout(60_000);
  let tables: Sessions;
  before(async () => {
    tables = await sessionTables();
  });
  after(() => tables.drop());

  for (const { title, bytes, outcome } of flawedShards()) {
    // A session that is there twice is a matter of publishing.
    if (outcome.is === 'read' && outcome.conflicting.length > 0) continue;
    it(`${title} ${outcome.is === 'read' ? `has ${outcome.bad.length} bad rows` : 'cannot be read'}`, async () => {
      if (outcome.is === 'unreadable') {
        await assert.rejects(landSessions(tables, bytes), { name: 'FileUnreadable' });
        return;
      }
      const { bad, parsed, taken } = await landSessions(tables, bytes);
      assert.deepEqual(await heldRows(tables.client, 'sessions'), inKeyOrder(outcome.rows));
      assert.deepEqual(
        bad.map(({ line }) => line),
        outcome.bad,
      );
      assert.equal(taken + bad.length, parsed);
    });
  }
});
