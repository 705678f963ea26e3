import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';

import { reading, writeParquet } from '../reader/reading.js';
import { randomNumbers } from '../support/random.js';
import { maskedSource, maskKey, type MaskedSource } from '../support/masking.js';
import {
  csv,
  json,
  leanplum,
  lines,
  megaphone,
  metric,
  monetate,
  parquet,
  type Case,
} from './masked-cases.js';

/** The same file with the letters of each name of a field, in JSON or in a header of CSV, made large or small. */
function recased(bytes: string | Buffer, random: () => number): Buffer {
  const plain = Buffer.from(bytes);
  const isGzip = plain[0] === 0x1f && plain[1] === 0x8b;
  const text = (isGzip ? gunzipSync(plain) : plain).toString('latin1');
  const anyCase = (name: string): string =>
    random() < 0.5
      ? name
      : name.replace(/[a-z]/gi, (letter) => (random() < 0.5 ? letter.toUpperCase() : letter.toLowerCase()));
  const changed = /^[{["]/.test(text)
    ? text.replace(/"\w+"(?=:)/g, anyCase)
    : text.replace(/^[\w,]+$/m, (header) => header.split(',').map(anyCase).join(','));
  const written = Buffer.from(changed, 'latin1');
  return isGzip ? gzipSync(written) : written;
}

const hmac = (text: string): string => createHmac('sha256', maskKey).update(text).digest('hex');

describe('personal data', function () {
  this.timeout(120_000);
  let source: MaskedSource | undefined;
  afterEach(async () => {
    await source?.drop();
    source = undefined;
  });

  const openAndLoad = async (
    { vendor, type, name, files }: Case,
    mask: Readonly<Record<string, string>>,
    watch?: (everything: string) => void,
  ): Promise<MaskedSource> => {
    source = await maskedSource(vendor, { mask, maskKey }, watch);
    await source.load(type, name, await files());
    return source;
  };
  const canaries = (text: string): readonly string[] =>
    text.split('\n').filter((line) => line.includes('canary'));
  const rowsOf = async (sql: string): Promise<readonly unknown[]> =>
    (await source!.database.pool.query<unknown[]>({ text: sql, rowMode: 'array' })).rows;

  for (const given of [megaphone, leanplum, csv, parquet, monetate]) {
    describe(`in ${given.title}`, () => {
      it('is nowhere where rules name it: not in tables, staging, ledger, quarantine or logs', async () => {
        const { everything } = await openAndLoad(given, given.mask, (staged) =>
          assert.deepEqual(canaries(staged), []),
        );
        const text = await everything();
        assert.deepEqual(canaries(text), []);
        assert.ok(!text.includes(maskKey.slice(0, 12)));
        const [[quarantined] = []] = (await rowsOf(
          'select count(*)::integer from landfall.quarantine',
        )) as number[][];
        assert.equal(quarantined, given.bad);
      });

      it('is all there where it is kept', async () => {
        const keep = Object.fromEntries(
          [...Object.keys(given.mask), ...(given.usual ?? [])].map((name) => [name, 'keep']),
        );
        const { everything } = await openAndLoad(given, keep);
        const text = await everything();
        const [{ bytes } = { bytes: '' }] = await given.files();
        const written = given.vendor === 'megaphone' ? 'canary ip' : Buffer.from(bytes).toString('latin1');
        for (const marker of new Set(written.match(/canary [a-z]{2,}/g) ?? [])) {
          assert.ok(text.includes(marker), `${marker} is not found`);
        }
      });
    });
  }

  for (const given of [megaphone, leanplum, csv, monetate]) {
    it(`is nowhere in ${given.title} whose names of fields are in another case`, async () => {
      const seed = Number(process.env['LANDFALL_TEST_SEED'] ?? Date.now() % 1_000_000);
      const random = randomNumbers(seed);
      const shown: string[] = [];
      const { load, everything } = await openAndLoad(given, given.mask);
      for (let time = 0; time < 3; time += 1) {
        const files = (await given.files()).map(({ key, bytes }) => ({
          key,
          bytes: recased(bytes, random),
        }));
        // A file whose rows all lack their key is refused as a whole.
        await load(given.type, given.name, files).catch(() => undefined);
        shown.push(...canaries(await everything()));
      }
      assert.deepEqual(shown, [], `LANDFALL_TEST_SEED=${seed}`);
    });
  }

  it('is nowhere in Parquet whose columns are in another case', async () => {
    const query =
      `select 'e1' as uuid, timestamp '2026-11-20 01:00:00' as timestamp, 'canary visitor' as "Visitor_ID", ` +
      `'canary ip' as "USER_IP", 'canary device' as "Device", 'much' as revenue`;
    const bytes = await reading(async (at) => readFile(await writeParquet(at, query)));
    const files = [{ key: 'type=events/date=2026-11-20/part-0.parquet', bytes }];
    const { everything } = await openAndLoad({ ...parquet, files: () => files }, parquet.mask);
    assert.deepEqual(canaries(await everything()), []);
  });

  it('has one hash in each column, and with one key in each source', async () => {
    await openAndLoad(megaphone, megaphone.mask);
    assert.deepEqual(
      await rowsOf(
        `select ip, user_agent, city, _extra from masked.metric where id in ('plain', 'odd') order by id`,
      ),
      [
        [hmac('canary ip'), null, hmac('canary city'), { owner: { a: hmac('canary owner') } }],
        [hmac('canary ip'), null, hmac('canary city'), null],
      ],
    );
    await source?.drop();
    await openAndLoad(parquet, parquet.mask);
    assert.deepEqual(
      await rowsOf(
        `select user_ip, visitor_id, referer, user_agent, attributes, tags, _extra from masked.conversion where uuid = 'e1'`,
      ),
      [
        [
          ...[hmac('canary ip'), hmac('canary visitor'), hmac('canary referer'), null],
          [hmac('{"name":"mail","value":"canary attribute"}')],
          { a: { phone: hmac('canary phone'), city: 'Rome' } },
          { device: hmac('canary device') },
        ],
      ],
    );
  });

  it('is masked in rows within rows, by the key of a pair too, and where they repeat it', async () => {
    await openAndLoad(leanplum, leanplum.mask);
    assert.deepEqual(
      await rowsOf('select user_id, device_id, _extra from masked.session where session_id = 1'),
      [[hmac('canary user'), null, { secret: { deep: hmac('canary secret') } }]],
    );
    assert.deepEqual(
      await rowsOf('select event_id, info, name, _extra from masked.event where session_id = 1'),
      [['777001', hmac('canary info'), 'open', null]],
    );
    assert.deepEqual(
      await rowsOf(
        'select event_id, name, value from masked.event_parameter where session_id = 1 order by ordinal',
      ),
      [
        ['777001', 'email', null],
        ['777001', 'phone', hmac('canary phone')],
        ['777001', 'city', 'Rome'],
      ],
    );
  });

  it("is masked in Leanplum's CSV, whose rows still find one another", async () => {
    await openAndLoad(csv, csv.mask);
    assert.deepEqual(
      await rowsOf(
        'select session_id::text, name, value, event_ordinal::text from masked.event_parameter order by ordinal',
      ),
      [
        ['1', 'email', null, '1'],
        ['1', 'phone', hmac('canary phone'), '1'],
        ['1', 'city', 'Rome', '1'],
      ],
    );
    assert.deepEqual(await rowsOf('select has_state, state_ordinal::text from masked.event'), [[true, '1']]);
  });

  it('is hashed in documents by what Monetate says, in every table alike', async () => {
    await openAndLoad({ ...monetate, mask: {} }, {});
    const found = await rowsOf(
      `select customer_id, customer_link, custom_targets, guid from masked.session
       where session_id = 'canary session 1'`,
    );
    const list = [hmac('canary listed'), hmac('7'), null];
    const deep = hmac('{"deep":"canary deep"}');
    assert.deepEqual(found, [
      [
        ...[hmac('canary customer'), hmac('canary link')],
        { 5: hmac('canary target'), 6: list, 7: deep, 1234: hmac('canary dropped') },
        'canary guid',
      ],
    ]);
    assert.deepEqual(
      await rowsOf(
        `select custom_target_id, value from masked.session_custom_target
         where session_id = 'canary session 1' order by ordinal`,
      ),
      [
        ['5', hmac('canary target')],
        ['6', hmac('canary listed')],
        ['6', hmac('7')],
        ['6', null],
        ['7', deep],
        ['1234', hmac('canary dropped')],
      ],
    );
    const text = await source!.everything();
    for (const marker of ['customer', 'link', 'target', 'listed', 'deep', 'dropped']) {
      assert.ok(!text.includes(`canary ${marker}`), `canary ${marker} is found`);
    }
  });

  it('leaves a row in the quarantine that says what is wrong with it', async () => {
    await openAndLoad(megaphone, megaphone.mask);
    const found = await rowsOf('select line::integer, reason, raw from landfall.quarantine order by line');
    const masked = { ip: hmac('canary ip'), city: hmac('canary city') };
    const row = (given: object): string =>
      json({ id: 'type', created_at: '2026-11-20T01:00:00Z', ...masked, ...given });
    assert.deepEqual(found, [
      [5, 'the line is not JSON', '(masked: 30 bytes)'],
      [6, 'the line is JSON, but no object', '(masked: 15 bytes)'],
      [7, 'the line has a key twice', '(masked: 56 bytes)'],
      [8, 'filesize is not a whole number of 64 bits: much', row({ filesize: 'much' })],
      [
        9,
        '_extra holds what is no JSON to Postgres, such as NaN or Infinity',
        json({ id: 'nan', owner: { a: hmac('NaN'), b: [hmac('Infinity')] } }).replace(/}$/, ',"kept":[NaN]}'),
      ],
      [10, 'id is missing, and it is the key', row({ id: null })],
      [11, 'ip holds the character NUL', row({ id: 'nul', ip: hmac('canary\0nul') })],
      [12, 'the line is not UTF-8', '(masked: 26 bytes)'],
      [13, 'the line holds the character NUL', '(masked: 26 bytes)'],
      [14, 'the line is longer than 16000000 bytes', '(masked: more than 16,000,000 bytes)'],
    ]);
  });

  it('is not quoted by the reason why a column cannot be typed', async () => {
    source = await maskedSource('megaphone', { mask: { filesize: 'drop' } });
    await source.load('metrics', '2026-11-20', [
      { key: 'metrics-day-2026-11-20.json.gz', bytes: lines(json(metric({ filesize: 'canary' }))) },
    ]);
    assert.deepEqual(await rowsOf('select first_error from landfall.load_file'), [
      ['filesize is not a whole number of 64 bits (masked)'],
    ]);
    assert.deepEqual(canaries(await source.everything()), []);
  });
});
