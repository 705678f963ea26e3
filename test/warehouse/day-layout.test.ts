import assert from 'node:assert/strict';

import fc from 'fast-check';

import { addDays } from '../../model/day.js';
import { beginsMonth, daysOfMonth, monthOf, monthsToMerge, ownDays } from '../../warehouse/day-layout.js';

const first = '2016-12-01';
const newest = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => addDays('2026-11-27', -n));
const someDays = fc.uniqueArray(
  fc.integer({ min: 0, max: 3_649 }).map((n) => addDays(first, n)),
  { maxLength: 400 },
);

/** A table's layout: days with partitions of their own, and months that have one. */
class Layout {
  readonly days = new Set<string>();
  readonly months = new Set<string>();

  publish(day: string): void {
    if (this.days.has(day) || this.months.has(monthOf(day))) return;
    if (beginsMonth(day, [...this.days])) this.months.add(monthOf(day));
    else this.days.add(day);
  }

  merge(): void {
    for (const month of monthsToMerge([...this.days])) {
      for (const day of daysOfMonth(month)) this.days.delete(day);
      this.months.add(month);
    }
  }

  get partitions(): number {
    return this.days.size + this.months.size;
  }
}

describe('which days have a partition of their own', () => {
  it('knows the days of a month', () => {
    assert.equal(daysOfMonth('2024-02').length, 29);
    assert.deepEqual(daysOfMonth('2026-02').slice(-2), ['2026-02-27', '2026-02-28']);
    assert.equal(daysOfMonth('2026-12').at(-1), '2026-12-31');
  });

  it('are all, where there are few', () => {
    assert.deepEqual(monthsToMerge(newest(ownDays)), []);
    assert.deepEqual(monthsToMerge([]), []);
    assert.equal(beginsMonth('2016-12-01', newest(ownDays - 1)), false);
  });

  it('are at most 66 of ten years that are there already, beside 119 months or fewer', () => {
    const layout = new Layout();
    for (const day of newest(3_650)) layout.days.add(day);
    layout.merge();
    assert.ok(layout.days.size >= ownDays && layout.days.size <= ownDays + 31, String(layout.days.size));
    assert.ok(layout.partitions <= 185, String(layout.partitions));
  });

  it('are as few when ten years come newest first, as a backfill brings them, and then nothing is merged', () => {
    const layout = new Layout();
    for (const day of newest(3_650)) layout.publish(day);
    assert.ok(layout.days.size <= ownDays + 31, String(layout.days.size));
    assert.deepEqual(monthsToMerge([...layout.days]), []);
  });

  it('are as few when ten years come day by day', () => {
    const layout = new Layout();
    for (const day of newest(3_650).reverse()) {
      layout.publish(day);
      layout.merge();
      assert.ok(layout.days.size <= ownDays + 31, day);
    }
    assert.ok(layout.partitions <= 185, String(layout.partitions));
  });

  it('are always the newest, and merging leaves nothing to merge', () => {
    fc.assert(
      fc.property(someDays, (days) => {
        const layout = new Layout();
        for (const day of days) layout.days.add(day);
        layout.merge();
        for (const day of [...days].sort().slice(-ownDays)) assert.ok(layout.days.has(day), day);
        assert.deepEqual(monthsToMerge([...layout.days]), []);
      }),
    );
  });

  it('never lie in a month that has a partition, whatever order they come in and whenever they are merged', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(someDays, fc.constant('merge' as const)), { maxLength: 6 }), (steps) => {
        const layout = new Layout();
        for (const step of steps) {
          if (step === 'merge') layout.merge();
          else for (const day of step) layout.publish(day);
          for (const day of layout.days) assert.ok(!layout.months.has(monthOf(day)), day);
        }
      }),
    );
  });
});
