import assert from 'node:assert/strict';

import type { Decision, Standing, Watch } from '../../../vendors/completion.js';
import { decide } from '../../../vendors/monetate/completion.js';
import { stoodStill } from '../../../vendors/monetate/day-case.js';
import {
  accepted,
  at,
  clock,
  day,
  deadline,
  file,
  follow,
  forced,
  fresh,
  loaded,
  minute,
  next,
  nobody,
  own,
  quiet,
  sight,
} from './case.js';

const early = [file('20T10:00'), file('20T10:00', { unique: 2 })];
const late = file('20T10:15');
/** The look before saw all of `early`. */
const still = at('20T10:20');
const before: Watch = { version: 'x', since: at('20T10:30'), seen: [{ newest: still, at: at('20T10:30') }] };
const allDay = [file('20T00:00'), file('20T23:45')];
const after: Watch = {
  version: 'x',
  since: at('21T00:30'),
  seen: [{ newest: at('21T12:00'), at: at('21T12:15') }],
};
const { seen } = after;

const told = (decision: Decision): string =>
  decision.step === 'giveUp' ? `${decision.step} ${decision.as}` : decision.step;

describe('when files of a Monetate day are loaded', () => {
  it('not at the first look, which cannot tell whether they are still being written', () => {
    const sighting = sight(early);
    assert.deepEqual(decide(sighting, fresh, clock('20T10:45'), nobody), {
      step: 'wait',
      until: at('20T10:46'),
      reason:
        `2 files in ${own} may still be written (20261120T100000.000Z_PT15M-1.json.gz, ` +
        '20261120T100000.000Z_PT15M-2.json.gz): size and time have to stand still from one look to the next, which is ' +
        'at 2026-11-20 10:46:00 UTC.',
      summary: 'next look 2026-11-20 10:46Z, whether 2 files stand still',
      watch: {
        version: sighting.listing,
        since: at('20T10:45'),
        seen: [{ newest: still, at: at('20T10:45') }],
      },
    });
  });

  it('at the second, provisional', () => {
    const sighting = sight(early, { still });
    assert.deepEqual(decide(sighting, fresh, clock('20T10:46'), nobody, before), {
      step: 'load',
      marker: sighting.everything,
      upTo: still,
      finality: 'provisional',
      reason:
        `2 files in ${own} stand still, seen at 2026-11-20 10:46:00 UTC. It is provisional, and can be final from ` +
        '2026-11-21 13:30:00 UTC on.',
      watch: {
        ...{ version: sighting.listing, since: at('20T10:46') },
        seen: [...(before.seen ?? []), { newest: still, at: at('20T10:46') }],
      },
    });
  });

  it('without those that are newer: they are for the next load', () => {
    const sighting = sight([...early, late], { still });
    const decision = decide(sighting, loaded(early.slice(0, 1)), clock('20T10:46'), nobody, before);
    assert.ok(decision.step === 'load');
    assert.deepEqual([decision.upTo, decision.marker], [still, sighting.marker]);
    assert.match(decision.reason, /^2 files in /);
    assert.deepEqual(decision.watch?.seen?.at(-1), { newest: at('20T10:35'), at: at('20T10:46') });
  });

  it('not again while nothing new stands still', () => {
    const growing = sight([...early, late], { still });
    const decision = decide(growing, loaded(early), clock('20T10:46'), nobody, before);
    assert.ok(decision.step === 'wait');
    assert.equal(decision.until, at('20T11:01'));
    assert.match(decision.reason, /^2 files in \S+ are loaded\. Sessions of the day may come until /);
  });

  it('a run that knows of no look before takes what is loaded for written', () => {
    const decision = decide(sight(early), loaded(early), clock('20T11:00'), nobody);
    assert.ok(decision.step === 'wait');
    assert.equal(decision.until, at('20T11:15'));
    const again = decide(sight(early), loaded(early), clock('20T11:00'), forced);
    assert.ok(again.step === 'load' && again.upTo === still);
  });

  it('a look that follows a load at once does not show that anything stands still', () => {
    const first = decide(sight(early), fresh, clock('20T10:45'), nobody).watch;
    const now = at('20T10:46');
    assert.equal(stoodStill(first, clock(now - 1)), undefined);
    assert.equal(stoodStill(first, clock(now)), still);
    const growing = [...early, file('20T10:15', { modified: now })];
    const load = decide(sight(growing, { still }), fresh, clock(now), nobody, first).watch;
    assert.equal(stoodStill(load, clock(now + 5_000)), still);
    const next = decide(sight(growing, { still }), loaded(early), clock(now + 5_000), nobody, load).watch;
    assert.equal(stoodStill(next, clock(now + 15 * minute)), now);
    // Where looks come more often than every minute they count as well, down to 2 seconds.
    assert.equal(stoodStill(first, clock('20T10:45', { pollEvery: 1, now: at('20T10:45') + 2_000 })), still);
  });

  it('a file whose time lies in the future vouches for none', () => {
    const odd = [...early, file('20T10:15', { modified: at('25T00:00') })];
    const decision = decide(sight(odd), fresh, clock('20T10:45'), nobody);
    assert.deepEqual(decision.watch?.seen, [{ newest: at('20T10:45'), at: at('20T10:45') }]);
  });

  it('however late they come, when the day is not at rest', () => {
    const sighting = sight(early, { still });
    const failed: Standing = { finality: 'failed', published: false };
    assert.equal(told(decide(sighting, failed, clock('27T00:00'), nobody, before)), 'load');
  });
});

describe('when a Monetate day is final', () => {
  it('when a look 13 hours and 30 minutes after it brings nothing new', () => {
    const sighting = sight([...allDay, file('21T00:00'), file('21T11:30')], { still: at('21T12:00') });
    const ledger = loaded(allDay);
    const decision = decide(sighting, ledger, clock('21T13:29'), nobody, after);
    assert.ok(decision.step === 'wait');
    assert.equal(decision.until, quiet);
    assert.deepEqual(decide(sighting, ledger, clock(quiet), nobody, after), {
      step: 'settle',
      reason:
        `A look at 2026-11-21 13:30:00 UTC brought nothing new: readers see 2 files in ${own}, and 2 files in ${next} ` +
        'that sessions of the day may be in. The last of them ended by 2026-11-21 12:30:00 UTC.',
      watch: {
        ...{ version: sighting.listing, since: quiet },
        seen: [...(seen ?? []), { newest: at('21T11:50'), at: quiet }],
      },
    });
  });

  it('not while a file of it is new', () => {
    const lately = file('20T23:45', { unique: 9, modified: at('21T13:20') });
    const growing = sight([...allDay, lately], { still: at('21T12:00') });
    const waits = decide(growing, loaded(allDay), clock('21T13:30'), nobody, after);
    assert.ok(waits.step === 'wait');
    assert.match(waits.reason, /may still be written/);
    const stands = sight([...allDay, lately], { still: at('21T13:20') });
    assert.equal(told(decide(stands, loaded(allDay), clock('21T13:45'), nobody, waits.watch)), 'load');
    const all = loaded([...allDay, lately]);
    assert.equal(told(decide(stands, all, clock('21T13:45'), nobody, waits.watch)), 'settle');
  });

  it('what comes after the window has to stand still for settleFor', () => {
    const lately = file('20T23:45', { unique: 9, modified: at('21T15:00') });
    const sighting = sight([...allDay, lately], { still: at('21T15:00') });
    const watch = { version: sighting.listing, since: at('21T15:10') };
    const decision = decide(sighting, loaded([...allDay, lately]), clock('21T15:15'), nobody, watch);
    assert.ok(decision.step === 'wait');
    assert.match(decision.reason, /it is final from 2026-11-21 16:00:00 UTC on/);
    assert.equal(
      told(decide(sighting, loaded([...allDay, lately]), clock('21T16:00'), nobody, watch)),
      'settle',
    );
  });

  it('not while readers do not see the files that sessions of it may be in', () => {
    const sighting = sight([...allDay, file('21T00:00'), file('21T12:15')], { still: quiet, unloaded: 1 });
    const decision = decide(sighting, loaded(allDay), clock('21T14:00'), nobody, after);
    assert.ok(decision.step === 'wait');
    assert.equal(decision.until, at('21T14:15'));
    assert.equal(
      decision.reason,
      `1 of the 2 files in ${next} up to 2026-11-21 12:30Z is not loaded, and sessions that began on this day may be in ` +
        "them. They are the next day's to load; the next look is at 2026-11-21 14:15:00 UTC.",
    );
    assert.equal(decision.summary, "next look 2026-11-21 14:15Z, 1 of the next day's files not loaded yet");
    const given = decide(sighting, loaded(allDay), clock(deadline), nobody, after);
    assert.equal(told(given), 'giveUp failed');
    assert.match(given.reason, /Load the next day as well and reprocess this one then, or accept it/);
  });

  it('not while a file is left out that cannot be read; past the deadline it fails, and names the file', () => {
    const seen = sight(allDay, { still: quiet });
    const first = `${own}a.json.gz: its gzip breaks off.`;
    const without = { ...loaded(allDay), unreadable: { files: 1, first } };
    const decision = decide(seen, without, clock('21T14:00'), nobody, after);
    assert.ok(decision.step === 'wait');
    assert.equal(decision.summary, 'next look 2026-11-21 14:15Z, 1 file cannot be read');
    assert.match(
      decision.note ?? '',
      /^1 file in .* cannot be read, and was left out: .*a\.json\.gz: its gzip/,
    );
    const given = decide(seen, without, clock(deadline), nobody, after);
    assert.equal(told(given), 'giveUp failed');
    assert.match(given.reason, /The rows of its last load stay visible\. Have Monetate write it anew and/);
    const taken = decide(seen, without, clock('21T14:00'), accepted, after);
    assert.equal(told(taken), 'settle');
    assert.match(taken.reason, /Left out was 1 file in .* that cannot be read: .*a\.json\.gz/);
  });

  it('of an old day, not before the next one had a day to be loaded, which a backfill may be about', () => {
    const sighting = sight([...allDay, file('21T00:00')], { still: quiet, unloaded: 1 });
    const late = deadline + 30 * day;
    const since = (now: number) => clock(now, { waitingSince: late });
    const decision = decide(sighting, loaded(allDay), since(late), nobody, after);
    assert.ok(decision.step === 'wait');
    assert.equal(decision.until, late + 15 * minute);
    assert.equal(told(decide(sighting, loaded(allDay), since(late + day), nobody, after)), 'giveUp failed');
  });

  it('not before a file stands still; past the deadline it fails, and names the file', () => {
    const odd = file('20T23:45', { unique: 9, modified: at('30T00:00') });
    const sighting = sight([...allDay, odd], { still: at('22T00:00') });
    assert.equal(told(decide(sighting, loaded(allDay), clock('23T23:00'), nobody, after)), 'wait');
    const since = { ...after, version: sighting.listing };
    const decision = decide(sighting, loaded(allDay), clock(deadline), nobody, since);
    assert.equal(told(decision), 'giveUp failed');
    assert.match(
      decision.reason,
      /^1 file in .* \(20261120T234500\.000Z_PT15M-9\.json\.gz\)\. The rows of its last/,
    );
  });

  it('not when a file changes at every look, which is what is waited for then, up to the deadline', () => {
    const changing = file('20T23:45', { unique: 9, modified: at('21T13:55') });
    const seen = sight([...allDay, changing], { still: at('21T13:40') });
    const waiting = decide(seen, loaded(allDay), clock('21T14:00'), nobody, after);
    assert.ok(waiting.step === 'wait');
    assert.match(waiting.reason, /^1 file in .* may still be written/);
    const odd = file('20T23:45', { unique: 9, modified: deadline - 5 * minute });
    const sighting = sight([...allDay, odd], { still: deadline - 20 * minute });
    const decision = decide(sighting, loaded(allDay), clock(deadline), nobody, after);
    assert.equal(told(decision), 'giveUp failed', decision.reason);
  });

  it('with a window of its own where the source says so', () => {
    const mine = { closesAt: at('21T06:00'), settleFor: 5 * minute };
    const sighting = sight([...allDay, file('21T07:00')], {
      still: quiet,
      closesAt: mine.closesAt,
      unloaded: 0,
    });
    const decision = decide(sighting, loaded(allDay), clock('21T06:05', mine), nobody, after);
    assert.equal(told(decision), 'settle');
  });

  describe('without a file', () => {
    it('is looked at until the window is over', () => {
      assert.deepEqual(decide(sight([]), fresh, clock('20T10:00'), nobody), {
        step: 'wait',
        until: at('20T10:15'),
        reason:
          `There is no file in ${own} yet. Files may come until 2026-11-21 13:30:00 UTC; without any it is a day without ` +
          'sessions. The next look is at 2026-11-20 10:15:00 UTC.',
        summary: 'next look 2026-11-20 10:15Z, no file yet',
        note: `Files in ${own} are awaited until 2026-11-21 13:30Z.`,
        watch: {
          ...{ version: sight([]).listing, since: at('20T10:00') },
          seen: [{ newest: 0, at: at('20T10:00') }],
        },
      });
    });

    it('is final with no rows after that', () => {
      const decision = decide(sight([]), fresh, clock(quiet), nobody);
      assert.ok(decision.step === 'load' && decision.finality === 'final');
      assert.equal(decision.marker, undefined);
      assert.equal(
        decision.reason,
        `There is no file in ${own}, and other days show: a day on which no session ended.`,
      );
    });

    it('not while sessions that began on it may not be loaded', () => {
      const sighting = sight([file('21T00:00')], { unloaded: 1 });
      assert.equal(told(decide(sighting, fresh, clock(quiet), nobody)), 'wait');
    });

    it('nor where the store shows no day at all: then it fails', () => {
      const nothing = sight([], { folders: ['lost+found/'] });
      const decision = decide(nothing, fresh, clock(quiet), nobody);
      assert.ok(decision.step === 'wait');
      assert.match(
        decision.reason,
        /the store shows no day at all, which is no sign of a day without sessions\./,
      );
      const given = decide(nothing, fresh, clock(deadline), nobody);
      assert.equal(told(given), 'giveUp failed');
      assert.match(given.reason, /Check the account and the SFTP user's folder/);
    });

    it('nor where files of it were loaded: they do not go', () => {
      assert.equal(told(decide(sight([]), loaded(allDay), clock(quiet), nobody)), 'wait');
      const decision = decide(sight([]), loaded(allDay), clock(deadline), nobody);
      assert.match(
        decision.reason,
        /^There is no file in \S+ any more, though some were loaded\. The rows of its/,
      );
    });
  });
});

describe('the life of a Monetate day', () => {
  /** A file a quarter of an hour, 20 minutes after it began, over this day and the next. */
  const arriving = (now: number) =>
    Array.from({ length: 192 }, (_, quarter) => at('20T00:00') + quarter * 15 * minute)
      .filter((from) => from + 20 * minute <= now)
      .map((from) => file(new Date(from).toISOString().slice(8, 16)));

  it('as the vendor writes it: loaded about every quarter of an hour, final at 13:30 of the next', () => {
    const steps = follow(at('20T00:00'), arriving);
    const loads = steps.filter(({ decision }) => decision.step === 'load');
    assert.equal(loads.length, 96);
    assert.ok(loads.every(({ decision }) => decision.step === 'load' && decision.finality === 'provisional'));
    assert.deepEqual(steps.at(-1), { at: quiet, decision: steps.at(-1)!.decision });
    assert.equal(steps.at(-1)!.decision.step, 'settle');
    // Every file is loaded less than 45 minutes after it was written.
    for (const [index, { at: instant }] of loads.entries()) {
      assert.ok(instant - (at('20T00:20') + index * 15 * minute) < 45 * minute);
    }
  });

  it('seen years later: two looks a minute apart, one load, final', () => {
    const steps = follow(at('28T00:00'), () => arriving(at('23T00:00')));
    assert.deepEqual(
      steps.map(({ at: instant, decision }) => [(instant - at('28T00:00')) / minute, decision.step]),
      [
        [0, 'wait'],
        [1, 'load'],
        [1, 'settle'],
      ],
    );
  });

  it('without traffic: final at 13:30 with no rows', () => {
    const steps = follow(at('20T00:00'), () => []);
    assert.equal(steps.at(-1)!.at, quiet);
    assert.equal(steps.at(-1)!.decision.step, 'load');
    assert.ok(steps.length < 160);
  });
});
