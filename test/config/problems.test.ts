import assert from 'node:assert/strict';

import { ConfigError } from '../../config/config-error.js';
import { parseConfig } from '../../config/load.js';

/** The lines of the error that a configuration gives, without the first. */
function problemsOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    parseConfig({ text, name: 'landfall.yaml', path: '/etc/landfall.yaml', env });
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return assert.fail('The configuration was accepted.');
}

/** A source with one setting changed. */
function source(setting: string): string {
  return `sources:
  experiments:
    vendor: optimizely
    store: { type: s3, bucket: b, prefix: v1/ }
    ${setting}`;
}

function store(settings: string): string {
  return `sources:
  experiments:
    vendor: optimizely
    store: { type: s3, ${settings} }`;
}

const length = "must be a length of time with its unit, such as '15 minutes', '3 days' or '90s'";
const share = "must be a percentage up to 100%, such as '1%', or a fraction below 1, such as 0.01";
const address =
  "must be an http:// or https:// address without user and password, such as 'http://127.0.0.1:9000'";
const reserved =
  'must not be one of landfall, landfall_staging, landfall_superseded, public, information_schema or start with pg_';

const cases: readonly (readonly [title: string, text: string, ...problems: string[]])[] = [
  [
    'a length of time without a unit',
    source('pollEvery: 15'),
    `5: sources.experiments.pollEvery ${length}; it is 15.`,
  ],
  [
    'an unknown unit',
    source('giveUpAfter: 3 moons'),
    `5: sources.experiments.giveUpAfter ${length}; it is '3 moons'.`,
  ],
  [
    'a length of time of nothing',
    source('pollEvery: 0 minutes'),
    `5: sources.experiments.pollEvery ${length}; it is '0 minutes'.`,
  ],
  [
    'a heartbeat that is too short',
    source('heartbeatTimeout: 10 ms'),
    `5: sources.experiments.heartbeatTimeout ${length}, of at least 1 second; it is '10 ms'.`,
  ],
  [
    'a share that may mean 1% or all',
    source('quarantineLimit: 1'),
    `5: sources.experiments.quarantineLimit ${share}; it is 1.`,
  ],
  [
    'a share above all',
    source('quarantineLimit: 101%'),
    `5: sources.experiments.quarantineLimit ${share}; it is '101%'.`,
  ],
  [
    'a day that is not in the calendar',
    source('since: 2026-02-30'),
    "5: sources.experiments.since must be a day, written '2026-11-20'; it is '2026-02-30'.",
  ],
  [
    'a number out of bounds',
    source('filesInFlight: 0'),
    '5: sources.experiments.filesInFlight must be a whole number from 1 to 100; it is 0.',
  ],
  [
    'a type that the vendor does not have',
    source('types: [decision]'),
    "5: sources.experiments.types[0] must be 'decisions' or 'events'; it is 'decision'.",
  ],
  [
    'no types at all',
    source('types: []'),
    '5: sources.experiments.types must name at least one type; it is a list.',
  ],
  [
    'a setting that does not exist, with what was meant',
    source('poll_every: 15 minutes'),
    "5: sources.experiments.poll_every is not a setting; did you mean 'pollEvery'?",
  ],
  [
    'a setting that resembles none',
    'colour: blue',
    '1: colour is not a setting; those here are postgres, temporal, sources, worker, receiver, metrics.',
  ],
  [
    'a schema with capitals',
    source('schema: Optimizely'),
    "5: sources.experiments.schema must be a plain Postgres name (a-z, 0-9 and '_', not starting with a digit, at most " +
      "63 letters); it is 'Optimizely'.",
  ],
  ...['landfall', 'landfall_staging', 'landfall_superseded', 'public', 'information_schema', 'pg_data'].map(
    (name) =>
      [
        `the schema ${name}`,
        source(`schema: ${name}`),
        `5: sources.experiments.schema ${reserved}: these belong to Landfall or Postgres; it is '${name}'.`,
      ] as const,
  ),
  [
    'two sources in one schema',
    `sources:
  a: { vendor: optimizely, store: { type: s3, bucket: b, prefix: v1/ } }
  b:
    vendor: optimizely
    schema: optimizely
    store: { type: s3, bucket: b, prefix: v2/ }`,
    "5: sources.b.schema must differ from that of every other source, and sources 'a' and 'b' share one; it is " +
      "'optimizely'.",
  ],
  [
    'a name with a slash',
    'sources:\n  a/b: { vendor: optimizely }',
    "2: sources.a/b is no name for a source: use a-z, 0-9, '-' and '_' (a '/' would not survive in delivery ids).",
  ],
  [
    'an unknown vendor',
    'sources: { a: { vendor: optimizly } }',
    "1: sources.a.vendor must be the name of a vendor: optimizely, megaphone, leanplum, monetate, dynatrace; it is 'optimizly'.",
  ],
  [
    'no store',
    'sources:\n  a:\n    vendor: optimizely',
    '2: sources.a.store is missing; it must be a mapping (key: value).',
  ],
  [
    'another kind of store',
    'sources: { a: { vendor: optimizely, store: { type: sftp, bucket: b, prefix: v1/ } } }',
    "1: sources.a.store.type must be 's3'; it is 'sftp'.",
  ],
  [
    'a prefix without its final slash',
    store('bucket: b, prefix: v1'),
    "4: sources.experiments.store.prefix must end with '/' and not start with one, such as " +
      "'v1/account_id=596780373/'; it is 'v1'.",
  ],
  [
    'an endpoint with a password, which is not shown',
    store('bucket: b, prefix: v1/, endpoint: "http://u:hunter2@host"'),
    `4: sources.experiments.store.endpoint ${address}; it is 'http://[secret]@host'.`,
  ],
  [
    'neither bucket nor token',
    store('prefix: v1/'),
    '4: sources.experiments.store.bucket is missing: only with credentials.optimizelyToken it may be left out.',
  ],
  [
    'keys and a token',
    store('accessKeyId: k, secretAccessKey: s, credentials: { optimizelyToken: t }'),
    '4: sources.experiments.store.credentials must hold either keys (accessKeyId, secretAccessKey, sessionToken) or ' +
      'credentials, not both; it is a mapping.',
  ],
  [
    'half a pair of keys',
    store('bucket: b, prefix: v1/, accessKeyId: k'),
    '4: sources.experiments.store.secretAccessKey is missing: an accessKeyId needs its secretAccessKey.',
  ],
  [
    'the other half',
    store('bucket: b, prefix: v1/, secretAccessKey: k'),
    '4: sources.experiments.store.accessKeyId is missing: a secretAccessKey or sessionToken needs its accessKeyId.',
  ],
  [
    'a secret of the wrong kind',
    'postgres: { url: 5432 }',
    '1: postgres.url must be a text; it is a secret, which is not shown.',
  ],
  [
    'a variable that is not set',
    'postgres:\n  url: ${DATABASE_URL}',
    '2: postgres.url refers to the environment variable DATABASE_URL, which is not set.',
  ],
  [
    'a reference that is none',
    'postgres: { url: "${DATABASE-URL}" }',
    '1: postgres.url refers to ${DATABASE-URL}, which is no name of an environment variable; write ${NAME}.',
  ],
  [
    'metrics for nobody',
    'metrics: { prometheus: 9464 }',
    "1: metrics.prometheus must be an address to listen at, such as '127.0.0.1:9464'; it is 9464.",
  ],
  ['a list for a mapping', '- a', '1: must be a mapping (key: value); it is a list.'],
  ['a tab', 'sources:\n\ta: {}', '2: is indented with a tab; use spaces.'],
  ['the same key twice', 'worker: {}\nworker: {}', '2: says the same key twice.'],
  [
    'several problems, all of them, in the order of the file',
    `postgres: { url: \${DATABASE_URL} }
sources:
  a:
    vendor: optimizely
    pollEvery: often
    store: { type: s3, bucket: b, prefix: v1 }
worker: { readers: many }`,
    '1: postgres.url refers to the environment variable DATABASE_URL, which is not set.',
    `5: sources.a.pollEvery ${length}; it is 'often'.`,
    "6: sources.a.store.prefix must end with '/' and not start with one, such as 'v1/account_id=596780373/'; it is 'v1'.",
    "7: worker.readers must be a whole number from 1 to 64; it is 'many'.",
  ],
];

describe('a configuration that cannot be used is refused with path, rule, value and line', () => {
  for (const [title, text, ...problems] of cases) {
    it(title, () => {
      assert.deepEqual(
        problemsOf(text),
        problems.map((problem) => `landfall.yaml:${problem}`),
      );
    });
  }

  it('says how many problems there are', () => {
    const parse = (text: string) => () =>
      parseConfig({ text, name: 'my.yaml', path: '/etc/my.yaml', env: {} });
    assert.throws(parse('a: 1'), /^ConfigInvalid: my\.yaml has one problem:\n/);
    assert.throws(parse('a: 1\nb: 2'), /^ConfigInvalid: my\.yaml has 2 problems:\n/);
  });

  it('never shows what a variable holds, only which one it was', () => {
    assert.deepEqual(problemsOf(source('pollEvery: ${OFTEN}'), { OFTEN: 'hunter2' }), [
      `landfall.yaml:5: sources.experiments.pollEvery ${length}; it is the value of \${OFTEN}, which is not shown.`,
    ]);
  });
});
