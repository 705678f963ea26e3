import assert from 'node:assert/strict';

import fc from 'fast-check';

import { addDays } from '../../model/day.js';
import { daysOf, ownDays, periodsToMerge, periodToBegin } from '../../warehouse/day-layout.js';

const first = '2016-12-01';
const newest = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => addDays('2026-11-27', -n));
/** Of ten years, however they came: days, months, years. */
const mostPartitions = ownDays + 31 + 36 + 10;
const someDays = fc.uniqueArray(
  fc.integer({ min: 0, max: 3_649 }).map((n) => addDays(first, n)),
  { maxLength: 400 },
);

/** Partitions of a table, by the period that they hold: a day, a month or a year. */
class Layout {
  private static readonly known = new Map<string, string[]>();
  readonly periods = new Set<string>();

  get partitions(): { period: string; days: string[] }[] {
    return [...this.periods].map((period) => {
      const days = Layout.known.get(period) ?? (period.length === 10 ? [period] : daysOf(period));
      Layout.known.set(period, days);
      return { period, days };
    });
  }

  get days(): string[] {
    return [...this.periods].filter((period) => period.length === 10);
  }

  publish(day: string): void {
    if ([day, day.slice(0, 7), day.slice(0, 4)].some((period) => this.periods.has(period))) return;
    this.periods.add(periodToBegin(day, this.partitions) ?? day);
  }

  merge(): void {
    for (;;) {
      const [next] = periodsToMerge(this.partitions);
      if (!next) return;
      const { period, partitions } = next;
      assert.ok(partitions.length <= 31, `${period} of ${partitions.length}`);
      for (const one of partitions) this.periods.delete(one.period);
      this.periods.add(period);
    }
  }

  /** Whether some day would be in two partitions. */
  get overlaps(): boolean {
    return [...this.periods].some((one) =>
      [...this.periods].some((other) => other !== one && other.startsWith(one)),
    );
  }
}

describe('which days have a partition of their own', () => {
  it('knows the days of a month', () => {
    assert.equal(daysOf('2024-02').length, 29);
    assert.deepEqual(daysOf('2026-02').slice(-2), ['2026-02-27', '2026-02-28']);
    assert.equal(daysOf('2026-12').at(-1), '2026-12-31');
  });

  it('are all, where there are few', () => {
    const layout = new Layout();
    for (const day of newest(ownDays)) layout.publish(day);
    layout.merge();
    assert.deepEqual(layout.days, newest(ownDays));
    layout.publish('2016-12-01');
    assert.ok(layout.periods.has('2016-12'), 'an old day begins its month');
  });

  it('are the newest of ten years that are there already; the others lie in months and years', () => {
    const layout = new Layout();
    for (const day of newest(3_650)) layout.periods.add(day);
    layout.merge();
    const ofLength = (length: number): number =>
      [...layout.periods].filter((period) => period.length === length).length;
    assert.deepEqual([ofLength(10), ofLength(7), ofLength(4)], [58, 33, 8]);
  });

  it('are as few when ten years come newest first, as a backfill brings them, and then nothing is merged', () => {
    const layout = new Layout();
    for (const day of newest(3_650)) layout.publish(day);
    assert.ok(layout.periods.size <= mostPartitions, String(layout.periods.size));
    assert.deepEqual(periodsToMerge(layout.partitions), []);
  });

  it('are as few when ten years come day by day', () => {
    const layout = new Layout();
    for (const day of newest(3_650).reverse()) {
      layout.publish(day);
      if (!day.endsWith('-01')) continue;
      layout.merge();
      assert.ok(layout.periods.size <= mostPartitions, day);
    }
  });

  it('are always the newest, and merging leaves nothing to merge', () => {
    fc.assert(
      fc.property(someDays, (days) => {
        const layout = new Layout();
        for (const day of days) layout.periods.add(day);
        layout.merge();
        for (const day of [...days].sort().slice(-ownDays)) assert.ok(layout.periods.has(day), day);
        assert.ok(!layout.overlaps);
        assert.deepEqual(periodsToMerge(layout.partitions), []);
      }),
      { numRuns: 50 },
    );
  });

  it('lie in one partition each, whatever order they come in and whenever they are merged', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(someDays, fc.constant('merge' as const)), { maxLength: 5 }), (steps) => {
        const layout = new Layout();
        for (const step of steps) {
          if (step === 'merge') layout.merge();
          else for (const day of step) layout.publish(day);
          assert.ok(!layout.overlaps, [...layout.periods].join());
        }
      }),
      { numRuns: 20 },
    );
  });
});
