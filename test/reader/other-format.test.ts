/** Files of another format than their delivery's are refused by what they are. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { Failure } from '../../model/failure.js';
import { refuseOtherFormats } from '../../reader/other-format.js';
import { inTemporaryDirectory } from '../support/isolated.js';

const row = '{"id":1}\n';
const error = '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>';
const zstd = Buffer.from('28b52ffd2400', 'hex');
const zip = Buffer.from('504b030414000000', 'hex');

describe('a file of another format', () => {
  const refused: readonly (readonly [what: string, key: string, bytes: string | Buffer, says: RegExp])[] = [
    ['without a byte', 'day.json', '', /it is empty, .*: it has not a single byte\./],
    ['without a byte, by the name of gzip', 'day.json.gz', '', /it is empty/],
    [
      'of blank text by the name of gzip',
      'day.json.gz',
      ' \r\n\n\t',
      /its name says gzip, and it is none and holds no row/,
    ],
    ['of a byte order mark by that name', 'day.json.gz', '\ufeff\n', /holds no row/],
    ['of zero bytes by that name', 'day.json.gz', Buffer.alloc(20_000), /holds no row/],
    [
      'that is an error page of S3',
      'day.json.gz',
      error,
      /it is an XML document, and begins with "<\?xml version="1\.0"\?> <Error>/,
    ],
    [
      'that is an error page of S3 in gzip',
      'day.json.gz',
      gzipSync(error),
      /in its gzip it is an XML document/,
    ],
    [
      'that is a page of a proxy',
      'day.json',
      '\n <!DOCTYPE html>\n<html>',
      /it is HTML, and begins with "<!DOCTYPE html> <html>"/,
    ],
    ['that is XML without a declaration', 'day.json', '<Error/>', /it is an XML document/],
    [
      'that is a ZIP archive',
      'day.json.gz',
      zip,
      /it is a ZIP archive, and begins with "PK\\x03\\x04\\x14\\x00/,
    ],
    ['that is Zstandard', 'day.json.gz', zstd, /it is Zstandard, and begins with "\(\\xb5\/\\xfd\$\\x00"/],
    ['that is Zstandard in gzip', 'day.json.gz', gzipSync(zstd), /in its gzip it is Zstandard/],
    ['that is gzip in gzip', 'day.json.gz', gzipSync(gzipSync(row)), /in its gzip it is gzip/],
    ['that is bzip2', 'day.json', 'BZh91AY&SY', /it is bzip2/],
    ['that is UTF-16', 'day.json', Buffer.from('\ufeff{}', 'utf16le'), /it is in UTF-16/],
    ['that is Parquet', 'day.json', 'PAR1\x15', /it is Parquet/],
    [
      'that would send letters to a terminal',
      'day.json',
      '<a \u001b[2J\u0007>',
      /begins with "<a \\x1b\[2J\\x07>"/,
    ],
  ];
  for (const [what, key, bytes, says] of refused) {
    it(`is refused: ${what}`, async () => {
      await assert.rejects(looked(key, bytes), (failure) => {
        assert.ok(failure instanceof Failure && failure.type === 'FileUnreadable');
        assert.ok(
          failure.message.startsWith(`podcasts: ${key} cannot be read as JSON lines: `),
          failure.message,
        );
        assert.match(failure.message, says);
        return true;
      });
    });
  }

  const taken: readonly (readonly [what: string, key: string, bytes: string | Buffer])[] = [
    ['of rows', 'day.json', row],
    ['of rows in gzip, whatever its name', 'day.json', gzipSync(row)],
    ['of rows without gzip, whatever its name', 'day.json.gz', row],
    ['of gzip that is whole and empty', 'day.json.gz', gzipSync('')],
    ['of blank lines by no name of gzip', 'shard-0', '\n\n'],
    [
      'of gzip that breaks off, which is its reader’s to tell',
      'day.json.gz',
      gzipSync(row.repeat(999)).subarray(0, -9),
    ],
    ['of a line of XML before rows, which is for the quarantine', 'day.json', `<a b="c"/>\n${row}`],
    ['of a row with XML in it', 'day.json', '{"a":"<?xml ?><html>"}'],
  ];
  for (const [what, key, bytes] of taken) it(`is not one ${what}`, () => looked(key, bytes));

  it('is gzip, where Parquet is due', async () => {
    await assert.rejects(looked('part.parquet', gzipSync('PAR1'), 'Parquet'), /it is gzip, and begins with/);
    await looked('part.parquet', 'PAR1\x15', 'Parquet');
  });
});

function looked(key: string, bytes: string | Buffer, format = 'JSON lines'): Promise<void> {
  return inTemporaryDirectory(async (folder) => {
    const path = join(folder, 'part');
    await writeFile(path, bytes);
    await refuseOtherFormats({ path, key: `podcasts: ${key}` }, format);
  });
}
