import assert from 'node:assert/strict';

import fc from 'fast-check';
import pg from 'pg';

import { Failure } from '../../model/failure.js';
import { mergeDays } from '../../warehouse/merge-days.js';
import { openPool } from '../../warehouse/pool.js';
import { testDatabase } from '../support/postgres.js';
import {
  conversions,
  discardDay,
  makeDays,
  partitionNames,
  prepareDays,
  publishDay,
  stageDay,
  visibleDays,
} from './days.js';
import { march, recent } from './merging.js';

/** Of a month that is merged, of one that has no partition before its days come, and of the newest. */
const days = [
  '2026-03-01',
  '2026-03-02',
  '2026-03-31',
  '2026-02-10',
  '2026-02-11',
  '2026-04-01',
  '2026-05-20',
];

interface Change {
  readonly day: string;
  /** 0: it is discarded. */
  readonly rows: number;
}

const round = fc.record({
  changes: fc.uniqueArray(
    fc.record({ day: fc.constantFrom(...days), rows: fc.integer({ min: 0, max: 3 }) }),
    { maxLength: 5, selector: ({ day }) => day },
  ),
  merges: fc.integer({ min: 0, max: 2 }),
  /** Milliseconds after which all of Landfall's sessions are ended; undefined for never. */
  killAfter: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
});

describe('days and months of a table', function () {
  this.timeout(300_000);

  it('end as the last change of each day has it, whatever is published, discarded, merged and killed at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (rounds) => {
        const database = await testDatabase();
        const pool = openPool(database.url);
        try {
          await prepareDays(pool);
          await makeDays(pool, [...march, ...recent, '2026-05-18', '2026-05-19'], 1);
          const expected = new Map(Object.entries(await visibleDays(database.pool)));
          for (const [n, { changes, merges, killAfter }] of rounds.entries()) {
            await playRound(pool, database.pool, `r${n}`, changes, merges, killAfter);
            for (const { day, rows } of changes) {
              if (rows === 0) expected.delete(day);
              else expected.set(day, `${rows} of r${n}`);
            }
            assert.deepEqual(await visibleDays(database.pool), sorted(expected), `after round ${n}`);
          }
          await untilDone(() => merge(pool));
          assert.deepEqual(await visibleDays(database.pool), sorted(expected), 'after the last merge');
          assert.ok((await partitionNames(database.pool)).includes('2026_03'));
          await assertNothingLeft(database.pool);
        } finally {
          await pool.end();
          await database.drop();
        }
      }),
      { numRuns: 6 },
    );
  });
});

async function playRound(
  pool: pg.Pool,
  admin: pg.Pool,
  version: string,
  changes: readonly Change[],
  merges: number,
  killAfter: number | undefined,
): Promise<void> {
  const loads = new Map<string, string>();
  for (const { day, rows } of changes) {
    if (rows > 0) loads.set(day, await stageDay(admin, day, rows, version));
    else await stageDay(admin, day, 0, version);
  }
  const steps = changes.map(({ day, rows }) =>
    untilDone(() =>
      rows === 0 ? discardDay(pool, day, `discard ${version}`) : publishDay(pool, day, loads.get(day)!),
    ),
  );
  const kill = async (): Promise<void> => {
    if (killAfter === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, killAfter));
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'landfall'`,
    );
  };
  const merging = Array.from({ length: merges }, () => untilDone(() => merge(pool)));
  await Promise.all([...steps, ...merging, kill()]);
}

const merge = (pool: pg.Pool) => mergeDays(pool, conversions, { periods: Infinity, patience: 0 });

/** As its activity is: tried again after a fault that passes. */
async function untilDone(step: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await step();
      return;
    } catch (error) {
      if (error instanceof Failure && error.type === 'TablesBusy') continue;
      if (error instanceof pg.DatabaseError && ['57P01', '55P03', '40P01'].includes(error.code ?? ''))
        continue;
      if (error instanceof Error && /terminated|not queryable|ECONNRESET/.test(error.message)) continue;
      throw error;
    }
  }
}

async function assertNothingLeft(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables
     where schemaname = 'landfall_staging' and tablename not in (
       select 'load_' || id || '_conversion' from landfall.load where state = 'staging')`,
  );
  assert.deepEqual(rows, []);
  const copies = await pool.query('select days from landfall.period_copy');
  assert.deepEqual(copies.rows, []);
}

function sorted(days: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...days].sort(([a], [b]) => a.localeCompare(b)));
}
