import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

import type { MetricState } from '../../../sandbox/megaphone/versions.js';

/** A line as JavaScript has it; keys may be absent. */
export type Line = Readonly<Record<string, unknown>>;

/** The file's lines as text, without what follows the last line feed: nothing. */
export async function textsOf(path: string): Promise<string[]> {
  const texts = gunzipSync(await readFile(path))
    .toString('latin1')
    .split('\n');
  assert.equal(texts.pop(), '', 'the file ends with a line feed');
  return texts.map((text) => Buffer.from(text, 'latin1').toString('utf8'));
}

export async function linesOf(path: string): Promise<Line[]> {
  return (await textsOf(path)).map((text) => JSON.parse(text) as Line);
}

/** What may change of a metric, from its line. */
export function stateOf(line: Line): MetricState {
  const { seconds_downloaded, bytes_sent, blacklisted_ip, blacklisted_ua } = line as Record<
    string,
    number & boolean
  >;
  return {
    secondsDownloaded: seconds_downloaded ?? null,
    bytesSent: bytes_sent!,
    blacklistedIp: blacklisted_ip ?? null,
    blacklistedUa: blacklisted_ua ?? null,
  };
}
