import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { freePort, givePortBack, isListening } from './ports.js';
import { silently, type Progress } from './progress.js';
import { lastLines, startServerProcess, type ServerProcess } from './server-process.js';

/** The types a search attribute can have, as the server spells them. */
export type SearchAttributeType = 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

export interface TemporalOptions {
  /** The `temporal` program, see temporal-cli.ts. */
  readonly binary: string;
  /** Where workflows are kept across restarts; without it they are gone when the server stops. */
  readonly dbFile?: string;
  /** 7233 where it is free, else any free one. */
  readonly port?: number;
  /** 8233 where it is free, else any free one. */
  readonly uiPort?: number;
  /** "default" unless given; made where it is missing. */
  readonly namespace?: string;
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeType>>;
  readonly logFile: string;
  /** More arguments of `temporal server start-dev`. */
  readonly extraArgs?: readonly string[];
  /** Is told what is wrong with a server that takes long to start. */
  readonly progress?: Progress;
}

export interface TemporalServer {
  /** `127.0.0.1:7233` */
  readonly address: string;
  /** `http://127.0.0.1:8233` */
  readonly uiUrl: string;
  readonly namespace: string;
  /** Another one after every restart. */
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process has ended, with the way it ended. Another promise after every restart. */
  readonly ended: () => Promise<string>;
  readonly stop: () => Promise<void>;
  /** Kills it where it still runs, and starts it anew at the same addresses. What is in a file is kept. */
  readonly restart: () => Promise<void>;
}

/** It starts in under a second; a busy laptop gets more. */
const START_TIMEOUT_MS = 60_000;
/** A server that answers and does not know its own namespace by then is started anew. */
const NAMESPACE_TIMEOUT_MS = 15_000;
/** From then on it is said what is wrong. */
const SILENT_START_MS = 5_000;

/** Starts the Temporal dev server on 127.0.0.1. It stops with this process, however that ends. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnFreePorts(options);
    } catch (error) {
      // Someone may take a free port between our looking and the server's listening.
      const taken = (error as Error).message.includes('address already in use');
      const chosen = options.port !== undefined && options.uiPort !== undefined;
      const isWorthIt = (taken && !chosen) || error instanceof NamespaceMissing;
      if (!isWorthIt || attempt === 3) throw error;
    }
  }
}

async function startOnFreePorts(options: TemporalOptions): Promise<TemporalServer> {
  const namespace = options.namespace ?? 'default';
  // Else whatever listens there would be taken for the server that we start.
  for (const port of [options.port, options.uiPort]) {
    if (port === undefined || !(await isListening(port))) continue;
    throw new Error(
      `Port ${port} of 127.0.0.1 is already in use, so the Temporal dev server cannot have it. ` +
        'Stop what listens there, or choose another port.',
    );
  }
  const port = options.port ?? (await freePort(7233));
  const uiPort = options.uiPort ?? (await freePort(8233));
  const logFile = resolve(options.logFile);
  await mkdir(dirname(logFile), { recursive: true });
  if (options.dbFile !== undefined) await mkdir(dirname(resolve(options.dbFile)), { recursive: true });
  const givePortsBack = (): void => {
    if (options.port === undefined) givePortBack(port);
    if (options.uiPort === undefined) givePortBack(uiPort);
  };

  const address = `127.0.0.1:${port}`;
  const start = async (): Promise<ServerProcess> => {
    const started = await startServerProcess({
      name: 'The Temporal dev server',
      command: options.binary,
      args: serverArguments(options, namespace, port, uiPort),
      env: serverEnvironment(),
      logFile,
      stopSignal: 'SIGTERM',
    });
    try {
      await answers(started, { address, namespace, logFile, progress: options.progress ?? silently });
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    }
  };
  let server = await start().catch((error: unknown) => {
    givePortsBack();
    throw error;
  });
  return {
    address,
    uiUrl: `http://127.0.0.1:${uiPort}`,
    namespace,
    get pid() {
      return server.pid;
    },
    logFile,
    ended: () => server.ended,
    restart: async () => {
      // One that is sick or stopped heeds no other signal.
      await server.stop('SIGKILL');
      server = await start();
    },
    stop: async () => {
      // Ending in good order takes over a second, and without a file there is nothing to be written out.
      await server.stop(options.dbFile === undefined ? 'SIGKILL' : 'SIGTERM', 10_000);
      givePortsBack();
    },
  };
}

function serverArguments(
  options: TemporalOptions,
  namespace: string,
  port: number,
  uiPort: number,
): readonly string[] {
  const args = [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--ui-port',
    String(uiPort),
  ];
  args.push('--headless=false', '--log-level', 'error');
  if (namespace !== 'default') args.push('--namespace', namespace);
  if (options.dbFile !== undefined) args.push('--db-filename', resolve(options.dbFile));
  for (const [name, type] of Object.entries(options.searchAttributes ?? {})) {
    args.push('--search-attribute', `${name}=${type}`);
  }
  return [...args, ...(options.extraArgs ?? [])];
}

/** Without TEMPORAL_*: those are for clients of some other server, and the CLI reads them as its own flags. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}

/** It answers, and its own namespace is not there. */
class NamespaceMissing extends Error {}

interface Starting {
  readonly address: string;
  readonly namespace: string;
  readonly logFile: string;
  readonly progress: Progress;
}

/** The server is up when its namespace can be described: the port opens before the namespace is made. */
async function answers(
  server: ServerProcess,
  { address, namespace, logFile, progress }: Starting,
): Promise<void> {
  const begun = Date.now();
  let wrong = 'nothing listens there';
  let missingSince: number | undefined;
  let said = '';
  const stillStarting = async (): Promise<void> => {
    const waited = Date.now() - begun;
    const fail = async (what: string, Kind: new (message: string) => Error = Error): Promise<never> => {
      throw new Kind(
        `The Temporal dev server ${what} on ${address}. The end of its log, ${logFile}:\n${await lastLines(logFile)}`,
      );
    };
    if (!server.running()) await fail(`ended while starting (${await server.ended})`);
    if (waited > START_TIMEOUT_MS) await fail(`did not answer within a minute (${wrong})`);
    if (missingSince !== undefined && Date.now() - missingSince > NAMESPACE_TIMEOUT_MS) {
      await fail(`does not know its own namespace (${wrong})`, NamespaceMissing);
    }
    if (waited > SILENT_START_MS && said !== wrong) {
      progress(`Waiting for the Temporal dev server on ${address}: ${wrong}`);
      said = wrong;
    }
  };
  const every50ms = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await condition())) {
      await stillStarting();
      await new Promise((wake) => setTimeout(wake, 50));
    }
  };

  // A gRPC client waits a second before it tries a refused port again; so wait for the port without one.
  const port = Number(address.split(':')[1]);
  await every50ms(() => isListening(port));
  const { Connection } = await import('@temporalio/client');
  const connection = Connection.lazy({ address });
  try {
    await every50ms(() =>
      connection
        .withDeadline(Date.now() + 1000, () => connection.workflowService.describeNamespace({ namespace }))
        .then(
          () => true,
          (error: { readonly code?: number; readonly details?: string; readonly message: string }) => {
            wrong = error.details ?? error.message;
            missingSince = error.code === NOT_FOUND ? (missingSince ?? Date.now()) : undefined;
            return false;
          },
        ),
    );
  } finally {
    await connection.close();
  }
}

/** A status of gRPC. */
const NOT_FOUND = 5;
