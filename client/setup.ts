import type pg from 'pg';

import { writeDuration } from '../config/duration.js';
import { maskDigest } from '../config/mask-digest.js';
import type { SourceConfig } from '../config/schema.js';
import { vendors } from '../vendors/registry.js';
import { maskedOtherwise, setMask } from '../warehouse/mask-changes.js';
import { migrate } from '../warehouse/migrate.js';
import { fillNewness } from '../warehouse/fill-newness.js';
import { prepareSource } from '../warehouse/prepare-source.js';
import { reportOn } from './checks/finding.js';
import { checkServer } from './checks/server.js';
import { sweepQuarantine } from '../warehouse/sweep-quarantine.js';
import type { Output } from './output.js';
import type { Place } from './place.js';
import type { ExitCode } from './session.js';
import { ensureSchedule, schedulesOf } from './setup/schedule.js';
import { mergeOldDays } from './setup/old-days.js';
import { registerAttributes } from './setup/search-attributes.js';
import { isUnreachable, whereIs, withLedger } from './with-ledger.js';
import { withTemporal } from './with-temporal.js';

/** One thing that setup saw to. */
export interface SetupStep {
  readonly part: 'postgres' | 'temporal';
  /** What was seen to: `ledger`, a source, `search attributes`, a schedule's id. */
  readonly what: string;
  readonly done: string;
  /** A part of one source that could not be seen to, for the reason that `done` gives. The other sources have theirs. */
  readonly failed?: { readonly source: string };
}

/** Brings Postgres and Temporal to what the configuration says. Idempotent; several may run at once. */
export async function setup(place: Place, output: Output): Promise<ExitCode> {
  const prepared = await setUp(place);
  const steps = [...prepared, ...(await mergeOldDays(readyPlace(place, prepared), output))];
  output.result(steps, () =>
    [
      ...steps.map(({ part, what, done, failed }) => `${part}: ${what}: ${failed ? 'FAILED: ' : ''}${done}`),
      conclusion(place, steps),
    ].join('\n'),
  );
  return steps.some(({ failed }) => failed) ? 1 : 0;
}

function conclusion({ config }: Place, steps: readonly SetupStep[]): string {
  if (config.sources.length === 0) {
    return 'The configuration has no sources yet: add one, then run setup again.';
  }
  const failed = [...new Set(steps.flatMap((step) => (step.failed ? [step.failed.source] : [])))];
  if (failed.length === 0) return "Ready. Start workers with 'landfall worker'.";
  const others = failed.length < config.sources.length ? ' Everything else is ready.' : '';
  return `Not ready: ${failed.join(', ')}. Mend what is wrong, then run setup again.${others}`;
}

/** What is wrong with one source is its own; where the server is away, everything fails. */
async function seeTo(
  source: string,
  step: Pick<SetupStep, 'part' | 'what'>,
  work: () => Promise<string | undefined>,
): Promise<SetupStep[]> {
  try {
    const done = await work();
    return done === undefined ? [] : [{ ...step, done }];
  } catch (error) {
    if (!(error instanceof Error) || isUnreachable(error) || isServiceError(error)) throw error;
    return [{ ...step, done: error.message, failed: { source } }];
  }
}

/** Temporal itself: every other call would fail in the same way. */
function isServiceError(error: Error): boolean {
  return error.name === 'ServiceError';
}

/** Everything but what output says of it. A source without tables gets no schedule. */
export async function setUp(place: Place): Promise<readonly SetupStep[]> {
  const steps = await setUpPostgres(place);
  return [...steps, ...(await setUpTemporal(readyPlace(place, steps)))];
}

/** The place with the sources that could be set up. */
export function readyPlace(place: Place, steps: readonly SetupStep[]): Place {
  const isReady = (source: string): boolean => !steps.some(({ failed }) => failed?.source === source);
  const sources = place.config.sources.filter(({ name }) => isReady(name));
  return { ...place, config: { ...place.config, sources } };
}

async function setUpPostgres(place: Place): Promise<SetupStep[]> {
  return withLedger(place, async (pool) => {
    await refuseUnfit(place, pool);
    await migrate(pool);
    await sweepQuarantine(pool);
    const steps: SetupStep[] = [{ part: 'postgres', what: 'ledger', done: 'schema landfall is up to date' }];
    for (const source of place.config.sources) {
      const { name, vendor, schema } = source;
      const made = await seeTo(name, { part: 'postgres', what: `source ${name}` }, async () => {
        await prepareSource(pool, { name, vendor, schema }, vendors[vendor].scripts);
        return `schema ${schema} has ${vendor}'s tables and views`;
      });
      steps.push(...made);
      if (made.some(({ failed }) => failed)) continue;
      const masked = await seeTo(name, { part: 'postgres', what: `masks of ${name}` }, () =>
        setMasks(pool, source),
      );
      steps.push(...masked);
      const filled = await seeTo(name, { part: 'postgres', what: `newness of ${name}` }, async () => {
        const deliveries = await fillNewness(pool, { name, vendor, schema });
        if (deliveries === 0) return undefined;
        return `noted of ${deliveries} ${deliveries === 1 ? 'delivery' : 'deliveries'} how new the rows are`;
      });
      steps.push(...filled);
    }
    return steps;
  });
}

/** Sets the mask rules that are staged by from now on. Undefined where they are those that were set before. */
async function setMasks(pool: pg.Pool, source: SourceConfig): Promise<string | undefined> {
  const digest = maskDigest(source);
  if (!(await setMask(pool, source.name, digest))) return undefined;
  const { deliveries } = await maskedOtherwise(pool, source.name, digest);
  return (
    `the rules or the maskKey have changed: restart workers that have others. Deliveries that are masked by others: ` +
    `${deliveries}; 'landfall reprocess' loads them again`
  );
}

/** Before anything is made: what is half set up is harder to mend. */
async function refuseUnfit(place: Place, pool: pg.Pool): Promise<void> {
  const report = reportOn('postgres');
  const schemas = place.config.sources.map(({ schema }) => schema);
  await checkServer(pool, schemas, report);
  const wrong = report.findings.filter(({ ok }) => !ok);
  if (wrong.length === 0) return;
  const where = whereIs(place.postgresUrl().reveal());
  throw new Error(
    [
      `Postgres at ${where} cannot be set up, and nothing was changed there:`,
      ...wrong.map(({ what, found, mend }) => `  ${what}: ${found}. ${mend ?? ''}`),
    ].join('\n'),
  );
}

async function setUpTemporal(place: Place): Promise<SetupStep[]> {
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
    for (const source of place.config.sources) {
      for (const schedule of schedulesOf(source, taskQueue)) {
        const step = await seeTo(
          source.name,
          { part: 'temporal', what: `schedule ${schedule.id}` },
          async () => {
            const change = await ensureSchedule(session, schedule);
            if (change === 'absent') return undefined;
            const every = change === 'removed' ? '' : `, every ${writeDuration(schedule.every)}`;
            return `${change}${every}`;
          },
        );
        steps.push(...step);
      }
    }
    return steps;
  });
}
