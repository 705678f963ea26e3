/** The lines of a body: documents, and the action lines that Elasticsearch's form has between them. Pure. */

const actions = ['index', 'create', 'update', 'delete'] as const;

/** A line that says what to do with the document on the next one. */
export interface Action {
  readonly kind: (typeof actions)[number];
  /** `_index` and `_id` of the document, as they came. */
  readonly target: Readonly<Record<string, unknown>>;
}

/**
 * Of what is longer nobody has to hold the whole line to know that it is no action line: Elasticsearch's ids have 512 bytes at
 * the most.
 */
export const longestActionLine = 64 * 1024;

/** Whether a line is an action line: an object whose only key is `index` or `create`, with an object as its value. */
export function isActionLine(line: Buffer): boolean {
  const kind = readAction(line)?.kind;
  return kind === 'index' || kind === 'create';
}

export function isBlank(line: Buffer): boolean {
  return firstInk(line, 0) === line.length;
}

/** Lines without their line breaks, as views of the body. What follows the last break is a line where it is not empty. */
export function* linesOf(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length;) {
    const found = body.indexOf(lineBreak, at);
    const end = found < 0 ? body.length : found;
    yield body.subarray(at, end);
    at = end + 1;
  }
}

/** Lines that are neither blank nor action lines. */
export function countDocuments(body: Buffer): number {
  let count = 0;
  for (const line of linesOf(body)) if (!isBlank(line) && !isActionLine(line)) count += 1;
  return count;
}

/** What Elasticsearch gives an item of its answer for. */
export interface BulkItem {
  readonly action: Action;
  /** Number of the line that the item is of, from 1: the document, or the action line where there is none. */
  readonly line: number;
  /** Why nothing was made of the action; absent where its document was taken. */
  readonly fault?: string;
}

/**
 * The items of a body in their order: an action with its document, a document that no action line announces, or an action
 * that is not to be had. An update takes its document along.
 */
export function* bulkItems(body: Buffer): Generator<BulkItem> {
  let open: { readonly action: Action; readonly line: number } | undefined;
  let number = 0;
  for (const line of linesOf(body)) {
    number += 1;
    if (isBlank(line)) continue;
    const action = readAction(line);
    const taken = action?.kind === 'index' || action?.kind === 'create';
    if (open !== undefined && !taken) {
      yield open.action.kind === 'update'
        ? { ...open, fault: notTaken }
        : { action: open.action, line: number };
      open = undefined;
      continue;
    }
    if (open !== undefined) yield { ...open, fault: open.action.kind === 'update' ? notTaken : noDocument };
    open = undefined;
    if (action === undefined) yield { action: unannounced, line: number };
    else if (action.kind === 'delete') yield { action, line: number, fault: notTaken };
    else open = { action, line: number };
  }
  if (open !== undefined) yield { ...open, fault: open.action.kind === 'update' ? notTaken : noDocument };
}

const notTaken = 'Only index and create are taken here.';
const noDocument = 'No document follows this action.';
const unannounced: Action = { kind: 'index', target: {} };

const lineBreak = 0x0a;
const quote = 0x22;
const opening = 0x7b;
const closing = 0x7d;
/** Of 'create', each letter as \u0063. */
const longestKey = 6 * 6;

/** Most lines are documents, of many kilobytes, which their first bytes tell: only what may be an action is parsed. */
function readAction(line: Buffer): Action | undefined {
  const brace = firstInk(line, 0);
  if (line.length > longestActionLine || line[brace] !== opening) return undefined;
  const key = firstInk(line, brace + 1) + 1;
  if (line[key - 1] !== quote) return undefined;
  const name = line.toString('latin1', key, Math.min(line.indexOf(quote, key), key + longestKey));
  // A key may be written with escapes.
  if (!name.includes('\\') && !actions.some((known) => known === name)) return undefined;
  if (line[lastInk(line)] !== closing) return undefined;
  return parseAction(line.toString('utf8'));
}

function parseAction(text: string): Action | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const [entry, ...more] = Object.entries(value as object);
  if (entry === undefined || more.length > 0) return undefined;
  const [name, target] = entry as [string, unknown];
  const kind = actions.find((known) => known === name);
  if (kind === undefined || typeof target !== 'object' || target === null || Array.isArray(target))
    return undefined;
  return { kind, target: target as Readonly<Record<string, unknown>> };
}

function firstInk(line: Buffer, from: number): number {
  let at = from;
  while (at < line.length && isSpace(line[at] ?? 0)) at += 1;
  return at;
}

function lastInk(line: Buffer): number {
  let at = line.length - 1;
  while (at >= 0 && isSpace(line[at] ?? 0)) at -= 1;
  return at;
}

/** As the readers of files have it. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
