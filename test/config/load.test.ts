import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ConfigError } from '../../config/config-error.js';
import { loadConfig, loadConfigIfAny, parseConfig } from '../../config/load.js';
import { hasStore, type Config, type SourceConfig } from '../../config/schema.js';
import { example, exampleEnv } from './example.js';

function parse(text: string, env: Record<string, string> = exampleEnv): Config {
  return parseConfig({ text, name: 'landfall.yaml', path: '/etc/landfall.yaml', env });
}

function sourceOf(config: Config): SourceConfig & { vendor: 'optimizely' } {
  const [source] = config.sources;
  assert(source?.vendor === 'optimizely');
  return source;
}

const minimal = `
sources:
  experiments:
    vendor: optimizely
    store: { type: s3, bucket: b, prefix: v1/ }
`;

describe('landfall.yaml', () => {
  it('is read into lengths in milliseconds, shares from 0 to 1 and secrets', () => {
    const config = parse(example);
    assert.equal(config.postgres?.url.reveal(), exampleEnv.DATABASE_URL);
    assert.deepEqual(config.temporal, { profile: 'default', taskQueue: 'landfall' });
    const source = sourceOf(config);
    assert.equal(source.name, 'experiments');
    assert.equal(source.schema, 'optimizely');
    assert.deepEqual(source.types, ['decisions', 'events']);
    assert.equal(source.pollEvery, 900_000);
    assert.equal(source.giveUpAfter, 259_200_000);
    assert.equal(source.quarantineLimit, 0.01);
    assert.equal(source.store.bucket, 'b');
    assert.equal(source.store.accessKeyId?.reveal(), exampleEnv.K);
    assert.equal(source.store.secretAccessKey?.reveal(), exampleEnv.S);
  });

  it("fills in the vendor's defaults", () => {
    const config = parse(minimal);
    assert.equal(config.postgres, undefined);
    assert.deepEqual(config.temporal, { taskQueue: 'landfall' });
    assert.deepEqual(config.worker, {
      maxConcurrentActivities: 16,
      shutdownGraceTime: 5_000,
      readers: 2,
      memoryLimit: '256MB',
    });
    assert.deepEqual(sourceOf(config), {
      name: 'experiments',
      vendor: 'optimizely',
      schema: 'optimizely',
      types: ['decisions', 'events'],
      store: {
        type: 's3',
        bucket: 'b',
        prefix: 'v1/',
        region: 'us-east-1',
        forcePathStyle: false,
        credentialsUrl: 'https://api.optimizely.com/v2/export/credentials',
      },
      pollEvery: 900_000,
      discoverEvery: 900_000,
      giveUpAfter: 259_200_000,
      quarantineLimit: 0.01,
      refusalGrace: 1_800_000,
      shrinkLimit: 0.5,
      auditFor: 2_592_000_000,
      filesInFlight: 2,
      heartbeatTimeout: 20_000,
      mask: [],
    });
  });

  it('may leave bucket and prefix to the token exchange', () => {
    const { store } = sourceOf(
      parse(`
sources:
  experiments:
    vendor: optimizely
    store: { type: s3, credentials: { optimizelyToken: \${TOKEN} } }
`),
    );
    assert.equal(store.credentials?.optimizelyToken.reveal(), exampleEnv.TOKEN);
    assert.equal(store.bucket, undefined);
  });

  it('may be empty: everything is embedded then', () => {
    assert.deepEqual(parse('# nothing yet\n').sources, []);
  });

  it('shares what an anchor names', () => {
    const config = parse(`
sources:
  a: { vendor: optimizely, schema: a, store: &bucket { type: s3, bucket: b, prefix: v1/ } }
  b: { vendor: optimizely, schema: b, store: *bucket }
`);
    assert.deepEqual(
      config.sources.map((source) => hasStore(source) && 'bucket' in source.store && source.store.bucket),
      ['b', 'b'],
    );
  });
});

describe('${NAME} in landfall.yaml', () => {
  const bucket = (text: string, env: Record<string, string>): string | undefined =>
    sourceOf(parse(minimal.replace('bucket: b', `bucket: ${text}`), env)).store.bucket;

  it('stands for an environment variable, quoted or not, alone or within a text', () => {
    for (const text of ['${B}', '"${B}"', "'${B}'"]) assert.equal(bucket(text, { B: 'exports' }), 'exports');
    assert.equal(bucket('${STAGE}-exports-${N}', { STAGE: 'test', N: '2' }), 'test-exports-2');
  });

  it('is never read as YAML', () => {
    const url = 'a: b # ] } \' " \\n ${K}';
    assert.equal(parse('postgres: { url: ${URL} }', { URL: url, K: 'no' }).postgres?.url.reveal(), url);
  });

  it('stands for itself with a second $', () => {
    assert.equal(parse("postgres: { url: '$${A}${B}' }", { B: 'b' }).postgres?.url.reveal(), '${A}b');
  });

  it('may stand for a number or a flag', () => {
    const config = parse('worker: { maxConcurrentActivities: ${N} }', { N: '4' });
    assert.equal(config.worker.maxConcurrentActivities, 4);
  });
});

describe('loading the configuration', () => {
  let cwd: string;
  before(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'landfall-config-'));
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  it('works without a file only for those who ask for that', async () => {
    assert.equal(await loadConfigIfAny({ env: {}, cwd }), undefined);
    await assert.rejects(loadConfig({ env: {}, cwd }), (error) => {
      assert(error instanceof ConfigError);
      assert.equal(error.type, 'ConfigInvalid');
      assert.equal(
        error.message,
        `There is no landfall.yaml in ${cwd}. Write one (docs/configuration.md shows how), or name another with ` +
          `--config. Only 'landfall dev' works without.`,
      );
      return true;
    });
  });

  it('says so when the named file is not there', async () => {
    await assert.rejects(loadConfigIfAny({ env: {}, cwd, path: 'other.yaml' }), {
      message: 'The configuration other.yaml cannot be used: it does not exist.',
    });
  });

  it('remembers which file it was', async () => {
    const path = join(cwd, 'named.yaml');
    await writeFile(path, minimal);
    assert.equal((await loadConfig({ env: {}, cwd, path: 'named.yaml' })).configPath, path);
  });
});
