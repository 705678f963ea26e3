import assert from 'node:assert/strict';

import { schedulesOf } from '../../client/setup/schedule.js';
import { sourceOf } from '../support/landfall.js';
import { writeNotices } from '../../warehouse/notices.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { openDesk, type Desk } from './landfall-command.js';
import { writeLoad, writeSource } from './ledger.js';

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

  describe('status', () => {
    interface Written {
      readonly source?: string;
      readonly date?: string;
      readonly finality?: 'final' | 'failed';
      readonly paused?: boolean;
      readonly notice?: string;
    }
    /** Batches by their number, which is also the second at which they came to rest. */
    const write = async (number: number, written: Written = {}): Promise<void> => {
      const { source = 'rum', date = '2026-11-20', finality = 'final', paused = false, notice } = written;
      const id = `${source}/${date}/${number}`;
      await database.pool.query(
        `insert into landfall.delivery (id, source, type, date, finality, since, reason, paused)
         values ($1, $2, 'sessions', $3, $4, $5, $6, $7)`,
        [id, source, date, finality, `2026-11-20T12:00:0${number}Z`, `reason ${number}`, paused],
      );
      if (finality === 'failed') return;
      const counts = { loaded: 10, quarantined: 1 };
      const load = await writeLoad(database.pool, { delivery: id, state: 'published', ...counts });
      if (notice === undefined) return;
      await writeNotices(database.pool, id, load, [{ kind: 'version', text: notice }]);
    };

    before(async () => {
      for (const source of ['rum', 'others']) await writeSource(database.pool, source);
      await write(9, { date: '2026-11-21' });
      for (const number of [1, 4, 2]) await write(number);
      for (const number of [3, 5]) await write(number, { finality: 'failed' });
      await write(6, { paused: true });
      for (const number of [7, 8]) await write(number, { notice: 'Look.' });
      for (const number of [1, 2]) await write(number, { source: 'others' });
    });

    it('sums them up by day and finality, with the newest of them; others stand by themselves', async () => {
      const { code, out, err } = await desk.landfall('status');
      assert.equal(code, 0, err);
      const [, ...lines] = out.split('\n').map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));
      const at = (second: number): string => `2026-11-20 12:00:0${second} UTC`;
      assert.deepEqual(lines, [
        `rum/2026-11-21/9 | final | ${at(9)} | 10 | 1 | 0 | reason 9`,
        `others/2026-11-20/1 | final | ${at(1)} | 10 | 1 | 0 | reason 1`,
        `others/2026-11-20/2 | final | ${at(2)} | 10 | 1 | 0 | reason 2`,
        `rum/2026-11-20/… (3) | final | ${at(4)} | 30 | 3 | 0 | The newest is rum/2026-11-20/4. reason 4`,
        `rum/2026-11-20/… (2) | failed | ${at(5)} | - | - | - | The newest is rum/2026-11-20/5. reason 5`,
        `rum/2026-11-20/6 | final (paused) | ${at(6)} | 10 | 1 | 0 | reason 6`,
        `rum/2026-11-20/7 | final | ${at(7)} | 10 | 1 | 0 | Look. reason 7`,
        `rum/2026-11-20/8 | final | ${at(8)} | 10 | 1 | 0 | Look. reason 8`,
        '',
        '11 deliveries: 9 final, 2 failed',
        '',
      ]);
    });

    it('shows them one by one to who asks for the source, and to programs', async () => {
      const { out } = await desk.landfall('status', 'rum');
      assert.match(out, /^rum\/2026-11-20\/2 /m);
      assert.match(out, /\n9 deliveries: 7 final, 2 failed\n$/);
      const { out: json } = await desk.landfall('status', '-o', 'json');
      const all = JSON.parse(json) as Record<string, unknown>[];
      assert.equal(all.length, 11);
      assert.ok(!all.some((row) => 'deliveries' in row));
    });
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
