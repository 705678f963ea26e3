import type { Delivery } from '../model/delivery.js';
import type { Sighting } from '../vendors/completion.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';

export function createLook({ source }: Dependencies) {
  /** Looks for the marker of a delivery. Lists one level: credentials may be good for listing but not for asking for one key. */
  return async function look({ source: name, type, date }: Delivery): Promise<Sighting> {
    const { vendor, store } = source(name);
    let objects = 0;
    return withHeartbeat(
      () => ({ objects }),
      async (signal) => {
        let sighting = vendor.sight(type, date, undefined, []);
        for await (const page of store.list(vendor.prefix(type, date), { depth: 'level', signal })) {
          objects += page.files.length;
          sighting = vendor.sight(type, date, sighting, page.files);
          // A day may have 20,000 parts, which come after its marker.
          if (sighting.marker) break;
        }
        return sighting;
      },
    );
  };
}
