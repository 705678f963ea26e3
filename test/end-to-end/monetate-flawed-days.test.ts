import assert from 'node:assert/strict';

import type { Client } from '@temporalio/client';

import type { DeliveryInput, DeliveryStatus } from '../../model/control.js';
import { addDays } from '../../model/day.js';
import { filesOfFolder, planFiles } from '../../sandbox/monetate/day.js';
import { fileLines, gzipLines, type MonetateFile } from '../../sandbox/monetate/files.js';
import { signal, withWorker } from '../support/delivery.js';
import { eventually } from '../support/eventually.js';
import {
  assertRows,
  daysAgo,
  dropConsistent,
  ended,
  putFiles,
  visitsSource,
  type Delivery,
} from '../support/monetate-day.js';
import type { MonetateSource } from '../support/monetate.js';
import { currentDetails } from '../workflows/observe.js';

const date = daysAgo(50);
const patient = { timeoutMs: 30_000, everyMs: 200 };
const hour = 3_600_000;

const filesOf = (day: string, sessions = 12): readonly MonetateFile[] =>
  filesOfFolder(planFiles([{ date: day, sessions }], { filesPerInterval: 1 }), day);

describe('a Monetate day of which something is missing or broken', function () {
  this.timeout(180_000);
  let source: MonetateSource;

  beforeEach(async () => {
    source = await visitsSource();
  });
  afterEach(async () => {
    await dropConsistent(source);
  });

  const start = (client: Client, day: string, changes: Partial<DeliveryInput> = {}): Promise<Delivery> =>
    source.start(client, source.input('sessions', day, { deadline: Date.now() + hour, ...changes }));
  const next = async (delivery: Delivery): Promise<string> =>
    (await delivery.query<DeliveryStatus>('status')).next;
  const ledgerOf = async (day: string): Promise<Record<string, unknown>> =>
    (await source.rows(`select finality, reason, notice from landfall.delivery where date = '${day}'`))[0]!;
  /** It ends in the middle. */
  const breakOff = async (file: MonetateFile): Promise<void> => {
    const whole = await gzipLines(fileLines(file));
    await source.put(file.key, whole.subarray(0, whole.length - 20), file.at);
  };

  it('is provisional without a file that breaks off, says so, and is final when that is written anew', async () => {
    const [broken, ...others] = filesOf(date);
    await breakOff(broken!);
    await putFiles(source, others);
    await withWorker(source, async (client) => {
      const day = await start(client, date);
      await eventually(async () => (await next(day)).includes('cannot be read'), patient);
      const said = await next(day);
      assert.ok(said.includes(broken!.key) && said.includes('That it is written anew is waited for'), said);
      await assertRows(source, others);
      const { finality, notice } = await ledgerOf(date);
      assert.equal(finality, 'provisional');
      assert.ok(String(notice).includes(broken!.key), String(notice));
      assert.ok((await currentDetails(day)).includes('| Finality | provisional |'));

      await putFiles(source, [broken!], Date.now() - 60_000);
      const result = await ended(day);
      assert.equal(result.finality, 'final', result.reason);
    });
    await assertRows(source, [broken!, ...others]);
    assert.equal((await ledgerOf(date))['notice'], null);
  });

  it('fails at its deadline for such a file, names it, and is taken without it where somebody accepts that', async () => {
    const [broken, ...others] = filesOf(date);
    await breakOff(broken!);
    await putFiles(source, others);
    await withWorker(source, async (client) => {
      const late = { deadline: Date.now() - 1 };
      const failed = await ended(await start(client, date, late));
      assert.equal(failed.finality, 'failed');
      assert.ok(
        failed.reason.includes(broken!.key) && failed.reason.includes('accept it without'),
        failed.reason,
      );
      await assertRows(source, others);

      const input = source.input('sessions', date, late);
      const accepted = await signal(source, client, 'accept', 'it will not come again', input);
      assert.equal(accepted.finality, 'final', accepted.reason);
      assert.match(accepted.reason, /^Somebody accepted the day as it is.*Left out was 1 file/);
    });
    await assertRows(source, others);
  });

  it('has no sessions where it has no folder and other days show, and waits for the hour to say so', async () => {
    const other = addDays(date, -3);
    await putFiles(source, filesOf(other, 3));
    await withWorker(source, async (client) => {
      const closesAt = Date.now() + 2_000;
      const day = await start(client, date, { closesAt });
      await eventually(async () => /There is no file in .* yet/.test(await next(day)), patient);
      const result = await ended(day);
      assert.ok(Date.now() >= closesAt + 1_000);
      assert.deepEqual([result.finality, result.counts?.loaded], ['final', 0]);
      assert.match(result.reason, /a day on which no session ended/);
    });
    assert.equal((await ledgerOf(date))['finality'], 'final');
  });

  it('fails where no day shows at all, or where Monetate keeps it no longer; then somebody may accept it', async () => {
    const old = daysAgo(821);
    const [none, gone] = await withWorker(source, async (client) => {
      const nothing = await ended(await start(client, date, { deadline: Date.now() - 1 }));
      await putFiles(source, filesOf(old, 3));
      const day = source.input('sessions', old);
      const tooOld = await ended(await source.start(client, day));
      const accepted = await signal(source, client, 'accept', 'what there is', day);
      assert.deepEqual([accepted.finality, accepted.counts?.loaded], ['final', 3], accepted.reason);
      assert.match(accepted.reason, /Monetate no longer keeps all of its files since/);
      return [nothing, tooOld];
    });
    assert.equal(none.finality, 'failed');
    assert.match(none.reason, /the store shows no day at all/);
    assert.equal(gone.finality, 'failed');
    assert.match(gone.reason, /Monetate keeps files for 820 days.*nobody can tell whether these are all/);
    await assertRows(source, filesOf(old, 3));
  });
});
