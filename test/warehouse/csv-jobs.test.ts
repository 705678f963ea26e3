import assert from 'node:assert/strict';

import type pg from 'pg';

import { flawedCsvShards } from '../../sandbox/leanplum/flawed-csv.js';
import { makeJob, type JobToMake, type MadeJob } from '../../sandbox/leanplum/job.js';
import { countRows, mergeRows, type LeanplumRows } from '../../sandbox/leanplum/rows.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import { supersededTable } from '../../warehouse/names.js';
import { heldRows, inKeyOrder } from '../support/leanplum-rows.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import { loadJob, prepareJobs, publishJob, shard, stageJob, target } from './jobs.js';

const uuid = '37e812c0-d66e-48a2-8812-27ee12d58b58';
const until = Date.parse('2026-11-20T18:00:00Z');

describe('a made-up CSV job of Leanplum', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pool: pg.Pool;
  before(async () => {
    database = await testDatabase();
    pool = database.pool;
    await prepareJobs(pool);
  });
  after(() => database.drop());
  afterEach(() => {
    const names = target.tables.map(({ name }) => name);
    return pool.query(
      `truncate ${names.map((name) => `leanplum.${name}, ${supersededTable('leanplum', name)}`).join(', ')},
         ${supersededTable('leanplum')}`,
    );
  });

  const made = (job: Partial<JobToMake> = {}): MadeJob =>
    makeJob({
      ...{
        uuid,
        date: '2026-11-20',
        format: 'csv',
        sessions: makeSessions({ count: 120, until }),
        shards: 3,
      },
      ...job,
    });
  const shardsOf = ({ files }: MadeJob): MadeJob['files'] => files.filter(({ role }) => role === 'shard');
  const assertHeld = async (rows: LeanplumRows): Promise<void> =>
    assert.deepEqual(await heldRows(pool, target.schema), inKeyOrder(rows));

  const jobs: readonly [what: string, changes: Partial<JobToMake>][] = [
    ['in one shard of each kind', { shards: 1 }],
    ['in twelve shards, of which -2 comes before -10', { shards: 12 }],
    ['with more shards than rows', { shards: 40, sessions: makeSessions({ count: 3, until }) }],
    ['compressed', { gzip: true }],
    ['with its columns the other way round', { turnedHeaders: true }],
    ['with the line ends of Windows', { lineBreak: '\r\n' }],
    ['with its instants in E notation', { instants: 'scientific' }],
    ['with its instants as dates', { instants: 'date' }],
    ['whose events of one name have one id', { sharedEventIds: true }],
    ['without the states of the first shard', { unlisted: ['states-0'] }],
    ['without the sessions of the first shard', { unlisted: ['sessions-0'] }],
  ];
  for (const [what, changes] of jobs) {
    it(`${what} fills the tables as it should`, async () => {
      const job = made(changes);
      const unlisted = changes.unlisted ?? [];
      const parts = shardsOf(job).filter(({ key }) => !unlisted.some((name) => key.endsWith(name)));
      const counts = await loadJob(pool, uuid, parts);
      await assertHeld(job.rows);
      const rows = Object.values(countRows(job.rows)).reduce((sum, count) => sum + count, 0);
      assert.deepEqual(
        [counts.parsed, counts.loaded, counts.quarantined, counts.conflicting ?? 0],
        [rows + job.quarantined + job.ambiguous, rows, job.quarantined, job.ambiguous],
      );
    });
  }

  it('without the events of a shard has bad rows: parameters of no event', async () => {
    const job = made({ unlisted: ['events-1'] });
    const parts = shardsOf(job).filter(({ key }) => !key.endsWith('events-1'));
    assert.ok(job.quarantined > 0);
    const { quarantined } = await publishJob(pool, uuid, await stageJob(pool, uuid, parts));
    assert.equal(quarantined, job.quarantined);
    await assertHeld(job.rows);
  });

  it('replaces the sessions that it has in common with an earlier one', async () => {
    const earlier = made();
    const later = made({
      uuid: '40000000-0000-4000-8000-000000000002',
      sessions: makeSessions({ count: 100, from: 60, until, version: 2 }),
    });
    for (const job of [earlier, later]) await loadJob(pool, job.uuid, shardsOf(job));
    await assertHeld(mergeRows(earlier.rows, later.rows));
  });

  for (const { kind, title, bytes, outcome } of flawedCsvShards()) {
    it(`with a shard of ${kind} ${title} ${outcome.is === 'read' ? `has ${outcome.bad.length} bad rows` : 'is unreadable'}`, async () => {
      const part = { ...shard('1', `${kind}-0`), bytes };
      if (outcome.is === 'unreadable') {
        await assert.rejects(stageJob(pool, '1', [part]), { type: 'FileUnreadable' });
        return;
      }
      const { quarantined, conflicting = 0 } = await loadJob(pool, '1', [part]);
      assert.deepEqual([quarantined, conflicting], [outcome.bad.length, outcome.conflicting.length]);
      await assertHeld(outcome.rows);
      const { rows } = await pool.query<{ line: string }>(
        `select q.line from landfall.quarantine q join landfall.load l on l.id = q.load_id
         where l.state = 'published' and l.delivery_id = 'sessions/1' order by line`,
      );
      assert.deepEqual(
        rows.map(({ line }) => Number(line)),
        [...outcome.bad, ...outcome.conflicting],
      );
    });
  }
});
