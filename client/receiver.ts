/** `landfall receiver`: the endpoint that vendors send to. */

import type pino from 'pino';

import { ConfigError } from '../config/config-error.js';
import { sourcePath } from '../config/source-path.js';
import { isSent, type SentSource } from '../config/schema.js';
import { openNudge } from '../receiver/nudge.js';
import { startReceiver } from '../receiver/server.js';
import { unpreparedSources } from '../warehouse/unprepared-sources.js';
import { ending } from './dev/ending.js';
import type { Place } from './place.js';
import type { ExitCode, Session } from './session.js';
import { isUnreachable, withLedger } from './with-ledger.js';

/** Serves until SIGINT or SIGTERM; then what is under way comes to its end. */
export async function runReceiver(session: Session, log: pino.Logger): Promise<ExitCode> {
  const end = ending();
  try {
    return await end.unlessAsked(
      (async () => {
        await serve(await session.place(), log, end.defer, (line) => session.output.note(line));
        return await new Promise<ExitCode>(() => undefined);
      })(),
    );
  } finally {
    await end.run();
  }
}

async function serve(
  place: Place,
  log: pino.Logger,
  defer: (end: () => Promise<void>) => void,
  say: (line: string) => void,
): Promise<void> {
  const { config } = place;
  const sources = config.sources.filter(isSent);
  if (sources.length === 0) {
    throw new ConfigError(
      `No source of ${config.configPath} is of a vendor that sends, so there is nothing to receive. Add one with ` +
        `'vendor: dynatrace'.`,
    );
  }
  const postgresUrl = place.postgresUrl().reveal();
  const temporal = await place.temporal();
  await refuseUnprepared(place, sources);
  const nudge = openNudge({ temporal, taskQueue: config.temporal.taskQueue, sources, log });
  defer(() => nudge.close());
  const receiver = await startReceiver({
    ...{ settings: config.receiver, sources, postgresUrl, log },
    nudge: nudge.nudge,
  });
  defer(() => receiver.close());
  for (const source of sources) say(`${source.name}: ${receiver.url}${sourcePath(source)}`);
}

/** A Postgres that is away may come back, and senders are told so meanwhile; one that was not set up needs a person. */
async function refuseUnprepared(place: Place, sources: readonly SentSource[]): Promise<void> {
  const names = sources.map(({ name }) => name);
  let missing: readonly string[];
  try {
    missing = await withLedger(place, (pool) => unpreparedSources(pool, names));
  } catch (error) {
    if (isUnreachable(error) || isUnreachable((error as Error).cause ?? {})) return;
    throw error;
  }
  if (missing.length === 0) return;
  throw new Error(
    `The ledger does not know ${missing.length === 1 ? 'source' : 'the sources'} ${missing.join(', ')}. Run ` +
      `'landfall setup'.`,
  );
}
