import assert from 'node:assert/strict';

import fc from 'fast-check';

import {
  bulkItems,
  countDocuments,
  isActionLine,
  linesOf,
  longestActionLine,
} from '../../../vendors/dynatrace/bulk.js';

const line = (text: string): Buffer => Buffer.from(text);

describe("Elasticsearch's action lines", () => {
  const actions = [
    '{"index":{}}',
    '{ "index" : { "_index" : "sessions", "_type" : "_doc", "_id" : "umsaywsjuo-744377345-1622107543233" } }',
    '{"create":{"_id":"a"}}',
    ' \t{"create":{"_id":7}}  \r',
    '{"\\u0069ndex":{}}',
    '{"cre\\u0061te":{}}',
  ];
  for (const text of actions) {
    it(`are such: ${JSON.stringify(text)}`, () => assert.equal(isActionLine(line(text)), true));
  }

  const others = [
    '',
    ' ',
    'index',
    '{"index":{}',
    '{"index":{}}}',
    '{"index":1}',
    '{"index":null}',
    '{"index":[]}',
    '{"index":{},"tenantId":"a"}',
    '{"tenantId":"a","index":{}}',
    '{"indexes":{}}',
    '{"ind":{}}',
    '{"delete":{"_id":"a"}}',
    '{"update":{"_id":"a"}}',
    '[{"index":{}}]',
    '{"tenant\\u0049d":{"index":{}}}',
    '{"index',
    '{"',
    '{',
    '{}',
    '\ufeff{"index":{}}',
  ];
  for (const text of others) {
    it(`are not such: ${JSON.stringify(text)}`, () => assert.equal(isActionLine(line(text)), false));
  }

  it('are no longer than anybody has to hold', () => {
    const least = '{"index":{"_id":""}}'.length;
    const ofLength = (length: number): Buffer => line(`{"index":{"_id":"${'x'.repeat(length - least)}"}}`);
    assert.equal(isActionLine(ofLength(longestActionLine)), true);
    assert.equal(isActionLine(ofLength(longestActionLine + 1)), false);
  });

  it('are those that a parser takes for such, whatever the line', () => {
    const keys = fc.constantFrom('index', 'create', 'delete', 'tenantId', 'ind"ex', 'ind\\ex');
    const value = fc.oneof(fc.constant({}), fc.object({ maxDepth: 1 }), fc.jsonValue());
    const spaces = fc.stringMatching(/^[ \t\r]{0,3}$/);
    fc.assert(
      fc.property(fc.dictionary(keys, value, { maxKeys: 2 }), spaces, spaces, (object, before, after) => {
        const [entry, ...more] = Object.entries(JSON.parse(JSON.stringify(object)) as object);
        const [key, inner] = (entry ?? []) as [string?, unknown?];
        const is =
          more.length === 0 &&
          (key === 'index' || key === 'create') &&
          typeof inner === 'object' &&
          inner !== null &&
          !Array.isArray(inner);
        assert.equal(
          isActionLine(line(before + JSON.stringify(object, null, 1).replaceAll('\n', '') + after)),
          is,
        );
      }),
    );
  });

  it('and blank lines are no documents', () => {
    assert.equal(countDocuments(line('{"index":{}}\n{"a":1}\n\n \r\n{"a":2}')), 2);
    assert.equal(countDocuments(line('')), 0);
    assert.equal(countDocuments(line('\n')), 0);
    assert.equal(countDocuments(line('no JSON\n{"create":{}}\n')), 1);
  });
});

describe('the lines of a body', () => {
  it('are the body again with line breaks between them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ max: 30, maxLength: 60 }), (bytes) => {
        const body = Buffer.from(bytes.map((byte) => (byte < 5 ? 0x0a : byte)));
        const lines = [...linesOf(body)].map((part) => part.toString('latin1'));
        const ended = body.length > 0 && body.at(-1) === 0x0a;
        assert.equal(lines.join('\n') + (ended ? '\n' : ''), body.toString('latin1'));
      }),
    );
  });
});

describe("the items of Elasticsearch's answer", () => {
  const items = (...lines: string[]): string[] =>
    [...bulkItems(line(lines.join('\n')))].map(
      ({ action, line: at, fault }) =>
        `${at} ${action.kind} ${(action.target['_id'] as string | undefined) ?? '-'}${fault === undefined ? '' : ': fault'}`,
    );
  const index = (id: string): string => `{"index":{"_id":"${id}"}}`;

  it('are one a document, in the order of the body', () => {
    assert.deepEqual(items(index('a'), '{}', '{"create":{"_id":"b"}}', 'no JSON', ''), [
      '2 index a',
      '4 create b',
    ]);
  });
  it('pass over blank lines', () => {
    assert.deepEqual(items('', index('a'), ' ', '{}', '', index('b'), '{}'), ['4 index a', '7 index b']);
  });
  it('say of an action without a document that it has none', () => {
    assert.deepEqual(items(index('a'), index('b'), '{}', index('c')), [
      '1 index a: fault',
      '3 index b',
      '4 index c: fault',
    ]);
  });
  it('refuse a delete, and an update with its document', () => {
    assert.deepEqual(
      items('{"delete":{"_id":"a"}}', '{"update":{"_id":"b"}}', '{"doc":{}}', index('c'), '{}'),
      ['1 delete a: fault', '2 update b: fault', '5 index c'],
    );
    assert.deepEqual(items('{"update":{"_id":"b"}}', index('c'), '{}'), ['1 update b: fault', '3 index c']);
    assert.deepEqual(items('{"update":{"_id":"b"}}'), ['1 update b: fault']);
  });
  it('are there for a document that nothing announces', () => {
    assert.deepEqual(items('{}', index('a'), '{}', '{}'), ['1 index -', '3 index a', '4 index -']);
  });
  it('take what follows an action for its document, whatever it is', () => {
    assert.deepEqual(items(index('a'), '{"delete":{"_id":"b"}}', index('c'), '{}'), [
      '2 index a',
      '4 index c',
    ]);
  });
});
