import assert from 'node:assert/strict';

import type pg from 'pg';

import type { GroupRows } from '../../model/row-text.js';
import { pendingFiles, stageFiles, type PendingFile } from '../../warehouse/stage-file.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { countsByFile, openVisits, plan, publish, rowsOf, written, type Visits } from './adding.js';

describe('files that are staged several at once', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;
  let visits: Visits;
  let loadId: string;
  let pending: PendingFile[];

  const files = [
    written('a', 'v1', ['1', 2], 'bad'),
    written('b', 'v1', ['2', 1], 'bad', 'bad'),
    written('c', 'v1'),
    written('d', 'v1', ['4', 0]),
  ];
  const whole = {
    ...{ 'a v1': [2, 1, 1, 0], 'b v1': [3, 1, 2, 0] },
    ...{ 'c v1': [0, 0, 0, 0], 'd v1': [1, 1, 0, 0] },
  };

  before(async () => {
    database = await testDatabase();
    pool = database.pool;
  });
  beforeEach(async () => {
    visits = await openVisits(pool);
    ({ loadId } = await plan(visits, files, { limits: { files: 9, bytes: 1e9 } }));
    pending = await pendingFiles(pool, loadId, 0);
  });
  after(() => database.drop());

  const read = (some: readonly PendingFile[]): Promise<GroupRows> =>
    Promise.resolve(rowsOf(loadId, some, files));
  const stageThese = (some: readonly PendingFile[], how: typeof read = read): Promise<void> =>
    stageFiles(pool, loadId, some, how, new AbortController().signal);
  const firstErrors = async (): Promise<(string | null)[]> => {
    const { rows } = await pool.query<{ line: string | null }>(
      `select first_error_line as line from landfall.load_file lf join landfall.file f on f.id = lf.file_id
       where load_id = $1 order by f.key`,
      [loadId],
    );
    return rows.map(({ line }) => line);
  };

  it('have each its own counts', async () => {
    await stageThese(pending);
    assert.deepEqual(await firstErrors(), ['2', '2', null, null]);
    await publish(visits, loadId);
    assert.deepEqual(await countsByFile(visits), whole);
  });

  it('are all staged or none', async () => {
    const breaking: typeof read = async (some) => {
      const rows = await read(some);
      return { ...rows, bad: () => Promise.reject(new Error('the disk is full')) };
    };
    await assert.rejects(stageThese(pending, breaking), /the disk is full/);
    assert.equal((await pendingFiles(pool, loadId, 0)).length, 4);
    await stageThese(pending);
    await publish(visits, loadId);
    assert.deepEqual(await countsByFile(visits), whole);
  });

  it('are refused where the rows that were copied are not those of the files', async () => {
    const wrong: typeof read = async (some) => {
      const rows = await read(some);
      return { ...rows, of: (id) => ({ ...rows.of(id), byTable: { session: 1 } }) };
    };
    await assert.rejects(
      stageThese(pending, wrong),
      /^Error: a and 3 more files: .* by file they are others/,
    );
    assert.equal((await pendingFiles(pool, loadId, 0)).length, 4);
  });

  it('by two attempts at once are there once: the second stages what is left', async () => {
    const asked: string[][] = [];
    let overtaken = false;
    const slow: typeof read = async (some) => {
      asked.push(some.map(({ key }) => key));
      const rows = await read(some);
      return {
        ...rows,
        good: async (consume) => {
          const loaded = await rows.good(consume);
          if (!overtaken) await stageThese(pending.slice(1, 3));
          overtaken = true;
          return loaded;
        },
      };
    };
    await stageThese(pending, slow);
    assert.deepEqual(asked, [
      ['a', 'b', 'c', 'd'],
      ['a', 'd'],
    ]);
    await publish(visits, loadId);
    assert.deepEqual(await countsByFile(visits), whole);
  });

  it('by many attempts with overlapping groups are there once', async () => {
    const groups = [pending, pending.slice(0, 2), pending.slice(1), [...pending].reverse(), pending.slice(2)];
    const outcomes = await Promise.allSettled(groups.map((group) => stageThese(group)));
    const failed = outcomes.flatMap((one) =>
      one.status === 'rejected' ? [one.reason as { code?: string }] : [],
    );
    // Attempts that wait for each other's bad rows are ended by Postgres, and are repeated as steps.
    for (const { code } of failed) assert.equal(code, '40P01');
    await stageThese(await pendingFiles(pool, loadId, 0));
    await publish(visits, loadId);
    assert.deepEqual(await countsByFile(visits), whole);
  });

  it('of a load that was given up are not', async () => {
    await plan(visits, files.slice(1));
    await assert.rejects(stageThese(pending), { type: 'LoadSuperseded' });
  });
});
