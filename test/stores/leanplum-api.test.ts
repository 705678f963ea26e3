import assert from 'node:assert/strict';
import { inspect } from 'node:util';

import { secret } from '../../config/secret.js';
import { Failure } from '../../model/failure.js';
import { askForExport, readExportResults, type ExportRequest } from '../../stores/leanplum-api.js';
import { appId, clientKey, daysAgo, exported, hidden, named, withApi } from '../support/leanplum-api.js';

const request: ExportRequest = {
  ...{ from: daysAgo(3), to: daysAgo(2), format: 'json' },
  copyTo: { bucket: 'my-export', prefix: 'leanplum/20261120/' },
};
const copyToStore = { accessKeyId: secret('AKIADONOTTELL'), secretAccessKey: secret('s3/do-not-tell') };

/** An error of this type, whose sentence holds these parts in order, and which shows nothing that is hidden. */
function fails(type: string, ...parts: readonly string[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Failure, inspect(error));
    assert.equal(error.type, type, error.message);
    let from = 0;
    for (const part of parts) {
      const at = error.message.indexOf(part, from);
      assert.notEqual(at, -1, `"${part}" is not in its place in: ${error.message}`);
      from = at + part.length;
    }
    for (const value of hidden) assert.ok(!inspect(error).includes(value), inspect(error));
    return true;
  };
}
const refused = (message: string, status = 200) => ({
  kind: 'answer' as const,
  status,
  body: JSON.stringify({ response: [{ success: false, error: { message } }] }),
});

describe('asking Leanplum for an export', () => {
  it('is a form: what servers may write down of it is the action alone', () =>
    withApi({}, async ({ api, server }) => {
      const exportJob = await askForExport(api, request);
      assert.match(exportJob ?? '', /^export_\d+_\d+$/);
      const [call] = server.calls;
      assert.equal(call?.method, 'POST');
      assert.equal(call?.url, '/api?action=exportData');
      assert.deepEqual(call?.fields, {
        action: 'exportData',
        appId,
        clientKey,
        apiVersion: '1.0.6',
        startDate: request.from.replaceAll('-', ''),
        endDate: request.to.replaceAll('-', ''),
        exportFormat: 'json',
      });
    }));

  it('names the bucket and its keys where copies are wanted', () =>
    withApi({}, async ({ api, server }) => {
      await askForExport({ ...api, copyToStore }, { ...request, format: 'csv' });
      const { fields } = server.asked[0]!;
      assert.deepEqual(
        ['exportFormat', 's3BucketName', 's3AccessId', 's3AccessKey', 's3ObjectPrefix', 'compressData'].map(
          (name) => fields[name],
        ),
        ['csv', 'my-export', 'AKIADONOTTELL', 's3/do-not-tell', 'leanplum/20261120/', 'true'],
      );
    }));

  it('has nothing to wait for where nothing matches', () =>
    withApi({ make: () => undefined }, async ({ api }) => {
      assert.equal(await askForExport(api, request), undefined);
    }));

  it('passes on what Leanplum refuses, and what it means', () =>
    withApi({ exportsPerDay: 1 }, async ({ api }) => {
      const old = { ...request, from: daysAgo(62) };
      const what = `Asking ${api.url} for an export of`;
      await assert.rejects(
        askForExport(api, old),
        fails(
          'ExportFailed',
          `${what} ${old.from} to ${old.to} was refused: "You cannot export data older than 60 days". `,
          'within the last 60 days: ask for later days.',
        ),
      );
      await askForExport(api, request);
      await assert.rejects(
        askForExport(api, request),
        fails('ExportFailed', what, '"You may only export data 1 times per day"', 'ask again tomorrow'),
      );
    }));

  it('believes an error more than a success: "verify that the response has neither warning or error objects"', () =>
    withApi({}, async ({ api, server }) => {
      for (const what of ['error', 'warning']) {
        const body = JSON.stringify({
          response: [{ success: true, jobId: 'j', [what]: { message: 'Skipped.' } }],
        });
        server.fail('exportData', { kind: 'answer', status: 200, body });
        await assert.rejects(
          askForExport(api, request),
          fails(
            'ExportFailed',
            'was refused: "Skipped". Nothing is exported',
            '24 exports',
            '60 days',
            '24 hours',
          ),
        );
      }
    }));

  for (const [title, fault] of [
    ['a key of another kind', refused(`Invalid access key ${clientKey}`)],
    ['status 401', refused('no', 401)],
    ['status 403', { kind: 'answer', status: 403, body: '' }],
  ] as const) {
    it(`says which settings to check after ${title}`, () =>
      withApi({}, async ({ api, server }) => {
        server.fail('exportData', fault);
        await assert.rejects(
          askForExport(api, request),
          fails('AccessDenied', 'was refused with status', 'Check api.appId and api.clientKey'),
        );
      }));
  }

  for (const status of [301, 404]) {
    it(`says that the address is wrong after status ${status}`, () =>
      withApi({}, async ({ api, server }) => {
        server.fail('exportData', { kind: 'answer', status, body: '' });
        await assert.rejects(askForExport(api, request), fails('ConfigInvalid', 'Check api.url'));
      }));
  }

  const lost = [
    ['is lost', { kind: 'lose' }, 'socket hang up'],
    ['is cut off', { kind: 'cut', afterBytes: 10 }, 'the answer did not come whole'],
    ['is that of a broken server', { kind: 'answer', status: 502, body: '<html>' }, 'status 502'],
    [
      'is a page',
      { kind: 'answer', status: 200, body: '<html>' },
      'an answer with status 200 that is not as',
    ],
    [
      'names no job',
      { kind: 'answer', status: 200, body: '{"response":[{"success":true}]}' },
      'it names no job',
    ],
    ['is empty', { kind: 'answer', status: 200, body: '{"response":[]}' }, 'an answer with status 200'],
  ] as const;
  for (const [how, fault, word] of lost) {
    it(`is not repeated when the answer ${how}: it may cost one of 24 a day`, () =>
      withApi({}, async ({ api, server }) => {
        server.fail('exportData', fault);
        await assert.rejects(
          askForExport(api, request),
          fails(
            'ExportFailed',
            'had no answer that can be used: ',
            word,
            'not repeated by itself. Ask for the export anew.',
          ),
        );
        assert.equal(server.calls.length, 1);
      }));
  }

  it('may be repeated when nobody was there to hear it', async () => {
    const url = await withApi({}, ({ api }) => Promise.resolve(api.url));
    await assert.rejects(
      askForExport({ appId, clientKey: secret(clientKey), url }, request),
      fails('StoreUnavailable', 'ECONNREFUSED', 'Leanplum did not hear of it; it is tried again.'),
    );
    await assert.rejects(
      askForExport({ appId, clientKey: secret(clientKey), url: 'http://leanplum.invalid/api' }, request),
      fails('StoreUnavailable', 'leanplum.invalid', 'it is tried again.'),
    );
  });
});

describe('the results of an export', () => {
  const begun = async (place: Parameters<Parameters<typeof withApi>[1]>[0]): Promise<string> =>
    (await askForExport(place.api, request)) ?? '';

  it('are told state by state', () =>
    withApi(
      {
        make: () => ({
          ...exported(['-0', 'one'], ['-1', 'three']),
          states: ['PENDING', 'RUNNING', 'FINISHED'],
        }),
      },
      async (place) => {
        const exportJob = await begun(place);
        const states = [];
        for (let i = 0; i < 3; i += 1) states.push(await readExportResults(place.api, exportJob));
        assert.deepEqual(
          states.map(({ state }) => state),
          ['PENDING', 'RUNNING', 'FINISHED'],
        );
        const { sessions, bytes, files, copies } = states[2]!;
        assert.deepEqual({ sessions, bytes, copies }, { sessions: 2, bytes: 8, copies: undefined });
        assert.deepEqual([...files.keys()], [named('-0'), named('-1')]);
        assert.equal(place.server.calls[1]?.url, '/api?action=getExportResults');
      },
    ));

  it('are understood as a real one was: {"files":["https:\\/\\/…-output-0"],…,"numSessions":101}', () =>
    withApi({}, async ({ api, server }) => {
      const address = 'https:\\/\\/leanplum_export.storage.googleapis.com\\/' + named('-0');
      server.fail('getExportResults', {
        kind: 'answer',
        status: 200,
        body: `{"response":[{"files":["${address}"],"jobId":"j","numBytes":36590,"state":"FINISHED","success":true,"numSessions":101}]}`,
      });
      const { files, ...rest } = await readExportResults(api, 'j');
      assert.deepEqual(rest, { state: 'FINISHED', bytes: 36590, sessions: 101 });
      assert.deepEqual([...files], [[named('-0'), address.replaceAll('\\', '')]]);
    }));

  it('tell what was copied, and what was not', () =>
    withApi({}, async ({ api, server }) => {
      const say = (s3CopyStatus: unknown) =>
        server.fail('getExportResults', {
          kind: 'answer',
          status: 200,
          body: JSON.stringify({
            response: [
              {
                ...{ success: true, state: 'FINISHED', s3CopyStatus },
                files: ['-0', '-1', '-2'].map((what) => `https://x/${named(what)}?signature=1`),
              },
            ],
          }),
        });
      const copied = (what: string, ending = '') => ({
        sourceFile: `gs://leanplum_export/${named(what)}`,
        destFile: `leanplum/20261120/${named(what)}${ending}`,
      });
      say({ success: ['-0', '-1', '-2'].map((what) => copied(what, '.gz')) });
      const all = await readExportResults(api, 'j');
      assert.equal(all.copies?.keys.length, 3);
      assert.deepEqual(all.copies?.failed, []);
      say({
        success: [copied('-0')],
        failure: [{ ...copied('-1'), error: 'Access Denied for AKIADONOTTELL' }, 'gs://leanplum_export/x'],
      });
      const some = await readExportResults({ ...api, copyToStore }, 'j');
      assert.deepEqual(some.copies, {
        keys: [`leanplum/20261120/${named('-0')}`],
        failed: [`${named('-1')} ("Access Denied for [secret]")`, 'x', named('-2')],
      });
      say(null);
      assert.equal((await readExportResults(api, 'j')).copies, undefined);
    }));

  it('that Leanplum no longer knows are asked for anew', () =>
    withApi({}, async ({ api }) => {
      await assert.rejects(
        readExportResults(api, 'export_1_2'),
        fails(
          'ExportExpired',
          `Asking ${api.url} for the results of export_1_2 was refused: "Job not found". `,
          'keeps results for 24 hours; if these are gone, ask for the export anew.',
        ),
      );
    }));

  for (const [title, fault] of [
    ['a broken server', { kind: 'answer', status: 500, body: 'oops' }],
    ['a busy server', { kind: 'answer', status: 429, body: '' }],
    ['a lost answer', { kind: 'lose' }],
    ['half an answer', { kind: 'cut', afterBytes: 20 }],
    ['a page', { kind: 'answer', status: 200, body: '<html>' }],
    ['an answer without a state', { kind: 'answer', status: 200, body: '{"response":[{"success":true}]}' }],
  ] as const) {
    it(`are asked for again after ${title}`, () =>
      withApi({}, async (place) => {
        const exportJob = await begun(place);
        place.server.fail('getExportResults', fault);
        await assert.rejects(
          readExportResults(place.api, exportJob),
          fails('StoreUnavailable', `for the results of ${exportJob} `, 'It is retried.'),
        );
        assert.equal((await readExportResults(place.api, exportJob)).state, 'FINISHED');
      }));
  }

  it('are not for those whose key is refused', () =>
    withApi({}, async ({ api }) => {
      await assert.rejects(
        readExportResults({ ...api, clientKey: secret('dev_other') }, 'j'),
        fails('AccessDenied', 'Invalid access key', "has to be the app's for data export"),
      );
    }));

  it('are not waited for by a worker that stops', () =>
    withApi({ make: () => new Promise(() => undefined) }, async ({ api, server }) => {
      void askForExport(api, request).catch(() => undefined);
      const abort = new AbortController();
      const asking = readExportResults(api, 'j', abort.signal);
      abort.abort(new Error('the worker stops'));
      await assert.rejects(asking, { message: 'the worker stops' });
      assert.ok(server.calls.length <= 2);
    }));
});
