/**
 * What a user session is, in the vendor's fields. Null is null, and what is undefined is a key that is left out. Times are
 * UTC milliseconds, and so are durations; a bigint is a whole number of up to 64 bits.
 *
 * There are two generations of documents: the older one names places and systems otherwise, has tags for properties and
 * counts other things of an action.
 */

export type Maybe<T> = T | null | undefined;

export interface Property<T> {
  readonly key: string;
  readonly value: T;
}

/** Of sessions and of actions. */
export interface Properties {
  readonly stringProperties?: readonly Property<string>[] | undefined;
  readonly longProperties?: readonly Property<number | bigint>[] | undefined;
  readonly doubleProperties?: readonly Property<number>[] | undefined;
  readonly dateProperties?: readonly Property<string>[] | undefined;
}

/** The older generation's properties. */
export interface Tags {
  readonly stringTags: Readonly<Record<string, string>>;
  readonly numTags: Readonly<Record<string, number>>;
  readonly dateTags: Readonly<Record<string, number>>;
}

/** Milliseconds since the action's start; `navigationStart` alone is an instant. */
export const timings = [
  'speedIndex',
  'networkTime',
  'serverTime',
  'frontendTime',
  'documentInteractiveTime',
  'domCompleteTime',
  'domContentLoadedTime',
  'loadEventStart',
  'loadEventEnd',
  'navigationStart',
  'requestStart',
  'responseStart',
  'responseEnd',
  'visuallyCompleteTime',
] as const;

/** The older generation does not have the last three. */
type Timing = (typeof timings)[number] | 'firstInputDelay' | 'largestContentfulPaint' | 'totalBlockingTime';

/** How many resources came from where, and how long they took. */
type Resources = `${'thirdParty' | 'firstParty' | 'cdn'}${'Resources' | 'BusyTime'}`;

type ErrorCounts =
  | 'customErrorCount'
  | 'javascriptErrorCount'
  | 'requestErrorCount'
  // The older generation's.
  | 'errorCount'
  | 'failedImages'
  | 'failedXhrRequests'
  | 'httpRequestsWithErrors';

export interface UserAction
  extends Properties, Readonly<Partial<Record<Timing | Resources | ErrorCounts, Maybe<number>>>> {
  readonly name: string;
  readonly type:
    | 'Custom'
    | 'EndVisit'
    | 'Error'
    | 'Load'
    | 'RageClick'
    | 'SyntheticHiddenAction'
    | 'UserSessionProperties'
    | 'VisitTag'
    | 'Xhr';
  readonly startTime: number;
  readonly endTime: number;
  readonly duration: number;
  readonly application: string;
  readonly internalApplicationId?: string;
  readonly domain?: Maybe<string>;
  readonly targetUrl?: Maybe<string>;
  readonly apdexCategory: 'FRUSTRATED' | 'SATISFIED' | 'TOLERATING' | 'UNKNOWN';
  readonly cumulativeLayoutShift?: Maybe<number>;
  readonly hasCrash?: boolean;
  readonly keyUserAction?: boolean;
  readonly internalKeyUserActionId?: Maybe<string>;
  readonly matchingConversionGoals?: readonly string[];
  readonly userActionPropertyCount?: number;
  readonly syntheticEvent?: Maybe<string>;
  readonly syntheticEventId?: Maybe<string>;
  /** Not on the page. */
  readonly interactionToNextPaint?: number | undefined;
}

type HappeningType =
  | 'Behavioral'
  | 'Crash'
  | 'Error'
  | 'PageChange'
  | 'RageClick'
  | 'RageTap'
  | 'UserTag'
  | 'UserTagFromMetaData'
  | 'VisitTag';

export interface SessionError {
  readonly type: HappeningType;
  readonly name: string;
  readonly startTime: number;
  readonly application: string;
  readonly internalApplicationId?: string;
  readonly domain?: Maybe<string>;
}

export interface SessionEvent extends SessionError {
  readonly metadata?: string;
  readonly page?: string;
  readonly pageGroup?: string;
  readonly pageReferrer?: string;
  readonly pageReferrerGroup?: string;
}

export interface SyntheticEvent {
  readonly type: string;
  readonly name: string;
  readonly sequenceNumber: number;
  readonly syntheticEventId: string;
  readonly timestamp: number;
  readonly errorCode?: number;
  readonly errorName?: string;
}

/** Where the user was, by the address. */
export type Place =
  | Readonly<Partial<Record<'continent' | 'country' | 'region' | 'city', Maybe<string>>>>
  | Readonly<Partial<Record<`geolocation${'Continent' | 'Country' | 'Region' | 'City'}Name`, Maybe<string>>>>;

/** With what the user came. */
export interface Device {
  readonly browserType?: string;
  readonly browserFamily?: string;
  readonly browserMajorVersion?: string;
  readonly manufacturer?: Maybe<string>;
  readonly device?: Maybe<string>;
  readonly displayResolution?: Maybe<string>;
  readonly screenHeight?: Maybe<number>;
  readonly screenWidth?: Maybe<number>;
  readonly screenOrientation?: 'LANDSCAPE' | 'PORTRAIT' | 'UNDEFINED';
  readonly carrier?: Maybe<string>;
  readonly networkTechnology?: Maybe<string>;
  readonly connectionType?: 'LAN' | 'MOBILE' | 'OFFLINE' | 'UNKNOWN' | 'WIFI';
  readonly appVersion?: string;
  readonly clientType?: string;
  readonly rootedOrJailbroken?: Maybe<boolean>;
  readonly osFamily?: string;
  readonly osVersion?: string;
  readonly osFamilyName?: string;
  readonly osVersionName?: string;
}

export interface SessionReplay {
  readonly hasSessionReplay?: boolean;
  readonly replayStart?: Maybe<number>;
  readonly replayEnd?: Maybe<number>;
  readonly reasonForNoSessionReplay?: Maybe<string>;
  readonly reasonForNoSessionReplayMobile?: Maybe<string>;
}

export interface SessionHead {
  readonly tenantId: string;
  /** The parts of a session have the same. */
  readonly userSessionId: string;
  readonly partNumber?: number | undefined;
  readonly startTime: number;
  readonly endTime: number;
  readonly duration: number;
  readonly internalUserId: string;
  readonly userId?: Maybe<string>;
  readonly userType: 'REAL_USER' | 'ROBOT' | 'SYNTHETIC';
  readonly applicationType: 'CUSTOM_APPLICATION' | 'MOBILE_APPLICATION' | 'WEB_APPLICATION';
  readonly bounce: boolean;
  readonly newUser: boolean;
  readonly hasError?: boolean;
  readonly hasCrash?: boolean;
  readonly crashGroupId?: Maybe<string>;
  readonly userActionCount: number;
  readonly totalErrorCount: number;
  readonly totalLicenseCreditCount?: number;
  readonly matchingConversionGoals?: readonly string[];
  readonly matchingConversionGoalsCount?: number;
  readonly ip: string;
  readonly isp?: Maybe<string>;
  readonly browserMonitorId?: string;
  readonly browserMonitorName?: string;
  readonly clientTimeOffset?: Maybe<number>;
  readonly numberOfRageClicks?: Maybe<number>;
  readonly numberOfRageTaps?: Maybe<number>;
  readonly userExperienceScore?: 'FRUSTRATED' | 'SATISFIED' | 'TOLERATED' | 'UNDEFINED';
  readonly endReason?: string;
  /** Not on the page. */
  readonly consentMode?: string | undefined;
}

export type UserSession = SessionHead &
  Place &
  Device &
  SessionReplay &
  Properties &
  Partial<Tags> & {
    readonly userActions: readonly UserAction[];
    readonly events: readonly SessionEvent[];
    readonly errors: readonly SessionError[];
    readonly syntheticEvents?: readonly SyntheticEvent[];
  };

/** A line of a body, without its line feed. */
export function sessionLine(session: UserSession): string {
  const text = JSON.stringify(session, (_, value: unknown) =>
    typeof value === 'bigint' ? `whole:${value}` : value,
  );
  return text.replaceAll(/"whole:(-?\d+)"/g, '$1');
}

/** Dynatrace's own key of a session, as its Elasticsearch form has it. */
export function sessionKey({ tenantId, userSessionId, startTime }: SessionHead): string {
  return `${tenantId}-${userSessionId}-${startTime}`;
}
