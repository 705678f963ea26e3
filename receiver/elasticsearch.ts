/** What Elasticsearch's official clients ask a server and expect in its answers. */

import type { IncomingMessage } from 'node:http';

/** Without this header the clients refuse every answer: "The client noticed that the server is not Elasticsearch". */
export const productHeader = { 'x-elastic-product': 'Elasticsearch' } as const;

/** The media type of an answer: the one of Elasticsearch's that the client has asked for, else plain JSON. */
export function jsonTypeFor({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const version = compatibleWith(headers.accept);
  return version === undefined
    ? 'application/json; charset=utf-8'
    : `application/vnd.elasticsearch+json;compatible-with=${version}`;
}

/** The answer to `GET /`, by which clients learn the version of the server: it is the client's own. */
export function serverInfo({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const major = compatibleWith(headers.accept) ?? '8';
  const info = {
    name: 'landfall',
    cluster_name: 'landfall',
    cluster_uuid: 'landfall',
    version: {
      number: `${major}.0.0`,
      build_flavor: 'default',
      build_type: 'tar',
      build_hash: 'landfall',
      build_date: '1970-01-01T00:00:00.000Z',
      build_snapshot: false,
      lucene_version: `${major}.0.0`,
      minimum_wire_compatibility_version: `${major}.0.0`,
      minimum_index_compatibility_version: `${major}.0.0`,
    },
    tagline: 'You Know, for Search',
  };
  return `${JSON.stringify(info)}\n`;
}

function compatibleWith(accept = ''): string | undefined {
  return /application\/vnd\.elasticsearch\+json\s*;\s*compatible-with\s*=\s*(\d{1,2})/i.exec(accept)?.[1];
}
