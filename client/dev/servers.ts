/** Brings up what is not configured, in the order in which it is needed, and takes it down in the other. */

import { join } from 'node:path';

import type { Config } from '../../config/schema.js';
import { configuredTemporal, type TemporalAccess } from '../../config/temporal.js';
import type { Progress } from '../../sandbox/progress.js';
import type { Terminal } from '../terminal.js';
import { examinePostgres, examineTemporal } from './examine.js';
import { supervise, type SupervisedServer } from './supervise.js';

/** What `defer` was given is done at the end, last first. */
export type Defer = (end: () => Promise<void>) => void;

export interface Sandbox {
  /** `.landfall` in the current directory. */
  readonly folder: string;
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly defer: Defer;
  /** Ends `landfall dev` with an error that came up beside everything else. */
  readonly fail: (error: unknown) => void;
}

/** `postgres.url`, or DATABASE_URL, or a server of our own. */
export async function bringPostgres(sandbox: Sandbox, config: Config | undefined): Promise<string> {
  const configured = config?.postgres?.url.reveal() ?? sandbox.terminal.env['DATABASE_URL'];
  if (configured !== undefined && configured !== '') return configured;
  const { startPostgres } = await import('../../sandbox/postgres.js');
  const { freePort } = await import('../../sandbox/ports.js');
  const server = await startPostgres({
    dataDir: join(sandbox.folder, 'postgres'),
    // The same one at every start, if it can be had: people keep connection strings.
    port: await freePort(54329),
    progress: sandbox.progress,
  });
  sandbox.defer(() => server.stop());
  keepRunning(sandbox, {
    ...{ name: 'Postgres', logFile: server.logFile, ended: server.ended },
    examine: () => examinePostgres(server.url),
    restart: async () => {
      kill(server.pid);
      await server.ended();
      await server.restart();
    },
  });
  return server.url;
}

export interface BroughtTemporal {
  readonly access: TemporalAccess;
  readonly webUi?: string;
}

/** The connection that the temporal CLI would use, or a dev server of our own with its Web UI. */
export async function bringTemporal(sandbox: Sandbox, config: Config | undefined): Promise<BroughtTemporal> {
  const configured = configuredTemporal(config?.temporal.profile, sandbox.terminal.env);
  if (configured) {
    const webUi = config?.temporal.webUi;
    return { access: configured, ...(webUi === undefined ? {} : { webUi }) };
  }
  const { temporalCli } = await import('../../sandbox/temporal-cli.js');
  const { startTemporal } = await import('../../sandbox/temporal-server.js');
  const server = await startTemporal({
    binary: await temporalCli(sandbox.progress),
    dbFile: join(sandbox.folder, 'temporal.db'),
    logFile: join(sandbox.folder, 'temporal.log'),
    progress: sandbox.progress,
  });
  sandbox.defer(() => server.stop());
  const access = { connectionOptions: { address: server.address }, namespace: server.namespace };
  keepRunning(sandbox, {
    ...{ name: 'The Temporal dev server', logFile: server.logFile, ended: server.ended },
    examine: () => examineTemporal(access),
    restart: server.restart,
  });
  return { access, webUi: server.uiUrl };
}

function keepRunning({ defer, fail, progress }: Sandbox, server: SupervisedServer): void {
  const { failed, stop } = supervise(server, progress);
  failed.catch(fail);
  defer(stop);
}

/** A process that is stopped heeds no other signal. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
