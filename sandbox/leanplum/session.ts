/**
 * What a session is, in the vendor's fields and their order. A bigint is a whole number of up to 64 bits, a number a
 * double, and what is undefined is a key that is left out.
 */

/** Seconds since 1970, UTC, to the millisecond. Real lines have them in quotes: `"1.591474962721E9"`. */
export type Instant = number | string;

/** Values are text; what is not is seldom. */
export type Attributes = Readonly<Record<string, string | bigint | boolean>>;

export interface Event {
  readonly eventId: bigint;
  readonly name: string;
  readonly time: Instant;
  readonly value: number;
  readonly info?: string | undefined;
  readonly timeUntilFirstForUser?: number | undefined;
  readonly parameters?: Attributes | undefined;
}

/** Without a name it is a 'dummy', which only wraps the events that have no parent: it has an id and events. */
export interface State {
  readonly stateId: bigint;
  readonly name?: string | undefined;
  readonly info?: string | undefined;
  readonly time?: Instant | undefined;
  /** Seconds. */
  readonly duration?: number | undefined;
  readonly timeUntilFirstForUser?: number | undefined;
  readonly parameters?: Attributes | undefined;
  readonly events: readonly Event[];
}

export interface Experiment {
  readonly id: bigint;
  readonly variantId: bigint;
  readonly impressed?: boolean | undefined;
}

/** Where the user was. Absent where the vendor could not tell. */
export interface Place {
  readonly country?: string | undefined;
  readonly timezone?: string | undefined;
  readonly region?: string | undefined;
  readonly city?: string | undefined;
  readonly locale?: string | undefined;
  /** Degrees, as text. */
  readonly lat?: string | undefined;
  readonly lon?: string | undefined;
  readonly timezoneOffsetSeconds: bigint;
}

export interface Device {
  readonly appVersion?: string | undefined;
  readonly deviceModel?: string | undefined;
  readonly systemName?: string | undefined;
  readonly systemVersion?: string | undefined;
  readonly client: string;
  readonly browserName?: string | undefined;
  readonly browserVersion?: string | undefined;
  readonly sdkVersion: string;
}

/** What made the user install the app. */
export interface Source {
  readonly sourcePublisherId?: string | undefined;
  readonly sourcePublisher?: string | undefined;
  readonly sourceSubPublisher?: string | undefined;
  readonly sourceSite?: string | undefined;
  readonly sourceCampaign?: string | undefined;
  readonly sourceAdGroup?: string | undefined;
  readonly sourceAd?: string | undefined;
}

export interface Session extends Place, Device, Source {
  /** False for "an offline event like 'MessageX Sent'": such records have a duration of 0, and events. */
  readonly isSession: boolean;
  readonly priorEvents: bigint;
  readonly priorStates: bigint;
  readonly priorSessions: bigint;
  readonly time: Instant;
  readonly deviceId?: string | undefined;
  readonly firstRun: Instant;
  readonly userId: string;
  /** Digits: text in JSON, a number in CSV. */
  readonly sessionId: string;
  /** Seconds, like `priorTimeSpentInApp`. */
  readonly duration: number;
  readonly priorTimeSpentInApp: number;
  readonly userBucket: bigint;
  readonly isDeveloper?: boolean | undefined;
  readonly experiments?: readonly Experiment[] | undefined;
  readonly states?: readonly State[] | undefined;
  readonly userAttributes?: Attributes | undefined;
}
