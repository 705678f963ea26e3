/**
 * What a manifest says. "This is a JSON file that contains a list of all uploaded files" is all that is public of it, and
 * no published program reads one. So whatever can only be meant as a list of files is taken, and anything that could be
 * meant in two ways is refused, which fails the delivery where people see it.
 */

/** A file that a manifest lists. */
export interface ListedFile {
  /** Last path component. */
  readonly name: string;
  /** Bytes, where the manifest says so. */
  readonly size?: number;
}

/** Where an entry may say which file it means, the fullest address first; compared without case and separators. */
const nameFields = ['destfile', 'key', 'path', 'uri', 'url', 'file', 'filename', 'name'];
/** Where it may say how long the file is. */
const sizeFields = ['size', 'bytes', 'length', 'numbytes', 'contentlength'];

/**
 * The files of a manifest, each once: an array, or an object that holds one directly, of file names, paths or addresses,
 * or of objects with such a text. Beside it lists may stand that are empty, such as one of what failed; where something
 * stands in that, the job is not complete. An empty list is one: a job without sessions.
 * Throws an Error with a sentence for everything else.
 */
export function parseManifest(text: string): readonly ListedFile[] {
  const files = new Map<string, ListedFile>();
  for (const entry of entriesOf(parse(text))) {
    const file = fileOf(entry);
    const size = sizeOfBoth(files.get(file.name), file);
    files.set(file.name, size === undefined ? { name: file.name } : { name: file.name, size });
  }
  return [...files.values()];
}

function parse(text: string): unknown {
  // Editors and some libraries put a byte order mark before it.
  const json = text.replace(/^\uFEFF/, '').trim();
  if (json === '') throw new Error('It is empty.');
  try {
    // Sizes are its only numbers, and no file is 2^53 bytes long.
    return JSON.parse(json) as unknown;
  } catch {
    throw new Error(`It is no JSON; it begins with ${excerpt(json)}.`);
  }
}

function entriesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (!isObject(value)) throw new Error(`It holds no list of files but ${excerpt(value)}.`);
  const lists = Object.entries(value).filter((field): field is [string, unknown[]] =>
    Array.isArray(field[1]),
  );
  if (lists.length === 0) {
    throw new Error(`It holds no list of files; its fields are ${quote(Object.keys(value))}.`);
  }
  // An empty list names no file, whatever it is a list of.
  const filled = lists.filter(([, entries]) => entries.length > 0);
  const failed = filled.find(([name]) => isOfFailed(name));
  if (failed) {
    const [name, entries] = failed;
    const which = quote(entries.slice(0, 5).map((entry) => nameOf(entry)));
    const are = entries.length === 1 ? '1 file' : `${entries.length} files`;
    throw new Error(`The job is not complete: its list '${name}' names ${are} (${which}).`);
  }
  const [first, ...others] = filled;
  if (others.length > 0) {
    const names = quote(filled.map(([name]) => name));
    throw new Error(`It holds several lists, and nothing says which of them are the files: ${names}.`);
  }
  return first?.[1] ?? [];
}

/** `failed`, `failedFiles`, `upload_errors`, `missing`. */
function isOfFailed(name: string): boolean {
  return /fail|error|missing|skipped|incomplete|rejected|notuploaded/.test(plainName(name));
}

function nameOf(entry: unknown): string {
  const address = typeof entry === 'string' ? entry : isObject(entry) ? textOf(entry) : undefined;
  return address === undefined ? excerpt(JSON.stringify(entry)) : lastComponent(address);
}

function fileOf(entry: unknown): ListedFile {
  const address = typeof entry === 'string' ? entry : isObject(entry) ? textOf(entry) : undefined;
  const name = address === undefined ? '' : lastComponent(address);
  if (name === '') throw new Error(`An entry of its list names no file: ${excerpt(JSON.stringify(entry))}.`);
  const size = isObject(entry) ? lengthOf(entry) : undefined;
  return size === undefined ? { name } : { name, size };
}

/** The first field that may name the file and does. */
function textOf(entry: Fields): string | undefined {
  const fields = plainFields(entry);
  return nameFields
    .map((name) => fields.get(name))
    .find((value) => typeof value === 'string' && value.trim() !== '') as string | undefined;
}

function lengthOf(entry: Fields): number | undefined {
  const fields = plainFields(entry);
  const value = sizeFields.map((name) => fields.get(name)).find((field) => field !== undefined);
  // What is no number of bytes says nothing about the file; whether it is there still counts.
  const size = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

/** By names without case and separators: `fileName`, `file_name` and `FileName` are one field. */
function plainFields(entry: Fields): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(entry).map(([name, value]) => [plainName(name), value]));
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/**
 * Of a key, a path, an `s3://` or `https://` address with or without a query. Addresses of Google's store, where the
 * vendor keeps its exports, may have the slashes of the key escaped.
 */
export function lastComponent(address: string): string {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(address);
  const path = isUrl ? unescape(address.replace(/[?#].*$/s, '')) : address;
  return path.slice(path.lastIndexOf('/') + 1).trim();
}

function unescape(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function sizeOfBoth(before: ListedFile | undefined, again: ListedFile): number | undefined {
  const [size, other] = [before?.size, again.size];
  if (size !== undefined && other !== undefined && size !== other) {
    throw new Error(`It lists ${again.name} twice, with ${size} and with ${other} bytes.`);
  }
  return size ?? other;
}

type Fields = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quote(names: readonly string[]): string {
  return names.length === 0 ? 'none' : excerpt(names.map((name) => `'${name}'`).join(', '));
}

/** Enough to recognize it by. Signed addresses hold keys, so nothing behind a question mark is shown. */
function excerpt(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const shown = text.replaceAll(/\?[^"'\s,]*/g, '?…').replaceAll(/\s+/g, ' ');
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}
