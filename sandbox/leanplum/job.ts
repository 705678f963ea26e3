/** An export job as files, in the order in which the vendor uploads them: shards first, manifests last. */

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import {
  csvKinds,
  dateFolder,
  type CsvKind,
  type ExportFormat,
  type Kind,
} from '../../vendors/leanplum/layout.js';
import { csvHeaders, csvRecords, csvText, rowsOfCsv, type CsvRecord, type InstantText } from './csv.js';
import { withSharedEventIds } from './happenings.js';
import { jsonLine } from './lines.js';
import { manifestText, type ManifestShape } from './manifest.js';
import { rowsOf, type LeanplumRows } from './rows.js';
import type { Session } from './session.js';

/** A shard by what follows `-output` in its name: `-0` of JSON, `events-0` of CSV. */
export type ShardName = `-${number}` | `${CsvKind}-${number}`;
export type ManifestName = '-manifest' | `${CsvKind}-manifest`;

export interface JobToMake {
  readonly uuid: string;
  /** The Pacific day on which the job was started, `YYYY-MM-DD`: its folder. */
  readonly date: string;
  /** In the order of the export. */
  readonly sessions: readonly Session[];
  /** Default json. */
  readonly format?: ExportFormat;
  /** Of each kind; with 0 the job has manifests alone. Default 1, and 0 where there are no sessions. */
  readonly shards?: number;
  /** Compresses the shards, which no name shows. Default false. */
  readonly gzip?: boolean;
  /** Default names. */
  readonly manifest?: ManifestShape;
  /** Shards that are uploaded, and that the manifest leaves out. */
  readonly unlisted?: readonly ShardName[];
  /** Shards that the manifest lists, and manifests, that are not uploaded. */
  readonly withheld?: readonly (ShardName | ManifestName)[];
  /**
   * Gives all events of one name the same id. A CSV file says of a parameter only the event's id, so nobody can
   * tell then whose parameters they are. Default false: events with parameters have an id of their own.
   */
  readonly sharedEventIds?: boolean;
  /** How CSV files write instants. Default seconds. */
  readonly instants?: InstantText;
  /** Turns the order of a CSV file's columns round. Default false. */
  readonly turnedHeaders?: boolean;
  /** Of CSV files. Default \n. */
  readonly lineBreak?: '\n' | '\r\n';
}

export interface MadeFile {
  /** Relative to the store's root. */
  readonly key: string;
  readonly kind: Kind;
  readonly role: 'shard' | 'manifest';
  readonly bytes: Buffer;
}

export interface MadeJob {
  readonly uuid: string;
  readonly date: string;
  readonly format: ExportFormat;
  /** What is uploaded, in that order. */
  readonly files: readonly MadeFile[];
  /** What is not. */
  readonly withheld: readonly MadeFile[];
  /** What the tables hold once all listed shards are loaded, in the order of the shards. */
  readonly rows: LeanplumRows;
  /** Parameters in listed shards that no event in a listed shard has: bad rows. */
  readonly quarantined: number;
  /** Parameters in listed shards whose event's id occurs in several sessions. */
  readonly ambiguous: number;
}

/** What stands in the shards of a kind. */
interface KindOfShards {
  readonly kind: Kind;
  readonly texts: readonly string[];
}

/** Throws RangeError for sessions without a shard. */
export function makeJob(request: JobToMake): MadeJob {
  const shared = request.sharedEventIds === true;
  const job = shared ? { ...request, sessions: request.sessions.map(withSharedEventIds) } : request;
  const { uuid, date, format = 'json', unlisted = [], withheld = [] } = job;
  const shards = job.shards ?? (job.sessions.length === 0 ? 0 : 1);
  const isListed = (kind: Kind, number: number): boolean => !unlisted.includes(shardName(kind, number));
  const { kinds, rows, quarantined, ambiguous } =
    format === 'json' ? jsonShards(job, shards, isListed) : csvShards(job, shards, isListed);

  const shardFiles: MadeFile[] = [];
  const manifests: MadeFile[] = [];
  for (const { kind, texts } of kinds) {
    const files = texts.map((text, number): MadeFile => {
      const bytes = job.gzip === true ? gzipSync(text) : Buffer.from(text);
      return { key: fileKey(job, shardName(kind, number)), kind, role: 'shard', bytes };
    });
    const listed = files.filter((_, number) => isListed(kind, number));
    shardFiles.push(...files);
    manifests.push({
      key: fileKey(job, kind === 'json' ? '-manifest' : `${kind}-manifest`),
      ...{ kind, role: 'manifest' },
      bytes: Buffer.from(manifestText(listed, job.manifest ?? 'names')),
    });
  }
  const all = [...shardFiles, ...manifests];
  const keptBack = new Set(withheld.map((name) => fileKey(job, name)));
  return {
    ...{ uuid, date, format, rows, quarantined, ambiguous },
    files: all.filter(({ key }) => !keptBack.has(key)),
    withheld: all.filter(({ key }) => keptBack.has(key)),
  };
}

/** What an upload that broke off leaves: no manifest, and of the last shard the first half. */
export function brokenOff({ files }: Pick<MadeJob, 'files'>): readonly MadeFile[] {
  const shards = files.filter(({ role }) => role === 'shard');
  return shards.map((file, index) =>
    index < shards.length - 1 ? file : { ...file, bytes: file.bytes.subarray(0, file.bytes.length >> 1) },
  );
}

/** Key of a job's file by what follows `-output` in its name. */
export function fileKey(
  { uuid, date }: Pick<JobToMake, 'uuid' | 'date'>,
  name: ShardName | ManifestName,
): string {
  // The same number for every file of the job.
  const id = createHash('md5').update(uuid).digest().readUIntBE(0, 6);
  return `${dateFolder(date)}export-${id}-${uuid}-output${name}`;
}

interface Content {
  readonly kinds: readonly KindOfShards[];
  readonly rows: LeanplumRows;
  readonly quarantined: number;
  readonly ambiguous: number;
}

type IsListed = (kind: Kind, number: number) => boolean;

function jsonShards({ sessions }: JobToMake, shards: number, isListed: IsListed): Content {
  const parts = split(sessions, shards);
  const texts = parts.map((part) => part.map((session) => `${jsonLine(session)}\n`).join(''));
  const rows = rowsOf(parts.filter((_, number) => isListed('json', number)).flat());
  return { kinds: [{ kind: 'json', texts }], rows, quarantined: 0, ambiguous: 0 };
}

function csvShards(job: JobToMake, shards: number, isListed: IsListed): Content {
  const all = csvRecords(job.sessions, job.instants ?? 'seconds');
  const parts = new Map(csvKinds.map((kind) => [kind, split(all[kind], shards)]));
  const listed = (kind: CsvKind): readonly CsvRecord[] =>
    (parts.get(kind) ?? []).filter((_, number) => isListed(kind, number)).flat();
  const { rows, orphans, ambiguous } = rowsOfCsv({
    sessions: listed('sessions'),
    experiments: listed('experiments'),
    states: listed('states'),
    events: listed('events'),
    eventparameters: listed('eventparameters'),
    userattributes: listed('userattributes'),
  });
  const inOrder = (values: readonly string[]): readonly string[] =>
    job.turnedHeaders === true ? [...values].reverse() : values;
  const kinds = csvKinds.map((kind) => ({
    kind,
    texts: (parts.get(kind) ?? []).map((records) =>
      csvText(
        inOrder(csvHeaders[kind]),
        records.map(({ values }) => inOrder(values)),
        job.lineBreak,
      ),
    ),
  }));
  return { kinds, rows, quarantined: orphans, ambiguous };
}

/** Runs of about the same length, in order; some are empty where there are fewer items. */
function split<T>(items: readonly T[], parts: number): readonly (readonly T[])[] {
  if (parts === 0 && items.length > 0) throw new RangeError(`${items.length} rows need a shard`);
  const start = (part: number): number => Math.floor((part * items.length) / parts);
  return Array.from({ length: parts }, (_, part) => items.slice(start(part), start(part + 1)));
}

function shardName(kind: Kind, number: number): ShardName {
  return kind === 'json' ? `-${number}` : `${kind}-${number}`;
}
