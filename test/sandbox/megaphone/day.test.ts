import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import {
  metricsKey,
  writeMetricsDay,
  type MetricsToWrite,
  type WrittenMetrics,
} from '../../../sandbox/megaphone/day.js';
import type { Flaws } from '../../../sandbox/megaphone/flaws.js';
import { metricFields } from '../../../sandbox/megaphone/rows.js';
import { metricId, reportedIn } from '../../../sandbox/megaphone/versions.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { query } from '../../vendors/optimizely/load-parquet.js';
import { linesOf, textsOf, type Line } from './lines.js';

const date = '2026-03-01';

/** Writes a day's file and gives it to `look`. */
async function written<T>(
  day: Partial<MetricsToWrite>,
  look: (path: string, day: WrittenMetrics) => Promise<T>,
): Promise<T> {
  return inTemporaryDirectory(async (directory) => {
    const path = join(directory, metricsKey(date));
    return look(path, await writeMetricsDay({ path, date, rows: 3_000, ...day }));
  });
}

const lines = (day: Partial<MetricsToWrite> = {}): Promise<Line[]> => written(day, linesOf);
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe("a generated file of Megaphone's metrics", function () {
  it('has the fields of the vendor’s page in their order', async () => {
    const page =
      'country,dma_name,normalized_user_agent,city,ip,created_at,podcast_id,source,filesize,bytes_sent,' +
      'seconds_downloaded,duration,blacklisted_ip,episode_id,blacklisted_ua,id,region,user_agent';
    assert.equal(metricFields.join(), page);
    for (const line of await lines()) {
      const keys = Object.keys(line);
      assert.deepEqual(
        keys,
        metricFields.filter((field) => keys.includes(field)),
      );
    }
  });

  it('has values of the shapes that were seen in real files', async () => {
    const shapes: Readonly<Record<string, (value: unknown) => boolean>> = {
      ip: (value) => /^[0-9a-f]{32}$/.test(String(value)),
      id: (value) => /^[0-9a-f-]{36}$/.test(String(value)),
      podcast_id: (value) => /^[0-9a-f-]{36}$/.test(String(value)),
      episode_id: (value) => /^[0-9a-f-]{36}$/.test(String(value)),
      created_at: (value) => /^2026-03-01T[0-2]\d:[0-5]\d:[0-5]\d\.\d{3}Z$/.test(String(value)),
      source: (value) => Number.isInteger(value),
      filesize: (value) => Number.isInteger(value),
      bytes_sent: (value) => Number.isInteger(value),
      seconds_downloaded: (value) => Number.isInteger(value),
      duration: (value) => typeof value === 'number',
      blacklisted_ip: (value) => typeof value === 'boolean',
      blacklisted_ua: (value) => typeof value === 'boolean',
    };
    for (const line of await lines()) {
      for (const [field, value] of Object.entries(line)) {
        const fits = value === null || (shapes[field] ?? ((other) => typeof other === 'string'))(value);
        assert.ok(fits, `${field} is ${String(value)}`);
      }
    }
  });

  it('has what a loader must not trip over', async () => {
    const all = await lines();
    const seconds = (line: Line): number => Number(line['seconds_downloaded']);
    const oddities: Readonly<Record<string, (line: Line) => boolean>> = {
      'more sent than the file has': (line) => Number(line['bytes_sent']) > Number(line['filesize']),
      'a second short of a minute': (line) => seconds(line) === 59,
      'exactly a minute': (line) => seconds(line) === 60,
      'a blacklisted address': (line) => line['blacklisted_ip'] === true,
      'a blacklisted agent': (line) => line['blacklisted_ua'] === true,
      'seconds that are null': (line) => line['seconds_downloaded'] === null,
      'an absent key': (line) => !('blacklisted_ip' in line),
      'no place at all': (line) => line['country'] === null && !('city' in line),
      'a city that is not ASCII': (line) => line['city'] === '東京',
      'characters that are escaped': (line) => String(line['user_agent']).endsWith(' "café" \\ & 🎧'),
      'a long agent': (line) => String(line['user_agent']).length > 4_000,
    };
    for (const [name, is] of Object.entries(oddities)) assert.ok(all.some(is), name);
    assert.deepEqual(
      all.map((line) => line['id']),
      all.map((_, number) => metricId({ date }, number)),
    );
  });

  it('is the same bytes every time, and others for another seed or day', async () => {
    const digest = (day: Partial<MetricsToWrite> = {}): Promise<string> =>
      written({ rows: 500, ...day }, async (path) => digestOf(gunzipSync(await readFile(path))));
    const zipped = (): Promise<string> => written({}, async (path) => digestOf(await readFile(path)));
    assert.equal(await digest(), '3ff13eb0f619e43b1a0e417d5482fe74d4d7befa87987d44f367fdc15a269b54');
    assert.equal(await zipped(), await zipped());
    assert.notEqual(await digest({ seed: 'another' }), await digest());
    assert.notEqual(await digest({ date: '2026-03-02' }), await digest());
  });

  it('may have no rows', async () => {
    await written({ rows: 0 }, async (path, day) => {
      assert.deepEqual([day.rows, day.reported], [0, 0]);
      assert.equal(gunzipSync(await readFile(path)).length, 0);
    });
  });

  it('reports what DuckDB finds by the vendor’s rule', async () => {
    await written({ rows: 20_000 }, async (path, day) => {
      const [found] = await query(
        `select count(*)::integer as rows,
           (count(*) filter (seconds_downloaded >= 60 and blacklisted_ip = false and blacklisted_ua = false))::integer
             as reported
         from read_ndjson_auto('${path}')`,
      );
      assert.deepEqual(found, { rows: day.rows, reported: day.reported });
      assert.deepEqual([day.rows, day.reported], [20_000, 15_992]);
    });
  });
});

describe("a flawed file of Megaphone's metrics", () => {
  const flaws: Flaws = {
    malformedJson: 2,
    notAnObject: 1,
    brokenUtf8: 3,
    rawNul: 2,
    escapedNul: 4,
    loneSurrogate: 1,
    untypedNumber: 5,
    numberTooLarge: 2,
    missingId: 3,
    duplicateId: 7,
    unknownKey: 6,
    longLine: 1,
    longLineBytes: 100_000,
    blankLine: 4,
    lost: 10,
  };

  it('holds exactly the flaws that were asked for', async () => {
    await written({ flaws }, async (path, day) => {
      assert.deepEqual(
        [day.rows, day.quarantined, day.duplicates, day.blankLines],
        [2_990, 2 + 1 + 3 + 2 + 4 + 1 + 5 + 2 + 3, 7, 4],
      );
      const texts = await textsOf(path);
      const count = (is: (text: string) => boolean): number => texts.filter(is).length;
      const parsed = texts.map(parse).filter((line) => line !== undefined);
      const good = parsed.filter((line) => !Array.isArray(line));
      const ids = good.map((line) => line['id']).filter((id) => id !== undefined);
      assert.deepEqual(
        {
          lines: texts.length,
          blank: count((text) => text === ''),
          malformed: count((text) => text !== '' && !text.endsWith('}') && !text.endsWith(']')),
          arrays: parsed.length - good.length,
          brokenUtf8: count((text) => text.includes('\ufffd')),
          rawNul: count((text) => text.includes('\0')),
          escapedNul: count((text) => text.includes('\\u0000')),
          loneSurrogate: count((text) => text.includes('\\ud800')),
          untyped: good.filter((line) => line['seconds_downloaded'] === 'n/a').length,
          tooLarge: good.filter((line) => Number(line['filesize']) > 2 ** 63).length,
          unknown: good.filter((line) => 'delivery_region' in line).length,
          long: count((text) => text.length > 100_000),
          withoutId: good.length - ids.length,
          repeated: ids.length - new Set(ids).size,
        },
        {
          lines: 2_990 + 4,
          blank: 4,
          malformed: 2,
          arrays: 1,
          brokenUtf8: 3,
          rawNul: 2,
          escapedNul: 4,
          loneSurrogate: 1,
          untyped: 5,
          tooLarge: 2,
          unknown: 6,
          long: 1,
          withoutId: 3,
          repeated: 7,
        },
      );
    });
  });

  it('counts as reported what of it can be loaded, once', async () => {
    await written({ flaws }, async (path, day) => {
      const isBroken = (text: string): boolean => /\ufffd|\0|\\u0000|\\ud800|"n\/a"|:1000000000/.test(text);
      const good = (await textsOf(path))
        .filter((text) => !isBroken(text))
        .map(parse)
        .filter((line) => line?.['id'] !== undefined);
      const once = [...new Map(good.map((line) => [line!['id'], line!])).values()];
      assert.equal(once.length, day.rows - day.quarantined - day.duplicates);
      const reported = once.filter(
        (line) =>
          Number(line['seconds_downloaded']) >= 60 &&
          line['blacklisted_ip'] === false &&
          line['blacklisted_ua'] === false,
      );
      assert.equal(day.reported, reported.length);
      assert.ok(day.reported < reportedIn({ date, rows: 3_000 }, 28));
    });
  });

  it('is read by DuckDB as a loader reads it: a malformed line is one NULL, a blank one nothing', async () => {
    const only: Flaws = { malformedJson: 2, brokenUtf8: 1, rawNul: 1, loneSurrogate: 1, blankLine: 3 };
    await written({ rows: 100, flaws: only }, async (path) => {
      const [found] = await query(
        `select count(*)::integer as rows, count(json)::integer as good
         from read_ndjson_objects('${path}', ignore_errors = true)`,
      );
      assert.deepEqual(found, { rows: 100, good: 95 });
    });
  });

  it('may have a line of 10 MB', async () => {
    await written({ rows: 10, flaws: { longLine: 1 } }, async (path, day) => {
      const lengths = (await textsOf(path)).map((text) => text.length);
      assert.ok(Math.max(...lengths) > 10_000_000);
      assert.deepEqual([lengths.length, day.rows, day.quarantined], [10, 10, 0]);
    });
  });

  it('loses rows that an earlier version had', async () => {
    const lost = await lines({ version: 20, flaws: { lost: 40 } });
    const had = new Set((await lines({ version: 19 })).map((line) => line['id']));
    assert.ok([...had].some((id) => !lost.some((line) => line['id'] === id)));
    assert.equal(lost.length, (await lines({ version: 20 })).length - 40);
  });

  it('refuses more flaws than fit', async () => {
    await assert.rejects(lines({ rows: 10, flaws: { missingId: 4 } }), /4 flaws do not fit into 10 rows/);
    await assert.rejects(lines({ rows: 10, flaws: { lost: 4 } }), /4 of 10 rows are too many to lose/);
  });
});

function parse(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}
