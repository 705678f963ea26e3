import type pg from 'pg';

import { dayTable } from '../../activities/day-table.js';
import type { SourceConfig } from '../../config/schema.js';
import { vendors } from '../../vendors/registry.js';
import { lockDemand, waitingTables, type LockDemand } from '../../warehouse/lock-demand.js';
import { crowdedPeriods } from '../../warehouse/merge-days.js';
import type { PartReport } from './finding.js';

/** So many queries of all of a source's tables at once must find room in three quarters of Postgres' lock table. */
const queriesAtOnce = 6;
const share = 0.75;

/** Warns of tables with so many partitions that queries run out of locks, before they do. */
export async function checkPartitions(
  pool: pg.Pool,
  sources: readonly SourceConfig[],
  report: PartReport,
): Promise<void> {
  const demands = await lockDemand(
    pool,
    sources.map(({ schema }) => schema),
  );
  const waiting = await waitingTables(pool);
  for (const source of sources) {
    const demand = demands.find(({ schema }) => schema === source.schema);
    if (!demand || demand.partitions === 0) continue;
    const what = `partitions of ${source.name}`;
    const crowded = await daysToMerge(pool, source);
    const waits = waiting.find(({ name }) => name.startsWith(`"${source.schema}".`));
    if (waits && crowded > 0) {
      report.wrong(
        what,
        `old days wait to be put together since ${waits.waits_since.toISOString()}. ${waits.waits_for.replace(/\.$/, '')}`,
        "The schedule tries again; 'landfall setup' does so at once.",
      );
    } else if (isTooMany(demand)) report.wrong(what, found(demand), advice(demand, crowded));
    else report.ok(what, found(demand));
  }
}

async function daysToMerge(pool: pg.Pool, source: SourceConfig): Promise<number> {
  let periods = 0;
  for (const type of source.types) {
    const of = dayTable(source, vendors[source.vendor], type);
    if (of) periods += (await crowdedPeriods(pool, of)).length;
  }
  return periods;
}

function isTooMany({ locks, perTransaction, connections }: LockDemand): boolean {
  return locks * queriesAtOnce > perTransaction * connections * share;
}

function found({ partitions, locks, perTransaction, connections }: LockDemand): string {
  return (
    `${partitions} partitions; a query of all of them takes ${locks} locks, of some ${perTransaction * connections} that ` +
    `all sessions share`
  );
}

function advice({ locks, perTransaction, connections }: LockDemand, crowded: number): string {
  const needed = Math.ceil((locks * queriesAtOnce) / share / connections);
  const raise = `set max_locks_per_transaction = ${needed} (it is ${perTransaction}) and restart Postgres`;
  const danger = `${queriesAtOnce} such queries at once may fail with "out of shared memory"`;
  return crowded > 0
    ? `${danger}. Run 'landfall setup', which puts old days together; or ${raise}.`
    : `${danger}: drop indexes that nobody needs, or ${raise}.`;
}
