import assert from 'node:assert/strict';

import fc from 'fast-check';

import {
  csvKinds,
  dateFolder,
  formatOf,
  isJob,
  isShardOf,
  kindsOf,
  parseDateFolder,
  parseKey,
  parseName,
  type Kind,
} from '../../../vendors/leanplum/layout.js';

/** The example of the vendor's page. */
const job = '37e812c0-d66e-48a2-8812-27ee12d58b58';
const stem = `export-4842631999258612-${job}-output`;

const uuids = fc.uuid();
const dates = fc
  .integer({ min: 0, max: 20_000 })
  .map((n) => new Date(n * 86_400_000).toISOString().slice(0, 10));
const kinds: fc.Arbitrary<Kind> = fc.constantFrom('json' as const, ...csvKinds);

describe('the layout of the Leanplum export', () => {
  describe('keys', () => {
    const shard = (kind: Kind) => ({ job, date: '2019-05-08', kind, role: 'shard' as const });
    const manifest = (kind: Kind) => ({ job, date: '2019-05-08', kind, role: 'manifest' as const });
    const cases: readonly (readonly [string, ReturnType<typeof shard | typeof manifest> | undefined])[] = [
      [`20190508/${stem}-0`, shard('json')],
      [`20190508/${stem}-17`, shard('json')],
      [`20190508/${stem}-manifest`, manifest('json')],
      ...csvKinds.flatMap((kind) => [
        [`20190508/${stem}${kind}-0`, shard(kind)] as const,
        [`20190508/${stem}${kind}-manifest`, manifest(kind)] as const,
      ]),
      // Nothing documents an ending; those that say what the file is are taken.
      [`20190508/${stem}-0.gz`, shard('json')],
      [`20190508/${stem}-0.json.gz`, shard('json')],
      [`20190508/${stem}sessions-3.csv`, shard('sessions')],
      [`20190508/${stem}-manifest.json`, manifest('json')],
      [`20190508/${stem}-manifest.gz`, manifest('json')],
      // Unfinished and foreign ones are not.
      [`20190508/${stem}-0.tmp`, undefined],
      [`20190508/${stem}-0.part`, undefined],
      [`20190508/${stem}-manifest.bak`, undefined],
      [`20190508/${stem}-`, undefined],
      [`20190508/${stem}`, undefined],
      [`20190508/${stem}-0-1`, undefined],
      [`20190508/${stem}users-0`, undefined],
      [`20190508/${stem}Sessions-0`, undefined],
      [`20190508/${stem}json-0`, undefined],
      [`20190508/export-${job}-output-0`, undefined],
      [`20190508/export-1-37e812c0-output-0`, undefined],
      [`20190508/more/${stem}-0`, undefined],
      [`20190532/${stem}-0`, undefined],
      [`20230229/${stem}-0`, undefined],
      [`2019-05-08/${stem}-0`, undefined],
      [`${stem}-0`, undefined],
      [`/${stem}-0`, undefined],
      ['20190508/', undefined],
      ['', undefined],
    ];
    for (const [key, expected] of cases) {
      it(`'${key}' is ${expected ? `a ${expected.role} of ${expected.kind}` : 'no file of a job'}`, () => {
        assert.deepEqual(parseKey(key), expected && { ...expected, name: key.slice(9) });
        if (expected) {
          const { kind, role } = expected;
          assert.deepEqual(parseName(key.slice(9)), { job, kind, role, name: key.slice(9) });
        }
      });
    }

    it('keep the uuid as it is written', () => {
      const upper = job.toUpperCase();
      assert.equal(parseKey(`20190508/export-1-${upper}-output-0`)?.job, upper);
      assert.ok(isJob(upper) && isJob(job));
    });

    it('say what they were made of', () => {
      fc.assert(
        fc.property(uuids, dates, kinds, fc.option(fc.nat()), (uuid, date, kind, number) => {
          const name = `export-7-${uuid}-output${kind === 'json' ? '' : kind}-${number ?? 'manifest'}`;
          const role = number === null ? 'manifest' : 'shard';
          assert.deepEqual(parseKey(`${dateFolder(date)}${name}`), { job: uuid, date, kind, role, name });
        }),
      );
    });

    it('never throw', () => {
      fc.assert(fc.property(fc.string(), (key) => void parseKey(key)));
    });
  });

  it('only shards of the job itself may be deleted', () => {
    assert.ok(isShardOf(job, `20190508/${stem}-0`));
    assert.ok(isShardOf(job, `20190508/${stem}eventparameters-0.gz`));
    assert.ok(!isShardOf(job, `20190508/${stem}-manifest`));
    assert.ok(!isShardOf(job, `20190508/${stem}-0.bak`));
    assert.ok(!isShardOf(job, '20190508/my-notes.txt'));
    assert.ok(!isShardOf('00000000-d66e-48a2-8812-27ee12d58b58', `20190508/${stem}-0`));
  });

  it('a job is named by its uuid', () => {
    assert.ok(isJob(job));
    for (const name of ['', '2026-11-20', job.slice(1), `${job}0`, `a/${job}`, `${job}\n`]) {
      assert.ok(!isJob(name), name);
    }
  });

  it('folders are Pacific days', () => {
    assert.equal(dateFolder('2019-05-08'), '20190508/');
    assert.throws(() => dateFolder('2019-05-32'), RangeError);
    assert.equal(parseDateFolder('20190508/'), '2019-05-08');
    for (const folder of ['20190508', '2019-05-08/', '20190230/', 'a20190508/', '20190508/a/', '/', '']) {
      assert.equal(parseDateFolder(folder), undefined, folder);
    }
    fc.assert(fc.property(dates, (date) => assert.equal(parseDateFolder(dateFolder(date)), date)));
  });

  it('JSON has one manifest, CSV six', () => {
    assert.deepEqual(kindsOf('json'), ['json']);
    assert.deepEqual(kindsOf('csv'), [
      ...['sessions', 'experiments', 'states', 'events', 'eventparameters', 'userattributes'],
    ]);
    for (const format of ['json', 'csv'] as const) {
      assert.ok(kindsOf(format).every((kind) => formatOf(kind) === format));
    }
  });
});
