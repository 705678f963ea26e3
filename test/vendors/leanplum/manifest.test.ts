import assert from 'node:assert/strict';

import fc from 'fast-check';

import { parseManifest, type ListedFile } from '../../../vendors/leanplum/manifest.js';

const stem = 'export-4842631999258612-37e812c0-d66e-48a2-8812-27ee12d58b58-output';
const [zero, one] = [`${stem}-0`, `${stem}-1`];
const names = (text: string): string[] => parseManifest(text).map(({ name }) => name);

describe('a Leanplum manifest', () => {
  describe('lists files', () => {
    const cases: readonly (readonly [string, unknown, readonly ListedFile[]])[] = [
      ['as an array of names', [zero, one], [{ name: zero }, { name: one }]],
      ['as an array of keys', [`20190508/${zero}`, `a/b/20190508/${one}`], [{ name: zero }, { name: one }]],
      ['as s3 addresses', [`s3://bucket/a/20190508/${zero}`], [{ name: zero }]],
      ['as https addresses', [`https://x.storage.googleapis.com/${zero}`], [{ name: zero }]],
      [
        'as signed addresses',
        [`https://x.example/a/${zero}?Signature=a/b%2Fc&Expires=1#d/e`],
        [{ name: zero }],
      ],
      [
        'as addresses with escaped slashes',
        [`https://x.example/o/20190508%2F${zero}?alt=media`],
        [{ name: zero }],
      ],
      [
        'as addresses with a percent sign that escapes nothing',
        ['https://x.example/100%/a'],
        [{ name: 'a' }],
      ],
      ['not taking a question mark in a key for a query', ['a/b?c'], [{ name: 'b?c' }]],
      ['in an object', { files: [zero, one] }, [{ name: zero }, { name: one }]],
      ['in an object with other fields', { version: 1, job: { id: 'x' }, output: [zero] }, [{ name: zero }]],
      [
        'beside an empty list of what failed',
        { success: [zero, one], failed: [] },
        [{ name: zero }, { name: one }],
      ],
      ['as none, with nothing that failed', { success: [], failed: [] }, []],
      ['as none: a job without sessions', [], []],
      ['as none in an object', { files: [] }, []],
      ['each once', [zero, `20190508/${zero}`, one, zero], [{ name: zero }, { name: one }]],
      ...['name', 'fileName', 'file_name', 'FILE', 'key', 'Key', 'path', 'url', 'uri', 'destFile'].map(
        (field) => [`as objects with ${field}`, [{ [field]: `20190508/${zero}` }], [{ name: zero }]] as const,
      ),
      ...['size', 'bytes', 'length', 'numBytes', 'num_bytes', 'Content-Length', 'contentLength'].map(
        (field) =>
          [`with ${field}`, [{ name: zero, [field]: 36_590 }], [{ name: zero, size: 36_590 }]] as const,
      ),
      ['with a size as text', [{ name: zero, size: '36590' }], [{ name: zero, size: 36_590 }]],
      ['of no bytes', [{ name: zero, size: 0 }], [{ name: zero, size: 0 }]],
      ['with a size that is none', [{ name: zero, size: 'large' }], [{ name: zero }]],
      ['with a size below 0', [{ name: zero, size: -1 }], [{ name: zero }]],
      ['with a size that is null', [{ name: zero, size: null }], [{ name: zero }]],
      ['where two fields name it, by the address', [{ name: 'first', key: `a/${zero}` }], [{ name: zero }]],
      ['where one field is empty, by the other', [{ key: ' ', name: zero }], [{ name: zero }]],
      ['where one field is no text, by the other', [{ file: { id: 1 }, name: zero }], [{ name: zero }]],
      ['some as text and some as objects', [zero, { key: one }], [{ name: zero }, { name: one }]],
      ['twice, with the size once', [{ name: zero, size: 5 }, zero], [{ name: zero, size: 5 }]],
    ];
    for (const [title, value, expected] of cases) {
      it(title, () => assert.deepEqual(parseManifest(JSON.stringify(value)), expected));
    }

    it('behind a byte order mark and between blanks', () => {
      assert.deepEqual(names(`\uFEFF\n [ "${zero}" ]\n`), [zero]);
    });
  });

  describe('is refused', () => {
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['empty', '', /^It is empty\.$/],
      ['blank', ' \n\t', /^It is empty\.$/],
      ['cut off', `["${zero}",`, /^It is no JSON; it begins with \["export-/],
      ['as plain lines', `${zero}\n${one}\n`, /^It is no JSON; it begins with export-.*\.$/],
      ['null', 'null', /^It holds no list of files but null\.$/],
      ['a text', '"x"', /^It holds no list of files but x\.$/],
      ['a number', '12', /^It holds no list of files but 12\.$/],
      [
        'an object without a list',
        '{"files":{"a":1}}',
        /^It holds no list of files; its fields are 'files'\.$/,
      ],
      ['an empty object', '{}', /^It holds no list of files; its fields are none\.$/],
      ['with two lists', '{"files":["a"],"others":["b"]}', /several lists, .*: 'files', 'others'\.$/],
      [
        'with files that failed',
        '{"success":["a"],"failed":[{"key":"x/b","reason":"timeout"},"c"]}',
        /^The job is not complete: its list 'failed' names 2 files \('b', 'c'\)\.$/,
      ],
      [
        'with nothing but errors',
        '{"files":[],"upload_errors":["a"]}',
        /not complete: .* names 1 file \('a'\)/,
      ],
      ['with a list deeper down only', '{"job":{"files":["a"]}}', /^It holds no list of files; its fields/],
      ['with a number for an entry', '["a",1]', /^An entry of its list names no file: 1\.$/],
      ['with null for an entry', '[null]', /^An entry of its list names no file: null\.$/],
      ['with a list for an entry', '[["a"]]', /^An entry of its list names no file: \["a"\]\.$/],
      ['with an empty text', '[""]', /^An entry of its list names no file: ""\.$/],
      ['with a folder', '["a/b/"]', /^An entry of its list names no file: "a\/b\/"\.$/],
      [
        'with an object that names nothing',
        '[{"size":1}]',
        /^An entry of its list names no file: \{"size":1\}\.$/,
      ],
      [
        'with two sizes of one file',
        '[{"name":"a","size":1},{"key":"x/a","size":2}]',
        /^It lists a twice, with 1 and with 2 bytes\.$/,
      ],
    ];
    for (const [title, text, message] of cases) {
      it(title, () => assert.throws(() => parseManifest(text), { name: 'Error', message }));
    }

    it('without showing what signs an address', () => {
      assert.throws(
        () => parseManifest('[{"address":"https://x.example/a?Signature=secret"}]'),
        ({ message }: Error) => !message.includes('secret'),
      );
    });
  });

  it('whatever it is, gives names or a sentence', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(fc.webUrl()).map((list) => JSON.stringify(list)),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const files = parseManifest(text);
          assert.ok(files.every(({ name }) => name !== '' && !name.includes('/')));
          assert.equal(new Set(files.map(({ name }) => name)).size, files.length);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          assert.match((error as Error).message, /^[A-Z][^]{0,300}\.$/);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('means the same files however it is written', () => {
    const lists = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,20}$/));
    const ways: readonly ((name: string) => unknown)[] = [
      (name) => name,
      (name) => `20190508/${name}`,
      (name) => `s3://bucket/20190508/${name}`,
      (name) => `https://host.example/20190508%2F${name}?alt=media`,
      (name) => ({ fileName: name }),
      (name) => ({ url: `https://host.example/20190508/${name}`, bytes: 12 }),
    ];
    fc.assert(
      fc.property(lists, fc.constantFrom(...ways), fc.boolean(), (list, way, wrapped) => {
        const entries = list.map(way);
        assert.deepEqual(names(JSON.stringify(wrapped ? { files: entries } : entries)), list);
      }),
    );
  });
});
