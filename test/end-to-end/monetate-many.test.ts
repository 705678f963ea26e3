import assert from 'node:assert/strict';

import { addDays } from '../../model/day.js';
import { fileOf, planFiles } from '../../sandbox/monetate/day.js';
import type { MonetateFile } from '../../sandbox/monetate/files.js';
import { countRows, hundredths, rowsOf } from '../../sandbox/monetate/rows.js';
import { openDesk, type Desk } from '../client/landfall-command.js';
import { withWorker } from '../support/delivery.js';
import {
  asked,
  assertRows,
  daysAgo,
  dropConsistent,
  ended,
  faultyPlace,
  putFiles,
  visitsSource,
  type FaultyPlace,
} from '../support/monetate-day.js';
import type { MonetateSource } from '../support/monetate.js';
import { devServer } from '../support/temporal.js';

/** Nobody goes on after midnight. */
const filesOf = (date: string, sessions: number): readonly MonetateFile[] =>
  planFiles([{ date, sessions, overnight: false }], { filesPerInterval: 1 });

/** Files of at most two sessions, some dozens an interval. */
function small(files: readonly MonetateFile[]): readonly MonetateFile[] {
  return files.flatMap(({ interval, sessions }) =>
    Array.from({ length: Math.ceil(sessions.length / 2) }, (_, number) =>
      fileOf(interval, number, 60_000, sessions.slice(number * 2, number * 2 + 2)),
    ),
  );
}

describe('many files and many days of Monetate', function () {
  this.timeout(180_000);
  let place: FaultyPlace;
  const sources: MonetateSource[] = [];

  const open = async (): Promise<MonetateSource> => {
    const source = await visitsSource({}, { server: place });
    sources.push(source);
    return source;
  };
  beforeEach(async () => {
    place = await faultyPlace();
  });
  afterEach(async () => {
    await Promise.all(sources.splice(0).map(dropConsistent)).finally(place.close);
  });

  it('are 3,000 in a day, over four connections at once, whatever else reads from the server', async () => {
    const [date, next] = [daysAgo(30), daysAgo(29)];
    const files = small(filesOf(date, 6_400));
    const others = filesOf(next, 20);
    assert.ok(files.length > 3_000, String(files.length));
    const [source, neighbour] = [await open(), await open()];
    await putFiles(source, files);
    for (const of of [source, neighbour]) await putFiles(of, others);
    const start = (of: MonetateSource, day: string) => async () => {
      const { client } = (await devServer()).environment;
      const input = of.input('sessions', day, { inFlight: 6 });
      const result = await ended(await of.start(client, input));
      assert.equal(result.finality, 'final', result.reason);
      return result;
    };
    const [whole] = await withWorker(source, () =>
      withWorker(neighbour, () =>
        Promise.all([start(source, date)(), start(source, next)(), start(neighbour, next)()]),
      ),
    );
    const { most } = place.server.connections();
    assert.ok(most > 1 && most <= 4, `${most} connections at once`);
    const opened = place.server.count((step) => step.kind === 'open');
    assert.equal(opened, files.length + 2 * others.length, 'each file is fetched once');
    assert.equal(whole.counts?.files, files.length);

    const expected = rowsOf([...files, ...others]);
    for (const [table, rows] of Object.entries(countRows(expected))) {
      const [counted] = await source.rows(`select count(*)::int as n from experiments.${table}`);
      assert.equal(counted?.['n'], rows, table);
    }
    const [worth] = await source.rows(
      'select (sum(session_value) * 100)::int as cents from experiments.session',
    );
    assert.equal(worth?.['cents'], hundredths(expected.session, 'session_value'));
    await assertRows(neighbour, others);
    const batches = await source.rows(
      `select max(batches) as batches from landfall.load where state = 'published'`,
    );
    assert.ok(Number(batches[0]?.['batches']) < 20, 'many files a step');
  });

  it('are 820 days, of which a backfill asks the server for those alone that are not final', async () => {
    const source = await open();
    const { name } = source.config;
    const [from, to] = [daysAgo(829), daysAgo(10)];
    const missing = [to, daysAgo(200), daysAgo(400)];
    const after = addDays(to, 1);
    const files = [...missing, after].flatMap((date) => filesOf(date, 6));
    await putFiles(source, files);
    await source.rows(
      `insert into landfall.delivery (id, source, type, date, finality, since, published_at)
       select '${name}/' || day::date, '${name}', 'sessions', day, 'final', now(), now()
       from generate_series('${from}'::date, '${to}', interval '1 day') day
       where day::date <> all ('{${missing.join()}}'::date[])`,
    );
    const desk = await deskOf(source);
    const backfill = async (...options: string[]): Promise<unknown> => {
      const range = ['--from', from, '--to', to, '-o', 'json'];
      const { code, out, err } = await desk.landfall('backfill', name, ...range, ...options);
      assert.equal(code, 0, err);
      return JSON.parse(out);
    };
    try {
      const plan = (await backfill('--dry-run')) as { delivery: string; plan: string }[];
      const starts = plan.filter((row) => row.plan === 'start').map(({ delivery }) => delivery);
      assert.deepEqual(starts.toSorted(), [...missing, after].map((date) => `${name}/${date}`).sort());
      assert.equal(plan.length, 821);
      assert.equal(place.server.steps.length, 0, 'the ledger knows all that');

      await withWorker(source, () => backfill('--wait'));
    } finally {
      await desk.leave();
    }
    await assertRows(source, files);
    const wanted = [...missing, after].flatMap((date) => [date, addDays(date, 1)]);
    // Of a folder that is missing, the one above is listed: a day's month, and the month's year.
    const folders = wanted.flatMap((date) => {
      const [year = '', month = '', day = ''] = date.split('-');
      return [`${year}/${month}/${day}/`, `${year}/${month}/`, `${year}/`];
    });
    const listed = (folder: string): number => place.server.count(asked(source, 'opendir', folder));
    const all = place.server.count(({ kind }) => kind === 'opendir');
    assert.equal(
      [...new Set(['', ...folders])].reduce((sum, folder) => sum + listed(folder), 0),
      all,
      'no other folder is listed',
    );
    assert.equal(
      place.server.count(({ kind }) => kind === 'open'),
      files.length,
    );
    // A look before and after a load, and one in between: of three folders, and the plan's of its own. Each folder is read
    // twice.
    assert.ok(all <= 2 * 4 * 14, `${all} listings`);
  });
});

/** The command line as it behaves with the source's configuration. */
async function deskOf(source: MonetateSource): Promise<Desk> {
  const { address } = await devServer();
  const config = {
    ...(JSON.parse(source.configText) as object),
    postgres: { url: source.database.url },
    temporal: { taskQueue: source.taskQueue },
  };
  return openDesk(JSON.stringify(config), { TEMPORAL_ADDRESS: address });
}
