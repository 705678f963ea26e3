/** How long the receiver waits for what, in milliseconds. */
export interface ReceiverTimes {
  /** For the head of a request. */
  readonly head: number;
  /** Without a byte of a body. */
  readonly stall: number;
  /** For a whole body: Dynatrace gives up after 30 seconds. */
  readonly body: number;
  /** For a place in memory. */
  readonly wait: number;
  /** For all of a request that holds memory, its answer included. */
  readonly hold: number;
  /** For the rest of a body that was refused. */
  readonly linger: number;
  /** For a connection to Postgres, and for a statement. */
  readonly statement: number;
  /** For requests under way when the receiver stops. */
  readonly grace: number;
  /** While Postgres is away, between looks at what came before the start. */
  readonly announce: number;
  /** Between looks at certificate and key. */
  readonly certificate: number;
}

export const usualTimes: ReceiverTimes = {
  head: 10_000,
  stall: 10_000,
  body: 30_000,
  wait: 10_000,
  hold: 60_000,
  linger: 10_000,
  statement: 10_000,
  grace: 20_000,
  announce: 5_000,
  certificate: 5_000,
};
