import assert from 'node:assert/strict';

import { openExportResults } from '../../stores/leanplum-export.js';
import { askForExport } from '../../stores/leanplum-api.js';
import type { Store, StoredFile } from '../../stores/store.js';
import type { ScriptedExport } from '../../sandbox/leanplum/api.js';
import { leanplum } from '../../vendors/leanplum/vendor.js';
import type { JobSighting } from '../../vendors/leanplum/sighting.js';
import { daysAgo, exported, hidden, named, uuid, withApi, type ApiPlace } from '../support/leanplum-api.js';
import { failsAs } from './failing.js';
import { fetched, listAll, randomBytes } from './s3-place.js';

const date = '2026-11-20';
const folder = '20261120/';
const secrets = { accessKeyId: '', secretAccessKey: hidden[1] };

interface Results extends ApiPlace {
  readonly exportJob: string;
  readonly store: Store;
  readonly files: readonly StoredFile[];
  readonly file: (what: string) => StoredFile;
}

/** What an export brought, as a store that was listed. */
function withResults<T>(script: ScriptedExport, work: (results: Results) => Promise<T>): Promise<T> {
  return withApi({ make: () => script }, async ({ api, server }) => {
    const exportJob =
      (await askForExport(api, {
        ...{ from: daysAgo(2), to: daysAgo(1), format: 'json' },
        copyTo: { bucket: 'b', prefix: '' },
      })) ?? '';
    const store = openExportResults(api, { exportJob, date });
    const files = await listAll(store, folder);
    const file = (what: string): StoredFile => files.find(({ key }) => key.endsWith(`-output${what}`))!;
    return work({ ...{ api, server, exportJob, store, files, file } });
  });
}

/** The look at a delivery, as the activity takes it. */
async function sight({ store, files }: Results): Promise<JobSighting> {
  const delivery = { id: `sessions/${uuid}`, source: 'sessions', type: 'sessions', date };
  const look = leanplum.look(delivery, { now: 0, pollEvery: 1 });
  look.see({ files, folders: [] });
  const read = new Map<string, { readonly text: string }>();
  for (const manifest of look.toRead()) {
    read.set(manifest.key, { text: (await fetched(store, manifest)).toString() });
  }
  return look.sighting(read, 0) as JobSighting;
}

describe('the results of an export, as a store', function () {
  this.timeout(20_000);

  it('are the files of a whole job in the folder of its day', () =>
    withResults(exported(['-0', 'one'], ['-1', 'three']), async (results) => {
      const { store, files } = results;
      assert.deepEqual(
        files.map(({ key, size }) => [key, size]),
        [
          [folder + named('-0'), 3],
          [folder + named('-1'), 5],
          [folder + named('-manifest'), JSON.stringify([named('-0'), named('-1')]).length],
        ],
      );
      const sighting = await sight(results);
      assert.equal(sighting.whole, true);
      assert.equal(sighting.shardsListed, 2);
      assert.equal((await fetched(store, results.file('-1'))).toString(), 'three');
      assert.deepEqual(await listAll(store, '20261121/'), []);
      assert.deepEqual(await listAll(store, ''), files);
    }));

  it('are not read from wherever the answer leads, unless that is wanted', () =>
    withResults(exported(['-0', 'one']), async ({ api, exportJob }) => {
      // Another name for the same server: its files lie elsewhere than the API, by its own word.
      const elsewhere = { ...api, url: api.url.replace('127.0.0.1', 'localhost') };
      const store = openExportResults(elsewhere, { exportJob, date });
      await assert.rejects(
        listAll(store, folder),
        failsAs('ExportFailed', secrets, () => [
          `of ${named('-0')} its address at 127.0.0.1:`,
          'begins with http://',
          'set api.privateResults of the source to true',
        ]),
      );
      const allowed = openExportResults({ ...elsewhere, privateResults: true }, { exportJob, date });
      assert.equal((await listAll(allowed, folder)).length, 2);
    }));

  it('are whole as CSV, with kinds of which there is no file', () =>
    withResults(exported(['sessions-0', 'sessionId\n'], ['events-0', 'eventId\n']), async (results) => {
      assert.equal(results.files.length, 8);
      const sighting = await sight(results);
      assert.deepEqual([sighting.whole, sighting.format, sighting.manifestsThere], [true, 'csv', 6]);
    }));

  it('have the same versions whenever they are listed', () =>
    withResults(exported(['-0', 'one']), async ({ store, files, server, file }) => {
      assert.deepEqual(await listAll(store, folder), files);
      server.rewrite(named('-0'), Buffer.from('two'));
      const again = await listAll(store, folder);
      assert.notEqual(again[0]?.version, file('-0').version);
      assert.equal(again[1]?.version, file('-manifest').version);
    }));

  it('go on where a connection was cut, with the version that was listed', () => {
    const bytes = randomBytes(3_000_000);
    return withResults({ files: [{ name: named('-0'), bytes }] }, async ({ store, file, server }) => {
      server.fail(named('-0'), { kind: 'cut', afterBytes: 2_000_000 });
      const got: number[] = [];
      assert.ok(bytes.equals(await fetched(store, file('-0'), { onBytes: (count) => got.push(count) })));
      const gets = server.calls.filter(({ method, what }) => method === 'GET' && what === named('-0'));
      assert.equal(gets.length, 2);
      assert.match(String(gets[1]?.headers['range']), /^bytes=\d+-$/);
      assert.equal(gets[1]?.headers['if-match'], `"${file('-0').version}"`);
      assert.equal(gets[0]?.headers['accept-encoding'], 'identity');
      assert.ok(got.length > 1);
    });
  });

  it('begin anew where the server knows no ranges', () => {
    const bytes = randomBytes(500_000);
    return withResults({ files: [{ name: named('-0'), bytes }] }, async ({ store, file, server }) => {
      server.fail(named('-0'), { kind: 'cut', afterBytes: 200_000 });
      server.fail(named('-0'), { kind: 'without', headers: ['range'] });
      assert.ok(bytes.equals(await fetched(store, file('-0'))));
    });
  });

  it('lives with a server that has no ETags, and compares lengths and times', () =>
    withResults(exported(['-0', 'one']), async ({ store, server }) => {
      server.fail(named('-0'), { kind: 'without', headers: ['etag'] }, 3);
      const [file] = await listAll(store, folder);
      assert.match(file!.version, /^untagged-3-\d+$/);
      assert.equal((await fetched(store, file!)).toString(), 'one');
      server.rewrite(named('-0'), Buffer.from('other'));
      await assert.rejects(
        fetched(store, file!),
        failsAs('FileChanged', secrets, () => ['was written anew']),
      );
    }));

  it('are measured by their first byte where only GET is signed', () =>
    withResults(exported(['-0', 'one'], ['-1', '']), async ({ store, server }) => {
      for (const name of [named('-0'), named('-1')]) {
        server.fail(name, { kind: 'answer', status: 403, body: '' });
      }
      const files = await listAll(store, folder);
      assert.deepEqual(files.map(({ size }) => size).slice(0, 2), [3, 0]);
      assert.equal((await fetched(store, files[1]!)).length, 0);
    }));

  it('are refused when they were written anew', () =>
    withResults(exported(['-0', 'one']), async ({ store, file, server }) => {
      server.rewrite(named('-0'), Buffer.from('two'));
      await assert.rejects(
        fetched(store, file('-0')),
        failsAs('FileChanged', secrets, () => [
          `${store.name}${folder}${named('-0')} changed after it was listed`,
          'The delivery is planned again.',
        ]),
      );
    }));

  it('are gone after 24 hours, and then the error says so', () =>
    withResults(exported(['-0', 'one'], ['-1', 'two']), async ({ store, file, server, exportJob }) => {
      server.expire();
      await assert.rejects(
        listAll(store, folder),
        failsAs('ExportExpired', secrets, () => [
          `Of the 2 files of the export ${exportJob} 2 are no longer there (${named('-0')}, ${named('-1')}).`,
          'Leanplum keeps the files of an export for 24 hours; ask for the export anew.',
        ]),
      );
      await assert.rejects(
        fetched(store, file('-1')),
        failsAs('ExportExpired', secrets, () => [
          `The file ${named('-1')} of the export ${exportJob} is no longer there.`,
          'ask for the export anew.',
        ]),
      );
    }));

  it('are gone where the server says that one may not know: 403', () =>
    withResults(exported(['-0', 'one']), async ({ store, server }) => {
      server.fail(named('-0'), { kind: 'answer', status: 403, body: 'or it may not exist' }, 2);
      await assert.rejects(
        listAll(store, folder),
        failsAs('ExportExpired', secrets, () => ['ask for the export anew']),
      );
    }));

  it('are asked for again when an address has run out before its file', () =>
    withResults(exported(['-0', 'one']), async ({ store, file, server }) => {
      const before = server.calls.length;
      server.fail(named('-0'), { kind: 'answer', status: 403, body: 'expired' });
      assert.equal((await fetched(store, file('-0'))).toString(), 'one');
      assert.deepEqual(
        server.calls.slice(before).map(({ what }) => what),
        [named('-0'), 'getExportResults', named('-0')],
      );
    }));

  it('are retried while the server of the files is broken, and show no address', () =>
    withResults(exported(['-0', 'one']), async ({ store, file, server }) => {
      server.fail(named('-0'), { kind: 'answer', status: 503, body: '' }, 2);
      await assert.rejects(
        listAll(store, folder),
        failsAs('StoreUnavailable', { ...secrets, secretAccessKey: 'signature=' }, () => [
          `Reading ${store.name}${named('-0')} failed: status 503. It is retried.`,
        ]),
      );
      server.fail(named('-0'), { kind: 'cut', afterBytes: 1 }, 1);
      assert.equal((await fetched(store, file('-0'))).toString(), 'one');
    }));

  it('are not there before the export is finished', () =>
    withApi({ make: () => ({ ...exported(['-0', 'one']), states: ['RUNNING'] }) }, async ({ api }) => {
      const request = { from: daysAgo(2), to: daysAgo(1), format: 'json' } as const;
      const exportJob = (await askForExport(api, { ...request, copyTo: { bucket: 'b', prefix: '' } })) ?? '';
      await assert.rejects(
        listAll(openExportResults(api, { exportJob, date }), folder),
        failsAs('StoreUnavailable', secrets, () => [`The export ${exportJob} is RUNNING`]),
      );
    }));

  it('cannot be loaded where their names are others', () =>
    withApi(
      { make: () => ({ files: [{ name: 'users.csv', bytes: Buffer.from('x') }] }) },
      async ({ api }) => {
        const request = { from: daysAgo(2), to: daysAgo(1), format: 'json' } as const;
        const exportJob =
          (await askForExport(api, { ...request, copyTo: { bucket: 'b', prefix: '' } })) ?? '';
        await assert.rejects(
          listAll(openExportResults(api, { exportJob, date }), folder),
          failsAs('ExportFailed', secrets, () => [
            "Its file 'users.csv' is not named as files of an export are.",
          ]),
        );
      },
    ));

  it("are Leanplum's: nothing is deleted", () =>
    withResults(exported(['-0', 'one']), async ({ store, file }) => {
      await assert.rejects(
        store.remove(file('-0')),
        failsAs('ConfigInvalid', secrets, () => ['cannot be deleted']),
      );
    }));

  it('stops when it is aborted, and says why', () => {
    const bytes = randomBytes(2_000_000);
    return withResults({ files: [{ name: named('-0'), bytes }] }, async ({ store, file }) => {
      const abort = new AbortController();
      const stopped = fetched(store, file('-0'), {
        signal: abort.signal,
        onBytes: () => abort.abort(new Error('the worker stops')),
      });
      await assert.rejects(stopped, { message: 'the worker stops' });
    });
  });
});
