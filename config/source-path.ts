/** Where the receiver takes what is sent for a source. */

import type { SentSource } from './schema.js';

/** The path at which it takes documents; `/_bulk` below it takes Elasticsearch's form. Without a slash at its end. */
export function sourcePath({ name, path }: Pick<SentSource, 'name' | 'path'>): string {
  return path ?? `/dynatrace/${name}`;
}
