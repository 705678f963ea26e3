import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { nameBatch } from '../../config/name-delivery.js';
import type { Delivery } from '../../model/delivery.js';
import { failureTypes } from '../../model/failure.js';
import { openInbox } from '../../stores/inbox.js';
import type { Store, StoredFile } from '../../stores/store.js';
import { isActionLine, longestActionLine } from '../../vendors/dynatrace/bulk.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { dynatraceSource, session, type DynatraceSource } from '../support/dynatrace.js';
import { inTemporaryFolder } from '../support/landfall.js';

const day = '2026-11-20';
const noon = Date.parse(`${day}T12:00:00Z`);

describe('the inbox as a store', () => {
  let source: DynatraceSource;
  before(async () => {
    source = await dynatraceSource();
  });
  after(() => source.drop());

  interface Batch {
    readonly delivery: Delivery;
    readonly store: Store;
    readonly ids: readonly string[];
  }

  /** A delivery of bodies, received a second after one another. */
  async function batchOf(...bodies: readonly (string | Buffer)[]): Promise<Batch> {
    const { pool } = source.database;
    const ids: string[] = [];
    for (const [index, body] of bodies.entries()) {
      ids.push(await source.receive(body, { at: noon + index * 1_000 }));
    }
    const delivery = nameBatch(source.config, day, ids[0] ?? '1000000');
    await openDelivery(pool, delivery, noon);
    await pool.query('update landfall.inbox set delivery_id = $1 where id = any($2)', [delivery.id, ids]);
    return { delivery, store: openInbox(pool, delivery), ids };
  }

  async function list(store: Store): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    for await (const page of store.list('', { depth: 'level' })) files.push(...page.files);
    return files;
  }

  const fetched = async (store: Store, file: StoredFile): Promise<Buffer> =>
    inTemporaryFolder(async (folder) => {
      let told = 0;
      await store.fetch(file, join(folder, 'part'), { onBytes: (count) => (told += count) });
      const bytes = await readFile(join(folder, 'part'));
      assert.equal(told, bytes.length, 'it tells how much has come');
      return bytes;
    });
  const textOf = async (...bodies: readonly (string | Buffer)[]): Promise<string> => {
    const { store } = await batchOf(...bodies);
    const [file] = await list(store);
    return (await fetched(store, file!)).toString();
  };

  it('lists the bodies of a delivery as one file, of the time of the newest', async () => {
    const { store, ids } = await batchOf('{"a":1}\n', '{"b":22}\n');
    const [file, ...others] = await list(store);
    assert.deepEqual(others, []);
    assert.deepEqual(
      { key: file?.key, size: file?.size, modified: file?.modified },
      { key: `${day}/${ids[0]}.ndjson`, size: 17, modified: noon + 1_000 },
    );
    assert.match(file!.version, /^[0-9a-f]{64}$/);
  });

  it('gives batches of the same bytes different versions', async () => {
    const [first] = await list((await batchOf('{}\n')).store);
    const [second] = await list((await batchOf('{}\n')).store);
    assert.notEqual(first?.version, second?.version);
  });

  it('is empty without bodies', async () => {
    assert.deepEqual(await list((await batchOf()).store), []);
  });

  it('puts bodies one after the other, in the order of their numbers, each with a line break at its end', async () => {
    assert.equal(
      await textOf('{"a":1}', '', '{"b":1}\n{"c":1}', '\n', '{"d":1}\n'),
      '{"a":1}\n{"b":1}\n{"c":1}\n\n{"d":1}\n',
    );
  });

  it('leaves blank lines where action lines stood', async () => {
    const body = [
      '{ "index" : { "_index" : "s", "_id" : "1" } }',
      '{"a":1}',
      '{"create":{}}\r',
      '{"b":1}',
      '',
    ];
    assert.equal(await textOf(body.join('\n')), '\n{"a":1}\n\n{"b":1}\n');
  });

  it('keeps documents that look like action lines', async () => {
    const lines = [
      '{"index":{"_id":"1"},"tenantId":"t"}',
      '{"index":1}',
      '{"create":null}',
      '{"delete":{"_id":"1"}}',
      '["index"]',
      '{"index":{"_id":',
    ];
    assert.equal(await textOf(lines.join('\n')), `${lines.join('\n')}\n`);
  });

  it('leaves out a byte order mark at the start of any body', async () => {
    assert.equal(await textOf('\ufeff{"a":1}\n', '\ufeff{"index":{}}\n\ufeffb\n'), '{"a":1}\n\n\ufeffb\n');
  });

  it('is never taken for gzip as a whole because a body within it is', async () => {
    const inner = gzipSync('{"a":1}\n');
    const text = await inTemporaryFolder(async () => {
      const { store } = await batchOf('', inner, '{"b":1}\n');
      return fetched(store, (await list(store))[0]!);
    });
    assert.deepEqual(text, Buffer.concat([Buffer.from('\n'), inner, Buffer.from('\n{"b":1}\n')]));
  });

  it('holds lines of any length, across any number of chunks', async () => {
    const long = `{"index":{"_id":"${'x'.repeat(longestActionLine)}"}}`;
    const huge = session(1, { userId: 'é'.repeat(700_000) });
    assert.equal(await textOf(`${huge}\n{"index":{}}\n${long}\n${huge}`), `${huge}\n\n${long}\n${huge}\n`);
  });

  it('is what its lines are, whatever they are', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        '\r',
        '{"index":{}}',
        '{"create":{"_id":"é"}} ',
        '\ufeff',
        '{"index":',
        '{"a":{}}',
        '\u0000',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.integer({ min: 250_000, max: 270_000 }).map((length) => 'y'.repeat(length)),
    );
    const body = fc.tuple(fc.array(line, { maxLength: 6 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(body, { minLength: 1, maxLength: 4 }), async (bodies) => {
        const texts = bodies.map(([lines, ends]) => lines.join('\n') + (ends ? '\n' : ''));
        const expected = texts.map((text) => {
          const lines = text.replace(/^\ufeff/, '').split('\n');
          if (lines.at(-1) === '') lines.pop();
          return lines.map((each) => (isActionLine(Buffer.from(each)) ? '\n' : `${each}\n`)).join('');
        });
        assert.ok((await textOf(...texts)) === expected.join(''), JSON.stringify(texts).slice(0, 500));
      }),
      { numRuns: 25 },
    );
  });

  it('refuses a batch of which bodies are gone', async () => {
    const { store, ids, delivery } = await batchOf('{"a":1}\n', '{"b":1}\n');
    const [file] = await list(store);
    await source.rows(`delete from landfall.inbox where id = ${ids[1]}`);
    await assert.rejects(fetched(store, file!), {
      type: failureTypes.fileChanged,
      message: new RegExp(`^inbox of ${source.config.name}: .* changed .*bodies of it were deleted`),
    });
    await source.rows(`delete from landfall.inbox where delivery_id = '${delivery.id}'`);
    await assert.rejects(fetched(store, file!), { type: failureTypes.fileChanged });
  });

  for (const [what, change, told] of [
    ['whose bytes are others', `sha256 = '\\x00'`, /another SHA-256/],
    [
      'whose gzip is cut off',
      'body = substr(body, 1, length(body) - 9)',
      /its gzip is damaged \(unexpected end of file\)/,
    ],
    ['that is no gzip', `body = 'plain'`, /its gzip is damaged \(incorrect header check\)/],
  ] as const) {
    it(`refuses a body ${what}, and says which`, async () => {
      const { store, ids, delivery } = await batchOf('{"a":1}\n', '{"b":1}\n');
      await source.rows(`update landfall.inbox set ${change} where id = ${ids[1]}`);
      const [file] = await list(store);
      await assert.rejects(fetched(store, file!), (error: Error & { type?: string }) => {
        assert.equal(error.type, failureTypes.fileUnreadable);
        assert.match(error.message, told);
        assert.ok(
          error.message.startsWith(`Body ${ids[1]} of ${delivery.id} in landfall.inbox`),
          error.message,
        );
        return true;
      });
    });
  }

  it('ends when it is told to', async () => {
    const { store } = await batchOf('{"a":1}\n');
    const [file] = await list(store);
    const signal = AbortSignal.abort(new Error('enough'));
    await inTemporaryFolder((folder) =>
      assert.rejects(store.fetch(file!, join(folder, 'part'), { signal }), /enough/),
    );
  });

  it('deletes no bodies one by one', async () => {
    const { store } = await batchOf('{"a":1}\n');
    const [file] = await list(store);
    await assert.rejects(store.remove(file!), /once keepInbox has passed/);
  });
});
