/** Elasticsearch's form of bodies: lines that say what is to be done, each before the document that it is done with. Pure. */

/** `{ "index" : { "_index" : "sessions", "_id" : "…" } }`: whether a line says what to do with the one after it. */
export function isActionLine(line: Buffer): boolean {
  if (line.length > longestActionLine || !begin.test(line.toString('latin1', 0, 256))) return false;
  try {
    const action: unknown = JSON.parse(line.toString());
    return typeof action === 'object' && action !== null && Object.keys(action).length === 1;
  } catch {
    return false;
  }
}

/** Of what is longer nobody has to hold the whole line to know that it is none. Elasticsearch's ids have 512 bytes at most. */
export const longestActionLine = 64 * 1024;

const begin = /^\s*\{\s*"(?:index|create)"\s*:\s*\{/;
