import type { Delivery } from '../model/delivery.js';
import type { Sighting } from '../vendors/completion.js';
import type { ReadTexts } from '../vendors/vendor.js';
import type { Dependencies, OpenSource } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { inFolder } from './in-folder.js';
import { readTexts } from './read-texts.js';

export interface Looked {
  readonly sighting: Sighting;
  /** Its manifests, where it has such. */
  readonly read: ReadTexts;
}

export function createLook({ source, spoolDirectory }: Dependencies) {
  /** Looks whether there is something to load. */
  return async function look(delivery: Delivery): Promise<Sighting> {
    const opened = source(delivery.source);
    const progress = { objects: 0 };
    return withHeartbeat(
      () => progress,
      async (signal) =>
        (await lookAt(opened, delivery, spoolDirectory, signal, (count) => (progress.objects += count)))
          .sighting,
    );
  };
}

/** Lists one level: credentials may be good for listing but not for asking for one key. */
export async function lookAt(
  { vendor, storeOf }: OpenSource,
  delivery: Delivery,
  spoolDirectory: string,
  signal: AbortSignal,
  onListed: (count: number) => void,
): Promise<Looked> {
  const { type, date } = delivery;
  const store = storeOf(delivery);
  const look = vendor.look(delivery);
  for await (const page of store.list(vendor.prefix(type, date), { depth: 'level', signal })) {
    onListed(page.files.length);
    if (look.see(page.files)) break;
  }
  const files = look.toRead();
  const read: ReadTexts =
    files.length === 0
      ? new Map()
      : await inFolder(spoolDirectory, (folder) => readTexts(store, files, folder, signal));
  return { sighting: look.sighting(read), read };
}
