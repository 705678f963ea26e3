import assert from 'node:assert/strict';
import { join } from 'node:path';

import fc from 'fast-check';

import { withDuckDB } from '../../../sandbox/duckdb.js';
import { writeMetricsDayWith } from '../../../sandbox/megaphone/day.js';
import {
  finalVersion,
  isReported,
  lateVersion,
  metricId,
  metricIn,
  reportedIn,
  rowsIn,
} from '../../../sandbox/megaphone/versions.js';
import { inTemporaryDirectory } from '../../support/isolated.js';
import { linesOf, stateOf, type Line } from './lines.js';

const day = { date: '2026-03-01', rows: 2_400, seed: 'versions' };
const versions = Array.from({ length: lateVersion }, (_, index) => index + 1);

describe("the versions of a day of Megaphone's metrics", function () {
  this.timeout(60_000);
  const files = new Map<number, Line[]>();
  before(() =>
    inTemporaryDirectory((directory) =>
      withDuckDB('256MB', async (connection) => {
        for (const version of versions) {
          const path = join(directory, String(version));
          const { rows, reported } = await writeMetricsDayWith(connection, { ...day, version, path });
          files.set(version, await linesOf(path));
          assert.equal(rows, rowsIn(day, version));
          assert.equal(reported, reportedIn(day, version));
        }
      }),
    ),
  );
  const linesIn = (version: number): Line[] => files.get(version) ?? [];

  it('grow hour by hour, and a little in the night', () => {
    assert.deepEqual(
      versions.map((version) => linesIn(version).length).filter((_, index) => index % 4 === 3 || index > 23),
      [396, 792, 1_188, 1_584, 1_980, 2_376, 2_382, 2_388, 2_394, 2_400, 2_406],
    );
  });

  it('hold what their functions say, value by value', () => {
    for (const version of versions) {
      for (const [number, line] of linesIn(version).entries()) {
        assert.equal(line['id'], metricId(day, number));
        assert.deepEqual(stateOf(line), metricIn(day, number, version), `metric ${number} in ${version}`);
      }
      assert.equal(
        linesIn(version).filter((line) => isReported(stateOf(line))).length,
        reportedIn(day, version),
      );
    }
  });

  it('“metrics will not be removed”, and what an hour brings was created in it', () => {
    for (const version of versions.slice(1)) {
      const ids = new Set(linesIn(version).map((line) => line['id']));
      assert.ok(linesIn(version - 1).every((line) => ids.has(line['id'])));
      const hours = linesIn(version)
        .slice(linesIn(version - 1).length)
        .map((line) => Number(String(line['created_at']).slice(11, 13)));
      if (version <= 24) assert.deepEqual([...new Set(hours)], [version - 1]);
      else assert.ok(hours.every((hour) => hour >= 20));
    }
  });

  it('“fields within existing metrics may change, with their IDs remaining constant”', () => {
    const changing = ['seconds_downloaded', 'bytes_sent', 'blacklisted_ip', 'blacklisted_ua'];
    const changed = new Set<string>();
    for (const version of versions.slice(1)) {
      const now = linesIn(version);
      for (const [number, before] of linesIn(version - 1).entries()) {
        for (const field of Object.keys(before))
          if (now[number]?.[field] !== before[field]) changed.add(field);
      }
    }
    assert.deepEqual([...changed].sort(), changing.sort());
  });

  it('change what is reported in the night too, beyond what it adds', () => {
    const evening = linesIn(24).length;
    const atFirst = linesIn(24).filter((line) => isReported(stateOf(line))).length;
    const atLast = linesIn(finalVersion)
      .slice(0, evening)
      .filter((line) => isReported(stateOf(line))).length;
    assert.deepEqual([atFirst, atLast], [1_874, 1_890]);
  });

  it('have as many rows as was asked for in the end, however few, and never fewer than before', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (rows) => {
        assert.equal(rowsIn({ rows }, finalVersion), rows);
        for (const version of versions.slice(1))
          assert.ok(rowsIn({ rows }, version) >= rowsIn({ rows }, version - 1));
      }),
    );
  });

  it('are numbered 1 to 29, and none has a metric that has not come', () => {
    for (const version of [0, 30, 1.5]) assert.throws(() => rowsIn(day, version), /there is no version/);
    assert.throws(() => metricIn(day, 100, 1), /version 1 has no metric 100 yet/);
  });
});
