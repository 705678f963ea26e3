import type { Sniffed } from '../../activities/sniff.js';
import type { StoredSource } from '../../config/schema.js';
import { openStore } from '../../stores/open.js';
import type { Store } from '../../stores/store.js';
import { reportOn, sentence, type Finding } from './finding.js';

/** Reads the head of one file of a source; undefined when its store holds none yet. */
export type SniffSource = (source: StoredSource) => Promise<Sniffed | undefined>;

/** Lists one level of the store, and reads one file. Changes nothing. */
export async function checkStore(source: StoredSource, sniff?: SniffSource): Promise<readonly Finding[]> {
  const report = reportOn(`store of ${source.name}`);
  const listed = await listLevel(source).catch((error: unknown) => {
    report.wrong('listing', sentence(error), `Check sources.${source.name}.store: ${settingsOf(source)}.`);
  });
  if (!listed) return report.findings;
  const { name, folders } = listed;
  if (folders.length > 0) report.ok('listing', `${name} holds ${folders.slice(0, 5).join(', ')}`);
  else {
    report.wrong(
      'listing',
      `nothing lies under ${name}`,
      `If the vendor has delivered already, check ${placeOf(source)} of source ${source.name}.`,
    );
  }
  if (!sniff) return report.findings;
  try {
    const found = await sniff(source);
    if (found) report.ok('file', describe(found));
    else report.ok('file', 'no file to read yet');
  } catch (error) {
    report.wrong(
      'file',
      sentence(error),
      'The listing works, reading does not: check the right to read files.',
    );
  }
  return report.findings;
}

function settingsOf({ store }: StoredSource): string {
  return store.type === 'sftp'
    ? 'host, port, hostKey, username, password or privateKey, and root'
    : 'bucket, prefix, region, endpoint and keys';
}

function placeOf({ store }: StoredSource): string {
  return store.type === 'sftp' ? 'store.root' : 'store.bucket and store.prefix';
}

async function listLevel(source: StoredSource): Promise<{ name: string; folders: readonly string[] }> {
  const store = openStore(source);
  try {
    const folders = await firstPage(store, 'level');
    // Some servers leave out folders that hold nothing but folders (s3rver 3.7.1); what lies in them they do list.
    const found = folders.length > 0 ? folders : await firstPage(store, 'deep');
    return { name: store.name, folders: found };
  } finally {
    await store.close();
  }
}

/** One page tells whether the place is right. */
async function firstPage(store: Store, depth: 'level' | 'deep'): Promise<string[]> {
  for await (const { folders, files } of store.list('', { depth })) {
    if (folders.length + files.length > 0) return [...folders, ...files.map(({ key }) => key)];
  }
  return [];
}

function describe({ file, rows, columns, unknown, missing }: Sniffed): string {
  const notes = [
    ...(unknown.length > 0 ? [`kept in _extra: ${unknown.join(', ')}`] : []),
    ...(missing.length > 0 ? [`not in it: ${missing.join(', ')}`] : []),
  ];
  return [`${file} reads as ${rows.toLocaleString('en-US')} rows of ${columns} columns`, ...notes].join('; ');
}
