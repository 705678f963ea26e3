import assert from 'node:assert/strict';

import { ApplicationFailure, type WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import fc from 'fast-check';
import type pg from 'pg';

import { createActivities, type Activities } from '../../activities/create.js';
import { turns } from '../../activities/turns.js';
import { deliveryStart } from '../../config/delivery-start.js';
import { nameDay } from '../../config/name-delivery.js';
import type { DeliveryInput, DeliveryResult } from '../../model/control.js';
import { addDays } from '../../model/day.js';
import { isSettled, type Finality } from '../../model/delivery.js';
import type { WishKind } from '../../model/wish.js';
import { vendors } from '../../vendors/registry.js';
import { answerByLoad } from '../../warehouse/ledger-change.js';
import { eventually } from '../support/eventually.js';
import { testSource, workflowBundle, type TestSource } from '../support/landfall.js';
import { devServer } from '../support/temporal.js';
import { terminateAll } from './observe.js';

/** Of what is random here, and how many deliveries it happens to; they live at the same time. */
const seed = 20_261_128;
const deliveries = 32;

const steps = ['openDelivery', 'look', 'plan', 'stage', 'publish', 'discard', 'abandon', 'record'] as const;
type Step = (typeof steps)[number];

/** At which call of a step, what happens to it. */
interface Fault {
  readonly step: Step;
  readonly call: number;
  /** `before` anything was done, or `after`: its answer is lost. */
  readonly when: 'before' | 'after';
  /** No retry mends it. */
  readonly lasting: boolean;
}

/** What a person does once so many steps have begun since the last time. */
interface Act {
  readonly after: number;
  readonly what: WishKind | 'pause' | 'resume' | 'cancel' | 'terminate' | 'reproces';
}

interface Life {
  readonly marker: boolean;
  readonly faults: readonly Fault[];
  readonly acts: readonly Act[];
}

const life = (lasting: fc.Arbitrary<boolean>): fc.Arbitrary<Life> =>
  fc.record({
    marker: fc.boolean(),
    faults: fc.array(
      fc.record({
        step: fc.constantFrom(...steps),
        call: fc.integer({ min: 1, max: 4 }),
        when: fc.constantFrom('before' as const, 'after' as const),
        lasting,
      }),
      { maxLength: 4 },
    ),
    acts: fc.array(
      fc.record({
        after: fc.integer({ min: 0, max: 4 }),
        what: fc.oneof(
          { weight: 8, arbitrary: fc.constantFrom<Act['what'][]>('reprocess', 'accept', 'skip', 'discard') },
          {
            weight: 2,
            arbitrary: fc.constantFrom<Act['what'][]>('pause', 'resume', 'cancel', 'terminate', 'reproces'),
          },
        ),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  });

interface Ending {
  readonly finality: Finality;
  readonly published: boolean;
  readonly wish: string | null;
  readonly refusal: string | null;
  /** Kinds of its history, in order; a signal's with what it was called. */
  readonly history: readonly string[];
  /** Reasons for which workflows of it failed. */
  readonly failures: readonly string[];
}

describe('what a person asks for, whatever steps end with', function () {
  this.timeout(300_000);
  let source: TestSource;
  let pool: pg.Pool;

  beforeEach(async () => {
    source = await testSource();
    ({ pool } = source.database);
  });
  afterEach(async () => {
    const { environment } = await devServer();
    await terminateAll(environment.client, source.taskQueue);
    await source.drop();
  });

  /** The ledger is real; what a vendor has, and staging and publishing of it, are made up. */
  const activitiesOf = (
    client: Parameters<typeof createActivities>[0]['client'],
    meet: (id: string, step: Step, work: () => Promise<unknown>) => Promise<unknown>,
    marker: (id: string) => boolean,
  ): Activities => {
    const opened = { config: source.config, vendor: vendors[source.config.vendor] };
    const real = createActivities({
      pool,
      source: () => ({ ...opened, store: unused, storeOf: () => unused }),
      client,
      reader: { memoryLimit: '64MB', threads: 1, spillDirectory: '/nowhere' },
      spoolDirectory: '/nowhere',
      readers: turns(1),
    });
    const counts = { files: 1, bytes: 5, parsed: 100, loaded: 100, quarantined: 0 };
    const made = {
      openDelivery: (input: DeliveryInput) => meet(input.id, 'openDelivery', () => real.openDelivery(input)),
      record: (change: { id: string }) => meet(change.id, 'record', () => real.record(change as never)),
      abandon: (step: { id: string }) => meet(step.id, 'abandon', () => real.abandon(step as never)),
      discard: (step: { delivery: { id: string } }) =>
        meet(step.delivery.id, 'discard', () => real.discard(step as never)),
      look: ({ delivery: { id } }: { delivery: { id: string } }) =>
        meet(id, 'look', () =>
          Promise.resolve({
            awaited: '_SUCCESS',
            ...(marker(id) ? { marker: { key: '_SUCCESS', version: 'v1' } } : {}),
          }),
        ),
      plan: ({ delivery: { id } }: { delivery: { id: string } }) =>
        meet(id, 'plan', () =>
          Promise.resolve({
            ...{ loadId: id, files: 2, bytes: 10, batches: 2, published: false, nextBatch: 0, ignored: 0 },
            staged: { files: 0, bytes: 0, parsed: 0, loaded: 0, quarantined: 0 },
          }),
        ),
      stage: ({ delivery: { id } }: { delivery: { id: string } }) =>
        meet(id, 'stage', () => Promise.resolve(counts)),
      publish: (step: {
        delivery: { id: string };
        finality: string;
        reason: string;
        answers?: readonly string[];
      }) =>
        meet(step.delivery.id, 'publish', async () => {
          await pool.query(
            `with load as (
               update landfall.load set state = 'replaced' where delivery_id = $1 and state = 'published'
             ), event as (
               insert into landfall.delivery_event (delivery_id, kind, finality, reason) values ($1, 'published', $2, $3)
             )
             update landfall.delivery set finality = $2, since = now(), reason = $3, published_at = now() where id = $1`,
            [step.delivery.id, step.finality, step.reason],
          );
          await answerByLoad(pool, step.delivery.id, step.answers ?? []);
          return { ...counts, duplicate: 0 };
        }),
    };
    return { ...real, ...made } as unknown as Activities;
  };

  /** Lets all live at the same time, until each has come to rest with nothing asked for. */
  const liveAll = async (lives: readonly Life[]): Promise<Ending[]> => {
    const { environment } = await devServer();
    const { client, nativeConnection: connection } = environment;
    const begun = new Map<string, number>();
    const calls = new Map<string, number>();
    const nameOf = (index: number): string => source.config.name + `/events/${addDays('2020-01-01', index)}`;
    const lifeOf = new Map(lives.map((one, index) => [nameOf(index), one]));

    const meet = async (id: string, step: Step, work: () => Promise<unknown>): Promise<unknown> => {
      begun.set(id, (begun.get(id) ?? 0) + 1);
      const call = (calls.get(`${id} ${step}`) ?? 0) + 1;
      calls.set(`${id} ${step}`, call);
      const fault = lifeOf.get(id)?.faults.find((one) => one.step === step && one.call === call);
      const failed = (): ApplicationFailure =>
        ApplicationFailure.create({
          message: `${step} ${call} failed`,
          nonRetryable: fault?.lasting === true,
        });
      if (fault?.when === 'before') throw failed();
      const done = await work();
      if (fault) throw failed();
      return done;
    };

    const live = async (index: number, { acts }: Life): Promise<Ending> => {
      const id = nameOf(index);
      const delivery = nameDay(source.config, 'events', addDays('2020-01-01', index));
      const { input } = deliveryStart(source.config, delivery, Date.now());
      const options = {
        ...{ workflowId: id, taskQueue: source.taskQueue },
        args: [{ ...input, deadline: Date.now() + 2_000, pollEvery: 300 }] as [DeliveryInput],
        workflowIdConflictPolicy: 'USE_EXISTING' as const,
        workflowExecutionTimeout: '10 minutes' as const,
      };
      const start = () =>
        client.workflow.start<(input: DeliveryInput) => Promise<DeliveryResult>>('optimizely', options);
      let handle: WorkflowHandle = await start();
      const failures: string[] = [];
      const running = async (): Promise<boolean> => (await handle.describe()).status.name === 'RUNNING';
      for (const [number, { after, what }] of acts.entries()) {
        const enough = (begun.get(id) ?? 0) + after;
        await eventually(async () => (begun.get(id) ?? 0) >= enough || !(await running()), {
          timeoutMs: 60_000,
        }).catch(() => undefined);
        const signal = (name: string) =>
          client.workflow.signalWithStart('optimizely', {
            ...options,
            signal: name,
            signalArgs: [{ reason: `act ${number}` }],
          });
        if (what === 'terminate' || what === 'cancel') {
          await (what === 'cancel' ? handle.cancel() : handle.terminate('by force')).catch(() => undefined);
        } else handle = await signal(what);
      }
      if (await running()) await handle.signal('resume', { reason: 'the end' }).catch(() => undefined);
      // What the schedule does: it takes up what is not at rest, or asked for.
      for (;;) {
        await eventually(async () => !(await running()), {
          timeoutMs: 120_000,
          everyMs: 300,
          what: `${id} to end`,
        });
        const { status } = await handle.describe();
        if (status.name === 'FAILED') failures.push(await reasonOf(handle));
        const now = await standing(id);
        if (now && isSettled(now.finality) && now.wish === null) return { ...now, failures };
        if (now === undefined && failures.length > 0) {
          return { finality: 'failed', published: false, wish: null, refusal: null, history: [], failures };
        }
        handle = await start();
        if ((await standing(id))?.paused === true) await handle.signal('resume', { reason: 'the end' });
      }
    };

    const standing = async (
      id: string,
    ): Promise<(Omit<Ending, 'failures'> & { paused: boolean }) | undefined> => {
      const { rows } = await pool.query<Omit<Ending, 'failures'> & { paused: boolean }>(
        `select finality, published_at is not null as published, wish, refusal, paused,
                (select array_agg(kind order by id) from landfall.delivery_event where delivery_id = d.id) as history
         from landfall.delivery d where id = $1`,
        [id],
      );
      return rows[0];
    };

    const worker = await Worker.create({
      connection,
      taskQueue: source.taskQueue,
      workflowBundle: await workflowBundle(),
      activities: activitiesOf(client, meet, (id) => lifeOf.get(id)?.marker === true),
    });
    return worker.runUntil(() => Promise.all(lives.map((one, index) => live(index, one))));
  };

  /** The last thing that was asked for and heard: what was terminated before it was written down is not. */
  const lastOf = (
    history: readonly string[],
  ): { readonly kind: string; readonly since: readonly string[] } => {
    const kinds = ['signal:reprocess', 'signal:accept', 'signal:skip', 'signal:discard'];
    const at = history.findLastIndex((kind) => kinds.includes(kind));
    return { kind: history[at] ?? '', since: history.slice(at + 1) };
  };

  const assertDone = ({ finality, published, history, failures, refusal }: Ending): void => {
    const { kind, since } = lastOf(history);
    const refused = failures.length > 0 || since.includes('failed') || refusal !== null;
    if (kind === 'signal:discard') assert.ok((finality === 'discarded' && !published) || refused, 'discard');
    if (kind === 'signal:skip') {
      assert.ok(['skipped', 'final', 'discarded'].includes(finality) || refused, 'skip');
      // One that comes while it is discarded has nothing to add.
      const ends = ['skipped', 'published', 'answered'];
      assert.ok(finality === 'discarded' || ends.some((one) => since.includes(one)) || refused, 'it ends');
    }
    if (kind === 'signal:accept') assert.ok((finality === 'final' && published) || refused, 'accept');
    if (kind === 'signal:reprocess') {
      assert.ok((since.includes('published') && finality === 'final') || refused, 'reprocess');
    }
  };

  const check = async (lasting: fc.Arbitrary<boolean>, more: (ending: Ending) => void): Promise<void> => {
    const lives = fc.sample(life(lasting), { seed, numRuns: deliveries });
    const endings = await liveAll(lives);
    const wrong = endings.flatMap((ending, index) => {
      try {
        assert.equal(ending.wish, null, 'nothing is asked for any more');
        assertDone(ending);
        more(ending);
        return [];
      } catch (error) {
        return [{ why: (error as Error).message, ending, life: lives[index] }];
      }
    });
    assert.equal(JSON.stringify(wrong.slice(0, 3), undefined, 1), '[]');
  };

  it('is done, and no delivery fails, where all faults pass', () =>
    check(fc.constant(false), ({ failures, history, refusal }) => {
      assert.deepEqual(failures, []);
      // Without its marker a day is given up at its deadline, and what was asked for is refused with that reason.
      if (!history.includes('failed')) assert.equal(refusal, null);
    }));

  it('is done, or refused with a reason, where faults may last', () => check(fc.boolean(), () => undefined));
});

const unused = {
  list: () => {
    throw new Error('nothing is listed');
  },
} as never;

async function reasonOf(handle: WorkflowHandle): Promise<string> {
  return handle.result().then(
    () => '',
    (error: unknown) => String((error as Error).cause ?? error),
  );
}
