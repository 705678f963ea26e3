import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An S3 server that lists a day of any number of parts, a thousand a page as S3 does, and makes up each as it is asked. */
export interface ListingServer {
  readonly endpoint: string;
  /** What was asked for, in order. */
  readonly prefixes: readonly string[];
  readonly stop: () => Promise<void>;
}

const pageLength = 1_000;

export async function listingServer(
  folder: string,
  parts: number,
  beforePage: () => void = () => undefined,
): Promise<ListingServer> {
  const prefixes: string[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const prefix = searchParams.get('prefix') ?? '';
    prefixes.push(prefix);
    beforePage();
    if (prefix !== folder) {
      answer(response, '<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>');
      return;
    }
    const marker = object(`${folder}_SUCCESS`, 0);
    if (searchParams.get('delimiter') === '/') {
      answer(response, `<IsTruncated>false</IsTruncated>${marker}`);
      return;
    }
    const first = Number(searchParams.get('continuation-token') ?? '0');
    const end = Math.min(parts, first + pageLength);
    const objects = Array.from({ length: end - first }, (_, i) => object(keyOf(folder, first + i), 1_000));
    const more =
      end < parts
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${end}</NextContinuationToken>`
        : '<IsTruncated>false</IsTruncated>';
    answer(response, (first === 0 ? marker : '') + objects.join('') + more);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    prefixes,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function keyOf(folder: string, number: number): string {
  return `${folder}event=some_event/part-${String(number).padStart(5, '0')}-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0.c000.snappy.parquet`;
}

function object(key: string, size: number): string {
  return `<Contents><Key>${key}</Key><ETag>"${key.length}-1"</ETag><Size>${size}</Size><LastModified>2026-03-02T01:02:03.000Z</LastModified></Contents>`;
}

function answer(response: ServerResponse, content: string): void {
  response
    .writeHead(200, { 'content-type': 'application/xml' })
    .end(`<?xml version="1.0"?><ListBucketResult>${content}</ListBucketResult>`);
}
