import { NativeConnection } from '@temporalio/worker';
import type { Config } from '../config/schema.js';
import type { TemporalAccess } from '../config/temporal.js';
import { createWorker, type LandfallWorker } from './create.js';

export interface RunOptions {
  readonly temporal: TemporalAccess;
  readonly postgresUrl: string;
}

export interface RunningWorker {
  /** Asks the worker to stop; `done` tells when it has. */
  readonly stop: () => void;
  /** Settles when the worker has stopped, after `stop` or a signal, or because it failed. */
  readonly done: Promise<void>;
}

/**
 * Starts a worker that takes steps of every configured source from the task queue; `installRuntime` comes before. When it
 * is stopped, steps under way get `worker.shutdownGraceTime` to finish and are handed back to the task queue then, so
 * that another worker has them within seconds.
 */
export async function startWorker(config: Config, options: RunOptions): Promise<RunningWorker> {
  const connection = await connect(options.temporal);
  let created: LandfallWorker;
  try {
    created = await createWorker({
      connection,
      namespace: options.temporal.namespace,
      taskQueue: config.temporal.taskQueue,
      postgresUrl: options.postgresUrl,
      sources: config.sources,
      ...config.worker,
      ...(config.worker.spoolDir === undefined ? {} : { spoolDirectory: config.worker.spoolDir }),
    });
  } catch (error) {
    await connection.close();
    throw error;
  }
  const { worker, close } = created;
  const done = worker.run().finally(async () => {
    await close();
    await connection.close();
  });
  return {
    stop: () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    },
    done,
  };
}

async function connect({ connectionOptions }: TemporalAccess): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(connectionOptions);
  } catch (error) {
    // The SDK's message is a dump of its transport's state; the part that tells a person something is its cause.
    const message = error instanceof Error ? error.message : String(error);
    const cause = /message: "([^"]+)" \}\)+$/.exec(message)?.[1] ?? message;
    throw new Error(
      `Temporal at ${connectionOptions.address} cannot be reached (${cause}). Check that it runs, and TEMPORAL_ADDRESS ` +
        `or the profile in temporal.toml.`,
      { cause: error },
    );
  }
}
