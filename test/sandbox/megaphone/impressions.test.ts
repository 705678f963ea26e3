import assert from 'node:assert/strict';
import { join } from 'node:path';

import {
  impressionsKey,
  metricsKey,
  writeImpressionsDay,
  writeMetricsDay,
} from '../../../sandbox/megaphone/day.js';
import { impressionFields, metricOfImpression } from '../../../sandbox/megaphone/impressions.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf } from './lines.js';

const date = '2026-03-01';

describe("a generated file of Megaphone's impressions", () => {
  for (const schema of ['v1', 'v2'] as const) {
    it(`${schema} has its fields, and every impression has a metric of the day`, async () => {
      await inTemporaryDirectory(async (directory) => {
        const day = { date, rows: 2_000, version: 12 };
        const path = join(directory, impressionsKey(date, schema));
        const impressions = await writeImpressionsDay({ ...day, path, schema });
        const found = await linesOf(path);
        for (const line of found) {
          // One metric in 1,000 comes without it.
          const absent = 'blacklisted_ip' in line ? undefined : 'blacklisted_ip';
          assert.deepEqual(
            Object.keys(line),
            impressionFields[schema].filter((field) => field !== absent),
          );
        }
        const metricsPath = join(directory, metricsKey(date));
        await writeMetricsDay({ ...day, path: metricsPath });
        const metrics = await linesOf(metricsPath);
        assert.equal(found.length, impressions.rows);
        for (const [number, line] of found.entries()) {
          const metric = metrics[metricOfImpression(number)];
          for (const field of ['podcast_id', 'episode_id', 'created_at', 'bytes_sent'])
            assert.equal(line[field], metric?.[field]);
          assert.equal(line['metric_id'], metric?.['id']);
        }
        const places = found.map((line) => `${String(line['metric_id'])} ${String(line['position'])}`);
        assert.equal(new Set(places).size, places.length);
      });
    });
  }

  it('has the names of the vendor’s files', () => {
    assert.deepEqual(
      [metricsKey(date), impressionsKey(date), impressionsKey(date, 'v2')],
      [
        'metrics-day-2026-03-01.json.gz',
        'impression-day-2026-03-01.json.gz',
        'impressions-v2-day-2026-03-01.json.gz',
      ],
    );
  });
});
