import assert from 'node:assert/strict';

import type { Context } from 'mocha';

import { addDays } from '../../model/day.js';
import { begunOn, filesOfFolder, planFiles } from '../../sandbox/monetate/day.js';
import { fileLines, type MonetateFile } from '../../sandbox/monetate/files.js';
import { planWrites, strangersIn, wholeFiles, type Flaw } from '../../sandbox/monetate/flaws.js';
import type { Session } from '../../sandbox/monetate/session.js';
import { withWorker } from '../support/delivery.js';
import type { MonetateSource, SftpPlace } from '../support/monetate.js';
import {
  assertRows,
  daysAgo,
  dropConsistent,
  ended,
  putFiles,
  visitsSource,
} from '../support/monetate-day.js';
import { testSshd, withoutSshd } from '../support/sshd.js';

const servers: readonly [string, () => Promise<SftpPlace | string | undefined>][] = [
  ["the sandbox's server", () => Promise.resolve(undefined)],
  [
    "OpenSSH's sshd",
    async () => {
      const server = await testSshd();
      if (typeof server === 'string') return server;
      const { userKey: privateKey, files: home, hostKeys } = server;
      return { ...server, privateKey, home, hostKey: hostKeys.ed25519 };
    },
  ],
];

async function sourceOn(test: Context, start: () => Promise<SftpPlace | string | undefined>) {
  const server = await start();
  if (typeof server === 'string') return withoutSshd(test, server);
  return visitsSource({ quarantineLimit: '20%' }, server === undefined ? {} : { server });
}

const year = new Date().getUTCFullYear();
/** The nearest: Monetate no longer keeps one that is further back than some two years, and one may be to come. */
const leapYear = [year - 1, year, year + 1, year + 2].find((one) => one % 4 === 0) ?? year;

const count = (sessions: readonly Session[], is: (session: Session) => boolean): string =>
  String(sessions.filter(is).length);

describe('Monetate days, end to end', function () {
  this.timeout(180_000);
  let source: MonetateSource | undefined;
  afterEach(async () => {
    const opened = source;
    source = undefined;
    if (opened) await dropConsistent(opened);
  });

  /** Loads days at the same time, and expects them to be final. */
  const loadAll = (of: MonetateSource, dates: readonly string[], closesAt?: number): Promise<void> =>
    withWorker(of, async (client) => {
      const later = { deadline: Date.now() + 3_600_000 };
      const changes = closesAt === undefined ? later : { ...later, closesAt };
      const started = await Promise.all(
        dates.map((date) => of.start(client, of.input('sessions', date, changes))),
      );
      const results = await Promise.all(started.map((one) => ended(one)));
      for (const { finality, reason } of results) assert.equal(finality, 'final', reason);
    });

  for (const [name, start] of servers) {
    it(`hold every session of a day and its night, in all tables, and the ledger adds up (${name})`, async function () {
      source = await sourceOn(this, start);
      const date = daysAgo(40);
      const next = addDays(date, 1);
      const planned = planFiles(
        [
          { date, sessions: 260, unknownKeys: true },
          { date: next, sessions: 60 },
        ],
        { filesPerInterval: 1 },
      );
      const flawed = (nth: number, flaw: Flaw['flaw']): Flaw => ({ flaw, interval: planned[nth]!.interval });
      const flaws = [flawed(3, 'bad lines'), flawed(9, 'repeated'), flawed(12, 'empty')];
      const files = wholeFiles(planWrites(planned, flaws));
      await putFiles(source, files);
      for (const key of strangersIn(planned[5]!)) await source.put(key, 'no file of sessions');
      const overnight = filesOfFolder(files, next).flatMap(({ sessions }) => sessions);
      assert.ok(overnight.some(({ start_time: at }) => at < Date.parse(next)));

      await loadAll(source, [date, next, addDays(date, 2)]);

      await assertRows(source, files);
      await assertLedger(source, files, 1);
      await assertViews(source, files, date);
    });
  }

  it("are those of a year's end, a leap day and the day before it, and of the mornings after them", async () => {
    source = await visitsSource();
    const days = [`${year - 1}-12-31`, `${leapYear}-02-28`, `${leapYear}-02-29`];
    const files = planFiles(
      days.map((date) => ({ date, sessions: 60 })),
      { filesPerInterval: 1 },
    );
    await putFiles(source, files, Date.now() - 3_600_000);
    const folders = [...new Set(files.map(({ date }) => date))].sort();
    assert.deepEqual(folders, [...days, `${year}-01-01`, `${leapYear}-03-01`].sort());
    // The vendor's hour has come, by the clock of a leap day that may be a day to come.
    await loadAll(source, folders, Date.now() - 60_000);
    await assertRows(source, files);
    const counted = await source.rows(
      'select date::text, sessions::int from experiments.daily_session order by 1',
    );
    assert.deepEqual(
      counted,
      days.toSorted().map((date) => ({ date, sessions: begunOn(files, date).length })),
    );
  });
});

/** Counts of every file, and of the published loads. `again` files repeat all sessions of another. */
async function assertLedger(
  source: MonetateSource,
  files: readonly MonetateFile[],
  again: number,
): Promise<void> {
  const rows = await source.rows(
    `select f.key, lf.rows_parsed::int as parsed, lf.rows_loaded::int as loaded,
       lf.rows_quarantined::int as quarantined, lf.rows_duplicate::int as duplicate
     from landfall.load l join landfall.load_file lf on lf.load_id = l.id join landfall.file f on f.id = lf.file_id
     where l.state = 'published' order by f.key collate "C"`,
  );
  const byKey = new Map(files.map((file) => [file.key, file]));
  assert.deepEqual(
    rows.map(({ key }) => key),
    [...byKey.keys()].sort(),
  );
  for (const { key, parsed, loaded, quarantined, duplicate } of rows) {
    const file = byKey.get(String(key))!;
    const expected = [fileLines(file).length, file.sessions.length, file.badLines?.length ?? 0];
    assert.deepEqual([parsed, Number(loaded) + Number(duplicate), quarantined], expected, String(key));
    assert.ok(duplicate === 0 || duplicate === parsed, String(key));
  }
  assert.equal(rows.filter(({ duplicate }) => Number(duplicate) > 0).length, again);
}

async function assertViews(
  source: MonetateSource,
  files: readonly MonetateFile[],
  date: string,
): Promise<void> {
  const sessions = [...new Map(begunOn(files, date).map((one) => [one.session_id, one])).values()];
  const one = async (sql: string): Promise<Record<string, unknown> | undefined> =>
    (await source.rows(sql))[0];
  const cents = sessions.reduce((sum, { session_value: value }) => sum + Math.round(value * 100), 0);
  assert.deepEqual(
    await one(
      `select sessions, bounces, purchase_sessions, (revenue * 100)::int as cents from experiments.daily_session s
       join landfall.delivery d on d.date = s.date and d.finality = 'final' where s.date = '${date}'`,
    ),
    {
      sessions: String(sessions.length),
      bounces: count(sessions, ({ is_bounce: is }) => is === 't'),
      purchase_sessions: count(sessions, ({ has_purchase: has }) => has === 't'),
      cents,
    },
  );
  const seen = sessions.reduce((sum, { offers }) => sum + Object.keys(offers ?? {}).length, 0);
  const ofDay = `from experiments.daily_variant where date = '${date}'`;
  assert.equal(Number((await one(`select sum(sessions) as n ${ofDay}`))?.['n']), seen);
  const bought = sessions.reduce((sum, { purchases }) => sum + Object.keys(purchases ?? {}).length, 0);
  const purchases = await one(`select count(*)::int as n from experiments.purchase where date = '${date}'`);
  assert.equal(purchases?.['n'], bought);
}
