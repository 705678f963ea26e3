import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import { createActivities } from '../../activities/create.js';
import type { Plan } from '../../activities/plan.js';
import { openSources } from '../../activities/sources.js';
import { turns } from '../../activities/turns.js';
import type { LoadCounts } from '../../model/control.js';
import type { BatchRows } from '../../warehouse/batch-rows.js';
import { openPool } from '../../warehouse/pool.js';
import { inTemporaryFolder, type TestSource } from './landfall.js';
import { devServer } from './temporal.js';

/** The steps of one delivery, done by hand, in any order and at the same time, as workers may come to do them. */
export interface Steps {
  /** Enters it into the ledger and plans a load. */
  readonly plan: (request: string, force?: boolean) => Promise<Plan>;
  readonly stage: (plan: Plan, batch: number) => Promise<BatchRows>;
  readonly stageAll: (plan: Plan) => Promise<void>;
  /** `accepted`: why a person wants what was held. `answers`: requests of wishes that are done with it. */
  readonly publish: (
    plan: Pick<Plan, 'loadId'>,
    accepted?: string,
    answers?: readonly string[],
  ) => Promise<LoadCounts>;
  readonly discard: (reason: string, request?: string) => Promise<string>;
}

/** One file is one step. */
export async function withSteps<T>(
  source: TestSource,
  type: string,
  date: string,
  work: (steps: Steps) => Promise<T>,
): Promise<T> {
  const pool = openPool(source.database.url);
  const sources = openSources([source.config], pool);
  const { client } = (await devServer()).environment;
  const input = source.input(type, date);
  const delivery = { id: input.id, source: input.source, type, date };
  try {
    return await inTemporaryFolder(async (folder) => {
      const activities = createActivities({
        pool,
        source: sources.source,
        client,
        reader: { memoryLimit: '128MB', threads: 1, spillDirectory: folder },
        spoolDirectory: folder,
        readers: turns(4),
        batchLimits: { files: 1, bytes: 1e9 },
      });
      const run = <I, O>(step: (input: I) => Promise<O>, input: I): Promise<O> =>
        new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') }).run(step, input);
      const stage = (plan: Plan, batch: number): Promise<BatchRows> =>
        run(activities.stage, { delivery, loadId: plan.loadId, batch });
      return await work({
        plan: async (request, force = false) => {
          await run(activities.openDelivery, input);
          return run(activities.plan, { delivery, request, force });
        },
        stage,
        stageAll: async (plan) => {
          for (let batch = 0; batch < plan.batches; batch += 1) await stage(plan, batch);
        },
        publish: ({ loadId }, accepted, answers) =>
          run(activities.publish, {
            ...{ delivery, loadId, finality: 'final', reason: 'by hand' },
            ...(accepted === undefined ? {} : { accepted }),
            ...(answers === undefined ? {} : { answers }),
          }),
        discard: (reason, request = reason) => run(activities.discard, { delivery, reason, request }),
      });
    });
  } finally {
    await sources.close();
    await pool.end();
  }
}
