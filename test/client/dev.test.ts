import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import pg from 'pg';

import { deleteCluster } from '../../sandbox/postgres-place.js';
import { eventually } from '../support/eventually.js';
import { runLandfall } from '../support/landfall-process.js';
import { endTest } from '../support/shared.js';
import { skip } from '../support/skip.js';
import '../support/temporal.js';

interface Landed {
  readonly deliveries: readonly {
    readonly delivery: string;
    readonly finality: string;
    readonly rows: number | null;
    readonly quarantined: number | null;
  }[];
  readonly results: readonly { readonly results: readonly Readonly<Record<string, string>>[] }[];
  readonly postgresUrl: string;
  readonly webUi: string;
}

const samples =
  process.env['LANDFALL_SAMPLES'] ?? fileURLToPath(new URL('../../../shared/samples', import.meta.url));

describe('landfall dev', function () {
  // Twice a whole sample, on a machine that does other things as well.
  this.timeout(600_000);
  let cwd: string;
  const none = { DATABASE_URL: '', TEMPORAL_ADDRESS: '', LANDFALL_SAMPLES: '' };

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'landfall-dev-'));
  });
  afterEach(async () => {
    // A dev that a failed test left would go on writing there.
    await endTest();
    await deleteCluster(join(cwd, '.landfall', 'postgres'));
    await rm(cwd, { recursive: true, force: true });
  });

  const once = async (env: Readonly<Record<string, string>> = none): Promise<Landed> => {
    const dev = runLandfall(['dev', '--once', '-o', 'json'], { cwd, env });
    assert.equal(await dev.ended, 0, dev.err());
    return JSON.parse(dev.out()) as Landed;
  };

  it('--once lands the sample on servers of its own and ends with 0; again, it loads nothing twice', async () => {
    const first = await once();
    const of = (...sources: readonly string[]): Landed['deliveries'] =>
      first.deliveries.filter(({ delivery }) => sources.includes(delivery.split('/')[0] ?? ''));
    const rum = of('rum');
    const byFinality = (finality: string): number =>
      first.deliveries.filter((delivery) => delivery.finality === finality && !rum.includes(delivery)).length;
    assert.deepEqual(
      [byFinality('final'), byFinality('waiting'), byFinality('discarded')],
      [15, 1, 1],
      'the upload of one job did not complete',
    );
    assert.ok(rum.length > 0 && rum.every(({ finality }) => finality === 'final'));
    assert.equal(
      rum.reduce((sum, { quarantined }) => sum + (quarantined ?? 0), 0),
      1,
      'the document of the manual check',
    );
    assert.deepEqual([of('sessions').length, of('visits').length], [6, 2]);
    assert.equal(
      of('experiments', 'podcasts').reduce((sum, { rows }) => sum + (rows ?? 0), 0),
      12_295 + 4_495,
    );
    const [experiments, podcasts, sessions, visits, users] = first.results;
    assert.ok(experiments?.results.every(({ visitors }) => Number(visitors) > 0));
    assert.deepEqual(
      podcasts?.results.map(({ requests }) => requests),
      ['1800', '1200', '1495'],
    );
    assert.ok(sessions?.results.every((day) => Number(day['sessions']) > 0));
    assert.equal(visits?.results.length, 10);
    assert.ok(visits.results.every(({ revenue }) => Number(revenue) > 0));
    assert.equal(users?.results.length, 3);

    const again = runLandfall(['dev'], { cwd, env: none });
    await eventually(
      () => {
        assert.match(again.err(), /Stays up until Ctrl-C/);
        return true;
      },
      { timeoutMs: 240_000 },
    );
    const url = /postgres:\/\/\S+/.exec(again.out())?.[0];
    const pool = new pg.Pool({ connectionString: url });
    // Only the podcast day that grows and visits, whose files come one after the other, are loaded more than once.
    const loads = await pool.query(
      `select delivery_id from landfall.load where delivery_id not like 'visits/%' group by 1 having count(*) > 1`,
    );
    const rows = await pool.query(`select count(*)::int as rows from optimizely.conversion`);
    const held = await pool.query<{ rows: number }>(`select count(*)::int as rows from leanplum.session`);
    const [, lastVisited] = of('visits')
      .map(({ delivery }) => delivery.slice('visits/'.length))
      .sort();
    const visited = await pool.query<{ rows: number }>(
      `select count(*)::int as rows from monetate.session where start_time < $1::timestamp at time zone 'UTC'`,
      [lastVisited],
    );
    const used = await pool.query(`select count(*)::int as rows from dynatrace.user_session`);
    await pool.end();
    assert.deepEqual(used.rows, [{ rows: 360 }], 'each session once, though 20 were sent twice');
    const growing = first.deliveries.find(({ delivery }) => delivery.startsWith('podcasts/'))?.delivery;
    assert.deepEqual([loads.rows, rows.rows], [[{ delivery_id: growing }], [{ rows: 7_195 }]]);
    assert.equal(held.rows[0]?.rows, 3_900, 'each session once, though 400 were sent twice');
    assert.equal(visited.rows[0]?.rows, 2_400, 'those of the first day, which end on two days');
    const ui = /http:\/\/\S+/.exec(again.out())?.[0] ?? '';
    assert.equal((await fetch(ui)).status, 200);

    const status = runLandfall(['status', '-o', 'json'], { cwd, env: none });
    assert.equal(await status.ended, 0, status.err());
    // Before half past twelve the day after the last visits is waited for, too.
    const known = (JSON.parse(status.out()) as Landed['deliveries'])
      .map(({ delivery }) => delivery)
      .filter((id) => !id.startsWith('rum/'));
    assert.ok(known.length >= 17 && known.length <= 18, String(known));
    again.child.kill('SIGINT');
    assert.equal(await again.ended, 0, again.err());
    const gone = new pg.Client({ connectionString: url });
    await assert.rejects(gone.connect(), /ECONNREFUSED/);
    await assert.rejects(fetch(ui), 'the Web UI has ended');
    assert.ok(!existsSync(join(cwd, '.landfall/dev.json')));
  });

  it('loads a real sample where LANDFALL_SAMPLES names one', async function () {
    if (!existsSync(join(samples, 'optimizely'))) {
      return skip(this, `there is no real sample in ${samples}; LANDFALL_SAMPLES may name another folder.`);
    }
    const landed = await once({ ...none, LANDFALL_SAMPLES: samples });
    assert.deepEqual(
      landed.deliveries.map(({ delivery, finality, rows }) => [delivery, finality, rows]),
      [
        ['experiments/decisions/2020-05-25', 'final', 9_001],
        ['experiments/events/2020-05-25', 'final', 11_109],
      ],
    );
  });

  it('says what is missing when the samples folder holds none', async () => {
    const dev = runLandfall(['dev', '--once'], { cwd, env: { ...none, LANDFALL_SAMPLES: cwd } });
    assert.equal(await dev.ended, 1);
    assert.match(dev.err(), /no sample export in .*LANDFALL_SAMPLES must name a folder that holds/);
  });
});
