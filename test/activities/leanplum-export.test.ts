import assert from 'node:assert/strict';

import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import {
  createAskExport,
  createExportProgress,
  type ExportProgress,
} from '../../activities/leanplum-export.js';
import { openSources } from '../../activities/sources.js';
import { parseConfig } from '../../config/load.js';
import type { StartedExport } from '../../model/export.js';
import { Failure } from '../../model/failure.js';
import type { ScriptedExport } from '../../sandbox/leanplum/api.js';
import {
  appId,
  clientKey,
  daysAgo,
  exported,
  hidden,
  named,
  uuid,
  withApi,
  type ApiPlace,
} from '../support/leanplum-api.js';

const now = Date.now();
const date = daysAgo(0);
const folder = `${date.replaceAll('-', '')}/`;
const days = { source: 'sessions', from: daysAgo(2), to: daysAgo(1), format: 'json' } as const;
const keys = { accessKeyId: 'AKIADONOTTELL', secretAccessKey: 'do-not-tell' };

interface Steps {
  readonly ask: () => Promise<StartedExport>;
  readonly progress: (exportJob: string) => Promise<ExportProgress>;
}

function stepsOf(api: object | undefined, prefix: string): Steps {
  const text = JSON.stringify({
    sources: { sessions: { vendor: 'leanplum', store: { type: 's3', bucket: 'my-export', prefix }, api } },
  });
  const { sources } = parseConfig({ name: 'test.yaml', path: 'test.yaml', env: {}, text });
  const { source } = openSources(sources, undefined as never);
  const run = <I, O>(step: (input: I) => Promise<O>, input: I): Promise<O> =>
    new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run<
      [I],
      O,
      (input: I) => Promise<O>
    >(step, input);
  return {
    ask: () => run(createAskExport({ source }), { ...days, now }),
    progress: (exportJob) =>
      run(createExportProgress({ source }), { source: 'sessions', exportJob, date, now }),
  };
}

interface Asked extends ApiPlace {
  readonly exportJob: string;
  readonly progress: () => Promise<ExportProgress>;
}

/** An export of this was asked for; copies go to `copied`. */
function withExport(
  script: ScriptedExport,
  { prefix = '', copyToStore = false }: { prefix?: string; copyToStore?: boolean },
  work: (asked: Asked) => Promise<void>,
): Promise<void> {
  const options = { make: () => script, copy: () => Promise.resolve() };
  return withApi(options, async (place) => {
    const api = { appId, clientKey, url: place.server.url, ...(copyToStore ? { copyToStore: keys } : {}) };
    const { ask, progress } = stepsOf(api, prefix);
    const { exportJob = '', date: askedOn } = await ask();
    assert.equal(askedOn, date);
    await work({ ...place, exportJob, progress: () => progress(exportJob) });
  });
}

const failsWith =
  (type: string, ...parts: readonly string[]) =>
  (error: unknown): true => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.type, type);
    for (const part of parts)
      assert.ok(error.message.includes(part), `"${part}" is not in: ${error.message}`);
    for (const value of hidden) assert.ok(!error.message.includes(value), error.message);
    return true;
  };

describe('the steps of an export', () => {
  it('wait while it is under way', () =>
    withExport(
      { ...exported(['-0', 'x']), states: ['PENDING', 'RUNNING', 'FAILED'] },
      {},
      async ({ progress }) => {
        assert.deepEqual(await progress(), { state: 'PENDING', finished: false });
        assert.deepEqual(await progress(), { state: 'RUNNING', finished: false });
        assert.deepEqual(await progress(), { state: 'FAILED', finished: false });
      },
    ));

  it('make a delivery of its results, under the uuid in their names and the Pacific day of the asking', () =>
    withExport(exported(['-0', 'one'], ['-1', 'two']), {}, async ({ progress, exportJob }) => {
      const result = await progress();
      assert.ok(result.finished && result.start);
      assert.deepEqual(result.counts, { files: 2, sessions: 2, bytes: 6 });
      const { workflowId, workflowType, input, staticDetails } = result.start;
      assert.deepEqual([workflowId, workflowType], [`sessions/${uuid}`, 'leanplum']);
      assert.deepEqual([input.date, input.type, input.exportJob], [date, 'sessions', exportJob]);
      assert.match(staticDetails, new RegExp(exportJob));
      const told = JSON.stringify(result);
      for (const value of [...hidden, '127.0.0.1'])
        assert.ok(!told.includes(value), `${value} goes into the history`);
    }));

  it('ask for no copies without keys for them', () =>
    withExport(exported(['-0', 'one']), {}, ({ server }) => {
      assert.equal(server.asked[0]?.fields['s3BucketName'], undefined);
      return Promise.resolve();
    }));

  it('go on as the ordinary delivery of the bucket where the job went to S3', () =>
    withExport(
      exported(['-0', 'one']),
      { prefix: 'leanplum/', copyToStore: true },
      async ({ progress, server }) => {
        const { fields } = server.asked[0]!;
        assert.equal(fields['s3BucketName'], 'my-export');
        assert.equal(fields['s3ObjectPrefix'], `leanplum/${folder}`);
        const result = await progress();
        assert.ok(result.finished && result.start);
        assert.equal(result.start.workflowId, `sessions/${uuid}`);
        assert.equal(result.start.input.exportJob, undefined);
        assert.equal(result.start.input.date, date);
      },
    ));

  it('load its results where the copies lie in no folder of a day', () =>
    withExport(exported(['-0', 'one']), { copyToStore: true }, async ({ progress, server, exportJob }) => {
      const copied = { sourceFile: named('-0'), destFile: `elsewhere/${named('-0')}` };
      server.fail('getExportResults', {
        kind: 'answer',
        status: 200,
        body: JSON.stringify({
          response: [
            {
              ...{ success: true, state: 'FINISHED', files: [`https://x/${named('-0')}`] },
              s3CopyStatus: { success: [copied] },
            },
          ],
        }),
      });
      const result = await progress();
      assert.equal(result.finished && result.start?.input.exportJob, exportJob);
    }));

  it('say so where there is nothing but copies, and they lie in no folder of a day', () =>
    withExport(exported(['-0', 'one']), { copyToStore: true }, async ({ progress, server }) => {
      server.fail('getExportResults', {
        kind: 'answer',
        status: 200,
        body: JSON.stringify({
          response: [
            { success: true, state: 'FINISHED', s3CopyStatus: { success: [{ destFile: named('-0') }] } },
          ],
        }),
      });
      await assert.rejects(
        progress(),
        failsWith('ExportFailed', `copied it to ${named('-0')} of my-export, which is no folder of a day`),
      );
    }));

  it('name the files that were not copied', () =>
    withExport(
      { ...exported(['-0', 'one'], ['-1', 'two']), notCopied: [named('-1')] },
      { prefix: 'leanplum/', copyToStore: true },
      async ({ progress, exportJob }) => {
        await assert.rejects(
          progress(),
          failsWith(
            'ExportFailed',
            `Leanplum finished the export ${exportJob}, and did not copy 1 file to s3://my-export/leanplum/${folder}: ` +
              `${named('-1')}. Nothing is loaded.`,
            's3:PutObject',
            'ask for the export anew',
          ),
        );
      },
    ));

  for (const copyToStore of [false, true]) {
    it(`make no delivery of nothing${copyToStore ? ', copied or not' : ''}`, () =>
      withExport({ files: [], sessions: 0 }, { copyToStore }, async ({ progress }) => {
        assert.deepEqual(await progress(), {
          state: 'FINISHED',
          finished: true,
          counts: { files: 0, sessions: 0, bytes: 0 },
        });
      }));
  }

  it('have no job where nothing matches', () =>
    withApi({ make: () => undefined }, async ({ server }) => {
      assert.deepEqual(await stepsOf({ appId, clientKey, url: server.url }, '').ask(), { date });
    }));

  it('refuse results that are not those of one job', () =>
    withExport({ files: [{ name: 'users.csv', bytes: Buffer.from('x') }] }, {}, async ({ progress }) => {
      await assert.rejects(
        progress(),
        failsWith('ExportFailed', "cannot be loaded. Its file 'users.csv' is not named", 'Please report it.'),
      );
    }));

  it('are left to another worker where this one knows no API: Leanplum has certainly not heard of it', async () => {
    const missing = 'has sources.sessions.api, by which exports are asked for and read, in its configuration';
    await assert.rejects(stepsOf(undefined, '').ask(), failsWith('StoreUnavailable', missing));
    await assert.rejects(stepsOf(undefined, '').progress('1'), failsWith('SourceMissing', missing));
  });
});
