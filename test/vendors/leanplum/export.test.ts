import assert from 'node:assert/strict';

import { jobOf, manifestsFor, placeOfCopies } from '../../../vendors/leanplum/export.js';
import { csvKinds } from '../../../vendors/leanplum/layout.js';
import { pacificDay } from '../../../vendors/leanplum/pacific.js';
import { folder, job, nameOf } from './case.js';

const other = '00000000-0000-4000-8000-000000000001';

describe('the files of an export that was asked for', () => {
  it('are those of one job, of one format', () => {
    assert.deepEqual(jobOf([nameOf('json', 0), nameOf('json', 12)]), { job, format: 'json' });
    assert.deepEqual(jobOf(csvKinds.map((kind) => nameOf(kind, 0))), { job, format: 'csv' });
  });

  for (const [what, names, rule] of [
    ['nothing', [], 'It has no files.'],
    ['a file of another name', ['users.csv'], "Its file 'users.csv' is not named as files of an export are."],
    ['a manifest', [nameOf('json', 'manifest')], `Its file '${nameOf('json', 'manifest')}' is not named`],
    ['two jobs', [nameOf('json', 0), nameOf('json', 1, other)], `of several jobs: ${job} and ${other}.`],
    ['both formats', [nameOf('json', 0), nameOf('events', 0)], 'It has files of both formats.'],
  ] as const) {
    it(`are not ${what}`, () => {
      assert.throws(
        () => jobOf(names),
        (error: Error) => error.message.includes(rule),
      );
    });
  }

  it('have the one manifest of JSON, which lists them all', () => {
    const names = [nameOf('json', 0), nameOf('json', 1)];
    assert.deepEqual(manifestsFor('2026-11-20', names), [
      { key: `${folder}${nameOf('json', 'manifest')}`, text: JSON.stringify(names) },
    ]);
  });

  it('have the six manifests of CSV, also of kinds without a file', () => {
    const names = [nameOf('sessions', 0), nameOf('events', 0), nameOf('events', 1)];
    assert.deepEqual(
      manifestsFor('2026-11-20', names).map(({ key, text }) => [key, (JSON.parse(text) as string[]).length]),
      csvKinds.map((kind) => [
        `${folder}${nameOf(kind, 'manifest')}`,
        { sessions: 1, events: 2 }[kind as string] ?? 0,
      ]),
    );
  });

  it('are found as copies in the folder of a day below the root, and nowhere else', () => {
    const key = `${folder}${nameOf('json', 0)}`;
    const place = { job, date: '2026-11-20' };
    assert.deepEqual(placeOfCopies('', [key]), place);
    assert.deepEqual(placeOfCopies('leanplum/', [`leanplum/${key}`, `leanplum/${key}.gz`]), place);
    assert.equal(placeOfCopies('leanplum/', [key]), undefined);
    assert.equal(placeOfCopies('', [nameOf('json', 0)]), undefined);
    assert.equal(placeOfCopies('', [key, key.replace('20261120', '20261121')]), undefined);
    assert.equal(placeOfCopies('', []), undefined);
  });
});

describe('a Pacific day', () => {
  for (const [instant, day] of [
    ['2026-11-20T07:59:59Z', '2026-11-19'],
    ['2026-11-20T08:00:00Z', '2026-11-20'],
    ['2026-07-01T06:59:59Z', '2026-06-30'],
    ['2026-07-01T07:00:00Z', '2026-07-01'],
    ['2027-01-01T07:59:59Z', '2026-12-31'],
  ] as const) {
    it(`of ${instant} is ${day}`, () => assert.equal(pacificDay(Date.parse(instant)), day));
  }
});
