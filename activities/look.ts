import type { Delivery } from '../model/delivery.js';
import type { Sighting } from '../vendors/completion.js';
import type { LookedAt, ReadTexts } from '../vendors/vendor.js';
import { countUnseen } from '../warehouse/count-unseen.js';
import type { Dependencies, OpenSource } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { inFolder } from './in-folder.js';
import { readTexts } from './read-texts.js';

export interface LookStep extends LookedAt {
  readonly delivery: Delivery;
  /** Its files are to be compared with those that readers see, where its vendor's rule wants to know. */
  readonly compare?: boolean;
}

export interface Looked {
  readonly sighting: Sighting;
  /** Its manifests, where it has such. */
  readonly read: ReadTexts;
}

export function createLook(deps: Dependencies) {
  /** Looks whether there is something to load. */
  return async function look({ delivery, ...at }: LookStep): Promise<Sighting> {
    const opened = deps.source(delivery.source);
    const progress = { objects: 0 };
    return withHeartbeat(
      () => progress,
      async (signal) =>
        (await lookAt(deps, opened, delivery, at, signal, (count) => (progress.objects += count))).sighting,
    );
  };
}

/** Lists one level: credentials may be good for listing but not for asking for one key. */
export async function lookAt(
  { pool, spoolDirectory }: Pick<Dependencies, 'pool' | 'spoolDirectory'>,
  { vendor, storeOf }: OpenSource,
  delivery: Delivery,
  at: LookedAt,
  signal: AbortSignal,
  onListed: (count: number) => void,
): Promise<Looked> {
  const store = storeOf(delivery);
  const look = vendor.look(delivery, at);
  let enough = false;
  for (const prefix of look.prefixes) {
    if (enough) break;
    for await (const page of store.list(prefix, { depth: 'level', signal })) {
      onListed(page.files.length);
      enough = look.see(page);
      if (enough) break;
    }
  }
  const files = look.toRead();
  const read: ReadTexts =
    files.length === 0
      ? new Map()
      : await inFolder(spoolDirectory, (folder) => readTexts(store, files, folder, signal));
  const others = look.others?.() ?? [];
  const unseen = others.length === 0 ? 0 : await countUnseen(pool, delivery.source, others);
  return { sighting: look.sighting(read, unseen), read };
}
