import assert from 'node:assert/strict';

import fc from 'fast-check';

import { finalities } from '../../../model/delivery.js';
import type { Asked, Clock, Decision, Standing, Watch } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/monetate/completion.js';
import { isTaken, type DaySighting } from '../../../vendors/monetate/sighting.js';
import type { SeenFile } from '../../../vendors/vendor.js';
import {
  at,
  clock,
  closesAt,
  date,
  day,
  file,
  follow,
  hour,
  loaded,
  minute,
  next,
  own,
  quiet,
  sight,
} from './case.js';

const start = at('20T00:00');
const instants = fc.integer({ min: start - day, max: start + 6 * day });
const gone = start + 820 * day;

const filesThere: fc.Arbitrary<readonly SeenFile[]> = fc.uniqueArray(
  fc.record({ quarter: fc.nat(191), modified: instants }).map(({ quarter, modified }) => {
    const from = start + quarter * 15 * minute;
    return file(new Date(from).toISOString().slice(8, 16), { modified });
  }),
  { selector: ({ key }) => key, maxLength: 6 },
);

const clocks: fc.Arbitrary<Clock> = fc
  .record({
    now: fc.oneof(instants, fc.integer({ min: gone, max: gone + day })),
    ...{ deadline: instants, waitingSince: instants },
    pollEvery: fc.integer({ min: 0, max: 2 * day }),
    settleFor: fc.integer({ min: 1, max: day }),
  })
  .map((given) => ({ ...given, closesAt }));

const askings: fc.Arbitrary<Asked> = fc.record({ accepted: fc.boolean(), force: fc.boolean() });
const watches = fc.option(
  fc.record({ same: fc.boolean(), since: instants, still: fc.option(instants, { nil: undefined }) }),
  { nil: undefined },
);

interface Input {
  readonly files: readonly SeenFile[];
  readonly sighting: DaySighting;
  readonly ledger: Standing;
  readonly clock: Clock;
  readonly asked: Asked;
  readonly watch: Watch | undefined;
}

/** Readers see what is there, some of it, or something else. */
type Visible = 'none' | 'all' | 'still' | 'other';

function always(check: (input: Input, decision: Decision) => void): void {
  const visible = fc.constantFrom<Visible>('none', 'all', 'all', 'still', 'other');
  const given = fc.record({
    ...{ files: filesThere, clock: clocks, asked: askings, watched: watches, visible },
    finality: fc.constantFrom(...finalities),
    unloaded: fc.boolean(),
    root: fc.boolean(),
  });
  fc.assert(
    fc.property(given, ({ files, clock: now, asked, watched, visible: which, finality, unloaded, root }) => {
      const sighting = sight(files, {
        still: watched?.still,
        unloaded: unloaded ? files.filter(({ key }) => key.startsWith(next)).length : 0,
        folders: root ? ['2026/'] : [],
      });
      const watch = watched && {
        version: watched.same ? sighting.listing : 'x',
        since: watched.since,
        seen: [{ newest: watched.still ?? 0, at: watched.since }],
      };
      const version = {
        none: undefined,
        all: sighting.everything?.version,
        still: sighting.marker?.version,
        other: 'y',
      }[which];
      const published = which !== 'none';
      const ledger: Standing = {
        ...{ finality: published || finality !== 'final' ? finality : 'waiting', published },
        ...(version === undefined ? {} : { version }),
      };
      check(
        { files, sighting, ledger, clock: now, asked, watch },
        decide(sighting, ledger, now, asked, watch),
      );
    }),
    { numRuns: 3_000 },
  );
}

const becomesFinal = (decision: Decision): boolean =>
  decision.step === 'settle' || (decision.step === 'load' && decision.finality === 'final');

describe('whatever a Monetate day is told', () => {
  it('every wait moves on, by a quarter of its poll or a minute at least', () => {
    always(({ clock: { now } }, decision) => {
      if (decision.step === 'wait') assert.ok(decision.until > now);
    });
  });

  it('nothing becomes final before the last session of the day can have ended, unless a person says so', () => {
    always(({ clock: { now, settleFor }, asked }, decision) => {
      if (becomesFinal(decision) && !asked.accepted) assert.ok(now >= closesAt + settleFor!);
    });
  });

  it('nor while readers do not see every file of it and of the window, each of which stood still', () => {
    always(({ sighting, ledger, asked }, decision) => {
      if (decision.step !== 'settle' || asked.accepted) return;
      assert.equal(sighting.everything?.version, ledger.version);
      assert.equal(sighting.nextUnloaded, 0);
    });
  });

  it('settles only what readers see', () => {
    always(({ ledger }, decision) => {
      if (decision.step === 'settle') assert.ok(ledger.published);
    });
  });

  it('a load takes what stood still since the look before, or was loaded, unless a person accepted the others', () => {
    always(({ files, sighting, ledger, asked }, decision) => {
      if (decision.step !== 'load' || !decision.marker) return;
      const taken = files.filter((one) => one.key.startsWith(own) && isTaken(one, decision.upTo));
      assert.equal(decision.marker.version, sight(taken).everything?.version);
      if (asked.accepted || sighting.everything?.version === ledger.version) return;
      assert.ok(sighting.upTo !== undefined && taken.every(({ modified }) => modified <= sighting.upTo!));
    });
  });

  it('what readers see already is loaded again only when that was asked for', () => {
    always(({ ledger, asked }, decision) => {
      if (decision.step !== 'load' || !ledger.published || asked.force) return;
      assert.notEqual(decision.marker?.version, ledger.version);
    });
  });

  it('an empty day is loaded only where the export shows, and no session of it may be elsewhere', () => {
    always(({ sighting, clock: { now }, asked }, decision) => {
      if (decision.step !== 'load' || decision.marker || asked.accepted) return;
      assert.ok(
        sighting.files === 0 && sighting.exportThere && sighting.nextUnloaded === 0 && now >= closesAt,
      );
      assert.equal(decision.finality, 'final');
    });
  });

  it('a day that a person ended rests until somebody asks', () => {
    always(({ ledger, asked }, decision) => {
      const ended = ledger.finality === 'skipped' || ledger.finality === 'discarded';
      if (ended && !asked.accepted && !asked.force) assert.equal(decision.step, 'rest');
    });
  });

  it('a changed final day is never passed over in silence', () => {
    always(({ sighting, ledger, asked, clock: { now } }, decision) => {
      if (ledger.finality !== 'final' || asked.force || now >= gone || sighting.files === 0) return;
      const changed = sighting.everything?.version !== ledger.version;
      if (!changed) assert.equal(decision.step, 'rest');
      else assert.ok(decision.step !== 'rest' && decision.step !== 'settle');
      if (decision.step === 'load' && !asked.accepted) assert.ok(decision.notice);
    });
  });

  it('once the vendor deletes its files, nothing is loaded that nobody accepted', () => {
    always(({ clock: { now }, asked }, decision) => {
      if (now < gone || asked.accepted) return;
      assert.ok(
        decision.step === 'rest' || (decision.step === 'giveUp' && decision.reason.includes(' 820 days')),
      );
    });
  });

  it('gives up at the deadline or after it, or when the files are gone', () => {
    always(({ clock: { now, deadline } }, decision) => {
      if (decision.step === 'giveUp') assert.ok(now >= deadline && now >= closesAt);
    });
  });

  it('what travels to the next look is small, and never of the future', () => {
    always(({ clock: { now }, watch: before }, { watch }) => {
      if (!watch) return;
      assert.ok(watch.seen && watch.seen.length <= 2);
      const added = watch.seen.filter((one) => !before?.seen?.includes(one));
      assert.ok(added.every(({ newest, at: when }) => newest <= now && when === now));
      assert.ok(JSON.stringify(watch).length < 200);
    });
  });

  it('reasons are sentences, and summaries short', () => {
    always((_, decision) => {
      assert.match(decision.reason, /^[A-Z0-9].*\.$/);
      if (decision.step === 'wait') assert.ok(decision.summary.length <= 100, decision.summary);
    });
  });
});

describe('however the files of two Monetate days come', () => {
  /** When a file is written, in milliseconds after its interval began, and how long that takes. */
  const writes = fc.array(
    fc.record({
      quarter: fc.nat(191),
      after: fc.integer({ min: 0, max: 6 * hour }),
      takes: fc.nat(2 * hour),
    }),
    { maxLength: 8 },
  );

  it('a day comes to rest with all its files loaded, each only once it was whole', () => {
    fc.assert(
      fc.property(writes, fc.integer({ min: start, max: start + 3 * day }), (list, from) => {
        const there = (now: number): SeenFile[] =>
          list.flatMap(({ quarter, after, takes }, unique) => {
            const began = start + quarter * 15 * minute;
            const [first, last] = [began + after, began + after + takes];
            if (now < first) return [];
            // It grows by the second until it is whole.
            const modified = Math.floor(Math.min(now, last) / 1_000) * 1_000;
            return [
              file(new Date(began).toISOString().slice(8, 16), {
                unique,
                modified,
                size: modified - first + 1_001,
              }),
            ];
          });
        const steps = follow(from, there);
        const end = steps.at(-1)!;
        assert.ok(end.decision.step === 'settle' || end.decision.step === 'load', end.decision.reason);
        assert.ok(end.at >= quiet);
        for (const { at: now, decision } of steps) {
          if (decision.step !== 'load') continue;
          const taken = there(now).filter((one) => one.key.startsWith(own) && isTaken(one, decision.upTo));
          for (const one of taken) {
            const whole = there(Number.MAX_SAFE_INTEGER).find(({ key }) => key === one.key);
            assert.deepEqual(one, whole);
          }
        }
        const whole = there(end.at).filter(({ key }) => key.startsWith(own));
        const last = steps.filter(({ decision }) => decision.step === 'load').at(-1)?.decision;
        assert.ok(last?.step === 'load');
        assert.equal(last.marker?.version, whole.length === 0 ? undefined : loaded(whole).version);
      }),
      { numRuns: 100 },
    );
  });

  it('a day is looked at fewer than 250 times', () => {
    const steps = follow(start, (now) =>
      Array.from({ length: 192 }, (_, quarter) => start + quarter * 15 * minute)
        .filter((from) => from + 20 * minute <= now)
        .map((from) => file(new Date(from).toISOString().slice(8, 16))),
    );
    const looks = steps.length;
    assert.ok(looks < 250, `${looks} looks of ${date}`);
    assert.ok(clock(start).now === start);
  });
});
