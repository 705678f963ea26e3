import assert from 'node:assert/strict';

import { schedulesOf } from '../../client/setup/schedule.js';
import { sourceOf } from '../support/landfall.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { openDesk, type Desk } from './landfall-command.js';

describe('commands about a source that a vendor sends to', () => {
  let database: TestDatabase;
  let desk: Desk;
  const yaml = 'postgres: { url: "${URL}" }\nsources: { rum: { vendor: dynatrace, auth: { bearer: abc } } }';

  before(async () => {
    database = await testDatabase();
    desk = await openDesk(yaml, { URL: database.url, TEMPORAL_ADDRESS: '127.0.0.1:1' });
  });
  after(async () => {
    await desk.leave();
    await database.drop();
  });

  for (const more of [[], ['--dry-run']]) {
    it(`backfill ${more.join('')} refuses, and says what to do instead`, async () => {
      const range = ['--from', '2026-11-01', '--to', '2026-11-02'];
      const { code, out, err } = await desk.landfall('backfill', 'rum', ...range, ...more);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, /Source 'rum' has nothing to backfill: dynatrace sends to us/);
      assert.match(err, /loaded again by 'landfall reprocess', as long as its bodies are kept \(keepInbox\)/);
    });
  }

  it('reprocess knows no batch that the ledger does not know', async () => {
    const { code, err } = await desk.landfall('reprocess', 'rum/2026-11-20/17', '--reason', 'x');
    assert.equal(code, 1);
    assert.match(
      err,
      /The ledger does not know the delivery rum\/2026-11-20\/17\. Those of rum are made of what/,
    );
  });

  it('its schedule says what it does', () => {
    const [schedule, ...others] = schedulesOf(
      sourceOf('{ sources: { rum: { vendor: dynatrace, auth: { bearer: abc } } } }'),
      'q',
    );
    assert.deepEqual(others, []);
    assert.equal(schedule?.every, 60_000);
    const details = schedule.options?.action.staticDetails ?? '';
    assert.match(
      details,
      /^Every 1 minute: has what waits in the inbox of \*\*rum\*\* \(dynatrace\) gathered/,
    );
    assert.match(details, /deletes bodies 7 days after they were loaded\.$/);
  });
});
