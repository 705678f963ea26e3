import type { TestWorkflowEnvironment } from '@temporalio/testing';

import type { Activities } from '../../activities/create.js';
import type { PlanStep } from '../../activities/plan.js';
import type { PublishStep } from '../../activities/publish.js';
import type { Sighting } from '../../vendors/completion.js';
import type { LookedAt } from '../../vendors/vendor.js';
import type { DeliveryChange } from '../../warehouse/ledger-change.js';
import type { HeldVersion, LedgerDelivery } from '../../warehouse/ledger-delivery.js';

/** Something that a test lets happen at the moment it chooses. */
export interface Gate {
  readonly open: () => void;
  readonly passed: Promise<void>;
}

export function gate(): Gate {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

/** Store and ledger as far as workflows see them: what the vendor has, what was done, in the order it was done. */
export interface FakeLandfall {
  readonly activities: Activities;
  /** Calls in order: `look`, `plan(force)`, `stage 0`, `publish`, `discard` … */
  readonly calls: string[];
  readonly changes: DeliveryChange[];
  /** Notices of what was published. */
  readonly notices: string[];
  /** Whether the marker stands at that instant (epoch ms of the test server's clock), and its version where it matters. */
  marker: (now: number) => boolean | string;
  /** What a look finds, where a marker alone does not say it. */
  sight?: (now: number, at: LookedAt) => Sighting;
  /** What was planned, in order. */
  readonly plans: PlanStep[];
  batches: number;
  /** Whether deleting the files of a discarded job finds it as incomplete as before. */
  deletes: boolean;
  /** Awaited inside the step before it ends; may throw what the step should throw. */
  during: Partial<
    Record<
      'look' | 'plan' | 'stage' | 'publish' | 'discard' | 'abandon' | 'delete',
      (call: number) => Promise<void> | void
    >
  >;
  ledger: Omit<LedgerDelivery, 'id' | 'byRule' | 'held'> & { byRule?: boolean; held?: HeldVersion };
  /** What was asked of each publishing, in order. */
  readonly publishes: PublishStep[];
}

export function fakeLandfall(environment: () => TestWorkflowEnvironment): FakeLandfall {
  const count = { look: 0, plan: 0, stage: 0, publish: 0, discard: 0, abandon: 0 };
  const unused = (name: string) => (): Promise<never> => Promise.reject(new Error(`${name} is not faked`));
  let planned: string | undefined;
  const known = (id: string): LedgerDelivery => ({ id, byRule: false, ...fake.ledger });

  const fake: FakeLandfall = {
    calls: [],
    changes: [],
    notices: [],
    plans: [],
    publishes: [],
    marker: () => true,
    batches: 2,
    deletes: true,
    during: {},
    ledger: { finality: 'waiting', published: false },
    activities: {
      openDelivery: (input) => Promise.resolve(known(input.id)),
      look: async ({ delivery: { type, date }, ...at }) => {
        fake.calls.push('look');
        await fake.during.look?.(++count.look);
        const key = `type=${type}/date=${date}/_SUCCESS`;
        const now = await environment().currentTimeMs();
        if (fake.sight) return fake.sight(now, at);
        const there = fake.marker(now);
        const version = typeof there === 'string' ? there : 'v1';
        return { awaited: key, ...(there === false ? {} : { marker: { key, version } }) };
      },
      plan: async (step) => {
        const taken = step.take === 'all' ? ' all' : '';
        fake.calls.push(`plan${step.force ? ' force' : ''}${step.marker ? '' : ' without marker'}${taken}`);
        fake.plans.push(step);
        await fake.during.plan?.(++count.plan);
        planned = step.marker?.version;
        return {
          loadId: String(count.plan),
          files: fake.batches,
          bytes: 10,
          batches: fake.batches,
          published: false,
          nextBatch: 0,
          staged: { files: 0, bytes: 0, parsed: 0, loaded: 0, quarantined: 0 },
          ignored: 0,
        };
      },
      stage: async (step) => {
        fake.calls.push(`stage ${step.batch}`);
        await fake.during.stage?.(++count.stage);
        return { files: 1, bytes: 5, parsed: 100, loaded: 99, quarantined: 1 };
      },
      publish: async (step) => {
        const { finality, notice } = step;
        fake.publishes.push(step);
        if (notice !== undefined) fake.notices.push(notice);
        fake.calls.push('publish');
        await fake.during.publish?.(++count.publish);
        fake.ledger = { finality, published: true, ...(planned === undefined ? {} : { version: planned }) };
        return { files: 2, bytes: 10, parsed: 200, loaded: 198, quarantined: 2, duplicate: 0 };
      },
      discard: async ({ reason }) => {
        fake.calls.push('discard');
        await fake.during.discard?.(++count.discard);
        fake.ledger = { finality: 'discarded', published: false };
        return reason;
      },
      record: (change) => {
        fake.changes.push(change);
        const skips = change.finality === 'skipped' && fake.ledger.finality === 'provisional';
        if (change.finality !== undefined && (!fake.ledger.published || change.ofVisible || skips)) {
          fake.ledger = { ...fake.ledger, finality: change.finality, byRule: change.byRule === true };
        }
        return Promise.resolve(known(change.id));
      },
      abandon: async () => {
        fake.calls.push('abandon');
        await fake.during.abandon?.(++count.abandon);
        delete fake.ledger.held;
      },
      deleteDiscarded: async () => {
        fake.calls.push('delete');
        await fake.during.delete?.(1);
        return fake.deletes;
      },
      askExport: unused('askExport'),
      namePage: unused('namePage'),
      nameIds: unused('nameIds'),
      exportProgress: unused('exportProgress'),
      discover: unused('discover'),
      mergeDays: unused('mergeDays'),
      gather: unused('gather'),
      countInbox: unused('countInbox'),
      nextDeliveries: unused('nextDeliveries'),
      settledDeliveries: unused('settledDeliveries'),
    },
  };
  return fake;
}
