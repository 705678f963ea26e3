import assert from 'node:assert/strict';
import { join } from 'node:path';

import { WorkflowFailedError } from '@temporalio/client';

import { writeDay, type DayToWrite, type WrittenDay } from '../../sandbox/optimizely/day.js';
import { deliver, load, signal, withWorker } from '../support/delivery.js';
import { assertConsistent, landed } from '../support/landed.js';
import { inTemporaryFolder, testSource, type TestSource } from '../support/landfall.js';
import { query } from '../vendors/optimizely/load-parquet.js';

const date = '2026-03-01';
const past = { deadline: 0 };
const day = { type: 'events', date, rows: 3_000, parts: 4, folders: false } as const;
const faults = { nullUuid: 3, nulCharacter: 4, nulInJson: 5, outOfRange: 6 };

describe('rows that cannot be loaded', function () {
  this.timeout(60_000);
  let source: TestSource;
  beforeEach(async () => {
    source = await testSource();
  });
  afterEach(() => source.drop());

  /** Delivers a day, and asks its files something, by DuckDB alone; `key` and `line` are there to be asked for. */
  async function deliverAndAsk(
    options: Partial<DayToWrite>,
    question: string,
  ): Promise<{ written: WrittenDay; answer: unknown[] }> {
    return inTemporaryFolder(async (directory) => {
      const written = await writeDay({ directory, ...day, ...options });
      await source.upload(directory);
      const files = join(directory, 'type=events/**/part-*.parquet');
      const answer = await query(
        `with part as (
           select *, replace(filename, '${directory}/', '') as key, file_row_number + 1 as line
           from read_parquet('${files}', hive_partitioning = false, filename = true, file_row_number = true)
         ) ${question}`,
      );
      return { written, answer };
    });
  }

  describe('below the limit', () => {
    it('are quarantined with file, line, reason and the row as it came; the others are published', async () => {
      const { written, answer } = await deliverAndAsk(
        { flaws: faults },
        `select key, line::integer as line,
           case when uuid is null then 'uuid is missing, and it is the key'
             when contains(referer, chr(0)) then 'referer holds the character NUL'
             when contains(attributes::varchar, chr(0)) then 'attributes holds the character NUL'
             else 'timestamp is not an instant between the years 1 and 9999' end as reason,
           uuid
         from part
         where uuid is null or contains(referer, chr(0)) or contains(attributes::varchar, chr(0))
           or timestamp < timestamp '0001-01-01'
         order by 1, 2`,
      );
      assert.equal(answer.length, 18);
      const result = await load(source, 'events', date, {}, past);
      assert.equal(result.finality, 'final');
      assert.deepEqual(result.counts, {
        files: 4,
        bytes: written.bytes,
        parsed: 3_000,
        loaded: 2_982,
        quarantined: 18,
        duplicate: 0,
      });
      const quarantined = await source.database.pool.query<Record<string, string>>(
        `select f.key, q.line::int as line, split_part(q.reason, ':', 1) as reason, q.raw
         from landfall.quarantine q join landfall.file f on f.id = q.file_id order by f.key collate "C", q.line`,
      );
      assert.deepEqual(
        quarantined.rows.map(({ raw, ...row }) => ({
          ...row,
          uuid: (JSON.parse(raw!) as { uuid: unknown }).uuid,
        })),
        answer,
      );
      await assertConsistent(source.database.pool);
    });

    it('go away with the version they belong to, when the day is loaded again', async () => {
      await deliver(source, { ...day, flaws: { nulCharacter: 4 } });
      await load(source, 'events', date, {}, past);
      await deliver(source, { ...day, seed: 'mended' });
      const result = await reprocess('the vendor mended it');
      assert.equal(result.counts?.quarantined, 0);
      assert.deepEqual(await source.rows('select * from landfall.quarantine'), []);
      await assertConsistent(source.database.pool);
    });
  });

  describe('above the limit', () => {
    it('fail the delivery: nothing is published, and the quarantine tells why', async () => {
      await deliver(source, { ...day, flaws: { nulCharacter: 20, outOfRange: 11 } });
      await assert.rejects(load(source, 'events', date, {}, past), tooManyBadRows);
      assert.deepEqual(await source.rows('select * from experiments.conversion'), []);
      assert.deepEqual(await source.rows(`select state, rows_parsed from landfall.load`), [
        { state: 'rejected', rows_parsed: '0' },
      ]);
      assert.deepEqual(await source.rows('select count(*)::int as n from landfall.quarantine'), [{ n: 31 }]);
      assert.deepEqual(await source.rows('select finality from landfall.delivery'), [{ finality: 'failed' }]);
      await assertConsistent(source.database.pool);
    });

    it('leave the version that was published before as it is', async () => {
      await deliver(source, { ...day, seed: 'good' });
      await load(source, 'events', date, {}, past);
      const before = await landed(source.database.pool);
      await deliver(source, { ...day, seed: 'bad', flaws: { nulCharacter: 31 } });
      await assert.rejects(reprocess('the vendor wrote it anew'), tooManyBadRows);
      assert.deepEqual({ ...(await landed(source.database.pool)), quarantine: [] }, before);
      assert.deepEqual(await source.rows('select count(*)::int as n from landfall.quarantine'), [{ n: 31 }]);
      await assertConsistent(source.database.pool);
    });

    it('are published after all, once the limit is raised and the delivery reprocessed', async () => {
      await deliver(source, { ...day, flaws: { nulCharacter: 31 } });
      await assert.rejects(load(source, 'events', date, {}, past), tooManyBadRows);
      const generous = { sources: [{ ...source.config, quarantineLimit: 0.02 }] };
      const result = await withWorker(
        source,
        (client) => signal(source, client, 'reprocess', 'good enough', source.input('events', date, past)),
        generous,
      );
      assert.deepEqual([result.counts?.loaded, result.counts?.quarantined], [2_969, 31]);
      assert.deepEqual(await source.rows('select count(*)::int as n from landfall.quarantine'), [{ n: 31 }]);
      await assertConsistent(source.database.pool);
    });
  });

  it('duplicates are removed and counted; the first by file and line stays, whatever was staged first', async () => {
    const options = { flaws: { duplicatesWithin: 12, duplicatesAcross: 15 } };
    const { answer } = await deliverAndAsk(
      options,
      `select key, line::integer as line from part
       qualify row_number() over (partition by uuid order by key, line) > 1 order by 1, 2`,
    );
    assert.equal(answer.length, 27);
    const removed = (): Promise<unknown[]> =>
      source.rows(
        `select key, line from (
           select f.key, generate_series(1, lf.rows_parsed)::int as line, f.id
           from landfall.load l join landfall.load_file lf on lf.load_id = l.id join landfall.file f on f.id = lf.file_id
           where l.state = 'published') listed
         where not exists (select from experiments.conversion c where c._file_id = listed.id and c._line = listed.line)
         order by key collate "C", line`,
      );
    // One file a step and four at a time, so that they come to stage in any order.
    const anyOrder = { batchLimits: { files: 1, bytes: 1e9 }, readers: 4 };
    const result = await load(source, 'events', date, anyOrder, { ...past, inFlight: 4 });
    assert.deepEqual([result.counts?.loaded, result.counts?.duplicate], [2_973, 27]);
    assert.deepEqual(await removed(), answer);
    await assertConsistent(source.database.pool);

    const before = await landed(source.database.pool);
    await reprocess('once more');
    assert.deepEqual(await removed(), answer);
    assert.deepEqual(await landed(source.database.pool), before);
  });

  it('a row that only Postgres refuses fails the delivery visibly, and is not tried for ever', async () => {
    const deep = `CASE WHEN i = 7 THEN repeat('[', 50000) || repeat(']', 50000) ELSE '[]' END`;
    await deliver(source, { ...day, rows: 10, parts: 1, fields: { attributes: deep } });
    await assert.rejects(load(source, 'events', date, {}, past), (error) => {
      assert.ok(error instanceof WorkflowFailedError);
      assert.match(
        error.cause?.message ?? '',
        /Postgres refuses a row of type=events.*part-00000.*column attributes/,
      );
      return true;
    });
    assert.deepEqual(await source.rows('select * from experiments.conversion'), []);
    await assertConsistent(source.database.pool);
  });

  const reprocess = (reason: string) =>
    withWorker(source, (client) =>
      signal(source, client, 'reprocess', reason, source.input('events', date, past)),
    );
});

function tooManyBadRows(error: unknown): boolean {
  assert.ok(error instanceof WorkflowFailedError);
  assert.equal((error.cause as { type?: string }).type, 'TooManyBadRows');
  assert.match(
    error.cause?.message ?? '',
    /31 of 3000 rows .* quarantineLimit is 1 %.* The first is line \d+ of type=/,
  );
  return true;
}
