/** What a store gets over by itself, by trying again, is heard by the step that waits for it. */

import { AsyncLocalStorage } from 'node:async_hooks';

export interface FaultListener {
  /** Something failed, and the store tries it again. */
  readonly failed: (error: unknown) => void;
  /** Something came. */
  readonly recovered: () => void;
}

const listeners = new AsyncLocalStorage<FaultListener>();

/** Runs some work whose faults are told to a listener. */
export function hearFaults<T>(listener: FaultListener, work: () => Promise<T>): Promise<T> {
  return listeners.run(listener, work);
}

export function reportFault(error: unknown): void {
  listeners.getStore()?.failed(error);
}

export function reportRecovery(): void {
  listeners.getStore()?.recovered();
}
