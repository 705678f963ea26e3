/**
 * Made-up user sessions of browsers, phones, kiosks and browser monitors, in both generations of documents. They follow from
 * the seed alone. Oddities come in turn rather than by chance.
 */

import { drawsOf } from '../leanplum/draws.js';
import { makeAction } from './actions.js';
import { makeErrors, makeEvents, makeSyntheticEvents, type Surroundings } from './happenings.js';
import type {
  Place,
  Properties,
  SessionHead,
  SessionReplay,
  Tags,
  UserAction,
  UserSession,
} from './session.js';
import { applications, tenant, userOf, type Application, type User } from './users.js';

export interface SessionsToMake {
  readonly sessions: number;
  /** When the first of them ends, in epoch milliseconds. */
  readonly from: number;
  /** Milliseconds from the end of one to that of the next. Default a second. */
  readonly every?: number;
  /** Another seed is another world. Default `sample`. */
  readonly seed?: string;
}

/** In the order in which they end; but a second part may last longer. 1,000 take 0.25 s, and have 4 kB each, from 0.7 kB to 20 kB. */
export function makeSessions({
  sessions,
  from,
  every = 1_000,
  seed = 'sample',
}: SessionsToMake): UserSession[] {
  return Array.from({ length: sessions }, (_, number) => makeSession(seed, number, from + number * every));
}

/** Of every 50, the one with this number is split: the next one is its second part. */
const split = 24;
/** Actions by which a session is split. The vendor's are about 200. */
const mostActions = 16;

interface Shape {
  readonly application: Application;
  readonly older: boolean;
  readonly monitored: boolean;
  readonly actions: number;
  /** From 0; undefined for what is not split. Which number the vendor begins with is not public. */
  readonly part: 0 | 1 | undefined;
}

function makeSession(seed: string, number: number, end: number): UserSession {
  const isSecond = number % 50 === split + 1;
  if (!isSecond) return sessionOf(seed, number, shapeOf(seed, number), { end });
  // What the two parts have in common follows from the first one's number.
  const first = sessionOf(seed, number - 1, shapeOf(seed, number - 1), { end });
  const shape = { ...shapeOf(seed, number - 1), part: 1, actions: 5 } as const;
  return sessionOf(seed, number - 1, shape, { start: first.endTime + 1_000 });
}

function shapeOf(seed: string, number: number): Shape {
  if (number % 50 === split) {
    return {
      ...{ application: applications.web, older: false, monitored: false },
      actions: mostActions,
      part: 0,
    };
  }
  const draws = drawsOf(`${seed} shape ${number}`);
  const turn = number % 20;
  const monitored = turn === 19;
  const application =
    turn < 12 || monitored ? applications.web : turn < 17 ? applications.mobile : applications.kiosk;
  // Most are short: a page and what is asked for behind it.
  const actions = 1 + Math.floor((draws.below(4) * draws.below(4) * draws.below(5)) / 3);
  return { ...{ application, monitored, actions, part: undefined }, older: number % 4 === 3 && !monitored };
}

function sessionOf(
  seed: string,
  number: number,
  shape: Shape,
  at: { readonly start: number } | { readonly end: number },
): UserSession {
  const { application, older, monitored, part } = shape;
  const draws = drawsOf(`${seed} session ${number} ${part ?? ''}`);
  const user = userOf(seed, number, application);
  const pause = 2_000 + draws.below(20_000);
  const lasts = shape.actions * pause;
  const start = 'start' in at ? at.start : at.end - lasts;
  const around: Surroundings = {
    ...{ draws, application, start, end: start + lasts, userId: user.userId, older },
  };
  const syntheticEvents = monitored ? makeSyntheticEvents(around) : [];
  const userActions = Array.from({ length: shape.actions }, (_, index) => {
    const step = syntheticEvents[index];
    const synthetic = step && { name: step.name, id: step.syntheticEventId };
    return makeAction({ draws, application, start: start + index * pause, index, older, synthetic });
  });
  const errors = makeErrors(around);
  const head = headOf({ seed, number, shape, user, around, userActions, errors: errors.length });
  const { osFamily, osVersion, ...device } = user.device;
  const system = older ? { osFamilyName: osFamily, osVersionName: osVersion } : { osFamily, osVersion };
  return {
    ...{ ...head, ...placeOf(user, older), ...system, ...device },
    ...(older ? tagsOf(number, start) : laterOf(number, around)),
    ...(application === applications.kiosk ? {} : crashOf(errors)),
    ...{ userActions, events: makeEvents(around), errors },
    ...(older ? {} : { syntheticEvents }),
  };
}

interface HeadToMake {
  readonly seed: string;
  readonly number: number;
  readonly shape: Shape;
  readonly user: User;
  readonly around: Surroundings;
  readonly userActions: readonly UserAction[];
  readonly errors: number;
}

function headOf({ seed, number, shape, user, around, userActions, errors }: HeadToMake): SessionHead {
  const { older, monitored, part, application } = shape;
  const { start, end, draws } = around;
  const last = userActions.at(-1)?.endTime ?? end;
  return {
    tenantId: tenant,
    userSessionId: sessionIdOf(seed, number, older),
    ...{ startTime: start, endTime: last, duration: last - start, partNumber: part },
    ...{ internalUserId: user.internalUserId, userId: user.userId },
    userType: monitored ? 'SYNTHETIC' : number % 30 === 7 ? 'ROBOT' : 'REAL_USER',
    ...{ applicationType: application.type, bounce: userActions.length <= 1, newUser: draws.below(3) === 0 },
    ...{ userActionCount: userActions.length, totalErrorCount: errors },
    ...{ ip: user.ip, isp: user.place.isp },
    ...(monitored
      ? { browserMonitorId: 'SYNTHETIC_TEST-52D09E7A31C4B86F', browserMonitorName: 'Harbour, every hour' }
      : {}),
  };
}

/** Both generations in their own way, as samples of the vendor have it. */
function sessionIdOf(seed: string, number: number, older: boolean): string {
  const base = drawsOf(seed).below(500_000_000);
  return older ? `${1_000 + (number % 400)}_${base + number}` : String(400_000_000 + base + number);
}

function placeOf({ place }: User, older: boolean): Place {
  const { continent, country, region, city } = place;
  return older
    ? {
        ...{ geolocationContinentName: continent, geolocationCountryName: country },
        ...{ geolocationRegionName: region, geolocationCityName: city },
      }
    : { continent, country, region, city };
}

/** Every third session has tags; the others have empty ones. */
function tagsOf(number: number, start: number): Tags {
  if (number % 3 !== 0) return { stringTags: {}, numTags: {}, dateTags: {} };
  return {
    stringTags: { tier: 'gold', 'port of call': 'Bergen' },
    numTags: { journeys: 12, balance: 40.25 },
    dateTags: { memberSince: start - 90 * 86_400_000 },
  };
}

/** What the older generation does not have. */
function laterOf(
  number: number,
  { application, draws, start, end }: Surroundings,
): Partial<SessionHead> & SessionReplay & Properties {
  if (application.type === 'CUSTOM_APPLICATION') return { endReason: 'END_EVENT' };
  const isWeb = application.type === 'WEB_APPLICATION';
  const replayed = isWeb && draws.below(4) === 0;
  return {
    ...(isWeb
      ? {
          ...{ hasSessionReplay: replayed, replayStart: replayed ? start : null },
          ...{ replayEnd: replayed ? end : null },
          ...{
            reasonForNoSessionReplay: replayed ? null : 'SAMPLED_OUT',
            numberOfRageClicks: draws.below(2),
          },
        }
      : { reasonForNoSessionReplayMobile: 'COST_CONTROL', numberOfRageTaps: draws.below(2) }),
    ...{ clientTimeOffset: draws.below(400) - 200, totalLicenseCreditCount: 1 },
    userExperienceScore: draws.pick(['SATISFIED', 'TOLERATED', 'FRUSTRATED', 'UNDEFINED']),
    endReason: number % 50 === split ? 'USER_ACTION_LIMIT' : draws.pick(['TIMEOUT', 'END_EVENT']),
    ...goalsOf(number),
    ...propertiesOf(number, start),
    consentMode: number % 17 === 4 ? 'asked' : undefined,
  };
}

function goalsOf(number: number): Partial<SessionHead> {
  const matchingConversionGoals = number % 5 === 0 ? ['Ticket bought', 'Berth "A" seen'] : [];
  return { matchingConversionGoals, matchingConversionGoalsCount: matchingConversionGoals.length };
}

/** The booking is beyond 2^53; every second date is in milliseconds, as text. */
function propertiesOf(number: number, start: number): Properties {
  if (number % 3 !== 0) {
    return { stringProperties: [], longProperties: [], doubleProperties: [], dateProperties: [] };
  }
  const since = start - 90 * 86_400_000;
  return {
    stringProperties: [{ key: 'tier', value: 'gold' }],
    longProperties: [
      { key: 'journeys', value: 12 },
      { key: 'booking', value: 9_007_199_254_740_993n + BigInt(number) },
    ],
    doubleProperties: [{ key: 'balance', value: 40.25 }],
    dateProperties: [
      { key: 'memberSince', value: number % 2 === 0 ? new Date(since).toISOString() : String(since) },
    ],
  };
}

function crashOf(errors: readonly { readonly type: string }[]): Partial<SessionHead> {
  const hasCrash = errors.some(({ type }) => type === 'Crash');
  return {
    ...{ hasCrash, hasError: errors.length > 0 },
    crashGroupId: hasCrash ? 'MOBILE_CRASH_GROUP-7D3A' : null,
  };
}
