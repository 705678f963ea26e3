import assert from 'node:assert/strict';

import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { openDesk, yamlOf, type Desk } from './landfall-command.js';
import { writeBadFile, writeDelivery, writeLoad, writeSource } from './ledger.js';

const red = '\u001b[31m';
const title = '\u001b]0;owned\u0007';

describe('terminal control sequences in what vendors send', () => {
  let database: TestDatabase;
  let desk: Desk;
  let delivery: string;

  before(async () => {
    database = await testDatabase();
    const { pool } = database;
    desk = await openDesk(yamlOf('experiments', 'postgres: { url: "${URL}" }'), { URL: database.url });
    await writeSource(pool, 'experiments');
    delivery = await writeDelivery(pool, {
      ...{ source: 'experiments', type: 'events', date: '2020-11-20', finality: 'failed' },
      reason: `line 1 of ${red}part: ${title}`,
    });
    const load = await writeLoad(pool, { delivery, state: 'rejected', loaded: 1, quarantined: 1 });
    await writeBadFile(pool, { load, source: 'experiments', key: `a${red}.parquet`, lines: [1] });
    await pool.query('update landfall.quarantine set reason = $1, raw = $2', [`bad ${red}`, `raw ${title}`]);
  });
  after(async () => {
    await desk.leave();
    await database.drop();
  });

  for (const format of ['text', 'json']) {
    it(`are shown as their codes by status and show, as ${format}`, async () => {
      for (const args of [['status'], ['show', delivery]]) {
        const { code, out, err } = await desk.landfall(...args, '-o', format);
        assert.equal(code, 0, err);

        assert.doesNotMatch(out + err, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        assert.match(out, /\\u001b\[31m/);
      }
    });
  }

  it('in what was typed are shown so in the error', async () => {
    const { code, err } = await desk.landfall('show', `experiments/${red}`);
    assert.notEqual(code, 0);
    assert.ok(!err.includes('\u001b'), err);
  });
});
