import type { Delivery } from '../model/delivery.js';
import type { Sighting } from '../vendors/completion.js';
import type { LookedAt, ReadTexts, SeenFile } from '../vendors/vendor.js';
import { compareFiles } from '../warehouse/compare-files.js';
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
  return async function look({ delivery, compare, ...at }: LookStep): Promise<Sighting> {
    const opened = deps.source(delivery.source);
    const progress = { objects: 0 };
    const count = (objects: number): void => void (progress.objects += objects);
    return withHeartbeat(
      () => progress,
      async (signal) => {
        const { sighting, read } = await lookAt(deps, opened, delivery, at, signal, count);
        const isWhole = sighting.marker !== undefined && sighting.whole !== false;
        if (compare !== true || opened.vendor.markerIsApart !== true || !isWhole) return sighting;
        const parts = listParts(opened, delivery, read, signal, count);
        return { ...sighting, changes: await compareFiles(deps.pool, delivery.id, parts, signal) };
      },
    );
  };
}

/** Pages of what a load would take. */
async function* listParts(
  { vendor, storeOf }: OpenSource,
  delivery: Delivery,
  read: ReadTexts,
  signal: AbortSignal,
  onListed: (count: number) => void,
): AsyncGenerator<readonly SeenFile[]> {
  const sorting = vendor.sorting(delivery, { take: 'listed', read });
  const prefix = vendor.prefix(delivery.type, delivery.date);
  for await (const { files } of storeOf(delivery).list(prefix, { depth: vendor.depth, signal })) {
    onListed(files.length);
    const parts = files.filter((file) => sorting.sort(file).kind === 'part');
    if (parts.length > 0) yield parts;
  }
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
