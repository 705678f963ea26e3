import assert from 'node:assert/strict';

import { deliver, load, withWorker } from '../support/delivery.js';
import { assertConsistent } from '../support/landed.js';
import { prefix, testSource, type TestSource } from '../support/landfall.js';

const date = '2026-03-01';

describe('a delivery, end to end', function () {
  this.timeout(60_000);
  let source: TestSource;
  beforeEach(async () => {
    source = await testSource();
  });
  afterEach(() => source.drop());

  it('lands a complete day in the partition of its date, and the ledger adds up', async () => {
    const day = await deliver(source, { type: 'events', date, rows: 5_000, parts: 3 });
    const other = await deliver(source, { type: 'events', date: '2026-03-02', rows: 700 });
    const result = await load(source, 'events', date);
    assert.deepEqual(result, {
      delivery: `${source.config.name}/events/${date}`,
      finality: 'final',
      reason: `type=events/date=${date}/_SUCCESS is there.`,
      counts: {
        files: day.parts.length,
        bytes: day.bytes,
        parsed: day.rows,
        loaded: day.rows,
        quarantined: 0,
        duplicate: 0,
      },
    });
    await load(source, 'events', '2026-03-02');
    assert.deepEqual(
      await source.rows(
        'select tableoid::regclass::text as part, count(*)::int as n from experiments.conversion group by 1',
      ),
      [
        { part: 'experiments.conversion_2026_03_01', n: day.rows },
        { part: 'experiments.conversion_2026_03_02', n: other.rows },
      ],
    );
    await assertConsistent(source.database.pool);
  });

  it('knows every file by its key and its version in the store', async () => {
    const day = await deliver(source, { type: 'decisions', date, rows: 300, parts: 2 });
    await load(source, 'decisions', date);
    const loaded = await source.database.pool.query<{ key: string; version: string; size: string }>(
      'select key, version, size from landfall.file order by key collate "C"',
    );
    assert.deepEqual(
      loaded.rows.map(({ key, size }) => ({ key, bytes: Number(size) })),
      day.parts.map(({ key, bytes }) => ({ key, bytes })).sort((a, b) => (a.key < b.key ? -1 : 1)),
    );
    const { version } = loaded.rows[0]!;
    const body = await source.bucket.read(prefix + loaded.rows[0]!.key);
    assert.equal(`"${version}"`, await source.bucket.put(prefix + loaded.rows[0]!.key, body));
  });

  it('leaves no secret in the history of its workflow', async () => {
    await deliver(source, { type: 'events', date, rows: 100, folders: false });
    const history = await withWorker(source, async (client) => {
      const delivery = await source.start(client, source.input('events', date));
      await delivery.result();
      return JSON.stringify(await delivery.fetchHistory(), (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
      );
    });
    assert.ok(history.includes(source.config.name), 'payloads are read as text');
    const password = new URL(source.database.url).password;
    for (const secret of [source.bucket.secretAccessKey, source.bucket.accessKeyId, password]) {
      assert.ok(secret.length > 3 && !history.includes(secret));
    }
  });
});
