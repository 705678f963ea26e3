/** What happens in a made-up session: its states with their events, its experiments, and what is known of the user. */

import { drawsOf, type Draws } from './draws.js';
import type { Attributes, Event, Experiment, Instant, Session, State } from './session.js';

export interface Happening {
  readonly seed: string;
  /** Of the session. */
  readonly number: number;
  readonly version: number;
  /** Epoch milliseconds. */
  readonly begin: number;
  readonly isSession: boolean;
  /** How the session writes an instant that is given in epoch milliseconds. */
  readonly instant: (ms: number) => Instant;
}

/** Line breaks, quotes, commas, and characters beyond ASCII and beyond 16 bits. */
const oddTexts = [
  'She said "hi",\nand left → 東京',
  'first line\r\nsecond line, "quoted"',
  '🧦 naïve; a,b\t"c"',
  `back\\slash and 'single'`,
] as const;
const oddText = (number: number): string => oddTexts[number % oddTexts.length] ?? oddTexts[0];

/** `.m<message id> <Action>`; the name alone says that the message was sent. */
const messages = ['6678706135760896', '5104829960192000'] as const;
const actions = ['View', 'Accept', 'Open', 'Held Back'] as const;

const stateNames = ['Home', 'Catalogue', 'Basket', 'Réglages'] as const;
const eventNames = ['Opened shelf', 'Added to basket', 'Searched', 'Shared', 'Büchse geöffnet'] as const;

/** The same name has the same id wherever it happens, and so may repeat within a state. */
const idOfName = (name: string): bigint => drawsOf(name).id();

export function statesOf(of: Happening): readonly State[] | undefined {
  const { seed, number, version, isSession } = of;
  const draws = drawsOf(`${seed} states ${number}`);
  if (!isSession) return [dummy(draws, offlineEvents(of, draws))];
  const states: State[] = [];
  const isEmpty = number % 17 === 8;
  if (!isEmpty) {
    for (let count = 1 + draws.below(3); count > 0; count -= 1) states.push(stateOf(of, draws));
    // Back where the user came from: the state's id is there twice.
    if (number % 11 === 5) states.push(stateOf(of, draws, states[0]?.name));
    if (number % 4 === 2) states.push(dummy(draws, outsideEvents(of, draws)));
  }
  for (let more = 2; more <= version; more += 1) {
    const drawsOfMore = drawsOf(`${seed} states ${number} of version ${more}`);
    states.push(stateOf(of, drawsOfMore, `Page ${more}`));
  }
  return states.length === 0 && number % 2 === 0 ? undefined : states;
}

function stateOf(of: Happening, draws: Draws, name: string = draws.pick(stateNames)): State {
  const { number, begin, instant } = of;
  const events = Array.from({ length: draws.below(4) }, () => eventOf(of, draws, draws.pick(eventNames)));
  // The same event four times in one state, as one real line has it.
  if (number % 9 === 4) events.push(...fourTimes(of, draws));
  if (number % 5 === 1) events.push(purchase(of, draws));
  if (number % 7 === 4) {
    events.push(eventOf(of, draws, `.m${messages[0]} ${actions[draws.below(actions.length)] ?? actions[0]}`));
  }
  return {
    stateId: idOfName(`state ${name}`),
    name,
    info: number % 13 === 6 ? oddText(number) : undefined,
    time: instant(begin + draws.below(60_000)),
    duration: draws.below(30_000) / 1_000,
    timeUntilFirstForUser: number % 8 === 1 ? draws.below(1_000_000) / 1_000 : undefined,
    parameters: number % 3 === 2 ? { Tab: String(draws.below(5)), 'Came from': oddText(number) } : undefined,
    events,
  };
}

/** "A 'dummy' state with no name and a random ID." */
function dummy(draws: Draws, events: readonly Event[]): State {
  return { stateId: draws.id(), events };
}

/** What happens while the user is away. */
function offlineEvents(of: Happening, draws: Draws): readonly Event[] {
  const sent = eventOf(of, draws, `.m${messages[of.number % messages.length] ?? messages[0]}`);
  // A subscription renews itself.
  return of.number % 2 === 0 ? [sent] : [sent, purchase(of, draws)];
}

function outsideEvents(of: Happening, draws: Draws): readonly Event[] {
  const view = eventOf(of, draws, `.m${messages[1]} View`);
  return [view, { ...purchase(of, draws), info: oddText(of.number + 1) }];
}

function eventOf({ number, begin, instant }: Happening, draws: Draws, name: string): Event {
  const withParameters = draws.below(4) === 0;
  return {
    // The CSV export tells parameters by the event's id alone, so an event that has some has an id of its own.
    eventId: withParameters ? draws.id() : idOfName(`event ${name}`),
    name,
    time: instant(begin + draws.below(120_000)),
    value: draws.below(3) === 0 ? draws.below(1_000) / 8 : 0,
    info: number % 8 === 3 ? oddText(number) : undefined,
    timeUntilFirstForUser: number % 8 === 5 ? draws.below(1_000_000) / 1_000 : undefined,
    parameters: withParameters
      ? {
          How: draws.pick(['tap', 'swipe', 'search "more"']),
          ...(number % 12 === 7 ? { Count: 3n, Retry: false } : {}),
        }
      : undefined,
  };
}

function fourTimes(of: Happening, draws: Draws): readonly Event[] {
  const event: Event = { ...eventOf(of, draws, 'Scrolled'), eventId: idOfName('event Scrolled') };
  return Array.from({ length: 4 }, () => ({
    ...event,
    time: of.instant(of.begin + draws.below(120_000)),
    parameters: undefined,
  }));
}

function purchase(of: Happening, draws: Draws): Event {
  return {
    ...eventOf(of, draws, 'Purchase'),
    eventId: draws.id(),
    // Eighths can be added up in any order.
    value: 1 + draws.below(400) / 8,
    parameters: { Item: draws.pick(['Socks', 'Scarf, long', 'Ø 4 cup']), 'Currency code': 'EUR' },
  };
}

/** Events of one name then have one id in all sessions, also those with parameters, which CSV tells by nothing else. */
export function withSharedEventIds(session: Session): Session {
  const states = session.states?.map((state) => ({
    ...state,
    events: state.events.map((event) => ({ ...event, eventId: idOfName(`event ${event.name}`) })),
  }));
  return { ...session, states };
}

/** Some hold the same variant three times, as one real session has it. */
export function experimentsOf(number: number): readonly Experiment[] | undefined {
  if (number % 5 === 0) return undefined;
  if (number % 5 === 1) return [];
  const experiment = (which: number, impressed?: boolean): Experiment => ({
    id: BigInt(800_000_000 + which),
    variantId: BigInt(700_000_000 + which * 10 + (number % 2)),
    impressed,
  });
  if (number % 10 === 2) return [experiment(1), experiment(1), experiment(1, true)];
  return number % 5 === 3 ? [experiment(2, number % 2 === 0)] : [experiment(1), experiment(2, false)];
}

export function attributesOf(number: number): Attributes | undefined {
  if (number % 10 === 9) return undefined;
  return {
    'Newsletter Opt In': number % 3 === 0 ? 'True' : 'False',
    ...(number % 2 === 0 ? { 'Favourite colour': number % 4 === 0 ? 'bleu ciel' : 'green' } : {}),
    ...(number % 13 === 6 ? { 'Last "note"': oddText(number) } : {}),
    ...(number % 12 === 7 ? { Age: 41n, Subscribed: true } : {}),
  };
}
