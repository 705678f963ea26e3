import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineSearchAttributeKey } from '@temporalio/common';
import pg from 'pg';
import { run } from '../../sandbox/commands.js';
import { eventually } from '../support/eventually.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { testDatabase } from '../support/postgres.js';
import { devServer, timeSkipping } from '../support/temporal.js';

const fileOfRepository = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

describe('what every test is given', () => {
  it('a database of its own', async () => {
    const [one, other] = [await testDatabase(), await testDatabase()];
    await one.pool.query('CREATE TABLE only_here ()');
    await assert.rejects(other.pool.query('SELECT FROM only_here'), /does not exist/);
    await one.drop();
    await other.drop();
  });

  it('a failure when it leaves a connection open', async () => {
    const database = await testDatabase();
    const leaked = new pg.Client({ connectionString: database.url, application_name: 'forgetful' });
    leaked.on('error', () => undefined);
    await leaked.connect();
    await leaked.query('SELECT 1');
    await assert.rejects(database.drop(), /were left open:\n.*forgetful.*SELECT 1/);
    await leaked.end();
  });

  it('a dev server and a time-skipping one that know our search attributes', async () => {
    const source = defineSearchAttributeKey('LandfallSource', 'KEYWORD');
    const date = defineSearchAttributeKey('DeliveryDate', 'DATETIME');
    const skipping = await timeSkipping();
    const { environment } = await devServer();
    try {
      for (const { client } of [environment, skipping]) {
        const handle = await client.workflow.start('delivery', {
          workflowId: `support/${process.pid}`,
          taskQueue: 'nobody-works-here',
          typedSearchAttributes: [
            { key: source, value: 'podcasts' },
            { key: date, value: new Date('2026-11-20') },
          ],
        });
        await handle.terminate();
      }
    } finally {
      await skipping.teardown();
    }
  });

  it('the last error when what it waits for does not come', () =>
    assert.rejects(
      eventually(() => assert.equal(1, 2), { timeoutMs: 50, what: 'one to be two' }),
      /Waited 50 ms for one to be two, in vain: Expected values to be strictly equal/,
    ));
});

describe('the reporter', () => {
  const summaryOf = (source: string): Promise<{ lines: string[]; ok: boolean }> =>
    inTemporaryDirectory(async (directory) => {
      const file = join(directory, 'some.test.cjs');
      await writeFile(file, source);
      const mocha = fileOfRepository('node_modules/mocha/bin/mocha.js');
      const reporter = fileOfRepository('test/support/reporter.cjs');
      const { ok, output } = await run(process.execPath, [
        mocha,
        '--no-config',
        '--reporter',
        reporter,
        file,
      ]);
      return { ok, lines: output.trimEnd().split('\n') };
    });

  it('ends with what passed and failed, after the failures themselves', async () => {
    const { ok, lines } = await summaryOf(`
      it('passes', () => {});
      it('fails', () => { throw new Error('broken'); });`);
    assert.equal(ok, false);
    assert.equal(lines.at(-1), '1 passed, 1 failed');
    assert.ok(lines.some((line) => line.includes('Error: broken')));
  });

  it('counts skipped tests where there are any', async () => {
    const { ok, lines } = await summaryOf(`
      it('passes', () => {});
      it.skip('is skipped', () => {});
      it('skips itself', function () { this.skip(); });`);
    assert.equal(ok, true);
    assert.equal(lines.at(-1), '1 passed, 0 failed, 2 skipped');
  });

  it('counts a failing teardown, and comes after what it prints', async () => {
    const { ok, lines } = await summaryOf(`
      it('passes', () => {});
      after(() => { console.log('tidying'); throw new Error('a server would not stop'); });`);
    assert.equal(ok, false);
    assert.equal(lines.at(-1), '1 passed, 1 failed');
  });
});
