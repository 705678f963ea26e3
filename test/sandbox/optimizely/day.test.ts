import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeDay, type DayToWrite, type WrittenDay } from '../../../sandbox/optimizely/day.js';
import { classify } from '../../../vendors/optimizely/layout.js';
import { query } from '../../vendors/optimizely/load-parquet.js';
import { needsRealSample, realParts } from '../../vendors/optimizely/real-sample.js';

describe('a generated Optimizely day', function () {
  this.timeout(30_000);
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'landfall-day-'));
  });
  afterEach(async () => rm(directory, { recursive: true }));

  const write = async (day: Partial<DayToWrite> = {}): Promise<WrittenDay> =>
    writeDay({ directory, type: 'events', date: '2026-03-01', rows: 600, ...day });
  const parts = (day: WrittenDay): string =>
    `read_parquet([${day.parts.map(({ key }) => `'${join(directory, key)}'`).join(', ')}],
       hive_partitioning = false, filename = true)`;
  const files = async (): Promise<string[]> =>
    (await readdir(directory, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .sort();

  for (const type of ['decisions', 'events'] as const) {
    it(`${type} have the schema of the real files, column by column`, async function () {
      needsRealSample(this);
      const day = await write({ type, folders: false });
      // DuckDB also marks whole numbers as INT_64, which INT64 is anyway.
      const schema = async (path: string): Promise<unknown> =>
        query(
          `select name, type, repetition_type, num_children, nullif(converted_type, 'INT_64') as converted
           from parquet_schema('${path}') offset 1`,
        );
      assert.deepEqual(await schema(join(directory, day.parts[0]!.key)), await schema(realParts(type)));
    });
  }

  it('is laid out as the vendor does: folders, escaped names, NULL, hidden files, marker', async () => {
    const day = await write({ parts: 2 });
    const found = await files();
    const kinds = found.map((key) => classify(key, 'events', '2026-03-01'));
    assert.equal(kinds.filter(({ kind }) => kind === 'marker').length, 1);
    assert.equal(kinds.filter(({ kind }) => kind === 'ignored').length, day.parts.length + 1);
    assert.deepEqual(
      [...new Set(kinds.flatMap((object) => (object.kind === 'part' ? [object.partitionValue] : [])))].sort(),
      ['NULL', 'add_to_cart', 'añadir_a_favoritos', 'menu/pricing:open', 'page_view', 'purchase'],
    );
    for (const part of day.parts) {
      assert.deepEqual(classify(part.key, 'events', '2026-03-01'), {
        kind: 'part',
        partitionValue: part.partitionValue,
      });
    }
    const folder = 'type=events/date=2026-03-01/event=menu%2Fpricing%3Aopen/part-00001-';
    assert.ok(found.some((key) => key.startsWith(folder)));
    const [{ rows, names } = {}] = await query(
      `select count(*)::integer as rows, count(distinct event_name)::integer as names from ${parts(day)}`,
    );
    assert.deepEqual([rows, names], [600, 5]);
  });

  it('is the same bytes every time, another one for another seed', async () => {
    const digest = async (day: WrittenDay): Promise<Buffer> => readFile(join(directory, day.parts[0]!.key));
    const first = await digest(await write());
    assert.deepEqual(await digest(await write()), first);
    assert.notDeepEqual(await digest(await write({ seed: 'another' })), first);
  });

  it('replaces what lay there', async () => {
    await write({ parts: 3 });
    const day = await write({ folders: false, hidden: false, marker: false });
    assert.deepEqual(
      await files(),
      day.parts.map(({ key }) => key),
    );
  });

  it('an empty day is a marker without parts', async () => {
    const day = await write({ rows: 0, hidden: false });
    assert.deepEqual([day.parts, day.complete], [[], true]);
    assert.deepEqual(await files(), ['type=events/date=2026-03-01/_SUCCESS']);
  });

  it('holds exactly the flaws that were asked for', async () => {
    const day = await write({
      parts: 3,
      folders: false,
      flaws: {
        duplicatesWithin: 7,
        duplicatesAcross: 5,
        nullUuid: 4,
        nulCharacter: 3,
        nulInJson: 2,
        outOfRange: 1,
      },
    });
    assert.deepEqual([day.rows, day.duplicates, day.quarantined], [600, 12, 10]);
    const [found] = await query(
      `with events as (select * from ${parts(day)})
       select
         (select count(*) from events)::integer as rows,
         (select count(uuid) - count(distinct uuid) from events)::integer as repeated,
         (select sum(repeated) from (
           select count(*) - 1 as repeated from events where uuid is not null group by uuid, filename
         ))::integer as within,
         (select count(*) from events where uuid is null)::integer as without,
         (select count(*) from events where contains(referer, chr(0)))::integer as nul,
         (select count(*) from events where contains(attributes[1].value, chr(0)))::integer as nested,
         (select count(*) from events where "timestamp" < '0001-01-01')::integer as early`,
    );
    assert.deepEqual(found, { rows: 600, repeated: 12, within: 7, without: 4, nul: 3, nested: 2, early: 1 });
  });

  it('refuses more flaws than fit, and duplicates across a single part', async () => {
    await assert.rejects(write({ rows: 10, flaws: { nullUuid: 4 } }), /4 flaws do not fit into 10 rows/);
    await assert.rejects(write({ flaws: { duplicatesAcross: 1 } }), /needs two parts/);
  });

  for (const compression of ['snappy', 'zstd', 'gzip', 'uncompressed'] as const) {
    for (const parquetVersion of ['V1', 'V2'] as const) {
      it(`takes ${compression} and Parquet ${parquetVersion}, with dictionaries and without`, async () => {
        for (const dictionary of [true, false]) {
          const day = await write({
            compression,
            parquetVersion,
            dictionary,
            folders: false,
            rowGroup: 2048,
          });
          const [chunk] = await query(
            `select string_agg(distinct compression) as compression,
                    bool_or(contains(encodings, 'DICTIONARY')) as dictionary
             from parquet_metadata('${join(directory, day.parts[0]!.key)}')`,
          );
          assert.deepEqual(chunk, { compression: compression.toUpperCase(), dictionary });
          assert.deepEqual(await query(`select count(*)::integer as rows from ${parts(day)}`), [
            { rows: 600 },
          ]);
        }
      });
    }
  }

  it('takes fields to add, to replace and to leave out', async () => {
    const day = await write({
      folders: false,
      fields: { session_id: 'NULL::VARCHAR', weather: `'fine'` },
      omit: ['experiments', 'quantity'],
    });
    const described = await query(`describe select * exclude (filename) from ${parts(day)}`);
    const names = described.map((column) => column['column_name']);
    assert.ok(names.includes('weather') && !names.includes('experiments') && !names.includes('quantity'));
    assert.deepEqual(await query(`select count(session_id)::integer as sessions from ${parts(day)}`), [
      { sessions: 0 },
    ]);
  });
});
