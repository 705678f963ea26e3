import assert from 'node:assert/strict';

import type { Client, WorkflowHandle } from '@temporalio/client';

import { exportId, exportWorkflow, type ExportInput, type ExportResult } from '../../model/export.js';
import { startLeanplumApi, type LeanplumApiServer } from '../../sandbox/leanplum/api.js';
import { makeJob, type JobToMake, type MadeJob } from '../../sandbox/leanplum/job.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import { signal, withWorker } from '../support/delivery.js';
import { assertConsistent } from '../support/landed.js';
import { prefix } from '../support/landfall.js';
import { appId, clientKey, daysAgo, hidden } from '../support/leanplum-api.js';
import { heldRows, inKeyOrder } from '../support/leanplum-rows.js';
import { leanplumSource, type LeanplumSource } from '../support/leanplum.js';

const today = daysAgo(0);
const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

type Export = WorkflowHandle<(input: ExportInput) => Promise<ExportResult>>;

describe('an export that is asked for, end to end', function () {
  this.timeout(60_000);
  let source: LeanplumSource;
  let server: LeanplumApiServer;
  let jobs: MadeJob[];
  afterEach(async () => {
    await assertConsistent(source.database.pool);
    await source.drop();
    await server.stop();
  });

  const made = (number: number, more: Partial<JobToMake> = {}): MadeJob =>
    makeJob({
      ...{ uuid: uuid(number), date: today, shards: 2 },
      sessions: makeSessions({ count: 120, until: Date.parse('2026-11-20T18:00:00Z') }),
      ...more,
    });
  /** One export after the other brings the shards of these jobs. */
  const use = async (made: readonly MadeJob[], api: object = {}): Promise<void> => {
    jobs = [...made];
    server = await startLeanplumApi({
      ...{ appId, clientKey },
      make: () => {
        const job = jobs.shift();
        const shards = job?.files.filter(({ role }) => role === 'shard') ?? [];
        return (
          job && {
            files: shards.map(({ key, bytes }) => ({ name: key.split('/')[1]!, bytes })),
            sessions: 120,
          }
        );
      },
      copy: (key, bytes) => source.bucket.put(key, bytes),
    });
    source = await leanplumSource({ api: { appId, clientKey, url: server.url, ...api } });
  };
  const ask = async (client: Client, format: 'json' | 'csv' = 'json'): Promise<Export> => {
    const input: ExportInput = { source: source.config.name, from: daysAgo(3), to: daysAgo(2), format };
    return client.workflow.start(exportWorkflow, {
      ...{ workflowId: exportId(input), taskQueue: source.taskQueue, args: [input] },
      workflowExecutionTimeout: '10 minutes',
    });
  };
  const held = () => heldRows(source.database.pool, source.config.schema);
  const inLedger = async () => {
    const rows = await source.rows(
      'select id, finality, reason, export_job, date::text from landfall.delivery',
    );
    return rows[0];
  };
  /** Nothing that anybody keeps has the keys or an address in it. */
  const keepsSecrets = async (...workflows: readonly WorkflowHandle[]): Promise<void> => {
    const kept = [
      ...(await Promise.all(workflows.map(async (workflow) => workflow.fetchHistory()))),
      ...(await source.rows('select * from landfall.delivery')),
      ...(await source.rows('select * from landfall.delivery_event')),
      ...(await source.rows('select * from landfall.file')),
    ];
    const text = textsOf(kept).join('\n');
    assert.ok(text.includes('"exportJob":'), 'payloads are looked into');
    for (const secret of [...hidden, server.url.replace('/api', '/files')]) {
      assert.ok(!text.includes(secret), `${secret} is kept`);
    }
  };

  for (const format of ['json', 'csv'] as const) {
    it(`lands like a job: ${format}`, async () => {
      const job = made(1, { format });
      await use([job]);
      const [shard] = job.files;
      server.fail(shard!.key.split('/')[1]!, { kind: 'cut', afterBytes: 1_000 }, 1);
      await withWorker(source, async (client) => {
        const handle = await ask(client, format);
        const { delivery, counts, exportJob, reason } = await handle.result();
        assert.equal(delivery?.finality, 'final', reason);
        assert.equal(delivery.delivery, `${source.config.name}/${job.uuid}`);
        assert.equal(counts?.sessions, 120);
        assert.deepEqual(await inLedger(), {
          ...{ id: delivery.delivery, finality: 'final', export_job: exportJob, date: today },
          reason: delivery.reason,
        });
        await keepsSecrets(handle, client.workflow.getHandle(delivery.delivery));
      });
      assert.deepEqual(await held(), inKeyOrder(job.rows));
      assert.equal(server.asked.length, 1);
    });
  }

  it('goes on as the delivery of the bucket where the job went to S3', async () => {
    const job = made(1);
    await use([job], { copyToStore: { accessKeyId: 'AKIADONOTTELL', secretAccessKey: 'do-not-tell' } });
    await withWorker(source, async (client) => {
      const handle = await ask(client);
      const { delivery } = await handle.result();
      assert.equal(delivery?.finality, 'final');
      const row = await inLedger();
      assert.deepEqual([row!['export_job'], row!['date']], [null, today]);
      await keepsSecrets(handle, client.workflow.getHandle(delivery.delivery));
    });
    assert.deepEqual(await held(), inKeyOrder(job.rows));
    const folder = `${prefix}${today.replaceAll('-', '')}/`;
    assert.ok((await source.bucket.list(folder)).some((key) => key.endsWith('-output-manifest')));
    assert.ok(!server.calls.some(({ what }) => what.startsWith('export-')), 'nothing was downloaded');
  });

  it('fails where its files are gone, keeps what was there, and may be asked for anew', async () => {
    const [first, again] = [made(1), made(2)];
    await use([first, again]);
    await withWorker(source, async (client) => {
      const { delivery } = await (await ask(client)).result();
      assert.equal(delivery?.finality, 'final');
      server.expire();
      const input = { ...source.job(first.uuid, today), exportJob: server.asked[0]!.jobId };
      await assert.rejects(signal(source, client, 'reprocess', 'once more', input));
      const [event] = await source.rows(
        `select kind, reason from landfall.delivery_event order by id desc limit 1`,
      );
      assert.equal(event!['kind'], 'failed');
      assert.match(
        String(event!['reason']),
        /^Of the 2 files of the export export_\S+ 2 are no longer there \(.*\)\. Leanplum keeps the files of an export for 24 hours; ask for the export anew\.$/,
      );
      assert.deepEqual(await held(), inKeyOrder(first.rows));
      const result = await (await ask(client)).result();
      assert.equal(result.delivery?.delivery, `${source.config.name}/${again.uuid}`);
    });
    assert.deepEqual(await held(), inKeyOrder(again.rows));
  });
});

/** Everything in it that can be read, payloads too. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString()];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
