import assert from 'node:assert/strict';

import type { Decision } from '../../../vendors/completion.js';
import { closesAfter, decide } from '../../../vendors/megaphone/completion.js';
import {
  accepted,
  at,
  awaited,
  clock,
  closesAt,
  file,
  final,
  forced,
  fresh,
  hour,
  minute,
  nobody,
  nothing,
  provisional,
  seen,
  start,
} from './case.js';

const reasonOf = (decision: Decision): string => decision.reason;
const waitOf = (decision: Decision): Decision & { step: 'wait' } => {
  assert(decision.step === 'wait');
  return decision;
};

describe('when a Megaphone day is loaded and when it is final', () => {
  it('the vendor closes a day at 04:30Z, and one of impressions-v2 at 11:00Z', () => {
    assert.equal(closesAt, at('21T04:30:00'));
    assert.equal(closesAfter('metrics'), 4.5 * hour);
    assert.equal(closesAfter('impressions'), 4.5 * hour);
    assert.equal(closesAfter('impressions-v2'), 11 * hour);
  });

  describe('while the vendor may rewrite the file', () => {
    it('the first version is loaded at once, provisional', () => {
      assert.deepEqual(decide(seen('"a"'), fresh, clock('20T01:00:00'), nobody), {
        step: 'load',
        marker: file('"a"'),
        finality: 'provisional',
        reason:
          `${awaited} is there, seen at 2026-11-20 01:00:00 UTC. ` +
          'It is provisional: the vendor may rewrite it until 2026-11-21 04:30:00 UTC.',
      });
    });

    it('and so is each new one', () => {
      assert.deepEqual(decide(seen('"b"'), provisional('"a"'), clock('20T02:00:00'), nobody), {
        step: 'load',
        marker: file('"b"'),
        finality: 'provisional',
        reason:
          `${awaited} has a new version, seen at 2026-11-20 02:00:00 UTC. ` +
          'It is provisional: the vendor may rewrite it until 2026-11-21 04:30:00 UTC.',
      });
    });

    it('the version that is loaded is waited with', () => {
      assert.deepEqual(decide(seen('"a"'), provisional('"a"'), clock('20T14:15:00'), nobody), {
        step: 'wait',
        until: at('20T14:30:00'),
        reason:
          `${awaited} is loaded and provisional, since the vendor may rewrite it until 2026-11-21 04:30:00 UTC; ` +
          'the next look is at 2026-11-20 14:30:00 UTC.',
        summary: 'next look 2026-11-20 14:30Z, what is loaded is provisional',
      });
    });

    it('a look comes at the closing instant sharp, whenever the one before was', () => {
      for (const before of ['21T04:15:01', '21T04:22:00', '21T04:29:59']) {
        const wait = waitOf(decide(seen('"a"'), provisional('"a"'), clock(before), nobody));
        assert.equal(wait.until, closesAt);
        assert.equal(wait.summary, 'until 2026-11-21 04:30Z, when the vendor closes the day');
        assert.equal(wait.watch, undefined);
      }
    });

    it('the last millisecond before it does not count as standing still', () => {
      assert.equal(
        waitOf(decide(seen('"a"'), provisional('"a"'), clock(closesAt - 1), nobody)).watch,
        undefined,
      );
      const first = decide(seen('"a"'), provisional('"a"'), clock(closesAt), nobody);
      assert.deepEqual(first.watch, { version: '"a"', since: closesAt });
    });
  });

  describe('after 04:30Z', () => {
    const watch = { version: '"a"', since: closesAt };

    it('the first look begins to watch', () => {
      assert.deepEqual(decide(seen('"a"'), provisional('"a"'), clock('21T04:30:00'), nobody), {
        step: 'wait',
        until: at('21T04:45:00'),
        reason:
          `${awaited} stands still since 2026-11-21 04:30:00 UTC and is final if it does so until ` +
          '2026-11-21 05:30:00 UTC; the next look is at 2026-11-21 04:45:00 UTC.',
        summary: 'next look 2026-11-21 04:45Z, final at 2026-11-21 05:30Z if it stands still',
        watch,
      });
    });

    it('a look that shows the same version settleFor later settles the day', () => {
      assert.deepEqual(decide(seen('"a"'), provisional('"a"'), clock('21T05:30:00'), nobody, watch), {
        step: 'settle',
        reason:
          `${awaited} was the same at 2026-11-21 04:30:00 UTC and at 2026-11-21 05:30:00 UTC, after the vendor's ` +
          'last hour for it, 2026-11-21 04:30:00 UTC.',
        watch,
      });
    });

    it('a look before that goes on watching, and the next one comes at that instant', () => {
      const wait = waitOf(decide(seen('"a"'), provisional('"a"'), clock('21T05:20:00'), nobody, watch));
      assert.equal(wait.until, at('21T05:30:00'));
      assert.deepEqual(wait.watch, watch);
    });

    it('one look alone settles nothing, however late it comes', () => {
      const wait = waitOf(decide(seen('"a"'), provisional('"a"'), clock('23T09:00:00'), nobody));
      assert.deepEqual(wait.watch, { version: '"a"', since: at('23T09:00:00') });
    });

    it('a version written at 05:16Z is loaded and watched anew', () => {
      const decision = decide(seen('"b"'), provisional('"a"'), clock('21T05:30:00'), nobody, watch);
      assert.deepEqual(decision, {
        step: 'load',
        marker: file('"b"'),
        finality: 'provisional',
        reason:
          `${awaited} has a new version, seen at 2026-11-21 05:30:00 UTC. ` +
          'It is provisional, and final from 2026-11-21 06:30:00 UTC on if it stands still.',
        watch: { version: '"b"', since: at('21T05:30:00') },
      });
      const after = waitOf(
        decide(seen('"b"'), provisional('"b"'), clock('21T05:31:00'), nobody, decision.watch),
      );
      assert.deepEqual(after.watch, decision.watch);
    });

    it('a version that the load found, another than the look saw, is watched from the next look on', () => {
      const wait = waitOf(decide(seen('"c"'), provisional('"c"'), clock('21T05:31:00'), nobody, watch));
      assert.deepEqual(wait.watch, { version: '"c"', since: at('21T05:31:00') });
    });

    it('what was watched before the vendor closed the day does not count', () => {
      const early = { version: '"a"', since: closesAt - hour };
      assert.equal(decide(seen('"a"'), provisional('"a"'), clock(closesAt), nobody, early).step, 'wait');
    });

    it("the vendor's marker closes the day at any hour", () => {
      const closed = { ...seen('"a"'), closed: true };
      const load = decide(closed, fresh, clock('20T23:50:00'), nobody);
      assert.equal(load.step === 'load' && load.finality, 'final');
      assert.match(reasonOf(load), /It is final: the vendor has marked it so\.$/);
      assert.equal(decide(closed, provisional('"a"'), clock('20T23:50:00'), nobody).step, 'settle');
    });
  });

  describe('without the file', () => {
    it('looks come every pollEvery while the vendor writes the day', () => {
      for (const now of ['20T00:00:00', '20T13:00:00', '21T04:29:00']) {
        assert.equal(waitOf(decide(nothing, fresh, clock(now), nobody)).until, at(now) + 15 * minute);
      }
    });

    it('and grow rarer from then on, not from the first look on', () => {
      assert.equal(waitOf(decide(nothing, fresh, clock('21T06:00:00'), nobody)).until, at('21T06:15:00'));
      assert.equal(waitOf(decide(nothing, fresh, clock('21T12:30:00'), nobody)).until, at('21T13:30:00'));
    });

    it('says what it waits for and how long', () => {
      const wait = waitOf(decide(nothing, fresh, clock('20T14:15:00'), nobody));
      assert.equal(
        wait.reason,
        `${awaited} is not there yet (waiting since 2026-11-20 00:00:00 UTC); ` +
          'the next look is at 2026-11-20 14:30:00 UTC, the last one at 2026-11-23 00:00:00 UTC.',
      );
      assert.equal(wait.summary, 'next look 2026-11-20 14:30Z, no file yet');
    });

    it('gives up at the deadline, and says that the vendor has no backfill', () => {
      assert.deepEqual(decide(nothing, fresh, clock('23T00:00:00'), nobody), {
        ...{ step: 'giveUp', as: 'failed' },
        reason:
          `${awaited} was awaited until 2026-11-23 00:00:00 UTC and did not come. Nothing of it was published. ` +
          'Megaphone has no backfill: it writes days only from when the feed was set up. If this day is later than ' +
          'that, ask its support. Reprocess the delivery when the file is there, or accept it as a day without one.',
      });
    });

    it('gives up a day whose file has gone, and leaves its rows', () => {
      const decision = decide(nothing, provisional('"a"'), clock('23T00:00:00'), nobody);
      assert.equal(decision.step, 'giveUp');
      assert.match(reasonOf(decision), /The rows of its last load stay visible\./);
    });

    it('a file that comes after the deadline is loaded all the same', () => {
      const decision = decide(
        seen('"a"'),
        { finality: 'failed', published: false },
        clock('29T00:00:00'),
        nobody,
      );
      assert.equal(decision.step, 'load');
    });

    it('an accepted day is empty, unless it was loaded earlier', () => {
      const empty = decide(nothing, fresh, clock('21T12:00:00'), accepted);
      assert.deepEqual([empty.step, 'marker' in empty], ['load', false]);
      assert.equal(empty.step === 'load' && empty.finality, 'final');
      assert.equal(decide(nothing, provisional('"a"'), clock('21T12:00:00'), accepted).step, 'settle');
    });

    it('a final day rests: files may be deleted after a while', () => {
      assert.equal(decide(nothing, final('"a"'), clock('22T12:00:00'), nobody).step, 'rest');
      assert.equal(decide(nothing, final('"a"'), clock('22T12:00:00'), forced).step, 'wait');
    });
  });

  it('a clock without a closing hour lets nothing become final before the deadline', () => {
    const { now, deadline, waitingSince, pollEvery } = clock(start);
    const bare = { now: deadline - 1, deadline, waitingSince, pollEvery };
    assert.equal(waitOf(decide(seen('"a"'), provisional('"a"'), bare, nobody)).until, deadline);
    assert.ok(now < deadline);
  });
});
