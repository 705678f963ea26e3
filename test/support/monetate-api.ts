import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import assert from 'node:assert/strict';

import { secret } from '../../config/secret.js';
import { Failure } from '../../model/failure.js';
import {
  startMonetateApi,
  type MadeNames,
  type MonetateApiOptions,
  type MonetateApiServer,
} from '../../sandbox/monetate/api.js';
import type { MonetateApi } from '../../stores/monetate-api.js';

export const account = 'acme';
export const username = 'api-abc-acme';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
/** PEM, of one key that all tests share. */
export const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
export const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const privateKeyInPkcs1 = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

/** A Monetate with these names, and how it is spoken to. */
export interface NamesPlace {
  readonly server: MonetateApiServer;
  readonly api: MonetateApi;
}

export async function openNamesPlace(options: Partial<MonetateApiOptions> = {}): Promise<NamesPlace> {
  const server = await startMonetateApi({ account, username, publicKey, ...options });
  return { server, api: { account, username, privateKey: secret(privateKey), url: server.url } };
}

export async function withNames<T>(
  options: Partial<MonetateApiOptions>,
  work: (place: NamesPlace) => Promise<T>,
): Promise<T> {
  const place = await openNamesPlace(options);
  try {
    return await work(place);
  } finally {
    await place.server.stop();
  }
}

/** This many variants, and nothing else. */
export function madeVariants(count: number, title = (id: number): string => `Variant ${id}`): MadeNames {
  const variant = Array.from({ length: count }, (_, index) => ({
    id: String(index + 1),
    split_name: title(index + 1),
    experience_id: 5,
  }));
  return { variant, pageevent: [], customtarget: [] };
}

/** What no error, history or output may show: the key, and what was sent in headers. */
export function secretsOf({ requests }: Pick<MonetateApiServer, 'requests'>): readonly string[] {
  const sent = requests.flatMap(({ authorization }) =>
    authorization
      .split(' ')
      .slice(1)
      .flatMap((token) => [token, ...token.split('.').filter((part) => part.length > 3)]),
  );
  // The last line of a key may have four characters, which also occur elsewhere.
  const ofKey = privateKey.split('\n').filter((line) => line.length > 20 && !line.startsWith('---'));
  return [...new Set([...sent, ...ofKey])];
}

/** An error of this type, whose sentence holds these parts in order, and which shows nothing secret. */
export function failsAs(
  server: Pick<MonetateApiServer, 'requests'>,
  type: string,
  ...parts: readonly string[]
): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof Failure, inspect(error));
    assert.equal(error.type, type, error.message);
    let from = 0;
    for (const part of parts) {
      const at = error.message.indexOf(part, from);
      assert.notEqual(at, -1, `"${part}" is not in its place in: ${error.message}`);
      from = at + part.length;
    }
    for (const value of secretsOf(server)) assert.ok(!inspect(error).includes(value), inspect(error));
    return true;
  };
}
