/** What users do within a session: pages that load, requests behind them, and taps. */

import type { Draws } from '../leanplum/draws.js';
import { timings, type UserAction } from './session.js';
import type { Application } from './users.js';

export interface ActionToMake {
  readonly draws: Draws;
  readonly application: Application;
  /** Epoch milliseconds. */
  readonly start: number;
  /** Within its session, from 0. */
  readonly index: number;
  readonly older: boolean;
  /** What a browser monitor did, where one drives the browser. */
  readonly synthetic?: { readonly name: string; readonly id: string } | undefined;
}

const pages = ['/', '/ferries', '/ferries/night-line', '/berths?week=47&from=é', '/basket', '/pay'] as const;
const taps = ['Tap on "Depart"', 'Berth picked', 'Ticket shown', 'Swipe to pay', 'Weather opened'] as const;
const apdex = ['SATISFIED', 'SATISFIED', 'TOLERATING', 'FRUSTRATED', 'UNKNOWN'] as const;

type Measured = Partial<UserAction>;

export function makeAction(action: ActionToMake): UserAction {
  const { draws, application, start, index, older } = action;
  const type = typeOf(action);
  const duration = type === 'Load' ? 300 + draws.below(4_000) : draws.below(900);
  const page = draws.pick(pages);
  const head = {
    ...{ name: nameOf(type, page, draws), type, startTime: start, endTime: start + duration, duration },
    ...{ application: application.name, apdexCategory: draws.pick(apdex), hasCrash: false },
  };
  if (application.type === 'CUSTOM_APPLICATION') return head;
  const measured = measuredOf(type, start, duration, draws);
  if (older) return { ...head, ...measured, ...olderCounts(type, draws) };
  return {
    ...head,
    ...{ internalApplicationId: application.id, domain: application.domain },
    targetUrl:
      type === 'Load' || type === 'Xhr'
        ? `https://${application.domain ?? 'api.harbour.example'}${page}`
        : null,
    ...measured,
    ...laterMeasures(type, duration, draws),
    ...propertiesOf(index, start, draws),
    syntheticEvent: action.synthetic?.name,
    syntheticEventId: action.synthetic?.id,
    interactionToNextPaint: index === 3 ? 40 + draws.below(200) : undefined,
  };
}

function typeOf({ application, index, draws, synthetic, older }: ActionToMake): UserAction['type'] {
  if (synthetic !== undefined) return index === 0 ? 'SyntheticHiddenAction' : 'Load';
  if (application.type !== 'WEB_APPLICATION') {
    return index === 2 && !older ? 'UserSessionProperties' : 'Custom';
  }
  if (index === 0) return 'Load';
  return draws.pick(['Xhr', 'Xhr', 'Xhr', 'Load', 'Custom', 'RageClick', 'Error', 'VisitTag', 'EndVisit']);
}

function nameOf(type: UserAction['type'], page: string, draws: Draws): string {
  if (type === 'Load') return `Loading of page ${page}`;
  if (type === 'Xhr') return `Click on "${page.slice(1) || 'home'}"`;
  return draws.pick(taps);
}

/** What could not be measured is null, rather than left out. */
function measuredOf(type: UserAction['type'], start: number, duration: number, draws: Draws): Measured {
  const nothing = Object.fromEntries(timings.map((timing) => [timing, null]));
  const resources = {
    ...{ thirdPartyResources: null, thirdPartyBusyTime: 0, cdnResources: null, cdnBusyTime: 0 },
    ...{ firstPartyResources: null, firstPartyBusyTime: 0 },
  };
  if (type !== 'Load' && type !== 'Xhr') return { ...nothing, ...resources };
  const share = (of: number): number => Math.floor(duration * of);
  const request = {
    ...{ requestStart: share(0.05), responseStart: share(0.3), responseEnd: share(0.4) },
    ...{ networkTime: share(0.1), serverTime: share(0.25), frontendTime: share(0.6) },
    ...{ thirdPartyResources: draws.below(6), thirdPartyBusyTime: share(0.1), cdnResources: draws.below(12) },
    ...{ cdnBusyTime: share(0.15), firstPartyResources: 1 + draws.below(9), firstPartyBusyTime: share(0.2) },
  };
  if (type === 'Xhr') return { ...nothing, ...request, visuallyCompleteTime: share(0.95) };
  return {
    ...request,
    ...{ navigationStart: start, speedIndex: share(0.55), visuallyCompleteTime: duration },
    ...{ documentInteractiveTime: share(0.5), domContentLoadedTime: share(0.6), domCompleteTime: share(0.8) },
    ...{ loadEventStart: share(0.8), loadEventEnd: share(0.85) },
  };
}

function olderCounts(type: UserAction['type'], draws: Draws): Measured {
  const failed = type === 'Load' || type === 'Xhr' ? draws.below(2) : null;
  return {
    errorCount: type === 'Error' ? 1 : 0,
    ...{ failedImages: failed, failedXhrRequests: failed, httpRequestsWithErrors: failed },
  };
}

function laterMeasures(type: UserAction['type'], duration: number, draws: Draws): Measured {
  const isLoad = type === 'Load';
  return {
    ...{ customErrorCount: 0, javascriptErrorCount: type === 'Error' ? 1 : 0 },
    requestErrorCount: type === 'Xhr' ? draws.below(2) : 0,
    cumulativeLayoutShift: isLoad ? draws.below(1_000) / 4_096 : null,
    firstInputDelay: isLoad ? draws.below(30) : null,
    largestContentfulPaint: isLoad ? Math.floor(duration * 0.7) : null,
    totalBlockingTime: isLoad ? draws.below(90) : null,
    keyUserAction: type === 'Xhr',
    internalKeyUserActionId: type === 'Xhr' ? 'APPLICATION_METHOD-6C20E9B1F4A7D358' : null,
  };
}

/** Every third action has some, in all four lists. */
function propertiesOf(index: number, start: number, draws: Draws): Measured {
  if (index % 3 !== 1) return { matchingConversionGoals: [], userActionPropertyCount: 0 };
  return {
    matchingConversionGoals: ['Ticket bought'],
    userActionPropertyCount: 4,
    stringProperties: [{ key: 'line', value: draws.pick(['night', 'day', 'Fähre "7"']) }],
    longProperties: [{ key: 'berths', value: draws.below(4) }],
    doubleProperties: [{ key: 'fare', value: draws.below(20_000) / 100 }],
    dateProperties: [{ key: 'departs', value: new Date(start + 86_400_000).toISOString() }],
  };
}
