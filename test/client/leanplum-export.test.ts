import assert from 'node:assert/strict';

import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';

import { searchAttributes } from '../../model/control.js';
import type { ExportInput } from '../../model/export.js';
import { addDays } from '../../model/day.js';
import { daysAgo } from '../support/leanplum-api.js';
import { devServer, type DevServer } from '../support/temporal.js';
import { inputOf } from '../workflows/observe.js';
import { openDesk, type Desk } from './landfall-command.js';

const source = `asked-by-${process.pid}`;
const from = daysAgo(9);
const to = daysAgo(8);

const yamlOf = (...sources: readonly string[]): string => `
temporal: { taskQueue: ${source}, webUi: "http://127.0.0.1:8233" }
sources:
${sources.map((text) => `  ${text}\n`).join('')}`;
const leanplum = (name: string, more = ', api: { appId: a, clientKey: do-not-tell }'): string =>
  `${name}: { vendor: leanplum, schema: ${name.replaceAll('-', '_')}, store: { type: s3, bucket: b }${more} }`;
const podcasts = 'podcasts: { vendor: megaphone, store: { type: s3, bucket: b } }';

describe('landfall leanplum export', function () {
  this.timeout(60_000);
  let server: DevServer;
  let client: Client;
  const desks: Desk[] = [];

  before(async function () {
    this.timeout(120_000);
    server = await devServer();
    client = server.environment.client;
  });
  afterEach(async () => {
    for (const desk of desks.splice(0)) await desk.leave();
  });

  const at = async (...sources: readonly string[]): Promise<Desk> => {
    const desk = await openDesk(yamlOf(...sources), { TEMPORAL_ADDRESS: server.address });
    desks.push(desk);
    return desk;
  };
  const days = ['--from', from, '--to', to] as const;

  describe('says before anything is asked that', () => {
    const today = daysAgo(0);
    for (const [what, sources, args, error] of [
      [
        'the days are turned round',
        [leanplum(source)],
        ['--from', to, '--to', from],
        `--from ${to} lies after --to ${from}.`,
      ],
      [
        'they lie too far back',
        [leanplum(source)],
        ['--from', daysAgo(62), '--to', to],
        `--from ${daysAgo(62)} lies too far back: Leanplum exports the last 60 days, from ${addDays(today, -60)} on (Pacific).`,
      ],
      [
        'the last has not begun',
        [leanplum(source)],
        ['--from', from, '--to', addDays(today, 1)],
        `--to ${addDays(today, 1)} has not begun: today is ${today} (Pacific).`,
      ],
      [
        'the source has no API',
        [leanplum(source, '')],
        days,
        `Source '${source}' has no API to ask: set sources.${source}.api, with the appId and the clientKey for data export.`,
      ],
      [
        'it is of another vendor',
        [podcasts],
        ['podcasts', ...days],
        "Source 'podcasts' is of megaphone. Only Leanplum's can be exported in this way.",
      ],
      ['there is none', [podcasts], days, 'The configuration has no Leanplum source.'],
      [
        'there are several',
        [leanplum('one'), leanplum('two')],
        days,
        'The configuration has several Leanplum sources; say which: one, two.',
      ],
    ] as const) {
      it(what, async () => {
        const desk = await at(...sources);
        assert.deepEqual(await desk.landfall('leanplum', 'export', ...args), {
          code: 2,
          out: '',
          err: `${error}\n`,
        });
      });
    }

    it('an option cannot be', async () => {
      const desk = await at(leanplum(source));
      for (const [args, error] of [
        [['--from', from], "required option '--to <day>' not specified"],
        [['--from', '2026-02-30', '--to', to], 'It must be a calendar day, YYYY-MM-DD.'],
        [[...days, '--format', 'xml'], 'Allowed choices are json, csv.'],
      ] as const) {
        const { code, err } = await desk.landfall('leanplum', 'export', ...args);
        assert.equal(code, 2);
        assert.ok(err.includes(error), err);
        assert.match(err, /\(landfall leanplum export --help shows how\)\n$/);
      }
    });
  });

  it('tells in its help what Leanplum allows', async () => {
    const desk = await at(leanplum(source));
    const { code, out } = await desk.landfall('leanplum', 'export', '--help');
    assert.equal(code, 0);
    const text = out.replaceAll(/\s+/g, ' ');
    for (const part of [
      '24 exports of an app in a day',
      '60 days back',
      'for 24 hours',
      '(Pacific, YYYY-MM-DD)',
    ]) {
      assert.ok(text.includes(part), text);
    }
  });

  it('starts a workflow of the one Leanplum source there is; asked again it joins it', async () => {
    const desk = await at(podcasts, leanplum(source));
    const workflowId = `${source}/export/${from}..${to}/json`;
    const first = await desk.landfall('leanplum', 'export', ...days, '-o', 'json');
    assert.equal(first.code, 0);
    assert.match(first.err, new RegExp(`^No worker is running on task queue '${source}'`));
    const begun = JSON.parse(first.out) as { workflowId: string; started: boolean; webUi: string };
    assert.deepEqual([begun.workflowId, begun.started], [workflowId, true]);
    assert.match(begun.webUi, /\/workflows\/asked-by-.*%2Fexport%2F.*\/history$/);
    const second = await desk.landfall('leanplum', 'export', source, ...days);
    assert.match(
      second.out,
      new RegExp(
        `^Joined the export ${workflowId}, which is under way: nothing is asked for twice\\.\nWeb UI: `,
      ),
    );
    const handle = client.workflow.getHandle(workflowId);
    const described = await handle.describe();
    assert.equal(described.type, 'leanplumExport');
    assert.equal(await described.staticSummary(), `${source}: export of ${from} to ${to}, json`);
    assert.match((await described.staticDetails()) ?? '', /counts as one of 24 exports a day/);
    const attributes = new Map(
      described.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]),
    );
    assert.deepEqual(
      [attributes.get(searchAttributes.source), attributes.get(searchAttributes.vendor)],
      [source, 'leanplum'],
    );
    assert.deepEqual(await inputOf<ExportInput>(handle), { source, from, to, format: 'json' });
    await handle.terminate('the test is over');
  });

  it('--wait ends as its delivery has come to rest', async () => {
    const desk = await at(leanplum(source));
    const worker = await Worker.create({
      connection: server.environment.nativeConnection,
      taskQueue: source,
      workflowsPath: new URL('fake-workflows.ts', import.meta.url).pathname,
    });
    const ask = (...more: string[]) => desk.landfall('leanplum', 'export', '--wait', ...more);
    await worker.runUntil(async () => {
      const final = await ask('--from', from, '--to', from);
      assert.equal(final.code, 0, final.err);
      assert.match(final.out, /^Its delivery asked-by-\S+ is final: Because\.\n$/);
      assert.match(
        final.err,
        /^Started export .* \(Pacific\) as json\.\nWeb UI: .*\nCtrl-C stops the watching, not the export\.\n$/,
      );

      const json = await ask('--from', from, '--to', from, '-o', 'json');
      const { delivery, counts, started } = JSON.parse(json.out) as {
        delivery: { finality: string };
        counts: object;
        started: boolean;
      };
      assert.deepEqual([delivery.finality, counts, started], ['final', { files: 1, sessions: 101 }, true]);

      const nothing = await ask('--from', from, '--to', from, '--format', 'csv');
      assert.deepEqual([nothing.code, nothing.out], [0, 'Leanplum has no sessions of that day.\n']);

      const failed = await ask('--from', daysAgo(40), '--to', daysAgo(2));
      assert.equal(failed.code, 1);
      assert.match(failed.out, /is failed: Because\.\n$/);
    });
  });

  it('--wait says why an export failed', async () => {
    const desk = await at(leanplum(source));
    const worker = await Worker.create({
      connection: server.environment.nativeConnection,
      taskQueue: source,
      workflowsPath: new URL('fake-workflows.ts', import.meta.url).pathname,
    });
    await worker.runUntil(async () => {
      const { code, out, err } = await desk.landfall('leanplum', 'export', ...days, '--wait');
      assert.deepEqual([code, out], [1, '']);
      assert.match(
        err,
        new RegExp(
          `The export ${source}/export/${from}\\.\\.${to}/json did not come to its end: Leanplum could not complete`,
        ),
      );
    });
  });
});
