import { userInfo } from 'node:os';

import { readDelivery } from '../warehouse/read-finality.js';
import { acknowledgeNotices, type Notice } from '../warehouse/notices.js';
import { parseDeliveryId } from './delivery-name.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode } from './session.js';
import { UsageError } from './usage-error.js';
import { withLedger } from './with-ledger.js';

export interface AcknowledgeRequest {
  readonly delivery: string;
  readonly reason: string;
}

/** Takes the open notices of a delivery out of `landfall status`. The ledger keeps them, with who did so and why. */
export async function acknowledge(
  place: Place,
  request: AcknowledgeRequest,
  output: Output,
): Promise<ExitCode> {
  const { delivery } = request;
  const reason = request.reason.trim();
  if (reason === '') throw new UsageError('--reason is empty. Say why: it is kept in the ledger.');
  const by = account();
  const notices = await withLedger(place, async (pool) => {
    if ((await readDelivery(pool, delivery)) === undefined) {
      parseDeliveryId(place.config.sources, delivery, undefined);
      throw new Error(
        `The ledger does not know a delivery '${delivery}'. 'landfall status' lists those it knows.`,
      );
    }
    return acknowledgeNotices(pool, { deliveryId: delivery, by, reason });
  });
  output.result({ delivery, by, reason, notices }, () => writeAcknowledged(delivery, notices));
  return 0;
}

/** Who typed it, as the system knows them; an account without a name, in a container say, has its number. */
function account(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

function writeAcknowledged(delivery: string, notices: readonly Notice[]): string {
  if (notices.length === 0) return `${delivery} has no notice that waits to be acknowledged.`;
  const count = notices.length === 1 ? '1 notice' : `${notices.length} notices`;
  return [`Acknowledged ${count} of ${delivery}:`, ...notices.map(({ text }) => `  ${text}`)].join('\n');
}
