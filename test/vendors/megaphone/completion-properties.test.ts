import assert from 'node:assert/strict';

import fc from 'fast-check';

import { finalities } from '../../../model/delivery.js';
import type { Asked, Clock, Decision, Sighting, Standing, Watch } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/megaphone/completion.js';
import { awaited, day, file, hour, start } from './case.js';

const versions = fc.constantFrom('"a"', '"b"', '"c"');
const instants = fc.integer({ min: start - day, max: start + 9 * day });

const sightings: fc.Arbitrary<Sighting> = fc
  .record({ version: fc.option(versions), closed: fc.boolean() })
  .map(({ version, closed }) => ({
    awaited,
    ...(version === null ? {} : { marker: file(version) }),
    ...(closed ? { closed } : {}),
  }));

const standings: fc.Arbitrary<Standing> = fc
  .record({ finality: fc.constantFrom(...finalities), version: fc.option(versions), published: fc.boolean() })
  .map(({ finality, version, published }) => ({
    finality,
    published,
    ...(published && version !== null ? { version } : {}),
  }));

const clocks: fc.Arbitrary<Clock> = fc.record({
  now: instants,
  deadline: instants,
  waitingSince: instants,
  pollEvery: fc.integer({ min: 1, max: 2 * day }),
  closesAt: instants,
  settleFor: fc.integer({ min: 1, max: day }),
});

const askings: fc.Arbitrary<Asked> = fc.record({ accepted: fc.boolean(), force: fc.boolean() });
const watches: fc.Arbitrary<Watch | undefined> = fc.option(
  fc.record({ version: versions, since: instants }),
  {
    nil: undefined,
  },
);

interface Input {
  readonly sighting: Sighting;
  readonly ledger: Standing;
  readonly clock: Clock & { closesAt: number; settleFor: number };
  readonly asked: Asked;
  readonly watch: Watch | undefined;
  /** Readers see what is there. */
  readonly current: boolean;
}

function always(check: (input: Input, decision: Decision) => void): void {
  fc.assert(
    fc.property(sightings, standings, clocks, askings, watches, (sighting, ledger, clock, asked, watch) => {
      const current = ledger.published && ledger.version === sighting.marker?.version;
      const input = { sighting, ledger, clock: clock as Input['clock'], asked, watch, current };
      check(input, decide(sighting, ledger, clock, asked, watch));
    }),
    { numRuns: 3_000 },
  );
}

describe('whatever a Megaphone delivery is told', () => {
  it('every wait moves on, and never past what it waits for', () => {
    always(({ sighting, clock }, decision) => {
      if (decision.step !== 'wait') return;
      assert.ok(decision.until > clock.now);
      if (!sighting.marker) assert.ok(decision.until <= clock.deadline);
      else if (clock.now < clock.closesAt) assert.ok(decision.until <= clock.closesAt);
    });
  });

  it('nothing becomes final before the vendor closes the day, unless the vendor or a person says so', () => {
    always(({ sighting, clock, asked }, decision) => {
      const isFinal =
        decision.step === 'settle' || (decision.step === 'load' && decision.finality === 'final');
      if (!isFinal || sighting.closed || asked.accepted) return;
      assert.ok(clock.now >= clock.closesAt);
    });
  });

  it('a day settles by itself only on two looks, settleFor apart, that showed what readers see', () => {
    always(({ sighting, ledger, clock, asked, watch, current }, decision) => {
      if (decision.step !== 'settle' || sighting.closed || asked.accepted) return;
      assert.ok(current && watch && watch.version === ledger.version);
      assert.ok(watch.since >= clock.closesAt && clock.now - watch.since >= clock.settleFor);
    });
  });

  it('a provisional load is of another version than what is final', () => {
    always(({ ledger, clock, current }, decision) => {
      if (decision.step !== 'load' || decision.finality === 'final' || ledger.finality !== 'final') return;
      assert.ok(!current || clock.now < clock.closesAt);
    });
  });

  it('settles only what readers see', () => {
    always(({ ledger }, decision) => {
      if (decision.step === 'settle') assert.ok(ledger.published);
    });
  });

  it('what is there and not yet seen by readers is loaded, unless a person ended the delivery', () => {
    always(({ sighting, ledger, asked, current }, decision) => {
      if (!sighting.marker || current) return;
      const ended = ledger.finality === 'skipped' || ledger.finality === 'discarded';
      const rests = ended && !asked.accepted && !asked.force;
      assert.equal(decision.step, rests ? 'rest' : 'load');
      if (decision.step === 'load') assert.deepEqual(decision.marker, sighting.marker);
    });
  });

  it('what readers see already is loaded again only when that was asked for', () => {
    always(({ asked, current }, decision) => {
      if (current && decision.step === 'load') assert.ok(asked.force);
    });
  });

  it('a changed final day is never passed over in silence', () => {
    always(({ sighting, ledger, current }, decision) => {
      if (decision.step !== 'load') return;
      const changed = sighting.marker !== undefined && ledger.finality === 'final' && !current;
      assert.equal(decision.notice !== undefined, changed);
    });
  });

  it('a watch is of the version that was seen, at an instant after closing that was looked at', () => {
    always(({ sighting, clock, watch }, decision) => {
      if (!decision.watch) return;
      assert.equal(decision.watch.version, sighting.marker?.version);
      assert.ok(clock.now >= clock.closesAt && decision.watch.since >= clock.closesAt);
      assert.ok([clock.now, watch?.since].includes(decision.watch.since));
    });
  });

  it('gives up only without the file, and at the deadline or after it', () => {
    always(({ sighting, clock }, decision) => {
      if (decision.step === 'giveUp') assert.ok(!sighting.marker && clock.now >= clock.deadline);
    });
  });

  it('reasons are sentences, and summaries short', () => {
    always((_, decision) => {
      assert.match(decision.reason, /^[A-Zm].*\.$/);
      if (decision.step === 'wait') assert.ok(decision.summary.length <= 90, decision.summary);
    });
  });

  it('a file that never comes is looked for fewer than 160 times in 3 days', () => {
    let now = start;
    let looks = 0;
    for (;;) {
      const clock = {
        ...{ now, deadline: start + 3 * day, waitingSince: start, pollEvery: hour / 4 },
        ...{ closesAt: start + day + 4.5 * hour, settleFor: hour },
      };
      looks += 1;
      const decision = decide({ awaited }, { finality: 'waiting', published: false }, clock, {
        accepted: false,
        force: false,
      });
      if (decision.step !== 'wait') break;
      now = decision.until;
    }
    assert.equal(now, start + 3 * day);
    assert.ok(looks < 160, `${looks} looks`);
  });
});
