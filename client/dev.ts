/** `landfall dev`: everything on one machine. */

import { join, relative } from 'node:path';

import { findSource } from '../config/find-source.js';
import { loadConfig, loadConfigIfAny } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { beginBackfill, deliveriesOfRange } from './backfill.js';
import { removeDevState, writeDevState } from './dev-state.js';
import { ending } from './dev/ending.js';
import { readLanded, writeLanded } from './dev/landed.js';
import { makePrivateFolder } from './dev/private-folder.js';
import { lookForDeliveries } from './dev/look-for-deliveries.js';
import { patiently } from './dev/patiently.js';
import { openProblems, type Problems } from './dev/problems.js';
import { bringReceiver } from './dev/receiver.js';
import { isSent, writeSampleConfig, type Sample } from './dev/sample-config.js';
import { bringSamples } from './dev/samples.js';
import { bringPostgres, bringTemporal, type Sandbox } from './dev/servers.js';
import { watchDeliveries, type Watched } from './dev/watch-deliveries.js';
import { bringWorker } from './dev/worker.js';
import { openPlace, type Place } from './place.js';
import type { ListedDelivery } from './queries/list-deliveries.js';
import type { ExitCode, Session } from './session.js';
import { readyPlace, setUp } from './setup.js';
import { writeStatus } from './status.js';
import { withLedger } from './with-ledger.js';
import { withTemporal } from './with-temporal.js';

export interface DevOptions {
  /** End when what there is has landed, instead of staying up. */
  readonly once: boolean;
}

/**
 * Brings up what is not configured, runs a worker, loads what there is, shows what landed, and stays up until SIGINT or
 * SIGTERM. Everything it keeps lies in `.landfall`, where the next start finds it. A source that fails is said and ends no
 * other; with `once` it makes the exit code 1.
 */
export async function runDev(session: Session, options: DevOptions): Promise<ExitCode> {
  const { terminal, output } = session;
  const end = ending();
  const sandbox: Sandbox = {
    folder: join(terminal.cwd, '.landfall'),
    terminal,
    progress: (line) => output.note(line),
    ...{ defer: end.defer, fail: end.fail },
  };
  const openAgain = await makePrivateFolder(sandbox.folder);
  try {
    return await end.unlessAsked(bringUpAndLoad(session, options, sandbox, end.asked));
  } finally {
    openAgain();
    await end.run();
  }
}

async function bringUpAndLoad(
  session: Session,
  options: DevOptions,
  sandbox: Sandbox,
  asked: AbortSignal,
): Promise<ExitCode> {
  const { terminal, output, configPath } = session;
  const named = {
    env: terminal.env,
    cwd: terminal.cwd,
    ...(configPath === undefined ? {} : { path: configPath }),
  };
  const own = await loadConfigIfAny(named);
  const problems = openProblems((line) => output.note(line), asked);
  const { config, samples, madePath } = await withSources(sandbox, own, problems);

  const { openLog } = await import('../worker/log.js');
  const { installRuntime } = await import('../worker/runtime.js');
  // We stop the worker ourselves, before the servers that it needs.
  installRuntime(openLog(join(sandbox.folder, 'worker.log')), config.metrics, 'leave');

  const postgresUrl = await bringPostgres(sandbox, own);
  const { access, webUi } = await bringTemporal(sandbox, own);
  await writeDevState(terminal.cwd, {
    pid: process.pid,
    postgresUrl,
    temporal: { address: access.connectionOptions.address, namespace: access.namespace },
    ...(webUi === undefined ? {} : { webUi }),
    ...(madePath === undefined ? {} : { configPath: madePath }),
  });
  sandbox.defer(() => removeDevState(terminal.cwd));
  const wanted = await openPlace(configPath, terminal);
  const steps = await setUp(wanted);
  for (const { failed, done } of steps) if (failed) problems.add(failed.source, done);
  const place = readyPlace(wanted, steps);

  await bringWorker(sandbox, config, { temporal: access, postgresUrl });
  const receiver = await bringReceiver(sandbox, place.config, { postgresUrl, temporal: access }, problems);

  output.note('Loads what there is:');
  const watched =
    samples === undefined
      ? lookForAll(place, problems, (line) => output.note(line), asked)
      : await beginSamples(place, samples, receiver, problems, asked);
  const deliveries = await withLedger(place, (pool) =>
    watchDeliveries(pool, watched, (line) => output.note(line), asked),
  );
  const where = { postgresUrl, webUi, receiver };
  await patiently(() => tellWhatLanded(place, session, deliveries, problems, where), asked);
  if (options.once) {
    const failed = deliveries.some(({ finality }) => finality === 'failed');
    return failed || problems.found.length > 0 ? 1 : 0;
  }

  output.note('\nStays up until Ctrl-C. In another terminal: npx landfall status');
  await new Promise((resolve) => asked.addEventListener('abort', resolve));
  return 0;
}

/** The configuration, with the samples' sources where it names none. */
async function withSources(
  sandbox: Sandbox,
  own: Config | undefined,
  problems: Problems,
): Promise<{ config: Config; samples?: readonly Sample[]; madePath?: string }> {
  if (own !== undefined && own.sources.length > 0) return { config: own };
  const samples = await bringSamples(sandbox, problems);
  const madePath = join(sandbox.folder, 'landfall.yaml');
  await writeSampleConfig(madePath, samples);
  const made = await loadConfig({ env: sandbox.terminal.env, cwd: sandbox.terminal.cwd, path: madePath });
  const { sources, receiver } = made;
  return { config: { ...made, ...own, sources, receiver }, samples, madePath };
}

/** Starts the samples' days as backfills, which leave alone what an earlier start has loaded, and what is sent. */
async function beginSamples(
  place: Place,
  samples: readonly Sample[],
  receiver: string | undefined,
  problems: Problems,
  asked: AbortSignal,
): Promise<Watched> {
  const sent = receiver === undefined ? [] : samples.filter(isSent);
  const sending = Promise.all(
    sent.map(({ source, send }) => problems.of(source, () => send(receiver ?? ''))),
  ).then(() => undefined);
  const ids: string[] = [];
  for (const sample of samples) {
    if (isSent(sample)) continue;
    const { source, from, to } = sample;
    const request = { source, from, to, maxInFlight: 4 };
    await problems.of(source, async () => {
      const begin = () => withTemporal(place, (temporal) => beginBackfill(place, temporal, request));
      await patiently(begin, asked);
      const config = findSource(place.config.sources, source);
      const deliveries = await deliveriesOfRange({ ...request, types: config.types, config });
      ids.push(...deliveries.map(({ id }) => id));
    });
  }
  return { ids, sentTo: sent.map(({ source }) => source), sending };
}

/** Runs what the schedules run, at once. */
function lookForAll(
  place: Place,
  problems: Problems,
  tell: (line: string) => void,
  asked: AbortSignal,
): Watched {
  const lookups = place.config.sources.map(async ({ name }) => {
    const look = () => lookForDeliveries(place, name, (line) => tell(`  ${name}: ${line}`), asked);
    return (await problems.of(name, look)) ?? [];
  });
  return { ids: [], lookups, sentTo: [], sending: Promise.resolve() };
}

async function tellWhatLanded(
  place: Place,
  { output, terminal }: Session,
  deliveries: readonly ListedDelivery[],
  { found }: Problems,
  where: {
    readonly postgresUrl: string;
    readonly webUi: string | undefined;
    readonly receiver: string | undefined;
  },
): Promise<void> {
  const landed = await withLedger(place, (pool) => readLanded(pool, place.config.sources));
  const folder = relative(terminal.cwd, join(terminal.cwd, '.landfall'));
  const problems = found.length === 0 ? {} : { problems: found };
  output.result({ deliveries, results: landed, ...problems, ...where }, () =>
    [
      '',
      ...found.map(({ source, problem }) => `${source}: ${problem}`),
      writeStatus(deliveries, terminal.width),
      ...landed.flatMap((part) => (part.results.length === 0 ? [] : ['', writeLanded(part)])),
      '',
      `Web UI:    ${where.webUi ?? 'as your Temporal has it'}`,
      `Postgres:  ${where.postgresUrl}`,
      ...(where.receiver === undefined ? [] : [`Receiver:  ${where.receiver}`]),
      `Kept in:   ${folder}/ (logs too)`,
    ].join('\n'),
  );
}
