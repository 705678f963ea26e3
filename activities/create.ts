import type { DeliveryInput } from '../model/control.js';
import { abandonStaging } from '../warehouse/discard-delivery.js';
import { recordChange, type DeliveryChange } from '../warehouse/ledger-change.js';
import { openDelivery, type LedgerDelivery } from '../warehouse/ledger-delivery.js';
import { transaction } from '../warehouse/transaction.js';
import type { Dependencies } from './dependencies.js';
import { createDeleteDiscarded } from './delete-discarded.js';
import { createDiscover } from './discover.js';
import { translateFailures } from './failures.js';
import { createCountInbox, createGather } from './gather.js';
import { withHeartbeat } from './heartbeat.js';
import { createAskExport, createExportProgress } from './leanplum-export.js';
import { createLook } from './look.js';
import { createMergeDays } from './merge-days.js';
import { createNameIds, createNamePage, openNameApis } from './monetate-names.js';
import { createNextDeliveries, createSettledDeliveries } from './backfill.js';
import { createPlan } from './plan.js';
import { createDiscard, createPublish } from './publish.js';
import { createStage } from './stage.js';

/** The I/O steps of every workflow, with what they work on. */
export function createActivities(deps: Dependencies) {
  const names = openNameApis(deps);
  const activities = {
    /** Enters a delivery into the ledger, or finds it there: also where this worker does not have its source. */
    openDelivery: beating((input: DeliveryInput): Promise<LedgerDelivery> =>
      openDelivery(deps.pool, input, input.deadline),
    ),
    look: createLook(deps),
    plan: createPlan(deps),
    stage: createStage(deps),
    publish: createPublish(deps),
    discard: beating(createDiscard(deps)),
    /** Writes a change of finality, or a person's word, into the ledger. */
    record: beating((change: DeliveryChange): Promise<LedgerDelivery> => recordChange(deps.pool, change)),
    /** Drops what is staged for a delivery; what readers see stays. */
    abandon: beating(({ id, reason }: { id: string; reason: string }): Promise<void> =>
      transaction(deps.pool, (client) => abandonStaging(client, id, reason)),
    ),
    deleteDiscarded: createDeleteDiscarded(deps),
    discover: createDiscover(deps),
    mergeDays: createMergeDays(deps),
    gather: createGather(deps),
    countInbox: createCountInbox(deps),
    nextDeliveries: createNextDeliveries(deps),
    askExport: createAskExport(deps),
    exportProgress: createExportProgress(deps),
    settledDeliveries: beating(createSettledDeliveries(deps)),
    namePage: createNamePage(deps, names),
    nameIds: createNameIds(deps, names),
  };
  return translateFailures(activities, deps);
}

/** A short step may still wait for the lock of a long one, and its worker may be killed: the heartbeat tells them apart. */
function beating<I, O>(step: (input: I) => Promise<O>): (input: I) => Promise<O> {
  return (input) =>
    withHeartbeat(
      () => undefined,
      () => step(input),
    );
}

export type Activities = ReturnType<typeof createActivities>;
