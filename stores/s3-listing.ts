/**
 * Whether what a server answered to a listing is one. The SDK reads any XML, and no XML at all, as a listing without
 * objects: a proxy's page, an empty body and a body that was cut off would all pass for an empty folder.
 */

import type { ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';

import { hideSecrets } from '../config/secret.js';
import { quoteStart } from '../model/first-bytes.js';

/** A thousand keys of the greatest length, escaped, are some 7 MB. */
const longestPage = 32 * 1024 * 1024;

/** What came is no listing, or not the one that was asked for. Its message ends a sentence that begins with `Listing …`. */
export class NoListing extends Error {
  override readonly name = 'NoListing';
}

interface RawAnswer {
  statusCode: number;
  body?: unknown;
}

/** Looks at the answers to listings before the SDK reads them. */
export function refuseOtherAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const response = result.response as RawAnswer;
      if (
        (context as { readonly commandName?: string }).commandName !== 'ListObjectsV2Command' ||
        response.statusCode >= 300
      )
        return result;
      const body = await readWhole(response.body);
      response.body = body;
      // S3 may find out that it cannot answer when it has said 200 already.
      if (rootOf(body) === 'Error') response.statusCode = 503;
      else checkBody(body);
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'landfallListingCheck' },
  );
}

async function readWhole(body: unknown): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestPage) throw new NoListing(`failed: a page is longer than ${longestPage} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A declaration and comments may stand before the root. */
const root = /^\uFEFF?\s*(?:<\?[^>]*\?>\s*|<!--.*?-->\s*)*<(?:[\w.-]+:)?([\w.-]+)/s;
const ending = /(?:<\/(?:[\w.-]+:)?ListBucketResult\s*>|<(?:[\w.-]+:)?ListBucketResult\b[^<>]*\/>)\s*$/;

function rootOf(body: Buffer): string | undefined {
  return root.exec(body.toString('utf8', 0, 4_096))?.[1];
}

function checkBody(body: Buffer): void {
  if (body.every((byte) => byte <= 0x20)) {
    throw new NoListing('failed: the server answered with status 200 and an empty body instead of a listing');
  }
  if (rootOf(body) !== 'ListBucketResult') {
    throw new NoListing(`failed: the server answered with status 200 and no listing but ${startOf(body)}`);
  }
  if (!ending.test(body.toString('utf8', Math.max(0, body.length - 1_024)))) {
    throw new NoListing(`ended in the middle: what came is cut off after ${body.length} bytes`);
  }
}

/** Secrets are hidden before it is cut: a part of one is one, too. */
function startOf(body: Buffer): string {
  return quoteStart(hideSecrets(body.toString('latin1', 0, 4_096)));
}

export interface AskedPage {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly token: string | undefined;
  /** Tokens of the pages so far, this one's included. */
  readonly tokens: ReadonlySet<string>;
}

/**
 * Throws `NoListing` for a page that contradicts itself or is another than the one that was asked for: of another bucket,
 * prefix or place, with more or fewer entries than it says, or with a token that leads back. A page without entries has
 * to say for which bucket or prefix that is so. What a server does not repeat is not held against it.
 */
export function checkPage(page: ListObjectsV2CommandOutput, asked: AskedPage): void {
  const { Contents: files = [], CommonPrefixes: folders = [], KeyCount: count } = page;
  const other = (what: string, there: string, wanted: string): NoListing =>
    new NoListing(
      `failed: the server answered with the listing of another ${what} ('${there}' instead of '${wanted}')`,
    );
  if (page.Name !== undefined && !isBucket(page.Name, asked.bucket)) {
    throw other('bucket', page.Name, asked.bucket);
  }
  if (page.Prefix !== undefined && !isText(page.Prefix, asked.prefix)) {
    throw other('prefix', page.Prefix, asked.prefix);
  }
  if (page.Delimiter !== undefined && page.Delimiter !== (asked.delimiter ?? '')) {
    throw other('depth', page.Delimiter, asked.delimiter ?? '');
  }
  // A cache that knows nothing of tokens gives out the first page again.
  if (page.ContinuationToken !== undefined && page.ContinuationToken !== (asked.token ?? '')) {
    throw new NoListing('failed: the server answered with another page than the one that was asked for');
  }
  const keys = [...files.map(({ Key }) => Key), ...folders.map(({ Prefix }) => Prefix)];
  const stray = keys.find((key) => key?.startsWith(asked.prefix) !== true);
  if (keys.includes(undefined)) throw new NoListing('failed: an entry of the listing has no key');
  if (stray !== undefined)
    throw new NoListing(`failed: the listing holds '${stray}', which does not lie there`);
  const sizeless = files.find(({ Size }) => Size === undefined || !Number.isSafeInteger(Size) || Size < 0);
  if (sizeless) throw new NoListing(`failed: the listing does not tell the size of '${sizeless.Key}'`);
  // Amazon counts folders too, others (s3rver, Ceph) do not.
  if (count !== undefined && count !== keys.length && count !== files.length) {
    throw new NoListing(`failed: the listing says that it has ${count} entries, and it has ${keys.length}`);
  }
  checkEnd(page, asked, keys.length);
}

function checkEnd(page: ListObjectsV2CommandOutput, asked: AskedPage, entries: number): void {
  const { IsTruncated: more, NextContinuationToken: next } = page;
  if (more === undefined) throw new NoListing('failed: the listing does not say whether there is more');
  if (more && (next === undefined || next === '')) {
    throw new NoListing('ended in the middle: the server says there is more, and not where');
  }
  if (more && next !== undefined && asked.tokens.has(next)) {
    throw new NoListing('failed: the server leads back to a page that it has given already');
  }
  const { KeyCount: count, Name: name, Prefix: prefix } = page;
  if (!more && entries === 0 && count === undefined && name === undefined && prefix === undefined) {
    throw new NoListing('failed: the listing is empty and does not say of which bucket and prefix');
  }
}

/** An access point, by its ARN or its alias, answers with the bucket behind it; Ceph leaves out the tenant. */
function isBucket(there: string, bucket: string): boolean {
  return there === bucket || bucket.includes(':') || /-(?:s3alias|ext-s3alias|-ol-s3)$/.test(bucket);
}

/** Some servers escape what they repeat although nobody asked for it. */
function isText(there: string, wanted: string): boolean {
  if (there === wanted) return true;
  try {
    return decodeURIComponent(there.replaceAll('+', ' ')) === wanted;
  } catch {
    return false;
  }
}
