import assert from 'node:assert/strict';

import { z } from 'zod';

import { ConfigError } from '../../config/config-error.js';
import { readDocument } from '../../config/document.js';
import { parseConfig } from '../../config/load.js';
import { configJsonSchema, type SourceConfig } from '../../config/schema.js';

const env = { K: 'AKIAEXAMPLEKEY', S: 'verysecretkey' };

/** A source with some settings more, in the fifth line. */
const source = (setting = ''): string => `sources:
  podcasts:
    vendor: megaphone
    store: { type: s3, bucket: b }
    ${setting}`;

const store = (settings: string): string => `sources:
  podcasts:
    vendor: megaphone
    store: { type: s3, ${settings} }`;

function parse(text: string): SourceConfig & { vendor: 'megaphone' } {
  const [first] = parseConfig({ text, name: 'landfall.yaml', path: '/l.yaml', env }).sources;
  assert(first?.vendor === 'megaphone');
  return first;
}

/** The lines of the error, without the first. */
function problemsOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return assert.fail('The configuration was accepted.');
}

describe('the configuration of a Megaphone source', () => {
  it("has the vendor's rules as defaults", () => {
    assert.deepEqual(parse(source()), {
      name: 'podcasts',
      vendor: 'megaphone',
      schema: 'megaphone',
      types: ['metrics'],
      store: { type: 's3', bucket: 'b', prefix: '', region: 'us-east-1', forcePathStyle: false },
      pollEvery: 900_000,
      discoverEvery: 900_000,
      giveUpAfter: 172_800_000,
      settleFor: 3_600_000,
      auditFor: 172_800_000,
      quarantineLimit: 0.01,
      refusalGrace: 1_800_000,
      shrinkLimit: 0.5,
      filesInFlight: 2,
      heartbeatTimeout: 20_000,
      mask: [],
    });
  });

  it('may say otherwise', () => {
    const { store: place, ...rest } = parse(`sources:
  podcasts:
    vendor: megaphone
    schema: podcasts
    types: [metrics, impressions, impressions-v2]
    store: { type: s3, bucket: b, prefix: exports/megaphone/, accessKeyId: \${K}, secretAccessKey: \${S} }
    settleFor: 90 minutes
    auditFor: 1 week
    closesAfter: 6 hours`);
    assert.equal(rest.schema, 'podcasts');
    assert.deepEqual(rest.types, ['metrics', 'impressions', 'impressions-v2']);
    assert.deepEqual([rest.settleFor, rest.auditFor, rest.closesAfter], [5_400_000, 604_800_000, 21_600_000]);
    assert.equal(place.prefix, 'exports/megaphone/');
    assert.equal(place.secretAccessKey?.reveal(), env.S);
  });

  for (const none of ['0', "'0'", '0 hours', '0h']) {
    it(`auditFor: ${none} compares final days no more`, () => {
      assert.equal(parse(source(`auditFor: ${none}`)).auditFor, 0);
    });
  }

  it('may name the empty prefix', () => {
    assert.equal(parse(store("bucket: b, prefix: ''")).store.prefix, '');
  });

  it('shares a file with a source of another vendor, each in its own schema', () => {
    const text = `${source()}
  experiments: { vendor: optimizely, store: { type: s3, bucket: b, prefix: v1/ } }`;
    const { sources } = parseConfig({ text, name: 'landfall.yaml', path: '/l.yaml', env });
    assert.deepEqual(
      sources.map(({ name, schema }) => [name, schema]),
      [
        ['podcasts', 'megaphone'],
        ['experiments', 'optimizely'],
      ],
    );
  });

  describe('is refused with path, rule, value and line', () => {
    const length = "must be a length of time with its unit, such as '15 minutes', '3 days' or '90s'";
    const lengthOrNone = "must be a length of time with its unit, such as '48 hours', or 0";
    const types = "must be 'metrics' or 'impressions' or 'impressions-v2'";
    const prefix = "must be empty, or end with '/' and not start with one, such as 'megaphone/'";
    const cases: readonly (readonly [title: string, text: string, ...problems: string[]])[] = [
      [
        'a settleFor of nothing, with which one look would be enough',
        source('settleFor: 0 minutes'),
        `5: sources.podcasts.settleFor ${length}; it is '0 minutes'.`,
      ],
      [
        'an audit without a unit',
        source('auditFor: 48'),
        `5: sources.podcasts.auditFor ${lengthOrNone}; it is 48.`,
      ],
      [
        'an audit of an unknown unit',
        source('auditFor: 0 moons'),
        `5: sources.podcasts.auditFor ${lengthOrNone}; it is '0 moons'.`,
      ],
      [
        'a closing hour without a unit',
        source('closesAfter: "04:30"'),
        `5: sources.podcasts.closesAfter ${length}; it is '04:30'.`,
      ],
      [
        'a type by the name of its file',
        source('types: [impression]'),
        `5: sources.podcasts.types[0] ${types}; it is 'impression'.`,
      ],
      [
        'a type twice',
        source('types: [metrics, metrics]'),
        '5: sources.podcasts.types must not name a type twice; it is a list.',
      ],
      [
        'a setting that does not exist, with what was meant',
        source('settlefor: 1 hour'),
        "5: sources.podcasts.settlefor is not a setting; did you mean 'settleFor'?",
      ],
      [
        "a setting of another vendor's store",
        store('bucket: b, credentials: { optimizelyToken: t }'),
        '4: sources.podcasts.store.credentials is not a setting; those here are type, bucket, prefix, region, endpoint, allowHttp, ' +
          'forcePathStyle, requesterPays, accessKeyId, secretAccessKey, sessionToken.',
      ],
      [
        'a prefix without its final slash',
        store('bucket: b, prefix: megaphone'),
        `4: sources.podcasts.store.prefix ${prefix}; it is 'megaphone'.`,
      ],
      [
        'a prefix that starts with a slash',
        store('bucket: b, prefix: /'),
        `4: sources.podcasts.store.prefix ${prefix}; it is '/'.`,
      ],
      [
        'no bucket',
        store('prefix: megaphone/'),
        "4: sources.podcasts.store.bucket is missing; it must be the name of a bucket (letters, digits, '.', '-' and " +
          "'_').",
      ],
      [
        'half a pair of keys',
        store('bucket: b, accessKeyId: k'),
        '4: sources.podcasts.store.secretAccessKey is missing: an accessKeyId needs its secretAccessKey.',
      ],
      [
        'a token without keys',
        store('bucket: b, sessionToken: k'),
        '4: sources.podcasts.store.accessKeyId is missing: a secretAccessKey or sessionToken needs its accessKeyId.',
      ],
    ];
    for (const [title, text, ...problems] of cases) {
      it(title, () =>
        assert.deepEqual(
          problemsOf(text),
          problems.map((problem) => `landfall.yaml:${problem}`),
        ),
      );
    }
  });

  it('is described by the JSON Schema', () => {
    const schema = z.fromJSONSchema(configJsonSchema());
    const accepts = (text: string): boolean =>
      schema.safeParse(readDocument('landfall.yaml', text, { AUDIT: '${AUDIT}' }).value).success;
    for (const setting of ['', 'auditFor: 0', 'auditFor: 48 hours', 'auditFor: "0"', 'auditFor: ${AUDIT}']) {
      assert.ok(accepts(source(setting)), setting);
    }
    assert.ok(accepts(store("bucket: b, prefix: ''")));
    for (const setting of ['auditFor: 48', 'settleFor: 60', 'types: [impression]', 'closesAt: 1 hour']) {
      assert.ok(!accepts(source(setting)), setting);
    }
    assert.ok(!accepts(store('prefix: megaphone/')));
    assert.ok(!accepts(store('bucket: b, prefix: megaphone')));
  });
});
