/** Where a made-up session's user is, with what in hand, and what brought them. */

import type { Device, Place, Source } from './session.js';

const places: readonly [Place, ...Place[]] = [
  {
    ...{ country: 'US', timezone: 'America/Los_Angeles', region: 'CA', city: 'San José', locale: 'en_US' },
    ...{ lat: '37.33874130249023', lon: '-121.88525390625', timezoneOffsetSeconds: -25_200n },
  },
  {
    ...{ country: 'DE', timezone: 'Europe/Berlin', region: 'BY', city: 'München', locale: 'de_DE' },
    ...{ lat: '48.13743209838867', lon: '11.575490951538086', timezoneOffsetSeconds: 7_200n },
  },
  {
    ...{ country: 'JP', timezone: 'Asia/Tokyo', region: '13', city: '東京', locale: 'ja_JP' },
    ...{ lat: '35.68949890136719', lon: '139.69171142578125', timezoneOffsetSeconds: 32_400n },
  },
  {
    ...{ country: 'IN', timezone: 'Asia/Kolkata', city: 'Pune', locale: 'mr_IN' },
    ...{ lat: '18.5195999145508', lon: '73.8553009033203', timezoneOffsetSeconds: 19_800n },
  },
  {
    ...{ country: 'NO', timezone: 'Europe/Oslo', region: '54', city: 'Tromsø', locale: 'nb_NO' },
    ...{ lat: '69.6489028930664', lon: '18.955080032348633', timezoneOffsetSeconds: 7_200n },
  },
];
/** Nothing could be told of the address. */
const nowhere: Place = { timezoneOffsetSeconds: 0n };

const phone: Device = {
  ...{ appVersion: '4.12.0', deviceModel: 'iPhone 15', systemName: 'iOS', systemVersion: '26.1' },
  ...{ client: 'ios', sdkVersion: '6.2.1' },
};
const tablet: Device = {
  // An inch sign, as some vendors of devices put it into the model.
  ...{ appVersion: '4.11.3', deviceModel: 'Tab 10" (2024)', systemName: 'Android', systemVersion: '15' },
  ...{ client: 'android', sdkVersion: '7.5.0' },
};
/** On the web there is no app and no model, and elsewhere no browser. */
const web: Device = {
  ...{ systemName: 'Linux', systemVersion: 'x86_64', client: 'js', sdkVersion: '1.9.3' },
  ...{ browserName: 'Firefox', browserVersion: '140.0' },
};
const devices = [phone, tablet, phone, web, tablet] as const;

export function placeOf(number: number): Place {
  return number % 23 === 22 ? nowhere : (places[number % places.length] ?? places[0]);
}

export function deviceOf(number: number): Device {
  return devices[(number * 3) % devices.length] ?? phone;
}

/** Of every sixth. */
export function sourceOf(number: number): Source {
  const campaigns = ['Spring, "early"', 'Rentrée', 'Always on'] as const;
  const known = number % 6 === 2;
  return {
    sourcePublisherId: known ? '7719' : undefined,
    sourcePublisher: known ? 'Northbound Ads' : undefined,
    sourceSubPublisher: known && number % 12 === 2 ? 'nb-video' : undefined,
    sourceSite: known ? 'news.example' : undefined,
    sourceCampaign: known ? campaigns[Math.floor(number / 6) % campaigns.length] : undefined,
    sourceAdGroup: known ? 'group 4' : undefined,
    sourceAd: known ? 'ad 4.2' : undefined,
  };
}
