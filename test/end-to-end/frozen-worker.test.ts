import assert from 'node:assert/strict';

import { deliver } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import { assertConsistent, landed } from '../support/landed.js';
import { inTemporaryFolder, testSource, type TestSource } from '../support/landfall.js';
import { devServer } from '../support/temporal.js';
import { startWorkerProcess } from '../support/worker-process.js';

const date = '2026-03-01';

/** What a session that keeps readers out of the table waits for after a change of it, while the gate has a row. */
const gate = `
  create table public.gate (closed boolean);
  create function public.wait_at_gate() returns event_trigger language plpgsql as $$
  begin
    while exists (select from public.gate) and exists (
      select from pg_locks where pid = pg_backend_pid() and relation = 'experiments.conversion'::regclass
        and mode = 'AccessExclusiveLock' and granted
    ) loop perform pg_sleep(0.02); end loop;
  end $$;
  create event trigger wait_at_gate on ddl_command_end execute function public.wait_at_gate()`;

describe('a worker that stands still while it keeps readers out', function () {
  this.timeout(120_000);
  let source: TestSource;
  beforeEach(async () => (source = await testSource()));
  afterEach(() => source.drop());

  it('keeps them out for seconds, and ends the delivery well when it goes on', async () => {
    const input = source.input('events', date, { deadline: 0 });
    const { client } = (await devServer()).environment;
    await deliver(source, { type: 'events', date, rows: 400, parts: 2, folders: false });
    await inTemporaryFolder(async (folder) => {
      const worker = await startWorkerProcess(source, folder, { files: 4, bytes: 1e9 });
      await worker.work();
      await (await source.start(client, input)).result();
      const before = await landed(source.database.pool);
      await source.rows(gate);
      await source.rows('insert into public.gate values (true)');
      const again = await client.workflow.signalWithStart(input.vendor, {
        ...{ workflowId: input.id, taskQueue: source.taskQueue, args: [input] },
        ...{ signal: 'reprocess', signalArgs: [{ reason: 'once more' }] },
      });
      const [holder] = await eventually(
        async () => {
          const rows = await source.rows(
            `select pid from pg_locks where relation = 'experiments.conversion'::regclass
               and mode = 'AccessExclusiveLock' and granted`,
          );
          return rows.length > 0 ? rows : undefined;
        },
        { timeoutMs: 30_000, what: 'the table to be taken' },
      );
      process.kill(worker.pid, 'SIGSTOP');
      try {
        await source.rows('delete from public.gate');
        // Waits until the session is ended for doing nothing; its own limit would fail the test.
        const [read] = await source.rows('select count(*)::integer as rows from experiments.conversion');
        assert.equal(read?.['rows'], 400);
        const held = await source.rows(
          `select from pg_stat_activity where pid = ${String(holder?.['pid'])} and application_name = 'landfall'`,
        );
        assert.equal(held.length, 0, 'Postgres has ended the session');
      } finally {
        process.kill(worker.pid, 'SIGCONT');
      }
      assert.equal(((await again.result()) as { finality: string }).finality, 'final');
      assert.deepEqual(await landed(source.database.pool), before);
      await assertConsistent(source.database.pool);
      await worker.kill();
    });
  });
});
