import assert from 'node:assert/strict';

import { foldBatches } from '../../client/fold-batches.js';
import type { ListedDelivery } from '../../client/queries/list-deliveries.js';
import { writeStatus } from '../../client/status.js';

describe('deliveries that are summed up', () => {
  const batch = (number: number, changes: Partial<ListedDelivery> = {}): ListedDelivery => ({
    ...{ delivery: `rum/2026-11-20/${number}`, source: 'rum', type: 'sessions', date: '2026-11-20' },
    ...{ finality: 'final', since: `2026-11-20T12:00:0${number}.000Z`, paused: false },
    ...{ reason: `reason ${number}`, notice: null, deadline: null, publishedAt: null },
    ...{ rows: 10, quarantined: 1, duplicates: 0 },
    ...changes,
  });
  const rum = new Set(['rum']);

  it('are one line a day and finality, with the newest of them', () => {
    const failed = { finality: 'failed', rows: null, duplicates: null } as const;
    const rows = foldBatches(
      [
        batch(9, { date: '2026-11-21', delivery: 'rum/2026-11-21/9' }),
        batch(1),
        batch(3, failed),
        batch(4, { duplicates: 2 }),
        batch(2),
        batch(5, failed),
      ],
      rum,
    );
    assert.deepEqual(
      rows.map(({ delivery, finality, rows: count, quarantined, duplicates, reason }) => [
        ...[delivery, finality, count, quarantined, duplicates, reason],
      ]),
      [
        ['rum/2026-11-21/9', 'final', 10, 1, 0, 'reason 9'],
        ['rum/2026-11-20/… (3)', 'final', 30, 3, 2, 'The newest is rum/2026-11-20/4. reason 4'],
        ['rum/2026-11-20/… (2)', 'failed', null, 2, null, 'The newest is rum/2026-11-20/5. reason 5'],
      ],
    );
  });

  it('are not those of other sources, nor those with a notice, nor paused ones with others', () => {
    const all = [
      batch(1),
      batch(2, { notice: 'look' }),
      batch(3, { notice: 'look' }),
      batch(4, { paused: true }),
      batch(5, { source: 'others' }),
      batch(6, { source: 'others' }),
    ];
    assert.deepEqual(foldBatches(all, rum), all);
    assert.deepEqual(foldBatches(all, new Set()), all);
  });

  it('are counted one by one', () => {
    const text = writeStatus([batch(1), batch(2)], undefined, rum);
    assert.match(text, /^DELIVERY .*\nrum\/2026-11-20\/… \(2\) /);
    assert.match(text, /\n\n2 deliveries: 2 final$/);
  });
});
