import assert from 'node:assert/strict';
import { join } from 'node:path';

import { check, type CheckRequest } from '../../client/check.js';
import type { Finding } from '../../client/checks/finding.js';
import { openPlace } from '../../client/place.js';
import { eventually } from '../support/eventually.js';
import { runLandfall } from '../support/landfall-process.js';
import { listeningServer, type ListeningServer } from '../support/listening-server.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { insertBody, insertDelivery } from './inbox.js';
import { openDesk, type Desk } from './landfall-command.js';
import { writeLoad, writeSource } from './ledger.js';

const password = 'not-for-the-screen';
const token = 'nor-is-this.one';

/** A configuration that is sent to; `more` is of the receiver. */
function yamlOf(url: string, more: object): string {
  return JSON.stringify({
    postgres: { url },
    receiver: more,
    sources: {
      rum: { vendor: 'dynatrace', auth: { basic: { username: 'ferry', password }, bearer: token } },
    },
  });
}

describe('check, for a source that is sent to', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let receiver: ListeningServer;
  let status = 200;
  const ends: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    database = await testDatabase();
    await writeSource(database.pool, 'rum');
    status = 200;
    receiver = await listeningServer((response) => void response.writeHead(status).end('{}'));
    ends.push(database.drop, receiver.stop);
  });
  afterEach(async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  });

  const desk = async (settings: object = { url: receiver.url }): Promise<Desk> => {
    const opened = await openDesk(yamlOf(database.url, settings));
    ends.push(opened.leave);
    return opened;
  };
  /** What it says of the receiver, of the vendor's form and of what came. */
  const findingsOf = (out: string): Finding[] =>
    (JSON.parse(out) as Finding[]).filter(({ part }) => part.endsWith(' for rum'));
  const checked = async (settings?: object): Promise<readonly Finding[]> => {
    const { landfall } = await desk(settings);
    return findingsOf((await landfall('check', '--wait', '0', '-o', 'json')).out);
  };
  const about = (what: string, findings: readonly Finding[]): Finding => {
    const found = findings.find((finding) => finding.what === what);
    assert.ok(found, `${what} in ${JSON.stringify(findings)}`);
    return found;
  };

  it("says what to enter in the vendor's form, and keeps secrets", async () => {
    const { landfall } = await desk({ url: `${receiver.url}/` });
    const { out, err } = await landfall('check', '--wait', '0');
    assert.ok(
      out.includes(`ok     dynatrace's form for rum: Endpoint URL: ${receiver.url}/dynatrace/rum\n`),
      out,
    );
    assert.ok(!out.includes(password) && !out.includes(token));
    assert.equal(err, '');
  });

  it('asks the receiver whether it takes anything', async () => {
    const ready = async (settings?: object): Promise<Finding> => about('ready', await checked(settings));
    const { url } = receiver;
    assert.equal((await ready()).found, `it answers at ${url}, and takes what comes`);
    assert.equal(receiver.heard[0]?.path, '/ready');
    status = 503;
    const unready = await ready();
    assert.deepEqual(
      [unready.ok, unready.found],
      [false, `it answers at ${url}, but can put nothing into the inbox`],
    );
    status = 301;
    assert.equal((await ready()).found, `${url}/ready answers with 301, as our receiver does not`);
    const absent = await ready({ port: 1 });
    assert.deepEqual(
      [absent.ok, absent.found],
      [false, 'nothing answers at http://127.0.0.1:1 (ECONNREFUSED)'],
    );
    assert.match(absent.mend ?? '', /^Start it with 'landfall receiver'\./);
  });

  it('tells the address that is configured, or that of this machine', async () => {
    const address = async (settings: object): Promise<string> =>
      about('address', await checked(settings)).found;
    const port = Number(new URL(receiver.url).port);
    assert.equal(await address({ port }), `http://127.0.0.1:${port}, as seen from this machine`);
    assert.equal(
      await address({ host: '0.0.0.0', port }),
      `http://127.0.0.1:${port}, as seen from this machine`,
    );
    assert.equal(await address({ host: '::', port: 1 }), 'http://[::1]:1, as seen from this machine');
    assert.equal(await address({ url: 'https://landfall.example' }), 'https://landfall.example');
    const tls = { certificate: 'c.pem', key: 'k.pem' };
    assert.equal(await address({ tls, port: 1 }), 'https://127.0.0.1:1, as seen from this machine');
    const findings = await checked({ port: 0 });
    assert.equal(about('address', findings).ok, false);
    assert.ok(
      findings.every(({ what }) => what !== 'Endpoint URL'),
      'nobody could know it',
    );
  });

  it('says when something came, and does not wait then', async () => {
    const { pool } = database;
    const { landfall } = await desk();
    const arrivals = async (...more: string[]): Promise<Finding> => {
      const { out, err } = await landfall('check', 'rum', '-o', 'json', ...more);
      assert.equal(err, '');
      return about('arrivals', findingsOf(out));
    };
    assert.deepEqual(await arrivals('--wait', '0'), {
      ...{ part: 'receiver for rum', what: 'arrivals', ok: true, found: 'nothing has come yet' },
    });
    const body = await insertBody(pool, 'rum', 3);
    await pool.query(`update landfall.inbox set received_at = '2026-11-20T10:00:00Z'`);
    assert.equal((await arrivals()).found, 'the newest came at 2026-11-20 10:00:00 UTC');
    await insertDelivery(pool, 'rum/2026-11-20/1', 'final');
    await pool.query('delete from landfall.inbox where id = $1', [body]);
    assert.match((await arrivals()).found, /^the newest came at 20/, 'the ledger keeps it');
  });

  it('fails when nothing comes in time', async () => {
    const { landfall } = await desk();
    const { code, out, err } = await landfall('check', '-o', 'json', '--wait', '1s');
    assert.equal(code, 1);
    const { ok, found, mend } = about('arrivals', findingsOf(out));
    assert.deepEqual([ok, found], [false, 'nothing came within 1 second']);
    assert.match(mend ?? '', /test export/);
    assert.match(
      err,
      /^Nothing was sent for rum yet\. What its vendor's form needs:\n {2}.*\nWaits up to 1 second /s,
    );
    assert.ok(err.includes(`  Endpoint URL: ${receiver.url}/dynatrace/rum\n`));
  });

  /** Runs the check, and `meanwhile` as soon as it waits. */
  const whileItWaits = async (
    meanwhile: () => Promise<unknown>,
    request: Partial<CheckRequest> = {},
  ): Promise<readonly Finding[]> => {
    const { cwd } = await desk();
    const place = await openPlace(undefined, { env: {}, cwd } as never);
    let result: readonly Finding[] = [];
    const happened: Promise<unknown>[] = [];
    await check(
      place,
      { source: 'rum', wait: 40_000, sniff: () => Promise.resolve(undefined), ...request },
      {
        format: 'json',
        note: () => void happened.push(meanwhile()),
        result: (findings) => void (result = findings as readonly Finding[]),
      },
    );
    await Promise.all(happened);
    assert.equal(happened.length, 1);
    return result;
  };

  it('waits for what comes, and tells what became of it', async () => {
    const { pool } = database;
    const id = 'rum/2026-11-20/1';
    const findings = await whileItWaits(async () => {
      await insertDelivery(pool, id, 'loading');
      await insertBody(pool, 'rum', 50, id);
      await insertBody(pool, 'rum', 1, id);
      await writeLoad(pool, { delivery: id, state: 'published', loaded: 50, quarantined: 1 });
      await pool.query(`update landfall.delivery set finality = 'final' where id = $1`, [id]);
    });
    assert.match(about('arrivals', findings).found, /^2 bodies with 51 sessions came, the newest at \d{4}-/);
    assert.deepEqual(about(id, findings), {
      ...{ part: 'receiver for rum', what: id, ok: true },
      found: `final, 50 rows, 1 in quarantine ('landfall show ${id}' shows why)`,
    });
  });

  it('says what is wrong with a delivery that failed', async () => {
    const { pool } = database;
    const id = 'rum/2026-11-20/1';
    const findings = await whileItWaits(async () => {
      await insertDelivery(pool, id, 'failed');
      await insertBody(pool, 'rum', 1, id);
    });
    const { ok, found } = about(id, findings);
    assert.deepEqual([ok, found], [false, 'failed: By hand']);
  });

  it('says that what came is in no delivery yet', async () => {
    const findings = await whileItWaits(() => insertBody(database.pool, 'rum', 1), { settlesWithin: 50 });
    assert.match(about('arrivals', findings).found, /^1 body with 1 session came/);
    assert.equal(
      about('deliveries', findings).found,
      "1 body is in no delivery yet; 'landfall status rum' shows when that changes",
    );
  });

  it('ends the wait on Ctrl-C, with what it has found', async () => {
    const { cwd } = await desk();
    const process = runLandfall(['check', '-o', 'json', '--config', join(cwd, 'landfall.yaml')], {
      cwd,
      env: { DATABASE_URL: '', TEMPORAL_ADDRESS: '', HOME: cwd },
    });
    await eventually(() => process.err().includes('Waits up to 5 minutes'), { timeoutMs: 40_000 });
    process.child.kill('SIGINT');
    assert.equal(await process.ended, 1, process.err());
    const { found } = about('arrivals', findingsOf(process.out()));
    assert.equal(found, 'nothing came before the wait was ended');
  });

  it('goes on where Postgres is not there', async () => {
    const { landfall, leave } = await openDesk(
      yamlOf('postgres://u:p@127.0.0.1:1/db', { url: receiver.url }),
    );
    ends.push(leave);
    const { out, err } = await landfall('check', '-o', 'json');
    assert.match(
      about('arrivals', findingsOf(out)).found,
      /^Postgres at 127\.0\.0\.1:1\/db cannot be reached/,
    );
    assert.equal(err, '', 'nothing is waited for');
  });

  it('takes lengths of time, and 0', async () => {
    const { landfall } = await desk();
    const { code, err } = await landfall('check', '--wait', 'soon');
    assert.equal(code, 2);
    assert.match(err, /It must be a length of time with its unit, such as '5 minutes' or 90s, or 0\./);
  });
});
