/** Addresses that lead into the network that Landfall runs in, or to this machine, and to nobody outside. */

import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const inside = new BlockList();
for (const [network, prefix] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
  ] as const),
  // Multicast, what is reserved, and broadcast.
  ['224.0.0.0', 3],
] as const) {
  inside.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  // Unspecified, loopback, unique local, link-local, site-local and multicast.
  ...([
    ['::', 127],
    ['fc00::', 7],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ] as const),
  // Those that hold an address of IPv4, which may be any: compatible, translated, Teredo and 6to4.
  ...([
    ['::', 96],
    ['64:ff9b::', 96],
    ['64:ff9b:1::', 48],
    ['2001::', 32],
    ['2002::', 16],
  ] as const),
] as const) {
  inside.addSubnet(network, prefix, 'ipv6');
}

export function isPrivate(address: string): boolean {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  const mapped = /^::ffff:(?:0:)?(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i.exec(plain);
  if (mapped) {
    const [, dotted, high = '', low = ''] = mapped;
    return isPrivate(dotted ?? bytesOf(high).concat(bytesOf(low)).join('.'));
  }
  const family = isIP(plain);
  return family !== 0 && inside.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

function bytesOf(group: string): readonly number[] {
  const number = parseInt(group, 16);
  return [number >> 8, number & 255];
}

/** An address that must not be asked. Its message holds no query. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** Throws `AddressRefused` where an address names a private one by its numbers. Names are for `publicLookup`. */
export function refusePrivate({ hostname }: URL): void {
  if (isPrivate(hostname)) throw new AddressRefused(`${hostname} is an address of a private network`);
}

/** Of a name, all addresses: one that is private is refused, and what is looked up is what is connected to. */
export const publicLookup: LookupFunction = (hostname, options, answer) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const refused = error ? undefined : found.find(({ address }) => isPrivate(address));
    const fault = refused
      ? new AddressRefused(`${hostname} leads to ${refused.address}, an address of a private network`)
      : error;
    const [first] = found ?? [];
    if (fault || first === undefined) answer(fault ?? new Error(`${hostname} has no address`), '');
    else if (options.all === true) answer(null, found);
    else answer(null, first.address, first.family);
  });
};
