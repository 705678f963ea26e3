import { writeDuration } from '../config/duration.js';
import { vendors } from '../vendors/registry.js';
import { migrate } from '../warehouse/migrate.js';
import { fillNewness } from '../warehouse/fill-newness.js';
import { prepareSource } from '../warehouse/prepare-source.js';
import { sweepQuarantine } from '../warehouse/sweep-quarantine.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode } from './session.js';
import { ensureSchedule, schedulesOf } from './setup/schedule.js';
import { registerAttributes } from './setup/search-attributes.js';
import { withLedger } from './with-ledger.js';
import { withTemporal } from './with-temporal.js';

/** One thing that setup saw to. */
export interface SetupStep {
  readonly part: 'postgres' | 'temporal';
  /** What was seen to: `ledger`, a source, `search attributes`, a schedule's id. */
  readonly what: string;
  readonly done: string;
}

/** Brings Postgres and Temporal to what the configuration says. Idempotent; several may run at once. */
export async function setup(place: Place, output: Output): Promise<ExitCode> {
  const steps = [...(await setUpPostgres(place)), ...(await setUpTemporal(place))];
  output.result(steps, () =>
    [
      ...steps.map(({ part, what, done }) => `${part}: ${what}: ${done}`),
      place.config.sources.length === 0
        ? 'The configuration has no sources yet: add one, then run setup again.'
        : "Ready. Start workers with 'landfall worker'.",
    ].join('\n'),
  );
  return 0;
}

export async function setUpPostgres(place: Place): Promise<SetupStep[]> {
  return withLedger(place, async (pool) => {
    await migrate(pool);
    await sweepQuarantine(pool);
    const steps: SetupStep[] = [{ part: 'postgres', what: 'ledger', done: 'schema landfall is up to date' }];
    for (const { name, vendor, schema } of place.config.sources) {
      await prepareSource(pool, { name, vendor, schema }, vendors[vendor].scripts);
      steps.push({
        part: 'postgres',
        what: `source ${name}`,
        done: `schema ${schema} has ${vendor}'s tables and views`,
      });
      const filled = await fillNewness(pool, { name, vendor, schema });
      if (filled === 0) continue;
      steps.push({
        part: 'postgres',
        what: `source ${name}`,
        done: `noted of ${filled} ${filled === 1 ? 'delivery' : 'deliveries'} how new the rows are`,
      });
    }
    return steps;
  });
}

export async function setUpTemporal(place: Place): Promise<SetupStep[]> {
  return withTemporal(place, async (session) => {
    const added = await registerAttributes(session);
    const steps: SetupStep[] = [
      {
        part: 'temporal',
        what: 'search attributes',
        done: added.length === 0 ? 'were there already' : `registered ${added.join(', ')}`,
      },
    ];
    const { taskQueue } = place.config.temporal;
    for (const schedule of place.config.sources.flatMap((source) => schedulesOf(source, taskQueue))) {
      const change = await ensureSchedule(session, schedule);
      if (change === 'absent') continue;
      const every = change === 'removed' ? '' : `, every ${writeDuration(schedule.every)}`;
      steps.push({ part: 'temporal', what: `schedule ${schedule.id}`, done: `${change}${every}` });
    }
    return steps;
  });
}
