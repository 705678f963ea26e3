import { deliveryStart } from '../../config/delivery-start.js';
import { nameJob } from '../../config/name-delivery.js';
import type { DeliveryInput } from '../../model/control.js';
import { prefix, testSource, type TestSource, type TestSourceOptions } from './landfall.js';

export interface LeanplumSource extends TestSource {
  /** Input of a job's delivery; `date` is that of the folder. */
  readonly job: (uuid: string, date: string, changes?: Partial<DeliveryInput>) => DeliveryInput;
  /** Puts files in the order given, by their keys below the prefix. */
  readonly put: (
    files: Iterable<{ readonly key: string; readonly bytes: string | Uint8Array }>,
  ) => Promise<void>;
}

/** A source of Leanplum jobs that is looked at every second. */
export async function leanplumSource(
  settings: Record<string, unknown> = {},
  options: TestSourceOptions = {},
): Promise<LeanplumSource> {
  const source = await testSource({
    ...options,
    settings: { vendor: 'leanplum', pollEvery: '1 second', ...settings },
  });
  return {
    ...source,
    job: (uuid, date, changes = {}) => ({
      ...deliveryStart(source.config, nameJob(source.config, 'sessions', date, uuid), Date.now()).input,
      heartbeatTimeout: 3_000,
      ...changes,
    }),
    put: async (files) => {
      for (const { key, bytes } of files) await source.bucket.put(prefix + key, bytes);
    },
  };
}
