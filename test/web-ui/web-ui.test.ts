import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';

import type { Client, WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Page } from 'puppeteer-core';

import { sourceAttributes } from '../../model/typed-attributes.js';
import { chromium } from '../../sandbox/chromium.js';
import { brokenOff, makeJob } from '../../sandbox/leanplum/job.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import { writeDay } from '../../sandbox/optimizely/day.js';
import {
  backfillId,
  type BackfillInput,
  type BackfillStatus,
  type DeliveryStatus,
} from '../../model/control.js';
import { addDays, dayOf } from '../../model/day.js';
import { eventually } from '../support/eventually.js';
import { inTemporaryFolder, prefix } from '../support/landfall.js';
import { rewrite } from '../support/megaphone.js';
import { beforeAllTests, progress, sharedByTheRun } from '../support/shared.js';
import { skip } from '../support/skip.js';
import { devServer } from '../support/temporal.js';
import { resultOf } from '../workflows/observe.js';
import { watchedSource, type Delivery, type WatchedSource } from '../workflows/watched-source.js';
import { openBrowser, says, type OpenBrowser } from './browser.js';

type Backfill = WorkflowHandle<(input: BackfillInput) => Promise<BackfillStatus>>;

/** A delivery that is waited for has to be a recent one. */
const today = dayOf(Date.now());
const daysAgo = (count: number): string => addDays(today, -count);
const date = daysAgo(1);

/** Had before the first test: in CI it may have to be installed. */
const browserProgram = sharedByTheRun(() => chromium(progress));
beforeAllTests(browserProgram);

/** In the repository only when somebody asks for new ones. */
async function picture(page: Page, name: string): Promise<void> {
  if (process.env['LANDFALL_SCREENSHOTS'] !== '1') return;
  const folder = new URL('../../docs/images/', import.meta.url);
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: new URL(`${name}.png`, folder).pathname });
}

describe("Temporal's Web UI", function () {
  this.timeout(90_000);
  let environment: TestWorkflowEnvironment;
  let client: Client;
  let source: WatchedSource;
  let chrome: OpenBrowser | undefined;
  let page: Page;
  let workflows: string;
  let delivery: Delivery;

  before(async function () {
    const program = await browserProgram();
    if (program === undefined) {
      const reason = 'there is no Chromium: install one, or set CHROMIUM_PATH';
      if (process.env['CI']) throw new Error(`The Web UI cannot be tested, ${reason}.`);
      return skip(this, `${reason}.`);
    }
    const server = await devServer();
    ({ environment } = server);
    ({ client } = environment);
    workflows = `${server.uiUrl}/namespaces/default/workflows`;
    source = await watchedSource({ name: 'experiments', batchLimits: { files: 4, bytes: 1e9 } });
    chrome = await openBrowser(program);
  });
  beforeEach(async () => {
    if (chrome) page = await chrome.browser.newPage();
  });
  afterEach(() => page.close());
  after(async () => {
    await chrome?.close();
    if (chrome) await source.drop();
  });

  const open = async (workflow: { workflowId: string }, tab: string): Promise<void> => {
    const { runId } = await client.workflow.getHandle(workflow.workflowId).describe();
    await page.goto(`${workflows}/${encodeURIComponent(workflow.workflowId)}/${runId}/${tab}`);
  };

  it('shows of a delivery that waits: what it is, what it waits for, when it looks next', async () => {
    await source.watch(environment, async () => {
      delivery = await source.startDelivery(client, 'events', date);
      await eventually(() => source.looks('events', date) > 0, { timeoutMs: 10_000 });
      await open(delivery, 'history');
      await says(
        page,
        'Running',
        'look for _SUCCESS (1)',
        /next look \d{4}-\d\d-\d\d \d\d:\d\dZ, no _SUCCESS yet/,
      );
      await open(delivery, 'user-metadata');
      await says(
        page,
        `experiments: events of ${date}`,
        `What optimizely exported as events of ${date} (UTC)`,
        /which is awaited until .*Z, 3 days after the end of the day/,
        'reprocess loads it again',
        /Finality\s+waiting/,
        /Next\s+type=events\/date=[0-9-]+\/_SUCCESS is not there yet .*; the next look is at/,
      );
    });
  });

  it('shows of a delivery that landed: each step, and what came of it', async () => {
    await inTemporaryFolder(async (directory) => {
      const flaws = { nulCharacter: 2, duplicatesAcross: 3 };
      await writeDay({ directory, type: 'events', date, rows: 4_000, parts: 2, visitors: 2_000, flaws });
      await source.upload(directory);
    });
    await source.watch(environment, async () => {
      await delivery.signal('reprocess', { reason: 'The vendor says that it is there.' });
      await resultOf(delivery);
      await open(delivery, 'history');
      await says(
        page,
        'Completed',
        'look for _SUCCESS (2)',
        'list the files and plan their load',
        'stage batch 1 of 3',
        'stage batch 3 of 3',
        'publish 12 files',
      );
      // From the first step to the last, all of them.
      await page.evaluate(`
        localStorage.setItem('eventFilterSort', JSON.stringify('ascending'));
        localStorage.setItem('minimizeEventView', 'false');`);
      await page.reload();
      await says(page, 'publish 12 files');
      await picture(page, 'delivery');
      await open(delivery, 'user-metadata');
      await says(
        page,
        /Finality\s+final/,
        /Next\s+Nothing: it is final\./,
        /Files\s+12 \(\d+\.\d kB\)/,
        /Rows\s+3,995/,
        /Quarantined\s+2/,
        /Duplicates removed\s+3/,
      );
      await picture(page, 'delivery-details');
    });
  });

  it('shows of a day that the vendor rewrites: it is provisional, until when, and what landed so far', async () => {
    const podcasts = await watchedSource({ name: 'podcasts', settings: { vendor: 'megaphone' } });
    const { rows } = await rewrite(podcasts, { date, rows: 1_200, version: 20 });
    await podcasts.watch(environment, async () => {
      const closesAt = Date.now() + 3_600_000;
      const growing = await podcasts.startDelivery(client, 'metrics', date, { closesAt });
      const provisional = async (): Promise<boolean> =>
        (await growing.query<DeliveryStatus>('status')).finality === 'provisional';
      await eventually(provisional, { timeoutMs: 20_000 });
      await open(growing, 'history');
      await says(page, 'Running', /next look .*, what is loaded is provisional/);
      await open(growing, 'user-metadata');
      await says(
        page,
        `podcasts: metrics of ${date}`,
        'It is loaded as often as the vendor rewrites it',
        /Finality\s+provisional/,
        /Next\s+metrics-day-.* is loaded and provisional, since the vendor may rewrite it until/,
        new RegExp(`Rows\\s+${rows}`),
      );
      await picture(page, 'provisional');
      await growing.terminate('the test is over');
    });
    await podcasts.drop();
  });

  it('shows of a job whose upload did not complete: until when its manifest is awaited, then that it is discarded', async () => {
    const uuid = '37e812c0-d66e-48a2-8812-27ee12d58b58';
    const sessions = makeSessions({ count: 40, until: Date.now() });
    const app = await watchedSource({ name: 'sessions', settings: { vendor: 'leanplum' } });
    for (const { key, bytes } of brokenOff(makeJob({ uuid, date, sessions, shards: 2 }))) {
      await app.bucket.put(prefix + key, bytes);
    }
    await app.watch(environment, async () => {
      const terms = { pollEvery: 1_000, discardAfter: 8_000 };
      const failing = await app.startJob(client, uuid, date, terms);
      await eventually(() => app.looksAt(failing.workflowId) >= 2, { timeoutMs: 20_000 });
      await open(failing, 'user-metadata');
      await says(
        page,
        `sessions: job of ${date}`,
        /Finality\s+waiting/,
        /-output-manifest is not there yet \(2 shards are there, .* without it the job is discarded at/,
      );
      assert.equal((await failing.result()).finality, 'discarded');
      await open(failing, 'user-metadata');
      await says(
        page,
        /Finality\s+discarded/,
        /The vendor did not complete the upload, and nothing of it was staged: its next job that succeeds sends/,
      );
      await picture(page, 'discarded');
    });
    await app.drop();
  });

  it('shows how far a backfill is, and the finality of each delivery in the list', async () => {
    const [from, failing, slow] = [daysAgo(6), daysAgo(5), daysAgo(2)];
    await source.complete('events', from, daysAgo(4), daysAgo(3), slow);
    const release = source.hold('events', slow);
    await source.watch(environment, async () => {
      const input: BackfillInput = {
        source: 'experiments',
        types: ['events'],
        from,
        to: date,
        maxInFlight: 2,
      };
      const backfill: Backfill = await client.workflow.start('backfill', {
        workflowId: backfillId('experiments', from, date, ['events']),
        taskQueue: source.taskQueue,
        args: [input] as [BackfillInput],
        workflowExecutionTimeout: '10 minutes',
        typedSearchAttributes: sourceAttributes('experiments', 'optimizely'),
        staticSummary: `experiments: backfill of events, ${from} to ${date}`,
        staticDetails: `Loads **events** of **experiments** from ${from} to ${date} (UTC days), newest first.`,
      });
      await eventually(
        async () => {
          const { daysDone, inFlight } = await backfill.query<BackfillStatus>('status');
          return daysDone === 6 && inFlight.length === 1;
        },
        { timeoutMs: 20_000 },
      );
      await open(backfill, 'user-metadata');
      await says(
        page,
        /Days\s+6 of 6 looked at, newest first/,
        /Left alone\s+1 \(/,
        new RegExp(`In flight\\s+experiments/events/${slow}`),
        /Came to rest\s+3 final, 1 failed/,
        new RegExp(`Failed\\s+experiments/events/${failing}`),
      );
      await picture(page, 'backfill');
      release();
      await resultOf(backfill);
    });
    await page.goto(workflows);
    await page.evaluate(`
      localStorage.setItem('savedQueryNavOpen', 'false');
      localStorage.setItem('namespace-workflow-table-columns', JSON.stringify({
        default: ['Status', 'Workflow ID', 'DeliveryDate', 'Finality', 'Type', 'End'].map((label) => ({ label })),
      }));`);
    await page.goto(`${workflows}?query=${encodeURIComponent("LandfallSource = 'experiments'")}`);
    await says(
      page,
      'Finality',
      new RegExp(`experiments/events/${failing}\\s+.*failed`),
      new RegExp(`experiments/events/${date}\\s+.*final`),
    );
    await picture(page, 'workflows');
  });
});
