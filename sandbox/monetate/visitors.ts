/** Who visits the made-up shop: what follows from the seed and the visitor's number, at every visit. */

import { drawsOf } from '../leanplum/draws.js';
import type { CustomTargets, Device, Place } from './session.js';

/** The vendor's id of the made-up account. */
export const account = 1234;

export interface Visitor {
  /** `account id:Monetate ID`. */
  readonly guid: string;
  readonly device: Device;
  readonly place: Place;
  /** Undefined: nobody who signs in. Null: signed out. */
  readonly customer: string | null | undefined;
  /** By which earlier visits were known. */
  readonly earlierCustomer: string | null | undefined;
  readonly isNew: boolean;
  readonly isStealthy: boolean;
  readonly customTargets: CustomTargets | null | undefined;
}

const phone: Device = {
  ...{ browser: 'Mobile Safari', browser_version: '26.1', device_type: 'Smartphone' },
  ...{ os: 'iOS', os_version: '26.1', screen_height: 844, screen_width: 390 },
};
const android: Device = {
  ...{ browser: 'Chrome Mobile', browser_version: '142.0.7444.59', device_type: 'Smartphone' },
  ...{ os: 'Android', os_version: '16', screen_height: 915, screen_width: 412 },
};
const tablet: Device = {
  // An inch sign, as some devices tell it.
  ...{ browser: 'Chrome', browser_version: '141.0.7390.122', device_type: 'Tablet 10"' },
  ...{ os: 'Android', os_version: '15', screen_height: 1_280, screen_width: 800 },
};
const desk: Device = {
  ...{ browser: 'Firefox', browser_version: '145.0', device_type: 'Desktop' },
  ...{ os: 'Linux', os_version: null, screen_height: 1_080, screen_width: 1_920 },
};
const devices = [phone, desk, android, phone, desk, tablet, android] as const;

const places: readonly [Place, ...Place[]] = [
  { city: 'Philadelphia', country_code: 'US', region: 'PA' },
  { city: 'München', country_code: 'DE', region: 'BY' },
  { city: '東京', country_code: 'JP', region: '13' },
  { city: 'Saint-Étienne', country_code: 'FR', region: 'ARA' },
  { city: null, country_code: 'GB', region: null },
  // Keys that are left out: nothing could be told of the address.
  { country_code: null },
];

const tiers = ['none', 'silver', 'gold'] as const;
const categories = ['shoes', 'bags', 'Mäntel, Jacken', 'books "and" more'] as const;
const weathers = ['rain', 'sun', 'snow'] as const;

export function visitorOf(seed: string, number: number): Visitor {
  const draws = drawsOf(`${seed} visitor ${number}`);
  const created = 1_700_000_000_000 + draws.below(2 ** 32) * 10;
  const name = `c-${100_000 + number}`;
  const customer = number % 3 === 0 ? name : number % 3 === 1 ? undefined : null;
  return {
    guid: `${account}:5.${draws.below(2 ** 31)}.${created}`,
    device: devices[number % devices.length] ?? phone,
    place: places[draws.below(places.length)] ?? places[0],
    customer,
    // A family that shares a device has several.
    earlierCustomer: customer === undefined ? undefined : number % 15 === 0 ? `${name}-b` : customer,
    isNew: draws.below(4) === 0,
    isStealthy: number % 97 === 96,
    customTargets: targetsOf(number, customer),
  };
}

/** Whether a value is one or a list the vendor does not say: there are both. */
function targetsOf(number: number, customer: string | null | undefined): CustomTargets | null | undefined {
  if (number % 11 === 10) return null;
  if (number % 11 === 9) return undefined;
  if (number % 11 === 8) return {};
  const favourites = categories.slice(0, number % 4);
  return {
    '300001': tiers[number % tiers.length] ?? null,
    '300002': favourites.length === 1 ? (favourites[0] ?? null) : favourites,
    ...(customer ? { '300003': 70_000 + number, '300004': `${customer}@mail.example` } : {}),
    ...(number % 2 === 0
      ? { '300005': number % 8 === 0 ? null : (weathers[number % weathers.length] ?? null) }
      : {}),
    ...(number % 5 === 0 ? { '300006': `spring?a=1&b="${number % 7}"` } : {}),
  };
}
