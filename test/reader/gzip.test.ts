import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { Failure } from '../../model/failure.js';
import { fileBytes } from '../../reader/file-bytes.js';
import { inTemporaryDirectory } from '../support/isolated.js';
import { timesOpen } from './reading.js';

const key = 'metrics-day-2022-03-21.json.gz';
const text = Array.from({ length: 50_000 }, (_, i) => `{"id":"${Math.sin(i)}"}\n`).join('');
const whole = gzipSync(text);

describe('the bytes of a file', () => {
  const bytesOf = (content: Buffer): Promise<string> =>
    inTemporaryDirectory(async (folder) => {
      const path = join(folder, 'part.json');
      await writeFile(path, content);
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of fileBytes(path, key, 'JSON lines')) chunks.push(chunk);
      } finally {
        assert.equal(timesOpen(path) ?? 0, 0, 'the file is closed');
      }
      return Buffer.concat(chunks).toString();
    });

  const readable: readonly [string, Buffer, string][] = [
    ['of a plain file', Buffer.from(text), text],
    ['of gzip, whatever it is called', whole, text],
    [
      'of gzip of several members',
      Buffer.concat([whole, gzipSync('a\n'), gzipSync(''), gzipSync('b\n')]),
      `${text}a\nb\n`,
    ],
    [
      'of gzip of very many members',
      Buffer.concat(Array.from({ length: 30_000 }, () => gzipSync('a\n'))),
      'a\n'.repeat(30_000),
    ],
    ['of no bytes', Buffer.alloc(0), ''],
    ['of gzip of no bytes', gzipSync(''), ''],
    ['of one byte, which gzip begins with', Buffer.from([0x1f]), '\u001f'],
  ];
  for (const [what, content, expected] of readable) {
    it(`are those ${what}`, async () => {
      assert.ok((await bytesOf(content)) === expected);
    });
  }

  const damaged: readonly [string, Buffer, RegExp][] = [
    ['cut off in the middle', whole.subarray(0, whole.length / 2), /its gzip is cut off before its end\./],
    ['cut off within its header', whole.subarray(0, 5), /its gzip is cut off before its end\./],
    ['cut off after two bytes', whole.subarray(0, 2), /its gzip is cut off before its end\./],
    ['cut off within its checksum', whole.subarray(0, -6), /its gzip is cut off before its end\./],
    ['cut off within its length', whole.subarray(0, -1), /its gzip is cut off before its end\./],
    ['with a wrong checksum', flipped(whole, whole.length - 8), /damaged .* \(incorrect data check\)\./],
    ['with a wrong length', flipped(whole, whole.length - 1), /damaged .* \(incorrect length check\)\./],
    ['with a flipped bit', flipped(whole, whole.length / 2), /its gzip is (damaged|cut off)/],
    ['with an unknown method', flipped(whole, 2), /damaged .* \(unknown compression method\)\./],
    [
      'followed by text',
      Buffer.concat([whole, Buffer.from('{"id":"x"}\n')]),
      /something that is no gzip follows its gzip\./,
    ],
    [
      'followed by a zero',
      Buffer.concat([whole, Buffer.alloc(1)]),
      /something that is no gzip follows its gzip\./,
    ],
    [
      'followed by zeros and more gzip',
      Buffer.concat([whole, Buffer.alloc(9), whole]),
      /something that is no gzip/,
    ],
    [
      'followed by the start of gzip',
      Buffer.concat([whole, whole.subarray(0, 1)]),
      /its gzip is cut off before its end\./,
    ],
    [
      'whose second member is cut off',
      Buffer.concat([whole, whole.subarray(0, -9)]),
      /its gzip is cut off before its end\./,
    ],
  ];
  for (const [what, content, word] of damaged) {
    it(`are an error where it is gzip ${what}`, async () => {
      await assert.rejects(bytesOf(content), (error) => {
        assert.ok(error instanceof Failure, String(error));
        assert.equal(error.type, 'FileUnreadable');
        assert.ok(error.message.startsWith(`${key} cannot be read as JSON lines: `), error.message);
        assert.match(error.message, word);
        assert.match(
          error.message,
          /It is looked at again until it is written anew or the delivery's deadline passes\.$/,
        );
        return true;
      });
    });
  }

  it('of a file that has gone are an error of ours, not of the vendor', async () => {
    await assert.rejects(
      async () => {
        for await (const chunk of fileBytes('/no/such/file', key, 'CSV')) assert.ok(chunk);
      },
      { code: 'ENOENT' },
    );
  });

  it('need not be read to the end', () =>
    inTemporaryDirectory(async (folder) => {
      const path = join(folder, 'part');
      await writeFile(path, whole);
      for await (const chunk of fileBytes(path, key, 'JSON lines')) if (chunk.length > 0) break;
      assert.equal(timesOpen(path) ?? 0, 0);
    }));
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[Math.floor(at)] = (copy[Math.floor(at)] ?? 0) ^ 0x10;
  return copy;
}
