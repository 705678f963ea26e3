import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { z } from 'zod';

import { csvHeaders } from '../../../sandbox/leanplum/csv.js';
import { flawedCsvShards } from '../../../sandbox/leanplum/flawed-csv.js';
import { flawedManifests } from '../../../sandbox/leanplum/flawed-manifests.js';
import { flawedShards, type ReadShard } from '../../../sandbox/leanplum/flaws.js';
import { makeJob } from '../../../sandbox/leanplum/job.js';
import { makeSessions } from '../../../sandbox/leanplum/sessions.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { parseLine } from '../../support/leanplum-lines.js';
import { sightMade } from '../../support/leanplum-sight.js';
import { query } from '../../vendors/optimizely/load-parquet.js';

const uuid = '37e812c0-d66e-48a2-8812-27ee12d58b58';
const until = Date.parse('2026-11-20T18:00:00Z');
const isGzip = (bytes: Buffer): boolean => bytes.length > 1 && bytes.readUInt16BE() === 0x1f8b;

/** The vendor's page as a schema: what a good line has to fit. Whole numbers are texts after `parseLine`. */
const text = z.string().refine((value) => !value.includes('\0') && !/\p{Surrogate}/u.test(value));
const whole = z
  .string()
  .refine((value) => /^-?\d+$/.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value));
const number = z.union([z.number(), z.string().refine((value) => Number.isFinite(Number(value)))]);
const attributes = z.record(text, z.union([text, z.boolean()])).nullish();
const event = z.object({
  eventId: whole,
  name: text,
  time: number,
  value: number,
  info: text.optional(),
  parameters: attributes,
});
const state = z.object({
  ...{ stateId: whole, name: text.optional(), info: text.optional(), time: number.optional() },
  ...{ duration: number.optional(), parameters: attributes, events: z.array(event) },
});
const experiment = z.object({ id: whole, variantId: whole, impressed: z.boolean().optional() });
const goodLine = z.object({
  ...{
    sessionId: whole,
    userId: text,
    isSession: z.boolean(),
    time: number,
    firstRun: number,
    duration: number,
  },
  ...{
    states: z.array(state).nullish(),
    experiments: z.array(experiment).nullish(),
    userAttributes: attributes,
  },
});

/** The session of a good line; undefined for any other. */
function sessionIn(line: Buffer): string | undefined {
  try {
    const utf8 = new TextDecoder('utf-8', { fatal: true }).decode(line);
    return goodLine.parse(parseLine(utf8)).sessionId;
  } catch {
    return undefined;
  }
}

function splitLines(bytes: Buffer): readonly Buffer[] {
  return bytes
    .toString('latin1')
    .split('\n')
    .map((line) => Buffer.from(line, 'latin1'));
}

const idsOf = ({ rows }: ReadShard, table: 'session' | 'user_attribute' = 'session') =>
  rows[table].map((row) => String(row['session_id']));

describe('a flawed JSON shard of Leanplum', () => {
  for (const { title, bytes, outcome } of flawedShards()) {
    it(`${title}: ${outcome.is === 'read' ? `${outcome.rows.session.length} sessions, ${outcome.bad.length} bad` : outcome.is}`, () => {
      if (outcome.is === 'unreadable') {
        if (isGzip(bytes)) assert.throws(() => gunzipSync(bytes));
        else assert.equal(sessionIn(splitLines(bytes).at(-1)!), undefined);
        return;
      }
      const lines = splitLines(isGzip(bytes) ? gunzipSync(bytes) : bytes);
      const found = lines.map((line) => (line.toString().trim() === '' ? '' : sessionIn(line)));
      const bad = [...found.keys()].filter((line) => found[line] === undefined).map((line) => line + 1);
      assert.deepEqual(bad, outcome.bad);
      const good = found.filter((id) => id !== undefined && id !== '');
      assert.equal(good.length - new Set(good).size, outcome.conflicting.length);
      assert.deepEqual([...new Set(good)], idsOf(outcome));
    });
  }

  it('may have a line of 10 MB', () => {
    const long = flawedShards().find(({ title }) => title.includes('10 MB'))!;
    assert.ok(Math.max(...splitLines(long.bytes).map(({ length }) => length)) > 10_000_000);
  });
});

describe('a flawed CSV shard of Leanplum', function () {
  this.timeout(60_000);

  for (const { kind, title, bytes, outcome } of flawedCsvShards()) {
    const needed = csvHeaders[kind].includes('sessionId') ? 'sessionid' : 'eventid';

    if (outcome.is === 'unreadable') {
      it(`${title}: unreadable`, () => {
        const content = bytes.toString();
        const header = content.slice(0, content.indexOf('\n')).toLowerCase().split(',');
        assert.ok(content.split('"').length % 2 === 0 || !header.includes(needed));
      });
      continue;
    }
    const table = kind === 'sessions' ? 'session' : 'user_attribute';
    it(`${title}: ${outcome.rows[table].length} rows, ${outcome.bad.length} bad`, () =>
      inTemporaryDirectory(async (directory) => {
        const path = join(directory, 'shard.csv');
        // Bad rows stand on one line each, early in the file, where no value has a line break before them.
        const lines = splitLines(bytes).filter((_, index) => !outcome.bad.includes(index + 1));
        await writeFile(path, lines.map((line) => line.toString('latin1')).join('\n'), 'latin1');
        const found = await query(
          `select "${needed}" as id from read_csv('${path}', header = true, all_varchar = true, quote = '"',
             escape = '"', delim = ',', normalize_names = true, max_line_size = 20000000)`.replaceAll(
            '"sessionid"',
            'sessionId',
          ),
        );
        const ids = found.map(({ id }) => String(id));
        assert.equal(ids.length, outcome.rows[table].length + outcome.conflicting.length);
        assert.deepEqual(ids.slice(0, outcome.rows[table].length), idsOf(outcome, table));
      }));
  }
});

describe('a flawed manifest of Leanplum', () => {
  const { files } = makeJob({
    uuid,
    date: '2026-11-20',
    sessions: makeSessions({ count: 9, until }),
    shards: 3,
  });
  const shards = files.filter(({ role }) => role === 'shard');
  const manifest = files.at(-1)!;

  for (const { title, text: content, outcome } of flawedManifests(shards)) {
    it(`${title}: ${outcome.is === 'usable' ? `${outcome.missing} missing, ${outcome.unlisted} unlisted` : outcome.is}`, () => {
      const sighting = sightMade(uuid, [...shards, { ...manifest, bytes: Buffer.from(content) }]);
      assert.equal(sighting.fault === undefined ? 'usable' : 'unusable', outcome.is);
      if (outcome.is === 'unusable') return;
      assert.deepEqual(
        [sighting.shardsMissing, sighting.shardsUnlisted],
        [outcome.missing, outcome.unlisted],
      );
    });
  }
});
