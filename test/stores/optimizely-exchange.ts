import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the vendor's endpoint sees it. */
export interface ExchangeRequest {
  readonly method: string;
  readonly path: string;
  readonly duration: string | null;
  readonly authorization: string | undefined;
}

export interface ExchangeAnswer {
  readonly status: number;
  readonly body: string;
}

export interface Exchange {
  readonly url: string;
  readonly requests: readonly ExchangeRequest[];
}

/** `GET /v2/export/credentials` as Optimizely documents it; each answer is made by `answer`, told the how-manyth it is. */
export async function withExchange<T>(
  answer: (number: number) => ExchangeAnswer | Promise<ExchangeAnswer>,
  work: (exchange: Exchange) => Promise<T>,
): Promise<T> {
  const requests: ExchangeRequest[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    requests.push({
      method: request.method ?? '',
      path: pathname,
      duration: searchParams.get('duration'),
      authorization: request.headers.authorization,
    });
    void Promise.resolve(answer(requests.length)).then(({ status, body }) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await work({ url: `http://127.0.0.1:${port}/v2/export/credentials`, requests });
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

/** The documented answer. `expiration` is in epoch milliseconds. */
export function granted(
  s3Path: string,
  credentials: Readonly<Record<string, unknown>>,
  expiration: number,
): ExchangeAnswer {
  return { status: 200, body: JSON.stringify({ credentials: { ...credentials, expiration }, s3Path }) };
}
