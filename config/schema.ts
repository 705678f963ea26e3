/** The whole of landfall.yaml. The texts are what editors show. */

import { z } from 'zod';

import { count, duration, httpUrl, matching, secretText, text } from './scalars.js';
import { receiverSettings } from './receiver.js';
import { settings } from './settings.js';
import { vendors } from '../vendors/registry.js';
import { sourceSettings } from './source-settings.js';

const mapping = 'must be a mapping (key: value)';

/** Source names begin workflow ids and delivery ids, where `/` separates. */
const sourceName = matching(
  /^[a-z0-9][a-z0-9_-]*$/,
  "is no name for a source: use a-z, 0-9, '-' and '_' (a '/' would not survive in delivery ids)",
);

const metrics = z.union(
  [
    settings({
      prometheus: matching(/^\S+:\d+$/, "must be an address to listen at, such as '127.0.0.1:9464'").describe(
        "Address at which workers serve Temporal's and our metrics for Prometheus.",
      ),
    }),
    settings({
      otel: settings({
        url: httpUrl().describe('Address of an OpenTelemetry collector.'),
        headers: z
          .record(z.string(), secretText(), { error: mapping })
          .optional()
          .describe('Sent with every export, such as an authorization.'),
      }).describe('Workers send their metrics to a collector.'),
    }),
  ],
  { error: "must be { prometheus: '127.0.0.1:9464' } or { otel: { url: 'http://…' } }" },
);

const worker = settings({
  maxConcurrentActivities: count(1, 1_000)
    .prefault(16)
    .describe('Steps that one worker runs at the same time; each may hold a connection to Postgres.'),
  shutdownGraceTime: duration()
    .prefault('5 seconds')
    .describe('How long a stopping worker lets its steps finish before it hands them back.'),
  readers: count(1, 64).prefault(2).describe('Files that one worker reads at the same time.'),
  memoryLimit: matching(/^\d+(?:\.\d+)?\s*[KMG]i?B$/i, "must be an amount of memory, such as '256MB'")
    .prefault('256MB')
    .describe('Memory of one reader; what does not fit goes to the spool directory.'),
  spoolDir: text()
    .optional()
    .describe("Where files lie while they are read. Default: the system's temporary directory."),
});

export const configSchema = settings({
  postgres: settings({
    url: secretText().describe("Where the rows go: 'postgres://user:password@host:5432/database'."),
  })
    .optional()
    .describe('The warehouse. Absent: landfall dev brings its own, under ./.landfall.'),
  temporal: settings({
    profile: text().optional().describe("Profile of temporal.toml, as in 'temporal --profile'."),
    taskQueue: text().prefault('landfall').describe('Task queue of workflows and workers.'),
    webUi: httpUrl()
      .optional()
      .describe("Address of Temporal's Web UI, for links in what the commands print."),
  })
    .prefault({})
    .describe('The connection itself is read from temporal.toml and TEMPORAL_*, like the temporal CLI does.'),
  sources: z
    .record(sourceName, sourceSettings, { error: mapping })
    .prefault({})
    .describe('Configured feeds by name.'),
  worker: worker.prefault({}).describe('What one worker process may take.'),
  receiver: receiverSettings.prefault({}).describe('The endpoint that vendors send to.'),
  metrics: metrics.optional().describe('Where metrics go. Absent: nowhere.'),
}).meta({ title: 'landfall.yaml' });

/** The configuration, ready for use: every default filled in, secrets held so that they cannot be printed. */
export type Config = Readonly<Omit<z.output<typeof configSchema>, 'sources'>> & {
  /** In the order of the file. */
  readonly sources: readonly SourceConfig[];
  /** Absolute path of the file it was read from. */
  readonly configPath: string;
};

/**
 * One configured feed: lengths of time in milliseconds, shares from 0 to 1. One member of the union a vendor; narrow it
 * by `vendor`.
 */
export type SourceConfig = Named<z.output<typeof sourceSettings>>;

type Named<S> = S extends unknown
  ? Readonly<Omit<S, 'schema' | 'types' | keyof Timing>> & {
      readonly name: string;
      /** What of the vendor's is loaded. */
      readonly types: readonly string[];
      /** Postgres schema, owned by this source alone. */
      readonly schema: string;
    } & Timing
  : never;

/** Lengths of time in milliseconds; `since` is a UTC day. */
interface Timing {
  readonly discoverEvery: number;
  readonly pollEvery: number;
  readonly giveUpAfter: number;
  readonly since?: string | undefined;
}

/** A source whose files lie in a store, rather than being sent to us. */
export type StoredSource = Exclude<SourceConfig, { readonly vendor: 'dynatrace' }>;

/** A source that its vendor sends to us, by way of the inbox. */
export type SentSource = Exclude<SourceConfig, StoredSource>;

export function hasStore(source: SourceConfig): source is StoredSource {
  return 'store' in source;
}

export function isSent(source: SourceConfig): source is SentSource {
  return !hasStore(source);
}

/** Of a vendor that sends: what came is there, and nothing is waited for. */
const sent = { pollEvery: 60_000, giveUpAfter: 60_000 };

/** Fills in what a source's settings leave to its name and to each other. */
export function nameSource(name: string, given: z.output<typeof sourceSettings>): SourceConfig {
  const timing = 'pollEvery' in given ? given : { ...sent, ...given };
  return {
    ...timing,
    name,
    schema: given.schema ?? given.vendor,
    // Some vendors have but one thing to load.
    types: 'types' in given ? given.types : vendors[given.vendor].types,
    // A schedule knows no shorter interval than a second.
    discoverEvery: given.discoverEvery ?? Math.max(timing.pollEvery, 1_000),
  };
}

/** JSON Schema of landfall.yaml, for editors: it describes the file, where `${NAME}` may stand for any text. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.pattern !== undefined) jsonSchema.pattern = `${jsonSchema.pattern}|\\$\\{`;
      // A format cannot be widened, and is checked when the file is read.
      delete jsonSchema.format;
    },
  });
}

export type JsonSchema = z.core.JSONSchema.BaseSchema;
