import type pg from 'pg';

import { writeDelivery, type ShownDelivery } from './delivery-page.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import { findDelivery } from './queries/find-delivery.js';
import { listEvents } from './queries/list-events.js';
import { listFaultyFiles, listQuarantined } from './queries/list-faults.js';
import { listLoads } from './queries/list-loads.js';
import { listSuperseded } from './queries/list-superseded.js';
import { listNotices } from './queries/list-notices.js';
import { nearDeliveries } from './queries/near-deliveries.js';
import type { ExitCode } from './session.js';
import { workflowLink } from './web-ui.js';
import { withLedger } from './with-ledger.js';

const mostFiles = 20;
const mostRows = 5;

/** Prints what the ledger knows of one delivery. */
export async function show(place: Place, id: string, output: Output): Promise<ExitCode> {
  const found = await withLedger(place, (pool) => readShown(pool, id));
  const shown: ShownDelivery = { ...found, ...(await findLink(place, id)) };
  output.result(shown, () => writeDelivery(shown));
  return 0;
}

/** The ledger answers without Temporal: what is wrong with its configuration does not matter here. */
async function findLink(place: Place, id: string): Promise<{ webUi?: string }> {
  if (place.webUi === undefined) return {};
  const namespace = await place.temporal().then(
    (access) => access.namespace,
    () => 'default',
  );
  const webUi = workflowLink(place, namespace, id);
  return webUi === undefined ? {} : { webUi };
}

async function readShown(pool: pg.Pool, id: string): Promise<ShownDelivery> {
  const delivery = await findDelivery(pool, id);
  if (!delivery) {
    const near = await nearDeliveries(pool, id, 3);
    const known = near.length === 0 ? 'It has no deliveries yet.' : `Near it are ${near.join(', ')}.`;
    throw new Error(`The ledger does not know a delivery '${id}'. ${known}`);
  }
  const loads = await listLoads(pool, id);
  const newest = loads[0]?.load;
  return {
    ...delivery,
    loads,
    supersededBy: await listSuperseded(pool, id),
    notices: await listNotices(pool, id),
    events: await listEvents(pool, id),
    filesWithErrors: newest === undefined ? [] : await listFaultyFiles(pool, newest, mostFiles),
    firstQuarantined: newest === undefined ? [] : await listQuarantined(pool, newest, mostRows),
  };
}
