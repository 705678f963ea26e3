/** What happens in a visit: variants and page events that are seen, and products that are looked at, carted and bought. */

import type { Draws } from '../leanplum/draws.js';
import { pageEvents, variants } from './names.js';
import type { FirstSeen, Item, PurchaseLines } from './session.js';
import type { Visit } from './visits.js';

/** Ids without a name: both were deleted before anybody asked what they were called. */
export const forgottenVariant = '100900';
export const forgottenPageEvent = '200900';

/** Of which fields may hold some more: "this upper limit is not hard". */
const mostEntries = 1_003;
const products = 400;

const experiences = [...new Set(variants.map((variant) => variant.experience_id))].map((experience) =>
  variants.filter((variant) => variant.experience_id === experience).map(({ id }) => id),
);

export interface Purchase extends PurchaseLines {
  readonly id: string;
  readonly cents: number;
}

/** The variants of a visitor are the same at every visit. */
export function offersOf({ number, visitor, views, ...visit }: Visit, draws: Draws): FirstSeen {
  const seen = experiences.flatMap((splits, experience) => {
    const split = splits[(visitor * 7 + experience * 5 + Math.floor(visitor / 3)) % splits.length];
    // Each page shows one more of them, and not everybody gets everything.
    return split === undefined || experience > views || draws.below(5) === 0
      ? []
      : [[split, moment(visit, experience, views)] as const];
  });
  return Object.fromEntries([
    ...seen,
    ...(number % 40 === 20 ? [[forgottenVariant, visit.start] as const] : []),
  ]);
}

export function pageEventsOf({ number, views, ...visit }: Visit, draws: Draws): FirstSeen {
  const count = Math.min(draws.below(4), views);
  const seen = Array.from({ length: count }, (_, index) => {
    const { id } = pageEvents[draws.below(pageEvents.length)] ?? { id: forgottenPageEvent };
    return [id, moment(visit, index, views)] as const;
  });
  const forgotten = number % 50 === 10 ? [[forgottenPageEvent, visit.start] as const] : [];
  // Of an event that happens again the first time counts.
  return Object.fromEntries([...seen.reverse(), ...forgotten]);
}

/** Every second page is a product's, after the first. */
export function productViews({ views }: Pick<Visit, 'views'>): number {
  return Math.floor(views / 2);
}

export function viewLinesOf(visit: Visit, draws: Draws): readonly Item[] {
  return Array.from({ length: Math.min(productViews(visit), mostEntries) }, (_, index) => ({
    product_id: productId(draws.below(products)),
    time: moment(visit, index * 2 + 1, visit.views),
  }));
}

/** Of bots every second one fills its cart, up to the limit. Others put into it some of what they saw. */
export function cartLinesOf(visit: Visit, seen: readonly Item[], draws: Draws): readonly Item[] {
  if (visit.views > 2_000) return visit.number % 1_000 === 250 ? seen.slice(0, 1_000).map(cartLine) : [];
  if (draws.below(5) < 2) return [];
  return seen
    .filter((_, index) => index % 3 === 0)
    .slice(0, 5)
    .map(cartLine);
}

/** Both experiments at the checkout work: the bolder one more. */
export function purchasesOf(
  { date, number, start, active }: Visit & { readonly date: string },
  cart: readonly Item[],
  offers: FirstSeen,
  draws: Draws,
): readonly Purchase[] {
  const chance = 35 + (offers['100017'] ? 25 : 0) + (offers['100018'] ? 10 : 0);
  if (cart.length === 0 || cart.length > 5 || draws.below(100) >= chance) return [];
  const day = date.replaceAll('-', '');
  // Some come back for what they left in the cart.
  const baskets = cart.length > 2 && number % 3 === 0 ? [cart.slice(0, 2), cart.slice(2)] : [cart];
  return baskets.map((basket, index) => {
    const cents = basket.reduce((sum, item) => sum + centsOf(item.total_value), 0);
    return {
      id: `W${day}-${number}${index === 0 ? '' : '-b'}`,
      ...{ cents, total_value: cents / 100, time: start + active - (baskets.length - 1 - index) * 1_000 },
      items: basket.map(({ product_id, sku, unit_price, quantity }) => ({
        ...{ product_id, sku, unit_price, quantity },
      })),
    };
  });
}

function centsOf(money: number | undefined): number {
  return Math.round((money ?? 0) * 100);
}

function productId(product: number): string {
  return `p-${1_000 + product}`;
}

function cartLine({ product_id, time }: Item, index: number): Item {
  const product = Number(product_id.slice(2));
  const cents = 995 + ((product * 1_737) % 18_000);
  const quantity = 1 + ((product + index) % 3 === 2 ? 1 + (product % 2) : 0);
  return {
    product_id,
    // Not everything has sizes.
    ...(product % 9 === 0 ? {} : { sku: `${product_id}-${['S', 'M', 'L'][product % 3] ?? 'M'}` }),
    ...{ time, unit_price: cents / 100, quantity, total_value: (cents * quantity) / 100 },
  };
}

/** When a page is seen: pages are spread evenly over the visit. */
function moment({ start, active }: Pick<Visit, 'start' | 'active'>, page: number, views: number): number {
  return start + Math.floor((active * Math.min(page, views - 1)) / Math.max(1, views - 1));
}
