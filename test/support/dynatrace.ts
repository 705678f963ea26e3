import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { deliveryStart } from '../../config/delivery-start.js';
import { nameBatch } from '../../config/name-delivery.js';
import type { DeliveryInput } from '../../model/control.js';
import { deliveryId } from '../../model/delivery.js';
import { testSource, type TestSource, type TestSourceOptions } from './landfall.js';

/** What a test's source lets in. */
export const dynatraceToken = 'a-token-of-the-tests';

export interface DynatraceSource extends TestSource {
  /** Puts a body into the inbox, as the receiver does; its number. */
  readonly receive: (body: string | Buffer, received?: Received) => Promise<string>;
  /** The id of the delivery whose first body came on a day. */
  readonly batch: (day: string, firstBody: string) => string;
  /** The input of a delivery by its id. */
  readonly batchInput: (id: string, changes?: Partial<DeliveryInput>) => DeliveryInput;
}

export interface Received {
  readonly form?: 'documents' | 'bulk';
  /** Epoch ms. */
  readonly at?: number;
}

/** A source that a vendor sends to, without a receiver: bodies are put into its inbox. */
export async function dynatraceSource(
  settings: Record<string, unknown> = {},
  options: Pick<TestSourceOptions, 'database'> = {},
): Promise<DynatraceSource> {
  const source = await testSource({
    ...options,
    settings: {
      ...{ vendor: 'dynatrace', schema: 'experiments', store: undefined },
      auth: { bearer: dynatraceToken },
      ...settings,
    },
  });
  const { config, database } = source;
  return {
    ...source,
    receive: async (body, { form = 'documents', at = Date.now() } = {}) => {
      const bytes = Buffer.from(body);
      const { rows } = await database.pool.query<{ id: string }>(
        `insert into landfall.inbox (source, received_at, form, body, bytes, sha256, documents)
         values ($1, to_timestamp($2 / 1000.0), $3, $4, $5, $6, 0) returning id`,
        [
          ...[config.name, at, form, gzipSync(bytes, { level: 1 }), bytes.length],
          createHash('sha256').update(bytes).digest(),
        ],
      );
      return rows[0]!.id;
    },
    batch: (day, firstBody) => deliveryId(config.name, `${day}/${firstBody}`),
    batchInput: (id, changes = {}) => {
      const [, day = '', firstBody = ''] = id.split('/');
      const { input } = deliveryStart(config, nameBatch(config, day, firstBody), Date.now());
      return { ...input, heartbeatTimeout: 3_000, ...changes };
    },
  };
}

/** A document with what its key is made of. */
export function session(number: number, more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    tenantId: 'tenant-1',
    userSessionId: `SESSION-${number}`,
    startTime: Date.parse('2026-11-20T10:00:00Z') + number,
    ...more,
  });
}

/** So many documents from a number on, one a line. */
export function sessions(from: number, count: number): string {
  return Array.from({ length: count }, (_, index) => `${session(from + index)}\n`).join('');
}
