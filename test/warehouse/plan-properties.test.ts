import assert from 'node:assert/strict';

import fc from 'fast-check';

import { Failure } from '../../model/failure.js';
import type { LoadPlan } from '../../warehouse/plan-load.js';
import type { PlannedFile } from '../../warehouse/plan-request.js';
import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { testDatabase } from '../support/postgres.js';
import {
  assertSound,
  file,
  filesOf,
  id,
  loads,
  plan,
  prepareDelivery,
  publish,
  stageAll,
  target,
} from './planning.js';

/** A listing: each of three keys is absent or has one of two versions. */
const listing = fc
  .tuple(...['a', 'b', 'c'].map((key) => fc.constantFrom(undefined, file(key, 'v1'), file(key, 'v2'))))
  .map((files) => files.filter((one): one is PlannedFile => one !== undefined));
const request = fc.constantFrom('one', 'two', 'three');

type Step =
  | {
      readonly kind: 'plan';
      readonly files: readonly PlannedFile[];
      readonly request: string;
      readonly force: boolean;
    }
  /** Of the plan so many steps ago, be it good any more or not. */
  | { readonly kind: 'publish'; readonly back: number }
  | { readonly kind: 'discard' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('plan' as const),
      files: listing,
      request,
      force: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const), back: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'discard' as const }) },
);

const key = (files: readonly PlannedFile[]): string => files.map((one) => `${one.key}${one.version}`).join();

describe('any order of plans, publications and discards', function () {
  this.timeout(120_000);

  it('leaves one visible version at most, one staging at most, and each plan with just its files', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const database = await testDatabase();
        const { pool } = database;
        try {
          await prepareDelivery(pool);
          const planned: { load: LoadPlan; files: readonly PlannedFile[] }[] = [];
          let visible: string | undefined;
          for (const [number, one] of steps.entries()) {
            if (one.kind === 'plan') {
              const load = await plan(pool, one.files, { request: one.request, force: one.force });
              planned.push({ load, files: one.files });
              assert.equal(key(one.files), (await filesOf(pool, load.loadId)).map(([k, v]) => k + v).join());
              assert.equal((await stateOf(pool, load.loadId)) === 'published', load.published);
              if (load.published)
                assert.equal(key(one.files), visible, 'what is published is what was asked for');
              const again = await plan(pool, one.files, { request: one.request, force: one.force });
              assert.deepEqual(again, load, 'the step may run twice');
            } else if (one.kind === 'discard') {
              await discardDelivery(pool, {
                deliveryId: id,
                target,
                reason: 'by hand',
                request: `discard-${number}`,
              });
              visible = undefined;
            } else {
              const target = planned.at(-1 - one.back);
              if (!target) continue;
              const before = await stateOf(pool, target.load.loadId);
              await stageAll(pool, target.load.loadId);
              const outcome = await publish(pool, target.load.loadId).then(
                () => 'published',
                (error: unknown) => (error instanceof Failure ? error.type : String(error)),
              );
              const good = before === 'staging' || before === 'published';
              assert.equal(outcome, good ? 'published' : 'LoadSuperseded');
              if (good) visible = key(target.files);
            }
            await assertSound(pool);
            const now = (await loads(pool)).find(({ state }) => state === 'published');
            assert.equal(now !== undefined, visible !== undefined);
          }
        } finally {
          await database.drop();
        }
      }),
      { numRuns: 60 },
    ));
});

async function stateOf(pool: Parameters<typeof loads>[0], loadId: string): Promise<string | undefined> {
  return (await loads(pool)).find((load) => load.id === loadId)?.state;
}
