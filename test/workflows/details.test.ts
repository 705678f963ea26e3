import assert from 'node:assert/strict';

import type { BackfillStatus } from '../../model/control.js';
import type { ExportStatus } from '../../model/export.js';
import type { InboxStatus } from '../../model/inbox.js';
import {
  backfillDetails,
  deliveryDetails,
  exportDetails,
  inboxDetails,
  namesDetails,
  writeExported,
  type Shown,
} from '../../workflows/details.js';

/** Names and values of the table, as Markdown shows them. */
function rows(markdown: string): [string, string][] {
  const [head, rule, ...lines] = markdown.split('\n');
  assert.deepEqual([head, rule], ['| | |', '|---|---|']);
  return lines.map((line) => {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
    assert.equal(cells.length, 4, `two cells: ${line}`);
    return [cells[1] ?? '', cells[2] ?? ''];
  });
}

describe('the details of a delivery', () => {
  const nothing = { files: 0, bytes: 0, parsed: 0, loaded: 0, quarantined: 0, duplicate: 0 };
  const waiting: Shown = {
    finality: 'waiting',
    next: 'The next look is at 12:15.',
    counts: nothing,
    filesPlanned: 0,
  };
  const counts = {
    files: 3,
    bytes: 1_234,
    parsed: 1_234_567,
    loaded: 1_234_560,
    quarantined: 7,
    duplicate: 0,
  };
  const show = (changes: Partial<Shown>, paused = false) =>
    rows(deliveryDetails({ ...waiting, ...changes }, paused));
  const value = (name: string, changes: Partial<Shown>, paused = false) =>
    show(changes, paused).find(([row]) => row === name)?.[1];

  it('say first how it stands and what happens next', () => {
    assert.deepEqual(show({}), [
      ['Finality', 'waiting'],
      ['Next', 'The next look is at 12:15.'],
      ['Files', '0'],
      ['Rows', '0'],
      ['Quarantined', '0'],
    ]);
  });

  it('say how many files are staged, of how many, and that nobody sees their rows yet', () => {
    assert.deepEqual(
      show({ finality: 'loading', next: 'Stages the files.', counts, filesPlanned: 1_200 }).slice(2),
      [
        ['Files', '3 of 1,200 (1.2 kB)'],
        ['Rows', '1,234,560 staged, not visible'],
        ['Quarantined', '7'],
      ],
    );
  });

  it('count what landed', () => {
    const landed = { ...counts, bytes: 43_646_100, duplicate: 1_000 };
    assert.deepEqual(
      show({ finality: 'final', next: 'Nothing: it is final.', counts: landed, filesPlanned: 3 }),
      [
        ['Finality', 'final'],
        ['Next', 'Nothing: it is final.'],
        ['Files', '3 (43.6 MB)'],
        ['Rows', '1,234,560'],
        ['Quarantined', '7'],
        ['Duplicates removed', '1,000'],
      ],
    );
  });

  it('say of a paused one what ends the pause', () => {
    assert.equal(value('Finality', {}, true), 'waiting (paused)');
    assert.equal(value('Next', {}, true), 'Nothing new starts until `resume`.');
  });

  it('stay a table whatever people write as their reason', () => {
    assert.equal(value('Next', { next: 'a | b\n\n| c |\r\nd' }), 'a | b | c | d');
  });
});

describe('the details of a backfill', () => {
  const status: BackfillStatus = {
    days: 2_000,
    daysDone: 1_500,
    started: 1_400,
    leftAlone: 100,
    settled: {},
    failed: [],
    inFlight: [],
    done: false,
  };
  const value = (name: string, changes: Partial<BackfillStatus>, waiting: readonly string[] = []) =>
    rows(backfillDetails({ ...status, ...changes }, new Set(waiting))).find(([row]) => row === name)?.[1];

  it('say how far it is', () => {
    assert.deepEqual(rows(backfillDetails(status, new Set())), [
      ['Days', '1,500 of 2,000 looked at, newest first'],
      ['Started', '1,400'],
      ['Left alone', '100 (final, skipped or discarded before)'],
      ['In flight', 'none'],
      ['Came to rest', 'none yet'],
      ['Failed', 'none'],
    ]);
  });

  it('name what is in flight, and which of it only waits', () => {
    assert.equal(value('In flight', { inFlight: ['a', 'b'] }, ['b']), 'a, b (waits for its marker)');
  });

  it('count what came to rest, and name ten of those that failed', () => {
    assert.equal(value('Came to rest', { settled: { failed: 2, final: 1_390 } }), '1,390 final, 2 failed');
    const failed = Array.from({ length: 100 }, (_, i) => `d${i}`);
    assert.equal(
      value('Failed', { failed, settled: { failed: 1_200 } }),
      'd0, d1, d2, d3, d4, d5, d6, d7, d8, d9 and 1,190 more',
    );
  });
});

describe('the details of an export', () => {
  const asking: ExportStatus = {
    ...{ source: 'sessions', from: '2026-11-01', to: '2026-11-10', format: 'csv' },
    ...{ state: 'ASKING', next: 'Asks Leanplum for the export.' },
  };

  it('say how far it is, and of what', () => {
    assert.deepEqual(rows(exportDetails(asking)), [
      ['State', 'ASKING'],
      ['Days', '2026-11-01 to 2026-11-10 (Pacific), as csv'],
      ['Next', 'Asks Leanplum for the export.'],
    ]);
    const finished = {
      ...{ state: 'FINISHED', exportJob: 'export_1_2', delivery: 'sessions/d5969d55' },
      counts: { files: 2, sessions: 12_345, bytes: 36_590 },
    };
    assert.deepEqual(rows(exportDetails({ ...asking, ...finished })).slice(2, 5), [
      ['Export', 'export_1_2'],
      ['Brought', '12,345 sessions in 2 files (36.6 kB)'],
      ['Delivery', 'sessions/d5969d55'],
    ]);
  });

  it('say of an export what is known of it', () => {
    assert.equal(writeExported({ files: 1 }), '1 file');
    assert.equal(writeExported({ files: 1, sessions: 1 }), '1 session in 1 file');
  });
});

describe('the details of a run that names ids', () => {
  it('say of each kind what was named so far', () => {
    const variant = { named: 2_518, new: 3, gone: 1, unknown: 2, left: 0 };
    const pageevent = { named: 0, new: 0, gone: 0, unknown: 0, left: 1_000 };
    const status = { source: 'visits', counts: { pageevent, variant }, next: 'Asks.' };
    assert.deepEqual(rows(namesDetails(status)), [
      ['Variants', '2,518 named (3 new), 1 gone, 2 without a name'],
      ['Page events', '0 named, 1,000 not asked for this time'],
      ['Next', 'Asks.'],
    ]);
  });
});

describe('the details of an inbox', () => {
  const idle: InboxStatus = {
    ...{ source: 'rum', paused: false, alarm: false, depth: { bodies: 0, bytes: 0 }, failed: 0 },
    ...{ inFlight: [], next: 'Waits for what comes next.' },
  };
  const at = Date.parse('2026-11-20T14:30:00Z');

  it('say what waits, what is in flight, and what was loaded last', () => {
    assert.deepEqual(rows(inboxDetails(idle)), [
      ['Waiting', 'nothing'],
      ['In flight', 'none'],
      ['Next', 'Waits for what comes next.'],
    ]);
    const counts = { files: 1, bytes: 9, parsed: 1_300, loaded: 1_200, quarantined: 0, duplicate: 100 };
    const busy: Partial<InboxStatus> = {
      depth: { bodies: 1_042, bytes: 12_500_000, oldest: at },
      inFlight: ['rum/2026-11-20/17'],
      last: { delivery: 'rum/2026-11-20/9', finality: 'final', at, counts },
    };
    assert.deepEqual(rows(inboxDetails({ ...idle, ...busy })).slice(0, 3), [
      ['Waiting', '1,042 bodies (12.5 MB), the oldest of 2026-11-20 14:30:00 UTC'],
      ['In flight', 'rum/2026-11-20/17'],
      ['Last', 'rum/2026-11-20/9 final with 1,200 rows at 2026-11-20 14:30:00 UTC'],
    ]);
  });

  it('say what came that was not counted yet', () => {
    const news = { since: at, bytes: 1_200 };
    assert.deepEqual(rows(inboxDetails({ ...idle, news }))[0], [
      'Waiting',
      'nothing; 1.2 kB that came since 2026-11-20 14:30:00 UTC, not counted yet',
    ]);
  });

  it('begin with the alarm, and count what failed', () => {
    const depth = { bodies: 1, bytes: 400, oldest: at };
    const shown = rows(inboxDetails({ ...idle, depth, alarm: true, failed: 2 }));
    assert.equal(shown[0]?.[0], 'ALARM');
    assert.match(
      shown[0][1],
      /^A body that came at 2026-11-20 14:30:00 UTC is not in the tables a minute later\./,
    );
    assert.deepEqual(shown[1], ['Waiting', '1 body (0.4 kB), the oldest of 2026-11-20 14:30:00 UTC']);
    assert.match(
      shown.find(([name]) => name === 'Failed')?.[1] ?? '',
      /^2 deliveries, whose bodies are kept/,
    );
    assert.match(
      rows(inboxDetails({ ...idle, alarm: true }))[0]![1],
      /^What was received is not in the tables/,
    );
  });
});
