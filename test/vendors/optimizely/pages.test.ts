/**
 * Two files in the vendor's schema by another writer than the one that makes our samples (pyarrow 26.0.1, with
 * dictionary_pagesize_limit=2048, data_page_size=2048, write_batch_size=100). Their dictionaries overflow in mid-chunk,
 * so a column goes on with plain pages after dictionary pages: readers have been seen to lose values there. One has data
 * pages of version 1 and snappy, the other version 2 and zstd. Every value follows from the row number.
 */

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { query } from './load-parquet.js';

const rows = 3000;
const start = Date.parse('2026-03-01T00:00:00Z');

for (const [name, compression] of [
  ['pages-v1', 'SNAPPY'],
  ['pages-v2', 'ZSTD'],
]) {
  const file = fileURLToPath(new URL(`files/${name}.parquet`, import.meta.url));

  describe(`a file whose dictionaries overflow (${name})`, () => {
    it('holds columns that change from dictionary to plain pages', async () => {
      const chunks = await query(
        `select path_in_schema as path, compression, encodings from parquet_metadata('${file}')`,
      );
      const mixed = chunks.filter(({ encodings }) =>
        /PLAIN.*DICTIONARY|DICTIONARY.*PLAIN/.test(String(encodings)),
      );
      const paths = mixed.map(({ path }) => path);
      for (const path of ['visitor_id', 'revenue', 'value', 'experiments, list, element, experiment_id']) {
        assert.ok(paths.includes(path), `${path}: ${JSON.stringify(chunks)}`);
      }
      assert.deepEqual([...new Set(chunks.map((chunk) => chunk['compression']))], [compression]);
    });

    it('is read to the last value', async () => {
      const read = await query(
        `select uuid, epoch_ms("timestamp")::double as timestamp, visitor_id, session_id, referer,
           revenue::integer as revenue, "value" as value, quantity::varchar as quantity, to_json(tags)::varchar as tags,
           list_transform(experiments, lambda e: e.experiment_id) as experiments, attributes[1].value as attribute
         from read_parquet('${file}', file_row_number = true) order by file_row_number`,
      );
      const expected = Array.from({ length: rows }, (_, i) => ({
        uuid: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
        timestamp: start + i * 1000,
        visitor_id: `visitor-${i >= 1000 ? i : i % 10}`,
        session_id: i % 3 === 0 ? null : String(i - 1500),
        referer: i % 2 === 1 ? null : `https://shop.example/${i}`,
        revenue: i * 25,
        value: i % 7 === 0 ? null : i / 4,
        quantity: i % 2 === 1 ? null : '9007199254740993',
        tags: i % 2 === 1 ? '{}' : `{"n":"${i}"}`,
        experiments: i % 4 === 0 ? null : Array<string>((i % 4) - 1).fill(`x${i}`),
        attribute: `d${i}`,
      }));
      assert.deepEqual(read, expected);
    });
  });
}
