import { DefaultLogger, Runtime } from '@temporalio/worker';

/** Must come before any other call of the SDK: the first one settles how much it logs. */
export function quietRuntime(): void {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    // Else the SDK takes Ctrl-C for itself, and the run goes on.
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  });
}

export async function shutDownRuntime(): Promise<void> {
  await Runtime.instance().shutdown();
}
