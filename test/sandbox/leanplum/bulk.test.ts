import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { writeBulkJob, type BulkJob, type BulkJobToWrite } from '../../../sandbox/leanplum/bulk.js';
import { tableNames, type TableName } from '../../../sandbox/leanplum/rows.js';
import { makeSessions } from '../../../sandbox/leanplum/sessions.js';
import { parseKey } from '../../../vendors/leanplum/layout.js';
import { session } from '../../../vendors/leanplum/tables.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf, parseLine } from '../../support/leanplum-lines.js';
import { sightMade } from '../../support/leanplum-sight.js';
import { unfold } from '../../vendors/leanplum/unfold.js';

const uuid = '37e812c0-d66e-48a2-8812-27ee12d58b58';
const date = '2026-11-20';

interface Written {
  readonly job: BulkJob;
  readonly files: readonly { key: string; role: 'shard' | 'manifest'; bytes: Buffer }[];
  readonly lines: readonly string[];
}

/** Writes a job and reads what lies there. */
function written(job: Partial<BulkJobToWrite> = {}): Promise<Written> {
  return inTemporaryDirectory(async (directory) => {
    const made = await writeBulkJob({ directory, uuid, date, sessions: 700, sessionsPerShard: 300, ...job });
    const files = await Promise.all(
      made.keys.map(async (key) => {
        const path = join(directory, key);
        assert.ok((await stat(path)).isFile());
        return { key, role: parseKey(key)!.role, bytes: await readFile(path) };
      }),
    );
    const shards = files.filter(({ role }) => role === 'shard').map(({ bytes }) => bytes);
    const lines = shards.flatMap((bytes) => linesOf(job.gzip === true ? gunzipSync(bytes) : bytes));
    return { job: made, files, lines };
  });
}

describe('a Leanplum job in bulk', () => {
  it('is a complete job of shards of a bounded size', async () => {
    const { job, files } = await written();
    assert.deepEqual(
      files.map(({ role }) => role),
      ['shard', 'shard', 'shard', 'manifest'],
    );
    const { manifestsMissing, shardsListed, shardsMissing, shardsUnlisted } = sightMade(uuid, files);
    assert.deepEqual([manifestsMissing, shardsListed, shardsMissing, shardsUnlisted], [[], 3, 0, 0]);
    assert.equal(
      job.bytes,
      files.slice(0, -1).reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
  });

  it('has as many rows as it says', async () => {
    const { job, lines } = await written();
    const counts = Object.fromEntries(tableNames.map((name) => [name, 0])) as Record<TableName, number>;
    for (const line of lines) {
      for (const [table, rows] of unfold(session, parseLine(line))) counts[table as TableName] += rows.length;
    }
    assert.deepEqual(counts, job.rows);
    assert.deepEqual(job.rows, {
      ...{ session: 700, state: 3_500, event: 14_000, event_parameter: 3_500 },
      ...{ state_parameter: 0, experiment: 700, user_attribute: 1_400 },
    });
  });

  it('has fields in the order of the vendor’s page, with the types of other made-up sessions', async () => {
    const { lines } = await written();
    const [made] = makeSessions({ count: 1, until: Date.parse(date) });
    const page = Object.keys(made!);
    for (const line of lines) {
      assert.match(line, /^\{"isSession":true,/);
      assert.match(line, /"time":"1\.\d+E9",/);
      assert.match(line, /"sessionId":"\d+","lat":"-?[\d.]+","lon":"-?[\d.]+","duration":\d+\.\d+,/);
      const keys = Object.keys(parseLine(line));
      assert.deepEqual(
        keys,
        page.filter((key) => keys.includes(key)),
      );
    }
    const [first] = parseLine(lines[0]!)['states'] as { events: object[] }[];
    assert.equal(Object.keys(first!).join(), 'stateId,name,time,duration,events');
    assert.equal(Object.keys(first!.events.at(-1)!).join(), 'eventId,name,time,value,parameters');
  });

  it('has sessions of the day before its folder’s, each once', async () => {
    const { lines } = await written({ sessions: 5_000, sessionsPerShard: 5_000 });
    const sessions = lines.map(parseLine);
    assert.equal(new Set(sessions.map(({ sessionId }) => sessionId)).size, 5_000);
    const midnight = Date.parse('2026-11-20T08:00:00Z');
    const starts = sessions.map(({ time }) => Number(time) * 1_000);
    assert.ok(Math.min(...starts) >= midnight - 86_400_000);
    assert.ok(Math.max(...starts) < midnight);
  });

  it('is the same bytes every time, in any shards, compressed or not, and from any number on', async () => {
    const { lines } = await written();
    assert.deepEqual((await written({ sessionsPerShard: 1_000 })).lines, lines);
    assert.deepEqual((await written({ gzip: true })).lines, lines);
    assert.deepEqual((await written({ from: 500, sessions: 200 })).lines, lines.slice(500));
  });

  it('may have no sessions', async () => {
    const { job, files } = await written({ sessions: 0 });
    assert.deepEqual([job.bytes, job.keys.length, files[0]!.bytes.toString()], [0, 1, '[]']);
  });
});
