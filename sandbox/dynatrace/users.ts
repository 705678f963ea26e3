/** Who uses the made-up harbour's applications: what follows from the seed and the user's number, at every session. */

import { drawsOf, type Draws } from '../leanplum/draws.js';
import type { Device } from './session.js';

export const tenant = 'hbr48213';

export interface Application {
  readonly type: 'CUSTOM_APPLICATION' | 'MOBILE_APPLICATION' | 'WEB_APPLICATION';
  readonly name: string;
  readonly id: string;
  /** Absent where there is none. */
  readonly domain?: string;
}

export const applications = {
  web: {
    ...{ type: 'WEB_APPLICATION', name: 'Harbour tickets' },
    ...{ id: 'APPLICATION-3F61B0C2A94D7E58', domain: 'tickets.harbour.example' },
  },
  mobile: {
    ...{ type: 'MOBILE_APPLICATION', name: 'Harbour pocket' },
    id: 'MOBILE_APPLICATION-90C4D21E6AB3875F',
  },
  kiosk: {
    ...{ type: 'CUSTOM_APPLICATION', name: 'Harbour kiosk' },
    id: 'CUSTOM_APPLICATION-1B7E5F0A42C6D983',
  },
} as const satisfies Record<string, Application>;

export interface Place {
  readonly continent: string | null;
  readonly country: string | null;
  readonly region: string | null;
  readonly city: string | null;
  readonly isp: string | null;
  /** Beginning of its addresses, which are those for documentation. */
  readonly net: '192.0.2.' | '198.51.100.' | '203.0.113.' | '2001:db8:41::';
}

const nowhere = { continent: null, country: null, region: null, city: null, isp: null };
const places: readonly [Place, ...Place[]] = [
  {
    ...{ continent: 'Europe', country: 'Portugal', region: 'Porto', city: 'Matosinhos' },
    ...{ isp: 'Atlântico Fibra', net: '192.0.2.' },
  },
  {
    ...{ continent: 'Europe', country: 'Norway', region: 'Vestland', city: 'Bergen' },
    ...{ isp: 'Fjordnett AS', net: '2001:db8:41::' },
  },
  {
    ...{ continent: 'South America', country: 'Chile', region: 'Valparaíso', city: 'Viña del Mar' },
    ...{ isp: 'Cable "Sur"', net: '198.51.100.' },
  },
  {
    ...{ continent: 'Asia', country: 'Japan', region: '神奈川県', city: '横浜市' },
    ...{ isp: 'みなと通信', net: '203.0.113.' },
  },
  // Nothing could be told of the address.
  { ...nowhere, net: '198.51.100.' },
];

type Web = Device & { readonly osFamily: string; readonly osVersion: string };

const browsers: readonly [Web, ...Web[]] = [
  {
    ...{ browserType: 'Desktop Browser', browserFamily: 'Firefox', browserMajorVersion: 'Firefox 145' },
    ...{ osFamily: 'Linux', osVersion: 'Linux', displayResolution: 'FHD', clientType: 'Desktop Browser' },
    ...{ screenHeight: 1_080, screenWidth: 1_920, screenOrientation: 'LANDSCAPE', connectionType: 'UNKNOWN' },
    ...{ manufacturer: null, device: null },
  },
  {
    ...{ browserType: 'Desktop Browser', browserFamily: 'Edge', browserMajorVersion: 'Edge 142' },
    ...{ osFamily: 'Windows', osVersion: 'Windows 11', displayResolution: 'WQHD' },
    ...{ screenHeight: 1_440, screenWidth: 2_560, screenOrientation: 'LANDSCAPE', connectionType: 'LAN' },
  },
  {
    ...{ browserType: 'Mobile Browser', browserFamily: 'Safari', browserMajorVersion: 'Mobile Safari 26' },
    ...{ osFamily: 'iOS', osVersion: 'iOS 26.1', displayResolution: '_1280x854', device: 'iPhone' },
    ...{ manufacturer: 'Apple', screenHeight: 844, screenWidth: 390, screenOrientation: 'PORTRAIT' },
  },
];

const phones: readonly [Web, ...Web[]] = [
  {
    ...{ osFamily: 'Android', osVersion: 'Android 16', manufacturer: 'Fairphone', device: 'Fairphone 6' },
    ...{ displayResolution: 'FHD', screenHeight: 2_484, screenWidth: 1_116, screenOrientation: 'PORTRAIT' },
    ...{ carrier: 'Vento Móvel', networkTechnology: '5G', connectionType: 'MOBILE', appVersion: '4.2.0' },
    rootedOrJailbroken: false,
  },
  {
    ...{ osFamily: 'iOS', osVersion: 'iOS 25.7', manufacturer: 'Apple', device: 'iPhone 14' },
    ...{ displayResolution: 'WQXGA', screenHeight: 2_532, screenWidth: 1_170, screenOrientation: 'PORTRAIT' },
    ...{ carrier: null, networkTechnology: null, connectionType: 'WIFI', appVersion: '4.1.3' },
    rootedOrJailbroken: null,
  },
];

const kiosk: Web = {
  osFamily: 'Linux',
  osVersion: 'Debian 13',
  appVersion: '11',
  manufacturer: 'Kaimaschine',
};

export interface User {
  readonly internalUserId: string;
  /** Undefined: never asked. Null: not signed in. */
  readonly userId: string | null | undefined;
  readonly place: Place;
  readonly ip: string;
  readonly device: Web;
}

/** How many sessions pass until a user comes again. */
const users = 400;

export function userOf(seed: string, number: number, { type }: Application): User {
  const draws = drawsOf(`${seed} user ${number % users} ${type}`);
  const place = draws.pick(places);
  const name = 1_000 + (number % users);
  return {
    internalUserId: internalUserOf(draws, type, name),
    userId: [undefined, null, `crew-${name}`, `passenger.${name}@harbour.example`][draws.below(4)],
    place,
    ip: `${place.net}${1 + draws.below(254)}`,
    device:
      type === 'WEB_APPLICATION'
        ? draws.pick(browsers)
        : type === 'MOBILE_APPLICATION'
          ? draws.pick(phones)
          : kiosk,
  };
}

/** Mobile and custom applications count them, browsers draw them, with the time of their first visit before. */
function internalUserOf(draws: Draws, type: Application['type'], name: number): string {
  if (type !== 'WEB_APPLICATION') return String(name);
  const letters = Array.from({ length: 32 }, () => String.fromCharCode(65 + draws.below(26)));
  return `${1_790_000_000_000 + draws.below(2 ** 32)}${letters.join('')}`;
}
