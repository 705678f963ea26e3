import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { csvHeaders, rowsOfCsv, type CsvRecords } from '../../../sandbox/leanplum/csv.js';
import {
  brokenOff,
  makeJob,
  type JobToMake,
  type MadeFile,
  type MadeJob,
} from '../../../sandbox/leanplum/job.js';
import { jsonLine } from '../../../sandbox/leanplum/lines.js';
import { manifestShapes } from '../../../sandbox/leanplum/manifest.js';
import { countRows, rowsOf } from '../../../sandbox/leanplum/rows.js';
import { makeSessions } from '../../../sandbox/leanplum/sessions.js';
import { csvFiles } from '../../../vendors/leanplum/csv.js';
import { csvKinds, parseKey, type CsvKind } from '../../../vendors/leanplum/layout.js';
import type { JobSighting } from '../../../vendors/leanplum/sighting.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf } from '../../support/leanplum-lines.js';
import { sightMade } from '../../support/leanplum-sight.js';
import { query } from '../../vendors/optimizely/load-parquet.js';

const uuid = '37e812c0-d66e-48a2-8812-27ee12d58b58';
const until = Date.parse('2026-11-20T18:00:00Z');
const sessions = makeSessions({ count: 120, until });
const made = (job: Partial<JobToMake> = {}): MadeJob =>
  makeJob({ uuid, date: '2026-11-20', sessions, ...job });

const sightFiles = (files: readonly MadeFile[]): JobSighting => sightMade(uuid, files);
const suffixes = (files: readonly MadeFile[]): string[] => files.map(({ key }) => key.split('-output')[1]!);

describe('a made-up Leanplum job', () => {
  it('of JSON lies as the vendor’s page says: shards, and the manifest last', () => {
    const { files } = made({ shards: 3 });
    assert.deepEqual(suffixes(files), ['-0', '-1', '-2', '-manifest']);
    for (const { key, kind, role } of files) {
      assert.match(key, /^20261120\/export-\d+-37e812c0-d66e-48a2-8812-27ee12d58b58-output/);
      const name = key.slice(key.indexOf('/') + 1);
      assert.deepEqual(parseKey(key), { job: uuid, date: '2026-11-20', kind, role, name });
    }
    assert.equal(new Set(files.map(({ key }) => key.split('-output')[0])).size, 1);
  });

  it('of CSV has shards of six kinds, and "each data type has a separate manifest file"', () => {
    const { files } = made({ format: 'csv', shards: 2 });
    const shards = csvKinds.flatMap((kind) => [`${kind}-0`, `${kind}-1`]);
    assert.deepEqual(suffixes(files), [...shards, ...csvKinds.map((kind) => `${kind}-manifest`)]);
    assert.ok(
      files.every(({ key, kind, role }) => parseKey(key)?.kind === kind && parseKey(key)?.role === role),
    );
  });

  for (const format of ['json', 'csv'] as const) {
    describe(`of ${format}`, () => {
      for (const manifest of manifestShapes) {
        it(`is complete with a manifest of ${manifest}`, () => {
          const sighting = sightFiles(made({ format, shards: 3, manifest }).files);
          assert.equal(sighting.format, format);
          assert.deepEqual(
            [sighting.manifestsMissing, sighting.shardsMissing, sighting.shardsUnlisted],
            [[], 0, 0],
          );
          assert.equal(sighting.shardsListed, format === 'json' ? 3 : 18);
        });
      }

      it('has the same rows in any number of shards, compressed or not', () => {
        const { rows } = made({ format });
        assert.deepEqual(made({ format, shards: 7, gzip: true }).rows, rows);
        assert.deepEqual(made({ format, shards: 200 }).rows, rows);
      });

      it('is compressed without a name that says so', () => {
        const [plain, zipped] = [made({ format }), made({ format, gzip: true })];
        assert.deepEqual(suffixes(zipped.files), suffixes(plain.files));
        for (const [index, { role, bytes }] of zipped.files.entries()) {
          const unzipped = role === 'shard' ? gunzipSync(bytes) : bytes;
          assert.deepEqual(unzipped, plain.files[index]!.bytes);
        }
      });

      it('without sessions has manifests that list nothing', () => {
        const { files, rows } = made({ format, sessions: [] });
        assert.ok(files.every(({ role, bytes }) => role === 'manifest' && bytes.toString() === '[]'));
        assert.equal(
          Object.values(countRows(rows)).reduce((sum, count) => sum + count),
          0,
        );
        const { manifestsMissing, shardsListed, marker } = sightFiles(files);
        assert.deepEqual([manifestsMissing, shardsListed, marker !== undefined], [[], 0, true]);
      });

      it('that broke off has no manifest, and a last shard that is cut', () => {
        const job = made({ format, shards: 2, manifest: 'sizes' });
        const files = brokenOff(job);
        const shards = job.files.filter(({ role }) => role === 'shard');
        assert.deepEqual(files.slice(0, -1), shards.slice(0, -1));
        assert.equal(files.at(-1)!.key, shards.at(-1)!.key);
        assert.ok(files.at(-1)!.bytes.length < shards.at(-1)!.bytes.length);
        assert.equal(sightFiles(files).manifestsThere, 0);
        // Were its manifests to come after all, with sizes, Landfall would see the cut.
        const manifests = job.files.filter(({ role }) => role === 'manifest');
        assert.equal(sightFiles([...files, ...manifests]).shardsMissing, 1);
      });
    });
  }

  it('may have a shard that no manifest lists, whose rows do not count', () => {
    const job = made({ shards: 3, unlisted: ['-1'] });
    assert.deepEqual(job.rows, rowsOf([...sessions.slice(0, 40), ...sessions.slice(80)]));
    assert.deepEqual(sightFiles(job.files).firstUnlisted.length, 1);
  });

  it('may list a shard that is not there, whose rows count once it has come', () => {
    const job = made({ shards: 3, withheld: ['-1'] });
    assert.deepEqual([suffixes(job.files), suffixes(job.withheld)], [['-0', '-2', '-manifest'], ['-1']]);
    assert.deepEqual(job.rows, rowsOf(sessions));
    assert.equal(sightFiles(job.files).shardsMissing, 1);
    assert.equal(sightFiles([...job.files, ...job.withheld]).shardsMissing, 0);
  });

  it('of CSV may lack one of its manifests', () => {
    const job = made({ format: 'csv', withheld: ['events-manifest'] });
    assert.deepEqual(suffixes(job.withheld), ['events-manifest']);
    assert.deepEqual(sightFiles(job.files).manifestsMissing, ['events']);
    assert.deepEqual(job.rows, made({ format: 'csv' }).rows);
  });

  it('has no sessions without a shard', () => {
    assert.throws(() => made({ shards: 0 }), new RangeError('120 rows need a shard'));
  });

  it('holds a session a line', () => {
    const lines = made({ shards: 3 }).files.filter(({ role }) => role === 'shard');
    assert.deepEqual(
      lines.flatMap(({ bytes }) => linesOf(bytes)),
      sessions.map(jsonLine),
    );
  });
});

describe('the CSV files of a made-up Leanplum job', () => {
  for (const kind of csvKinds) {
    it(`${kind}: headers are those that Landfall looks for`, () => {
      assert.deepEqual([...csvHeaders[kind]].sort(), Object.values(csvFiles[kind].headers).sort());
    });
  }

  for (const [title, job] of [
    ['as they come', {}],
    [
      'with columns in another order and line breaks of two characters',
      { turnedHeaders: true, lineBreak: '\r\n' },
    ],
    ['with instants in E notation', { instants: 'scientific' }],
    ['with instants as dates', { instants: 'date' }],
  ] satisfies [string, Partial<JobToMake>][]) {
    it(`${title}, hold what DuckDB finds in them`, async () => {
      const { files, rows, quarantined } = made({ format: 'csv', ...job });
      assert.equal(quarantined, 0);
      const found = await inTemporaryDirectory(async (directory) => {
        const read = async (kind: CsvKind): Promise<Record<string, unknown>[]> => {
          const path = join(directory, kind);
          await writeFile(path, files.find((file) => file.kind === kind)!.bytes);
          return query(
            `from read_csv('${path}', header = true, all_varchar = true, quote = '"', escape = '"', delim = ',')`,
          );
        };
        return {
          ...{ sessions: await read('sessions'), experiments: await read('experiments') },
          ...{ states: await read('states'), events: await read('events') },
          ...{ eventparameters: await read('eventparameters'), userattributes: await read('userattributes') },
        };
      });
      for (const kind of csvKinds) {
        const { table, headers } = csvFiles[kind];
        const expected = rows[table as keyof typeof rows];
        assert.ok(expected.length > 0);
        assert.equal(found[kind].length, expected.length, kind);
        for (const [index, line] of found[kind].entries()) {
          for (const [column, header] of Object.entries(headers)) {
            const held = expected[index]![column]!;
            assert.deepEqual(asHeld(line[header] as string | null, held), held, `${kind}.${header}`);
          }
        }
      }
    });
  }

  it('have no row for a state without a name, and its events have no state', () => {
    const { rows } = made({ format: 'csv' });
    assert.ok(rows.state.every(({ name }) => name !== null));
    const outside = rows.event.filter(({ has_state }) => has_state === false);
    assert.ok(outside.length > 20);
    assert.ok(outside.every(({ state_ordinal, state_id }) => state_ordinal === null && state_id !== null));
    assert.deepEqual(
      outside.length,
      rowsOf(sessions).event.filter(({ has_state }) => has_state === false).length,
    );
  });

  it('lead parameters to their events, as JSON does', () => {
    const parameters = (rows: MadeJob['rows']) =>
      rows.event_parameter.map(({ session_id, event_ordinal, event_id, name, value }) =>
        JSON.stringify([session_id, event_ordinal, event_id, name, value]),
      );
    assert.deepEqual(parameters(made({ format: 'csv' }).rows), parameters(rowsOf(sessions)));
  });

  it('lead no parameter to a session where events of several share an id', () => {
    const { rows, ambiguous } = made({ format: 'csv', sharedEventIds: true });
    assert.ok(ambiguous > 0);
    assert.equal(rows.event_parameter.length + ambiguous, rowsOf(sessions).event_parameter.length);
    assert.deepEqual(
      rows.event_parameter.filter(({ name }) => name === 'Item'),
      [],
    );
  });

  it('have parameters of no event where the events’ shard is left out', () => {
    const { rows, quarantined } = made({ format: 'csv', shards: 2, unlisted: ['events-1'] });
    assert.ok(quarantined > 0);
    assert.equal(rows.event_parameter.length + quarantined, rowsOf(sessions).event_parameter.length);
  });

  it('lead to the first of several events with one id in a session, and to none of several sessions', () => {
    const event = (session_id: string, event_id: string) => ({
      ...{ values: [], row: { session_id, state_id: '1', event_id } },
    });
    const parameter = (event_id: string) => ({ values: [], row: { event_id, name: 'a', value: 'b' } });
    const records: CsvRecords = {
      ...{ sessions: [], experiments: [], states: [], userattributes: [] },
      events: [event('10', '5'), event('9', '5'), event('9', '6'), event('9', '6')],
      eventparameters: [parameter('5'), parameter('6')],
    };
    const { rows, ambiguous } = rowsOfCsv(records);
    assert.equal(ambiguous, 1);
    assert.deepEqual(
      rows.event_parameter.map(({ session_id, event_ordinal }) => [session_id, event_ordinal]),
      [['9', '2']],
    );
  });
});

/** A CSV value in the form in which rows hold it. */
function asHeld(text: string | null, held: string | number | boolean | null): unknown {
  if (text === null) return null;
  if (typeof held === 'boolean') return text === 'true';
  if (typeof held === 'number') return Number(text);
  if (/^\d{4}-\d\d-\d\dT.*Z$/.test(held ?? '')) {
    const instant = /^[\d.E]+$/.test(text)
      ? Math.round(Number(text) * 1_000)
      : Date.parse(`${text.replace(' ', 'T')}Z`);
    return new Date(instant).toISOString();
  }
  return text.replace(/^(-?\d+)\.00$/, '$1');
}
