import { secret } from '../../config/secret.js';
import {
  startLeanplumApi,
  type LeanplumApiOptions,
  type LeanplumApiServer,
  type ScriptedExport,
} from '../../sandbox/leanplum/api.js';
import type { LeanplumApi } from '../../stores/leanplum-api.js';
import { pacificDay } from '../../vendors/leanplum/pacific.js';

export const appId = 'app_7';
export const clientKey = 'exp_do-not-tell';
/** What no error, history or output may show. */
export const hidden = [clientKey, 'do-not-tell', 'AKIADONOTTELL', 'signature='] as const;

export const uuid = 'd5969d55-f242-48a6-85a3-165af08e2306';

/** The name of an exported file by what follows `-output`: `-0`, `sessions-0`. */
export const named = (what: string, job = uuid): string => `export-4727756026281984-${job}-output${what}`;

export const exported = (...files: readonly (readonly [what: string, text: string])[]): ScriptedExport => ({
  files: files.map(([what, text]) => ({ name: named(what), bytes: Buffer.from(text) })),
  sessions: files.length,
});

/** A Leanplum that exports this, and how it is spoken to. */
export interface ApiPlace {
  readonly server: LeanplumApiServer;
  readonly api: LeanplumApi;
}

export async function withApi<T>(
  options: Partial<LeanplumApiOptions>,
  work: (place: ApiPlace) => Promise<T>,
): Promise<T> {
  const server = await startLeanplumApi({
    ...{ appId, clientKey, make: () => exported(['-0', 'a session\n']) },
    ...options,
  });
  try {
    return await work({ server, api: { appId, clientKey: secret(clientKey), url: server.url } });
  } finally {
    await server.stop();
  }
}

/** The Pacific day some days ago. */
export function daysAgo(days: number): string {
  return pacificDay(Date.now() - days * 86_400_000);
}
