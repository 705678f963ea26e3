import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { parse } from 'yaml';
import { ConfigError } from '../../config/config-error.js';
import { parseConfig } from '../../config/load.js';
import { maskedColumns, wrongRule } from '../../config/mask-columns.js';
import { maskDigest } from '../../config/mask-digest.js';
import { rulesOf } from '../../config/mask-rules.js';
import { secret } from '../../config/secret.js';
import { monetateSettings } from '../../config/vendors/monetate.js';
import { visit } from '../reader/visits.js';

const key = 'k'.repeat(32);

/** What is wrong with a rule of a vendor's source; empty where nothing is. */
function problemsOf(vendor: string, mask: Readonly<Record<string, string>>): readonly string[] {
  const source = { vendor, store: { type: 's3', bucket: 'b', prefix: 'p/' }, maskKey: key, mask };
  try {
    parseConfig({
      ...{ name: 'landfall.yaml', path: '/landfall.yaml', env: {} },
      text: JSON.stringify({ sources: { a: source } }),
    });
    return [];
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.problems.map(({ path, rule }) => `${path} ${rule}`);
  }
}

function monetateProblemsOf(mask: Readonly<Record<string, string>>): readonly string[] {
  const { error } = monetateSettings.safeParse({
    ...{ vendor: 'monetate', maskKey: key, mask },
    store: {
      ...{ type: 'sftp', username: 'u', password: 'p', root: '1/raw_data/session_stream/' },
      hostKey: `SHA256:${'A'.repeat(43)}`,
    },
  });
  return (error?.issues ?? []).map((issue) =>
    issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? '') : issue.message,
  );
}

describe('rules for rows that lie in several fields', () => {
  const columns = maskedColumns({
    types: ['lines'],
    table: () => visit,
    landing: () => ({
      tables: [
        { name: 'visit', key: ['site', 'visit', 'began'] },
        { name: 'note', key: ['site', 'visit', 'ordinal'] },
      ],
    }),
  });
  const problem = (name: string, treatment: 'drop' | 'hash'): string | undefined => {
    const [rule] = rulesOf({ [name]: treatment });
    return rule && wrongRule(rule, columns)?.rule;
  };

  it('speak of each column once, and of keys of pairs in lists as in maps', () => {
    const names = columns.map(({ table, name }) => `${table}:${name}`);
    assert.deepEqual(names, [...new Set(names)]);
    for (const name of [
      'note:value.mail',
      'note:value',
      'note:name',
      'note:_extra.a',
      'step:traits.a.b',
      'city',
    ]) {
      assert.equal(problem(name, 'hash'), undefined, name);
    }
    assert.match(problem('note:value.mail.a', 'drop') ?? '', /^has more than one key below note:value/);
    assert.equal(problem('note:instant.mail', 'drop'), undefined);
    assert.match(problem('note:name.mail', 'drop') ?? '', /^has a path below note:name, which is text/);
  });

  it('cannot speak of what is fixed, nor drop a part of the key', () => {
    assert.match(problem('note:kind', 'drop') ?? '', /^is of a column that table note has not/);
    assert.match(problem('note:site', 'drop') ?? '', /^must not be 'drop': /);
  });
});

describe('rules for personal data', () => {
  const fitting: readonly (readonly [vendor: string, mask: Record<string, string>])[] = [
    [
      'optimizely',
      { user_ip: 'hash', visitor_id: 'hash', attributes: 'hash', 'tags.a.b': 'drop', '_extra.x': 'hash' },
    ],
    ['optimizely', { 'conversion:revenue': 'drop', uuid: 'hash', timestamp: 'drop' }],
    ['megaphone', { ip: 'hash', 'metric:user_agent': 'drop', _extra: 'hash', 'impression:_extra.a': 'drop' }],
    ['leanplum', { user_id: 'hash', 'event_parameter:value.email': 'drop', 'user_attribute:name': 'hash' }],
  ];
  for (const [vendor, mask] of fitting) {
    it('are refused where two differ by the case of their keys alone', () => {
      assert.deepEqual(problemsOf('megaphone', { '_extra.email': 'hash', '_extra.Email': 'keep' }), [
        "sources.a.mask._extra.Email names the same keys as '_extra.email', since their case does not matter: write one rule",
      ]);
    });

    it(`may be ${Object.keys(mask).join(', ')} of ${vendor}`, () => {
      assert.deepEqual(problemsOf(vendor, mask), []);
    });
  }

  const wrong: readonly (readonly [vendor: string, name: string, word: string, rule: string])[] = [
    ['megaphone', 'user_agnt', 'drop', "is of a column that no table has; did you mean 'user_agent'?"],
    [
      'megaphone',
      'zebra',
      'drop',
      "is of a column that no table has; a field without a column is '_extra.zebra'",
    ],
    ['megaphone', 'metrics:ip', 'drop', "is of a table that there is not; did you mean 'metric'?"],
    [
      'megaphone',
      'impression:ip',
      'drop',
      "is of a column that table impression has not; a field without a column is '_extra.ip'",
    ],
    [
      'megaphone',
      'filesize',
      'hash',
      "must be 'drop' or 'keep': metric:filesize is bigint, and a hash is a text",
    ],
    ['megaphone', 'id', 'drop', "must not be 'drop': metric:id is of the key"],
    [
      'megaphone',
      'ip.a',
      'drop',
      'has a path below metric:ip, which is text: only jsonb and the values of pairs have keys',
    ],
    [
      'optimizely',
      'uuid',
      'drop',
      "must not be 'drop': decision:uuid is of the key. Name the table, such as 'conversion:uuid'",
    ],
    [
      'leanplum',
      'value',
      'hash',
      "must be 'drop' or 'keep': event:value is double precision, and a hash is a text. Name the table, such as 'user_attribute:value'",
    ],
    [
      'leanplum',
      'session_id',
      'drop',
      "must not be 'drop': session:session_id is of the key. Name the table, such as 'user_attribute:session_id'",
    ],
    [
      'leanplum',
      'event_parameter:event_id',
      'drop',
      "must not be 'drop': event_parameter:event_id is what rows of event_parameter find theirs of event by",
    ],
    [
      'leanplum',
      'state:state_id',
      'drop',
      "must not be 'drop': state:state_id is what rows of event find theirs of state by",
    ],
    [
      'leanplum',
      'event:has_state',
      'drop',
      "is of a column that table event has not; a field without a column is '_extra.has_state'",
    ],
    [
      'leanplum',
      'event_parameter:value.a.b',
      'drop',
      'has more than one key below event_parameter:value: its path is the key of the pair',
    ],
    [
      'leanplum',
      'event_parameter:_extra',
      'drop',
      "is of a column that table event_parameter has not; a field without a column is '_extra._extra'",
    ],
  ];
  for (const [vendor, name, word, rule] of wrong) {
    it(`cannot be '${name}: ${word}' of ${vendor}`, () => {
      assert.deepEqual(problemsOf(vendor, { [name]: word }), [`sources.a.mask.${name} ${rule}`]);
    });
  }

  it('know the documents of Monetate: fields, pairs, items and what is lifted out of them', () => {
    const fit = {
      ...{ customer_id: 'keep', 'custom_targets.1234': 'drop', 'session_custom_target:value.7': 'hash' },
      ...{
        'session_purchase:value.x': 'drop',
        'session_view_line:sku': 'hash',
        'session_cart_line:item.sku': 'drop',
      },
      ...{
        'session_purchase_item:purchase_id': 'hash',
        guid: 'hash',
        session_id: 'hash',
        '_extra.email': 'drop',
      },
    };
    assert.deepEqual(monetateProblemsOf(fit), []);
    assert.deepEqual(monetateProblemsOf({ session_value: 'hash' }), [
      "must be 'drop' or 'keep': session:session_value is numeric, and a hash is a text",
    ]);
    assert.deepEqual(monetateProblemsOf({ 'session_offer:session_id': 'drop' }), [
      "must not be 'drop': session_offer:session_id is of the key",
    ]);
    assert.deepEqual(monetateProblemsOf({ offers_truncated: 'drop' }), [
      "is of a column that no table has; a field without a column is '_extra.offers_truncated'",
    ]);
  });

  it('may stand as docs/configuration.md has them', async () => {
    const text = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    const [, section = ''] = text.split('### Personal data');
    const [whole = '', ofOptimizely = '', ofLeanplum = ''] = [...section.matchAll(/```yaml\n(.*?)```/gs)].map(
      (match) => match[1] ?? '',
    );
    const env = { LANDFALL_MASK_KEY: key };
    const { sources } = parseConfig({ text: whole, name: 'l.yaml', path: '/l.yaml', env });
    assert.equal(sources[0]?.mask.length, 3);
    const maskOf = (block: string) => (parse(block) as { mask: Record<string, string> }).mask;
    assert.deepEqual(problemsOf('optimizely', maskOf(ofOptimizely)), []);
    assert.deepEqual(problemsOf('leanplum', maskOf(ofLeanplum)), []);
  });

  it('need a key where they hash, for every vendor', () => {
    const text = JSON.stringify({
      sources: { a: { vendor: 'megaphone', store: { type: 's3', bucket: 'b' }, mask: { ip: 'hash' } } },
    });
    assert.throws(
      () => parseConfig({ text, name: 'landfall.yaml', path: '/landfall.yaml', env: {} }),
      /sources\.a\.maskKey is missing: ip is hashed with it/,
    );
  });
});

describe('the digest of rules', () => {
  const digest = (mask: Parameters<typeof rulesOf>[0], maskKey?: string): string =>
    maskDigest({ mask: rulesOf(mask), ...(maskKey === undefined ? {} : { maskKey: secret(maskKey) }) });

  it('tells rules and keys apart, and not their order', () => {
    assert.equal(digest({ a: 'hash', b: 'drop' }, key), digest({ b: 'drop', a: 'hash' }, key));
    const all = [
      digest({ a: 'hash' }, key),
      digest({ a: 'hash' }, `${key}k`),
      digest({ a: 'drop' }, key),
      digest({ 't:a': 'drop' }),
      digest({ a: 'drop', 'a.b': 'keep' }),
      digest({}),
    ];
    assert.equal(new Set(all).size, all.length);
  });

  it('does not tell apart what masks alike: a key that hashes nothing, rules that keep', () => {
    assert.equal(digest({ a: 'drop' }, key), digest({ a: 'drop' }));
    assert.equal(digest({ a: 'keep' }, key), digest({}));
  });
});
