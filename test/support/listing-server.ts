import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ListingServer {
  readonly endpoint: string;
  /** Prefixes that were asked for, one a request. */
  readonly prefixes: readonly string[];
  /** Called before each page is answered. */
  onPage: (page: number) => void;
  readonly stop: () => Promise<void>;
}

const pageSize = 1_000;

/**
 * An S3 server that holds `count` objects, as far as ListObjectsV2 sees them: their keys, pages of 1,000, continuation
 * tokens and delimiters. Nothing is stored, so that listings of any length are there at once.
 */
export async function listingServer(
  count: number,
  keyOf: (number: number) => string,
): Promise<ListingServer> {
  const prefixes: string[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const prefix = searchParams.get('prefix') ?? '';
    const from = Number(searchParams.get('continuation-token') ?? 0);
    const level = searchParams.get('delimiter') === '/';
    prefixes.push(prefix);
    listing.onPage(from / pageSize);
    const page = Array.from({ length: Math.min(pageSize, count - from) }, (_, index) => keyOf(from + index))
      .filter((key) => key.startsWith(prefix))
      .filter((key) => !level || !key.slice(prefix.length).includes('/'));
    const next = from + pageSize;
    const contents = page.map(
      (key, index) =>
        `<Contents><Key>${key}</Key><LastModified>2026-03-02T01:00:00.000Z</LastModified>` +
        `<ETag>&quot;etag-${from + index}&quot;</ETag><Size>1000</Size></Contents>`,
    );
    response.setHeader('content-type', 'application/xml');
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${next < count}</IsTruncated>` +
        (next < count ? `<NextContinuationToken>${next}</NextContinuationToken>` : '') +
        `${contents.join('')}</ListBucketResult>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const listing: ListingServer = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    prefixes,
    onPage: () => undefined,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return listing;
}
