/** `landfall dev`: everything on one machine. */

import { join, relative } from 'node:path';

import { findSource } from '../config/find-source.js';
import { loadConfig, loadConfigIfAny } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { workflowTypes } from '../model/control.js';
import { beginBackfill, deliveriesOfRange } from './backfill.js';
import { removeDevState, writeDevState } from './dev-state.js';
import { ending } from './dev/ending.js';
import { readLanded, writeLanded } from './dev/landed.js';
import { makePrivateFolder } from './dev/private-folder.js';
import { bringReceiver } from './dev/receiver.js';
import { isSent, writeSampleConfig, type Sample } from './dev/sample-config.js';
import { bringSamples } from './dev/samples.js';
import { bringPostgres, bringTemporal, type Sandbox } from './dev/servers.js';
import { watchDeliveries, type Watched } from './dev/watch-deliveries.js';
import { openPlace, type Place } from './place.js';
import type { ListedDelivery } from './queries/list-deliveries.js';
import type { ExitCode, Session } from './session.js';
import { setUpPostgres, setUpTemporal } from './setup.js';
import { scheduleId } from './setup/schedule.js';
import { writeStatus } from './status.js';
import { withLedger } from './with-ledger.js';
import { withTemporal } from './with-temporal.js';

export interface DevOptions {
  /** End when what there is has landed, instead of staying up. */
  readonly once: boolean;
}

/**
 * Brings up what is not configured, runs a worker, loads what there is, shows what landed, and stays up until SIGINT or
 * SIGTERM. Everything it keeps lies in `.landfall`, where the next start finds it.
 */
export async function runDev(session: Session, options: DevOptions): Promise<ExitCode> {
  const { terminal, output } = session;
  const end = ending();
  const sandbox: Sandbox = {
    folder: join(terminal.cwd, '.landfall'),
    terminal,
    progress: (line) => output.note(line),
    defer: end.defer,
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
  const { config, samples, madePath } = await withSources(sandbox, own);

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
  const place = await openPlace(configPath, terminal);
  await setUpPostgres(place);
  await setUpTemporal(place);

  const { startWorker } = await import('../worker/run.js');
  const worker = await startWorker(config, { temporal: access, postgresUrl });
  sandbox.defer(async () => {
    worker.stop();
    await worker.done;
  });
  const receiver = await bringReceiver(sandbox, config, { postgresUrl, temporal: access });

  output.note('Loads what there is:');
  const watched =
    samples === undefined
      ? { ids: await discoverAll(place), sentTo: [], sending: Promise.resolve() }
      : await beginSamples(place, samples, receiver);
  const deliveries = await withLedger(place, (pool) =>
    watchDeliveries(pool, watched, (line) => output.note(line), asked),
  );
  await tellWhatLanded(place, session, deliveries, { postgresUrl, webUi, receiver });
  if (options.once) return deliveries.some(({ finality }) => finality === 'failed') ? 1 : 0;

  output.note('\nStays up until Ctrl-C. In another terminal: npx landfall status');
  await Promise.race([worker.done, new Promise((resolve) => asked.addEventListener('abort', resolve))]);
  return 0;
}

/** The configuration, with the samples' sources where it names none. */
async function withSources(
  sandbox: Sandbox,
  own: Config | undefined,
): Promise<{ config: Config; samples?: readonly Sample[]; madePath?: string }> {
  if (own !== undefined && own.sources.length > 0) return { config: own };
  const samples = await bringSamples(sandbox);
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
): Promise<Watched> {
  const sent = samples.filter(isSent);
  const sending = Promise.all(sent.map(({ send }) => send(receiver ?? ''))).then(() => undefined);
  // Whoever watches is told of an error.
  sending.catch(() => undefined);
  const ids: string[] = [];
  for (const sample of samples) {
    if (isSent(sample)) continue;
    const { source, from, to } = sample;
    const request = { source, from, to, maxInFlight: 4 };
    await withTemporal(place, (temporal) => beginBackfill(place, temporal, request));
    const config = findSource(place.config.sources, source);
    const deliveries = await deliveriesOfRange({ ...request, types: config.types, config });
    ids.push(...deliveries.map(({ id }) => id));
  }
  return { ids, sentTo: sent.map(({ source }) => source), sending };
}

/** Runs what the schedules run, at once. */
async function discoverAll(place: Place): Promise<string[]> {
  return withTemporal(place, async ({ client }) => {
    const found = await Promise.all(
      place.config.sources.map(({ name }) =>
        client.workflow.execute(workflowTypes.discover, {
          workflowId: scheduleId(name),
          workflowIdConflictPolicy: 'USE_EXISTING',
          taskQueue: place.config.temporal.taskQueue,
          args: [{ source: name }],
        }),
      ),
    );
    return (found as { started: string[] }[]).flatMap(({ started }) => started);
  });
}

async function tellWhatLanded(
  place: Place,
  { output, terminal }: Session,
  deliveries: readonly ListedDelivery[],
  where: {
    readonly postgresUrl: string;
    readonly webUi: string | undefined;
    readonly receiver: string | undefined;
  },
): Promise<void> {
  const landed = await withLedger(place, (pool) => readLanded(pool, place.config.sources));
  const folder = relative(terminal.cwd, join(terminal.cwd, '.landfall'));
  output.result({ deliveries, results: landed, ...where }, () =>
    [
      '',
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
