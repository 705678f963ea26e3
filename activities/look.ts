import type { DayDelivery } from '../model/delivery.js';
import type { Sighting } from '../vendors/optimizely/completion.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';

export function createLook({ source }: Dependencies) {
  /** Looks for the marker of a day. Lists one level, since the vendor's credentials may list but not ask for one key. */
  return async function look({ source: name, type, date }: DayDelivery): Promise<Sighting> {
    const { vendor, store } = source(name);
    const awaited = vendor.markerKey(type, date);
    let objects = 0;
    return withHeartbeat(
      () => ({ objects }),
      async (signal) => {
        for await (const page of store.list(vendor.dayPrefix(type, date), { depth: 'level', signal })) {
          objects += page.files.length;
          const marker = page.files.find((file) => file.key === awaited);
          if (marker) return { awaited, marker: { key: marker.key, version: marker.version } };
        }
        return { awaited };
      },
    );
  };
}
