import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { writeDevState, type DevState } from '../../client/dev-state.js';
import { writeNotices } from '../../warehouse/notices.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { openDesk, yamlOf, type Desk } from './landfall-command.js';
import {
  since,
  writeBadFile,
  writeDelivery,
  writeEvent,
  writeLoad,
  writeSource,
  writeUnreadableFile,
} from './ledger.js';

const columns = ['delivery', 'source', 'type', 'date', 'finality', 'since', 'paused', 'reason', 'deadline'];

describe('commands that read the ledger', () => {
  let database: TestDatabase;
  let desk: Desk;

  before(async function () {
    this.timeout(120_000);
    database = await testDatabase();
    const { pool } = database;
    desk = await openDesk(
      yamlOf('experiments', 'postgres: { url: "${URL}" }\ntemporal: { webUi: "http://ui:8233" }'),
      {
        URL: database.url,
      },
    );
    await writeSource(pool, 'experiments');
    await writeSource(pool, 'other');
    const final = await writeDelivery(pool, {
      source: 'experiments',
      type: 'events',
      date: '2020-11-20',
      finality: 'final',
      reason: 'Complete: _SUCCESS came.',
      published: true,
    });
    await writeLoad(pool, { delivery: final, state: 'replaced', loaded: 10 });
    const load = await writeLoad(pool, {
      delivery: final,
      state: 'published',
      loaded: 68_758,
      quarantined: 7,
      duplicate: 2,
    });
    for (let file = 0; file < 21; file += 1) {
      const key = `type=events/date=2020-11-20/part-${String(file).padStart(5, '0')}.parquet`;
      await writeBadFile(pool, {
        load,
        source: 'experiments',
        key,
        lines: file === 0 ? [3, 9, 27, 81, 243, 729] : [5],
      });
    }
    await writeEvent(pool, final, 'finality', 'Complete: _SUCCESS came.');
    await writeEvent(pool, final, 'signal:reprocess', 'the vendor sent corrected files');
    await writeDelivery(pool, {
      source: 'experiments',
      type: 'decisions',
      date: '2020-11-19',
      finality: 'waiting',
      reason: '_SUCCESS is not there yet.',
      paused: true,
    });
    await writeDelivery(pool, {
      source: 'other',
      type: 'events',
      date: '2020-11-18',
      finality: 'failed',
      reason: '_SUCCESS did not come.',
    });
  });

  after(async () => {
    await desk.leave();
    await database.drop();
  });

  describe('status', () => {
    it('lists deliveries, newest day first, and counts them by finality', async () => {
      const { code, out, err } = await desk.landfall('status');
      assert.deepEqual([code, err], [0, '']);
      assert.equal(
        out,
        `
DELIVERY                          FINALITY          SINCE                      ROWS  QUARANTINED  DUPLICATES  REASON
experiments/events/2020-11-20     final             2026-11-21 04:30:00 UTC  68,758            7           2  Complete: _SUCCESS came.
experiments/decisions/2020-11-19  waiting (paused)  2026-11-21 04:30:00 UTC       -            -           -  _SUCCESS is not there yet.
other/events/2020-11-18           failed            2026-11-21 04:30:00 UTC       -            -           -  _SUCCESS did not come.

3 deliveries: 1 waiting, 1 final, 1 failed
`.trimStart(),
      );
    });

    const listed = async (...args: string[]): Promise<string[]> => {
      const { out } = await desk.landfall('status', '-o', 'json', ...args);
      return (JSON.parse(out) as { delivery: string }[]).map(({ delivery }) => delivery);
    };

    it('takes a source and days, both included', async () => {
      assert.deepEqual(await listed('other'), ['other/events/2020-11-18']);
      assert.deepEqual(await listed('--from', '2020-11-19', '--to', '2020-11-19'), [
        'experiments/decisions/2020-11-19',
      ]);
      assert.deepEqual(await listed('experiments', '--to', '2020-11-01'), []);
    });

    it('as JSON is an array with stable names', async () => {
      const { code, out, err } = await desk.landfall(
        'status',
        'experiments',
        '--from',
        '2020-11-20',
        '-o',
        'json',
      );
      assert.deepEqual([code, err], [0, '']);
      assert.deepEqual(JSON.parse(out), [
        {
          delivery: 'experiments/events/2020-11-20',
          source: 'experiments',
          type: 'events',
          date: '2020-11-20',
          finality: 'final',
          since,
          paused: false,
          reason: 'Complete: _SUCCESS came.',
          notice: null,
          notices: [],
          held: null,
          trouble: null,
          ...{ wish: null, wishedAt: null, wishReason: null, refusal: null },
          deadline: '2026-11-24T00:00:00.000Z',
          publishedAt: since,
          rows: 68_758,
          quarantined: 7,
          duplicates: 2,
          conflicting: 0,
          superseded: 0,
        },
      ]);
    });

    it('names the sources for one that neither configuration nor ledger knows', async () => {
      assert.deepEqual(await desk.landfall('status', 'experimets', '-o', 'json'), {
        code: 2,
        out: '',
        err: "The configuration has no source 'experimets'; did you mean 'experiments'? It has experiments.\n",
      });
    });
  });

  describe('acknowledge', () => {
    const id = 'experiments/events/2020-12-01';
    const text = 'This version has lost 50 rows.';
    const reason = 'the vendor removed a bot';
    before(async () => {
      const { pool } = database;
      const day = { source: 'experiments', type: 'events', date: '2020-12-01' };
      await writeDelivery(pool, { ...day, finality: 'final', reason: 'It came.', published: true });
      const load = await writeLoad(pool, { delivery: id, state: 'replaced', loaded: 10 });
      // Of a version that readers no longer see: a notice goes with no version.
      await writeNotices(pool, id, load, [{ kind: 'removed', text }]);
      await writeLoad(pool, { delivery: id, state: 'published', loaded: 10 });
    });
    after(async () => {
      for (const table of ['notice', 'load', 'delivery_event'])
        await database.pool.query(`delete from landfall.${table} where delivery_id = $1`, [id]);
      await database.pool.query('delete from landfall.delivery where id = $1', [id]);
    });
    const ofDay = ['--from', '2020-12-01'];

    it('takes a notice out of the status, and keeps it in what show prints', async () => {
      assert.match((await desk.landfall('status', ...ofDay)).out, /lost 50 rows\. It came\./);
      assert.match((await desk.landfall('show', id)).out, /lost 50 rows\. \(not acknowledged yet\)/);
      assert.deepEqual(await desk.landfall('acknowledge', id, '--reason', reason), {
        code: 0,
        out: `Acknowledged 1 notice of ${id}:\n  ${text}\n`,
        err: '',
      });
      const { out } = await desk.landfall('status', '-o', 'json', ...ofDay);
      assert.deepEqual((JSON.parse(out) as { notices: unknown[] }[])[0]?.notices, []);
      const shown = (await desk.landfall('show', id)).out;
      assert.match(shown, /lost 50 rows\. \(acknowledged at .* by .*: the vendor removed a bot\)/);
      assert.match(shown, /acknowledged: 1 notice, by .*: the vendor removed a bot/);
      const again = await desk.landfall('acknowledge', id, '--reason', reason);
      assert.equal(again.out, `${id} has no notice that waits to be acknowledged.\n`);
    });

    it('is refused without a reason, and for what the ledger does not know', async () => {
      assert.equal((await desk.landfall('acknowledge', id)).code, 2);
      assert.equal((await desk.landfall('acknowledge', id, '--reason', ' ')).code, 2);
      const { code, err } = await desk.landfall(
        'acknowledge',
        'experiments/events/2020-12-02',
        '--reason',
        'x',
      );
      assert.equal(code, 1);
      assert.match(err, /^The ledger does not know a delivery 'experiments\/events\/2020-12-02'/);
    });
  });

  describe('show', () => {
    it('tells how a delivery stands, its loads, its history, and its errors', async () => {
      const { code, out, err } = await desk.landfall('show', 'experiments/events/2020-11-20');
      assert.deepEqual([code, err], [0, '']);
      assert.match(
        out,
        /^experiments\/events\/2020-11-20\n {2}Finality {7}final, since 2026-11-21 04:30:00 UTC\n/,
      );
      assert.match(out, /Awaited until {2}2026-11-24 00:00:00 UTC/);
      assert.match(out, /\d+ +published +1 +68,767 +68,758 +7 +2 /);
      assert.match(out, /\d+ +replaced +1 +10 +10 +0 +0 /);
      assert.match(out, /2026-11-21 04:30:00 UTC {2}signal:reprocess: the vendor sent corrected files/);
      assert.match(
        out,
        /part-00000\.parquet: 6 of 100 rows in quarantine; first in line 3: revenue is not a number/,
      );
      assert.match(out, /part-00000\.parquet, line 243: revenue is not a number/);
      assert.match(out, /Web UI {9}http:\/\/ui:8233\/namespaces\/default\/workflows\?query=/);
    });

    it('names the files that were left out', async () => {
      const load = { delivery: 'other/events/2020-11-18', state: 'replaced', loaded: 0 };
      await writeUnreadableFile(database.pool, {
        load: await writeLoad(database.pool, load),
        ...{
          source: 'other',
          key: 'part.json.gz',
          unreadable: 'cannot be read as JSON lines: its gzip is cut off.',
        },
      });
      const { out } = await desk.landfall('show', 'other/events/2020-11-18');
      assert.match(out, /part\.json\.gz: left out; cannot be read as JSON lines: its gzip is cut off\./);
      const { out: json } = await desk.landfall('show', 'other/events/2020-11-18', '-o', 'json');
      const { filesWithErrors, loads } = JSON.parse(json) as Record<string, object[]>;
      assert.deepEqual(filesWithErrors, [
        {
          ...{ file: 'part.json.gz', parsed: 0, quarantined: 0, firstError: null, firstErrorLine: null },
          unreadable: 'cannot be read as JSON lines: its gzip is cut off.',
        },
      ]);
      assert.deepEqual(
        loads?.map((load) => ({ ...load })),
        loads?.map((load) => ({ ...load, files: 1, filesKept: 0, filesStaged: 1 })),
      );
    });

    it('as JSON holds counts that add up, at most 20 files and 5 bad rows, and no row itself', async () => {
      const { out } = await desk.landfall('show', 'experiments/events/2020-11-20', '-o', 'json');
      const shown = JSON.parse(out) as Record<string, unknown> & {
        loads: { state: string; parsed: number; loaded: number; quarantined: number; duplicate: number }[];
        events: { kind: string; reason: string }[];
        filesWithErrors: object[];
        firstQuarantined: { line: number }[];
      };
      for (const name of columns) assert(name in shown, name);
      assert.deepEqual(
        shown.loads.map(({ state }) => state),
        ['published', 'replaced'],
      );
      for (const { parsed, loaded, quarantined, duplicate } of shown.loads) {
        assert.equal(parsed, loaded + quarantined + duplicate);
      }
      assert.deepEqual(
        shown.events.map(({ kind }) => kind),
        ['finality', 'signal:reprocess'],
      );
      assert.equal(shown.filesWithErrors.length, 20);
      assert.deepEqual(
        shown.firstQuarantined.map(({ line }) => line),
        [3, 9, 27, 81, 243],
      );
      assert(!out.includes('private'));
    });

    it('names near ones for a delivery that the ledger does not know', async () => {
      assert.deepEqual(await desk.landfall('show', 'experiments/events/2020-11-21', '-o', 'json'), {
        code: 1,
        out: '',
        err:
          "The ledger does not know a delivery 'experiments/events/2020-11-21'. Near it are " +
          'experiments/events/2020-11-20, experiments/decisions/2020-11-19, other/events/2020-11-18.\n',
      });
      assert.match(
        (await desk.landfall('show', 'nonsense')).err,
        /^The ledger does not know a delivery 'nonsense'\. Near/,
      );
    });
  });

  describe('backfill --dry-run', () => {
    it('tells by the ledger what it would start and what it leaves alone, newest first', async () => {
      const args = ['backfill', 'experiments', '--from', '2020-11-19', '--to', '2020-11-20', '--dry-run'];
      const { code, out, err } = await desk.landfall(...args);
      assert.deepEqual([code, err], [0, '']);
      assert.equal(
        out,
        `
DELIVERY                          PLAN         NOW
experiments/decisions/2020-11-20  start        not in the ledger
experiments/events/2020-11-20     leave alone  final
experiments/decisions/2020-11-19  start        waiting
experiments/events/2020-11-19     start        not in the ledger

It would start 3 of 4 deliveries and leave 1 alone. Nothing was started.
`.trimStart(),
      );
    });
  });

  describe('backfill --dry-run of days that end in the next one', () => {
    const plan = async (from: string, to: string): Promise<{ out: string; err: string }> => {
      const store =
        'type: sftp, username: u, password: p, root: 1/raw_data/session_stream/, ' +
        `hostKey: "SHA256:${'A'.repeat(43)}"`;
      const source = `vendor: monetate, maskKey: ${'k'.repeat(32)}, store: { ${store} }`;
      const text = `postgres: { url: "\${URL}" }\nsources: { visits: { ${source} } }\n`;
      const monetate = await openDesk(text, { URL: database.url });
      const range = ['--from', from, '--to', to];
      const { code, out, err } = await monetate.landfall('backfill', 'visits', ...range, '--dry-run');
      await monetate.leave();
      assert.equal(code, 0, err);
      return { out, err };
    };

    it('takes one day more, and says why', async () => {
      const { out, err } = await plan('2020-02-28', '2020-02-28');
      assert.match(out, /^visits\/2020-02-29 +start.*\nvisits\/2020-02-28 +start/m);
      assert.equal(
        err,
        '2020-02-29 is loaded too: 2020-02-28 is final only when what belongs to it of the day after is loaded.\n',
      );
    });

    it('does not take today along, which is loaded as it comes', async () => {
      const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
      const { out, err } = await plan(yesterday, yesterday);
      assert.equal(err, '');
      assert.match(out, /It would start 1 of 1 deliveries/);
    });
  });

  describe('beside a landfall dev', () => {
    let elsewhere: Desk;
    beforeEach(async () => {
      elsewhere = await openDesk();
      await writeFile(join(elsewhere.cwd, 'made-by-dev.yaml'), yamlOf('experiments'));
    });
    afterEach(() => elsewhere.leave());
    const state = (pid: number): DevState => ({
      pid,
      postgresUrl: database.url,
      configPath: join(elsewhere.cwd, 'made-by-dev.yaml'),
    });

    it('work with its servers and its configuration', async () => {
      await writeDevState(elsewhere.cwd, state(process.pid));
      assert.match((await elsewhere.landfall('status')).out, /^3 deliveries:/m);
    });

    it('keep its state, which holds a password, from other users', async () => {
      await writeDevState(elsewhere.cwd, state(process.pid));
      const { mode } = await stat(join(elsewhere.cwd, '.landfall', 'dev.json'));
      assert.equal(mode & 0o777, 0o600);
    });

    it('do not take up what one left that has died', async () => {
      const { pid } = spawnSync(process.execPath, ['--version']);
      await writeDevState(elsewhere.cwd, state(pid));
      assert.match((await elsewhere.landfall('status')).err, /^There is no landfall\.yaml/);
    });
  });

  it('say so when the ledger is not set up', async () => {
    const empty = await testDatabase();
    await empty.pool.query('drop schema landfall cascade');
    const bare = await openDesk(yamlOf('experiments', 'postgres: { url: "${URL}" }'), { URL: empty.url });
    const { code, out, err } = await bare.landfall('status');
    assert.deepEqual([code, out], [1, '']);
    assert.match(
      err,
      /^The ledger in .* is missing or older than this Landfall .* Run 'landfall setup'\.\n$/,
    );
    assert(!err.includes(new URL(empty.url).password || 'no password'));
    await bare.leave();
    await empty.drop();
  });
});
