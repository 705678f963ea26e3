import assert from 'node:assert/strict';

import fc from 'fast-check';

import type { Standing, Watch } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/megaphone/completion.js';
import {
  at,
  awaited,
  clock,
  closesAt,
  day,
  end,
  file,
  final,
  fresh,
  hour,
  minute,
  nobody,
  start,
} from './case.js';

/** A version of the day's file, and when the vendor wrote it. */
interface Written {
  readonly at: number;
  readonly version: string;
}

interface World {
  readonly written: readonly Written[];
  /** From a look to the listing that a load's plan makes: the vendor may write in between. */
  readonly planTakes: number;
  readonly loadTakes: number;
  /** No worker runs from the first instant to the second. */
  readonly down?: readonly [number, number];
  readonly begins?: number;
  readonly ledger?: Standing;
}

interface Story {
  readonly looks: readonly number[];
  readonly loads: readonly (Written & { readonly notice?: string })[];
  /** When the delivery came to rest, and what the ledger says then. */
  readonly ended: number;
  readonly ledger: Standing;
}

/** Lives a delivery's life as its workflow does: look, decide, and do what was decided, until it rests. */
function live(world: World): Story {
  const there = (now: number): Written | undefined => world.written.findLast((one) => one.at <= now);
  const up = (now: number): number =>
    world.down && now >= world.down[0] && now < world.down[1] ? world.down[1] : now;
  const looks: number[] = [];
  const loads: Story['loads'][number][] = [];
  let ledger = world.ledger ?? fresh;
  let watch: Watch | undefined;
  let now = world.begins ?? start;
  for (;;) {
    now = up(now);
    looks.push(now);
    assert.ok(looks.length < 1_000, 'it never comes to rest');
    const version = there(now)?.version;
    const sighting = { awaited, ...(version === undefined ? {} : { marker: file(version) }) };
    const decision = decide(sighting, ledger, clock(now), nobody, watch);
    watch = decision.watch;
    if (decision.step === 'wait') {
      now = decision.until;
    } else if (decision.step === 'load') {
      const planned = up(now + world.planTakes);
      const loaded = there(planned)!.version;
      now = up(planned + world.loadTakes);
      ledger = { finality: decision.finality, published: true, version: loaded };
      loads.push({ version: loaded, at: now, ...(decision.notice ? { notice: decision.notice } : {}) });
    } else {
      const finality = { settle: 'final', giveUp: 'failed', rest: ledger.finality } as const;
      return { looks, loads, ended: now, ledger: { ...ledger, finality: finality[decision.step] } };
    }
  }
}

const versionsOf = (story: Story): string[] => story.loads.map(({ version }) => version);

/** Every hour from the day's first one on, the last at 04:10Z of the next day. */
const hourly: Written[] = Array.from({ length: 28 }, (_, index) => ({
  at: start + (index + 1) * hour + 10 * minute,
  version: `"${index + 1}"`,
}));
const late: Written = { at: at('21T05:16:17'), version: '"late"' };
const quick = { planTakes: 2_000, loadTakes: 40_000 };

describe('a whole day and night of a Megaphone delivery', () => {
  it('loads each hourly version once and is final an hour after 04:30Z', () => {
    const story = live({ written: hourly, ...quick });
    assert.deepEqual(
      versionsOf(story),
      hourly.map(({ version }) => version),
    );
    assert.ok(story.looks.includes(closesAt));
    assert.equal(story.ended, at('21T05:30:00'));
    assert.deepEqual(story.ledger, final('"28"'));
  });

  it('a version written at 05:16Z is loaded once too, and delays the end', () => {
    const story = live({ written: [...hourly, late], ...quick });
    assert.deepEqual(
      versionsOf(story),
      [...hourly, late].map(({ version }) => version),
    );
    assert.equal(story.ended, at('21T06:30:00'));
    assert.deepEqual(story.ledger, final('"late"'));
  });

  it('a worker that is away from 23:00Z to 09:00Z loads what is there then, and looks twice before it says final', () => {
    const down = [at('20T23:00:00'), at('21T09:00:00')] as const;
    const story = live({ written: [...hourly, late], ...quick, down });
    assert.deepEqual(versionsOf(story), [
      ...hourly.filter((one) => one.at < down[0]).map(({ version }) => version),
      '"late"',
    ]);
    assert.equal(story.ended, at('21T10:00:00'));
    assert.deepEqual(story.ledger, final('"late"'));
  });

  const edges: readonly (readonly [title: string, when: string, ended: string])[] = [
    ['a minute before midnight', '20T23:59:00', '21T05:30:00'],
    ['at midnight', '21T00:00:00', '21T05:30:00'],
    ['a minute before the vendor closes', '21T04:29:00', '21T05:30:00'],
    ['as the vendor closes', '21T04:30:00', '21T05:30:00'],
    ['just after the look at that instant', '21T04:30:01', '21T05:45:00'],
    ['just before the look that would have settled', '21T05:29:59', '21T06:30:00'],
  ];
  for (const [title, when, ended] of edges) {
    it(`the last version written ${title}: final at ${ended.slice(3, 8)}Z with that version`, () => {
      const written = [
        { at: at('20T01:10:00'), version: '"first"' },
        { at: at(when), version: '"last"' },
      ];
      const story = live({ written, planTakes: 0, loadTakes: 0 });
      assert.deepEqual(versionsOf(story), ['"first"', '"last"']);
      assert.deepEqual([story.ended, story.ledger], [at(ended), final('"last"')]);
    });
  }

  it('a version that comes between look and load is loaded once, and watched before it is final', () => {
    const written = [
      { at: at('21T00:10:00'), version: '"a"' },
      { at: at('21T04:44:00'), version: '"b"' },
      { at: at('21T04:45:01'), version: '"c"' },
    ];
    const story = live({ written, planTakes: 2_000, loadTakes: 60_000 });
    assert.deepEqual(versionsOf(story), ['"a"', '"c"']);
    // First seen at 04:46:02, after the load.
    assert.equal(story.ended, at('21T05:46:02'));
  });

  it('a day that was written long ago is final with its second look, an hour later', () => {
    const story = live({ written: hourly, ...quick, begins: at('22T08:00:00') });
    assert.deepEqual(versionsOf(story), ['"28"']);
    assert.equal(story.ended, at('22T09:00:00'));
  });

  it('a final day that changed is loaded with a notice and becomes final again', () => {
    const audit = { begins: at('21T12:00:00'), ledger: final('"28"') };
    const changed = live({
      written: [...hourly, { at: at('21T11:00:00'), version: '"x"' }],
      ...quick,
      ...audit,
    });
    assert.equal(changed.loads.length, 1);
    assert.match(changed.loads[0]?.notice ?? '', /^This day was final with version "28" /);
    assert.deepEqual([changed.ended, changed.ledger], [at('21T13:00:00'), final('"x"')]);

    const same = live({ written: hourly, ...quick, ...audit });
    assert.deepEqual([same.loads, same.ended], [[], at('21T12:00:00')]);
  });

  it('a day before the feed was set up fails at the deadline', () => {
    const story = live({ written: [], ...quick });
    assert.deepEqual([story.ended, story.ledger.finality], [end + 2 * day, 'failed']);
  });

  it('whenever the vendor writes and workers are away: final, each version at most once, the last one readable', () => {
    const worlds = fc
      .record({
        writes: fc.uniqueArray(fc.integer({ min: start, max: end + 12 * hour }), {
          minLength: 1,
          maxLength: 40,
        }),
        planTakes: fc.integer({ min: 0, max: 20 * minute }),
        loadTakes: fc.integer({ min: 0, max: 90 * minute }),
        away: fc.integer({ min: start, max: end + 12 * hour }),
        for: fc.integer({ min: 0, max: 20 * hour }),
      })
      .map(({ writes, planTakes, loadTakes, away, for: length }) => ({
        ...{ planTakes, loadTakes, down: [away, away + length] as const },
        written: writes.sort((a, b) => a - b).map((when, index) => ({ at: when, version: `"${index}"` })),
      }));
    fc.assert(
      fc.property(worlds, (world) => {
        const story = live(world);
        assert.equal(story.ledger.finality, 'final');
        assert.equal(new Set(versionsOf(story)).size, story.loads.length);
        assert.ok(story.ended >= closesAt + hour);
        // What stood still for the whole hour that was watched is what readers see.
        const standing = world.written.findLast((one) => one.at <= story.ended);
        assert.equal(story.ledger.version, standing?.version);
        assert.ok(!world.written.some((one) => one.at > story.ended - hour && one.at <= story.ended));
      }),
      { numRuns: 500 },
    );
  });

  it('while a worker runs, every version that stands for a poll and a load is loaded', () => {
    const gaps = fc.array(fc.integer({ min: 20 * minute, max: 4 * hour }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(gaps, (lengths) => {
        let now = start;
        const written = lengths.map((length, index) => ({ at: (now += length), version: `"${index}"` }));
        const inTime = written.filter((one) => one.at <= closesAt);
        fc.pre(inTime.length > 0);
        const story = live({ written: inTime, planTakes: 1_000, loadTakes: 3 * minute });
        assert.deepEqual(
          versionsOf(story),
          inTime.map(({ version }) => version),
        );
      }),
      { numRuns: 300 },
    );
  });
});
