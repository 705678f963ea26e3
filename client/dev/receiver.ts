/** The receiver that `landfall dev` runs within itself, for sources that are sent to. */

import { join } from 'node:path';

import { isSent, type Config } from '../../config/schema.js';
import type { TemporalAccess } from '../../config/temporal.js';
import type { Problems } from './problems.js';
import type { Sandbox } from './servers.js';

export interface ReceiverAccess {
  readonly postgresUrl: string;
  readonly temporal: TemporalAccess;
}

/** Its address, without a path; undefined where no source is sent to, and where it cannot be had. */
export async function bringReceiver(
  { folder, defer }: Sandbox,
  config: Config,
  { postgresUrl, temporal }: ReceiverAccess,
  problems: Problems,
): Promise<string | undefined> {
  const sources = config.sources.filter(isSent);
  if (sources.length === 0) return undefined;
  const { startReceiver } = await import('../../receiver/server.js');
  const { openNudge } = await import('../../receiver/nudge.js');
  const { openLog } = await import('../../worker/log.js');
  const log = openLog(join(folder, 'receiver.log'));
  const nudge = openNudge({ temporal, taskQueue: config.temporal.taskQueue, sources, log });
  defer(() => nudge.close());
  const names = sources.map(({ name }) => name).join(', ');
  const receiver = await problems.of(names, () =>
    startReceiver({
      ...{ settings: config.receiver, sources, postgresUrl, log },
      nudge: (source, bytes) => nudge.nudge(source, bytes),
    }),
  );
  if (receiver !== undefined) defer(() => receiver.close());
  return receiver?.url;
}
