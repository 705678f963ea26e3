import { Context } from '@temporalio/activity';

/**
 * Runs a long step with a heartbeat from a timer, so that it goes on while a single statement takes minutes, and with
 * the signal that tells of cancellation, pause and worker shutdown. `details` is what the Web UI shows meanwhile.
 */
export async function withHeartbeat<T>(
  details: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const timeout = context.info.heartbeatTimeoutMs ?? 20_000;
  const beat = (): void => context.heartbeat(details());
  beat();
  const timer = setInterval(beat, Math.max(250, timeout / 4));
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
