/** One request of Dynatrace's export, over HTTP/1.1. */

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** What is typed into 'Settings > Integration > User session exports'. */
export interface Endpoint {
  /** For the Elasticsearch form it ends with `_bulk`. */
  readonly url: string;
  /** 'Use POST method (instead of PUT)'. Default PUT. */
  readonly method?: 'PUT' | 'POST';
  readonly auth?: { readonly username: string; readonly password: string } | { readonly bearer: string };
  /** 'Send data directly to Elasticsearch': index and type, which Elasticsearch 8 does not have. */
  readonly elasticsearch?: { readonly index: string; readonly type?: string };
  /** Certificate that is trusted, in PEM. Default: those that this machine trusts. */
  readonly certificate?: string;
  /** Whether bodies are compressed; that the vendor does so is not public. Default false. */
  readonly gzip?: boolean;
}

/** Gives the status as soon as it is there: "Dynatrace doesn't read the response entirely". */
export async function sendBody(endpoint: Endpoint, body: string, signal: AbortSignal): Promise<number> {
  const url = new URL(endpoint.url);
  const compressed = endpoint.gzip === true;
  const bytes = compressed ? await promisify(gzip)(body) : Buffer.from(body);
  const options = {
    method: endpoint.method ?? 'PUT',
    headers: {
      'content-type': endpoint.elasticsearch ? 'application/x-ndjson' : 'application/json',
      'content-length': bytes.length,
      ...(compressed ? { 'content-encoding': 'gzip' } : {}),
      ...authorizationOf(endpoint),
    },
    // Nothing of a connection is left whose answer was not read.
    agent: false as const,
    signal,
  };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, ca: endpoint.certificate })
        : httpRequest(url, options);
    request.once('error', reject);
    request.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.end(bytes);
  });
}

function authorizationOf({ auth }: Endpoint): Readonly<Record<string, string>> {
  if (auth === undefined) return {};
  if ('bearer' in auth) return { authorization: `Bearer ${auth.bearer}` };
  const pair = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
