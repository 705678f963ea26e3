import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { freePort, givePortBack, isListening } from './ports.js';
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
}

export interface TemporalServer {
  /** `127.0.0.1:7233` */
  readonly address: string;
  /** `http://127.0.0.1:8233` */
  readonly uiUrl: string;
  readonly namespace: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** It starts in under a second; a busy laptop gets more. */
const START_TIMEOUT_MS = 60_000;

/** Starts the Temporal dev server on 127.0.0.1. It stops with this process, however that ends. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnFreePorts(options);
    } catch (error) {
      // Someone may take a free port between our looking and the server's listening.
      const taken = (error as Error).message.includes('address already in use');
      const chosen = options.port !== undefined && options.uiPort !== undefined;
      if (!taken || chosen || attempt === 3) throw error;
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

  const server = await startServerProcess({
    name: 'The Temporal dev server',
    command: options.binary,
    args: serverArguments(options, namespace, port, uiPort),
    env: serverEnvironment(),
    logFile,
    stopSignal: 'SIGTERM',
  });
  const address = `127.0.0.1:${port}`;
  try {
    await answers(server, address, namespace, logFile);
  } catch (error) {
    await server.stop();
    givePortsBack();
    throw error;
  }
  return {
    address,
    uiUrl: `http://127.0.0.1:${uiPort}`,
    namespace,
    pid: server.pid,
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

/** The server is up when its namespace can be described: the port opens before the namespace is made. */
async function answers(
  server: ServerProcess,
  address: string,
  namespace: string,
  logFile: string,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  const stillStarting = async (): Promise<void> => {
    const ended = server.running() ? undefined : await server.ended;
    if (ended === undefined && Date.now() < deadline) return;
    const what = ended === undefined ? 'did not answer within a minute' : `ended while starting (${ended})`;
    throw new Error(
      `The Temporal dev server ${what} on ${address}. The end of its log, ${logFile}:\n` +
        (await lastLines(logFile)),
    );
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
          () => false,
        ),
    );
  } finally {
    await connection.close();
  }
}
