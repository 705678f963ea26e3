/**
 * Made-up sessions with everything in them that the vendor's own have. What a session is follows from the seed and its
 * number alone; oddities come in turn rather than by chance, so that any 120 sessions in a row have all of them.
 */

import { drawsOf } from './draws.js';
import { doubleText } from './lines.js';
import type { Instant, Session } from './session.js';
import { deviceOf, placeOf, sourceOf } from './users.js';
import { experimentsOf, statesOf, attributesOf } from './happenings.js';

export interface SessionsToMake {
  /** Another seed is another world. Default `sample`. */
  readonly seed?: string;
  /** Number of the first one. Default 0. */
  readonly from?: number;
  readonly count: number;
  /**
   * Epoch milliseconds: all have begun by then, most of them in the six hours before, and one in 40 up to 8 days before,
   * which is how late sessions may come.
   */
  readonly until: number;
  /** Sent again, a session has grown: later versions have a state more than the one before. Default 1. */
  readonly version?: number;
}

const hour = 3_600_000;
const day = 24 * hour;

export function makeSessions({ count, from = 0, ...of }: SessionsToMake): readonly Session[] {
  return Array.from({ length: count }, (_, index) => sessionOf(from + index, of));
}

type Of = Pick<SessionsToMake, 'seed' | 'until' | 'version'>;

function sessionOf(number: number, { seed = 'sample', until, version = 1 }: Of): Session {
  const draws = drawsOf(`${seed} session ${number}`);
  const user = draws.below(400);
  const late = number % 40 === 39 ? draws.below(8 * day - 6 * hour) : 0;
  const begin = until - 1_000 - draws.below(6 * hour - 1_000) - late;
  const isSession = number % 7 !== 3;
  // The page shows the bare number, real lines the same in quotes.
  const instant = (ms: number): Instant => (number % 3 === 0 ? ms / 1_000 : doubleText(ms / 1_000));
  const states = statesOf({ seed, number, version, begin, isSession, instant });
  const seconds = 1 + version * 20 + draws.below(100_000) / 1_000;
  const place = placeOf(number);
  const device = deviceOf(number);
  const fields: Session = {
    isSession,
    appVersion: device.appVersion,
    country: place.country,
    timezone: place.timezone,
    region: place.region,
    city: place.city,
    locale: place.locale,
    deviceModel: device.deviceModel,
    priorEvents: BigInt(draws.below(900)),
    priorStates: BigInt(draws.below(300)),
    priorSessions: BigInt(draws.below(40)),
    systemName: device.systemName,
    systemVersion: device.systemVersion,
    time: instant(begin),
    deviceId: number % 31 === 30 ? undefined : `device-${user}`,
    firstRun: instant(begin - (user % 3 === 0 ? 0 : draws.below(300) * day)),
    ...sourceOf(number),
    userId: `user-${user}`,
    client: device.client,
    browserName: device.browserName,
    browserVersion: device.browserVersion,
    sdkVersion: device.sdkVersion,
    sessionId: String(BigInt.asUintN(63, draws.id())),
    lat: place.lat,
    lon: place.lon,
    duration: isSession ? Math.round(seconds * 1_000) / 1_000 : 0,
    priorTimeSpentInApp: draws.below(90_000_000) / 1_000,
    timezoneOffsetSeconds: place.timezoneOffsetSeconds,
    userBucket: BigInt(user * 2),
    isDeveloper: number % 4 === 0 ? undefined : number % 50 === 1,
    experiments: experimentsOf(number),
    states,
    userAttributes: attributesOf(number),
  };
  // Real lines do not keep to the page's order: a state's name may come after its events.
  return number % 6 === 5 ? backwards(fields) : fields;
}

function backwards(session: Session): Session {
  const states = session.states?.map(turned);
  return turned({ ...session, states });
}

/** The same fields in the other order. */
function turned<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).reverse()) as T;
}
