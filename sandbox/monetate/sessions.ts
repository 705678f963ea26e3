/**
 * Made-up sessions with everything in them that the vendor's own may have. What a session is follows from the seed, the
 * day on which it begins and its number on it.
 */

import { drawsOf } from '../leanplum/draws.js';
import {
  cartLinesOf,
  offersOf,
  pageEventsOf,
  productViews,
  purchasesOf,
  viewLinesOf,
  type Purchase,
} from './happenings.js';
import type { Flag, Session } from './session.js';
import { account, visitorOf } from './visitors.js';
import { endOf, visitsOf, type DayOfVisits, type Visit } from './visits.js';

export interface SessionsToMake extends DayOfVisits {
  /** Whether some have fields that are not on the vendor's page. Default false. */
  readonly unknownKeys?: boolean;
}

export interface SessionsOf extends Omit<SessionsToMake, 'sessions'> {
  readonly seed: string;
}

/** In the order of their numbers. The first visitors come at any hour. */
export function makeSessions(day: SessionsToMake): readonly Session[] {
  const of = { ...day, seed: day.seed ?? 'sample' };
  return visitsOf(day).map((visit) => sessionOf(visit, of));
}

export function sessionOf(visit: Visit, { date, seed, unknownKeys = false }: SessionsOf): Session {
  const { number, start, active, views } = visit;
  const draws = drawsOf(`${seed} ${date} session ${number}`);
  const visitor = visitorOf(seed, visit.visitor);
  const offers = offersOf(visit, draws);
  const pageEventIds = pageEventsOf(visit, draws);
  const seen = viewLinesOf(visit, draws);
  const cart = cartLinesOf(visit, seen, draws);
  const bought = purchasesOf({ ...visit, date }, cart, offers, draws);
  const cents = sum(bought, (purchase) => purchase.cents);
  const seconds = Math.floor(active / 1_000);
  const end = endOf(visit);
  const recommended = views > 3 && number % 2 === 0;
  const clicked = recommended && number % 6 === 0;
  /** A field that holds nothing is empty, null or not there at all. */
  const orNothing = <T extends object>(field: T, turn: number): T | null | undefined => {
    if (Object.keys(field).length > 0 || (number + turn) % 3 === 0) return field;
    return (number + turn) % 3 === 1 ? null : undefined;
  };
  return {
    account_id: account,
    ...visitor.device,
    cart_lines: orNothing(cart, 0),
    ...visitor.place,
    custom_targets: visitor.customTargets,
    customer_id: visitor.customer,
    customer_link: visitor.earlierCustomer,
    end_time: end,
    guid: visitor.guid,
    has_cart: flag(cart.length > 0),
    has_new_customer: flag(visitor.isNew),
    has_product_view: flag(seen.length > 0),
    has_purchase: flag(bought.length > 0),
    has_recommendation_cart: flag(clicked && cart.length > 0),
    has_recommendation_click: flag(clicked),
    has_recommendation_impression: flag(recommended),
    has_recommendation_purchase: flag(clicked && bought.length > 0),
    has_stealth: flag(visitor.isStealthy),
    is_bounce: flag(views === 1),
    is_closed: 't',
    offers: orNothing(offers, 1),
    page_event_ids: orNothing(pageEventIds, 2),
    page_views: views,
    page_views_ss: views ** 2,
    product_view_count: productViews(visit),
    purchase_count: bought.length,
    purchase_lines: orNothing(
      Object.fromEntries(
        bought.map(({ id, total_value, time, items }) => [id, { total_value, time, items }]),
      ),
      0,
    ),
    purchase_value_ss: sum(bought, (purchase) => purchase.cents ** 2) / 10_000,
    purchases: orNothing(valuesOf(bought), 1),
    session_count: 1,
    session_id: `${visitor.guid}:${bought.length}:${start}:${end}`,
    session_value: cents / 100,
    session_value_ss: cents ** 2 / 10_000,
    start_time: start,
    time_on_site: seconds,
    time_on_site_ss: seconds ** 2,
    view_lines: orNothing(seen, 2),
    ...(unknownKeys && number % 10 === 4 ? unknownTo(cents) : {}),
  };
}

function unknownTo(
  cents: number,
): Pick<Session, 'product_types_viewed' | 'session_value_from_recommendations'> {
  return { product_types_viewed: ['shoes', 'bags'], session_value_from_recommendations: cents / 200 };
}

function valuesOf(bought: readonly Purchase[]): Readonly<Record<string, number>> {
  return Object.fromEntries(bought.map(({ id, total_value }) => [id, total_value]));
}

function flag(is: boolean): Flag {
  return is ? 't' : 'f';
}

function sum<T>(of: readonly T[], value: (one: T) => number): number {
  return of.reduce((total, one) => total + value(one), 0);
}
