/** What befalls a session besides what its user does: events, errors, and the steps of browser monitors. */

import type { Draws } from '../leanplum/draws.js';
import type { SessionError, SessionEvent, SyntheticEvent } from './session.js';
import type { Application } from './users.js';

export interface Surroundings {
  readonly draws: Draws;
  readonly application: Application;
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly userId: string | null | undefined;
  readonly older: boolean;
}

export function makeEvents({ draws, application, start, end, userId, older }: Surroundings): SessionEvent[] {
  const at = (share: number): number => start + Math.floor((end - start) * share);
  const where = whereOf(application, older);
  const isWeb = application.type === 'WEB_APPLICATION';
  return [
    ...(typeof userId === 'string'
      ? [{ type: 'UserTag', name: userId, startTime: at(0.1), ...where } as const]
      : []),
    ...(isWeb && !older
      ? [
          {
            ...({ type: 'PageChange', name: 'Ferries', startTime: at(0.3), ...where } as const),
            ...{ page: '/ferries/night-line', pageGroup: '/ferries/*' },
            ...{ pageReferrer: '/', pageReferrerGroup: '/' },
          },
        ]
      : []),
    ...(draws.below(6) === 0
      ? [
          {
            ...({
              type: isWeb ? 'RageClick' : 'RageTap',
              name: 'Pay',
              startTime: at(0.8),
              ...where,
            } as const),
            ...(older ? {} : { metadata: '{"taps":5,"within":"900 ms"}' }),
          },
        ]
      : []),
  ];
}

export function makeErrors({ draws, application, start, end, older }: Surroundings): SessionError[] {
  const where = whereOf(application, older);
  const crashed = application.type === 'MOBILE_APPLICATION' && draws.below(8) === 0;
  const errors = Array.from({ length: draws.below(4) === 0 ? 1 + draws.below(2) : 0 }, (_, index) => ({
    ...({ type: 'Error', name: 'TypeError: berth is undefined\n  at pick (berths.js:41)' } as const),
    ...{ startTime: start + index, ...where },
  }));
  return crashed
    ? [...errors, { type: 'Crash', name: 'BerthLostException', startTime: end, ...where }]
    : errors;
}

/** The steps of a browser monitor; its last one fails at times. */
export function makeSyntheticEvents({ draws, start }: Surroundings): readonly SyntheticEvent[] {
  const fails = draws.below(3) === 0;
  return (['Open the harbour', 'Type the line', 'Press "Search"'] as const).map((name, index) => ({
    ...{ type: ['navigate', 'keystrokes', 'click'][index] ?? 'click', name, sequenceNumber: index + 1 },
    ...{ syntheticEventId: `SYNTHETIC_TEST_STEP-00000000000041${index}C`, timestamp: start + index * 1_500 },
    ...(fails && index === 2 ? { errorCode: 1_401, errorName: 'The element was not found' } : {}),
  }));
}

type Where = Pick<SessionError, 'application' | 'internalApplicationId' | 'domain'>;

/** The older generation names the application by its id. */
function whereOf({ name, id, domain }: Application, older: boolean): Where {
  if (older) return { application: id };
  return { application: name, internalApplicationId: id, domain: domain ?? null };
}
