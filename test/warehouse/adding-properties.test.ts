import assert from 'node:assert/strict';

import fc from 'fast-check';

import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  assertSound,
  countsByFile,
  load,
  openVisits,
  seen,
  type Line,
  type Visits,
  type Written,
} from './adding.js';

const keys = ['a', 'b', 'c', 'd', 'e'];

const lines = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.tuple(fc.constantFrom('1', '2', '3', '4', '5', '6'), fc.nat(2)) },
    { weight: 1, arbitrary: fc.constant('bad' as const) },
  ),
  { maxLength: 5 },
);

/** What happens to a file before a load: it is written, or written anew, perhaps not whole; or it is being written. */
type Event = readonly Line[] | 'unreadable' | 'growing' | 'vanishes' | undefined;

interface Step {
  readonly events: readonly Event[];
  readonly force: boolean;
}

const steps = (...others: readonly Event[]): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    fc.record({
      events: fc.tuple(
        ...keys.map(() =>
          fc.oneof(
            { weight: 3, arbitrary: fc.constant<Event>(undefined) },
            { weight: 2, arbitrary: lines },
            { weight: 1, arbitrary: fc.constantFrom(...others) },
          ),
        ),
      ),
      force: fc.nat(5).map((one) => one === 0),
    }),
    { minLength: 1, maxLength: 6 },
  );

/** The files of a delivery as they come, and what was last read of each. */
function vendor(mayRewrite: boolean) {
  const now = new Map<string, Written>();
  const growing = new Set<string>();
  const read = new Map<string, Written>();
  let versions = 0;
  const write = (key: string, content: Written['lines']): void => {
    now.set(key, { key, version: `v${++versions}`, lines: content });
    growing.delete(key);
  };
  return {
    read,
    apply: (key: string, event: Event): void => {
      if (event === undefined) return;
      // Rows that are duplicates are in their file alone: what is no longer listed cannot bring them back.
      if (read.has(key) && (Array.isArray(event) ? !mayRewrite : mayRewrite && event === 'unreadable'))
        return;
      if (event === 'vanishes') now.delete(key);
      else if (event === 'growing') growing.add(key);
      else write(key, event);
    },
    /** Those that are being written come in another version. */
    settle: (): void => {
      for (const key of [...growing]) write(key, now.get(key)?.lines ?? []);
    },
    list: (): readonly Written[] => {
      const listed = [...now.values()].filter(({ key }) => !growing.has(key));
      for (const file of listed) if (file.lines !== 'unreadable') read.set(file.key, file);
      return listed;
    },
  };
}

describe('files of a delivery that come one by one', function () {
  this.timeout(120_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());

  async function assertLikeOneLoad(visits: Visits, read: ReadonlyMap<string, Written>): Promise<void> {
    const once = await openVisits(database.pool);
    await load(once, [...read.values()]);
    assert.deepEqual(await seen(visits), await seen(once));
    const counts = Object.entries(await countsByFile(visits)).filter(
      ([, count]) => typeof count !== 'string',
    );
    assert.deepEqual(Object.fromEntries(counts), await countsByFile(once));
  }

  const run = async (given: readonly Step[], mayRewrite: boolean): Promise<void> => {
    const visits = await openVisits(database.pool);
    const files = vendor(mayRewrite);
    for (const { events, force } of given) {
      events.forEach((event, index) => files.apply(keys[index]!, event));
      await load(visits, files.list(), { force });
      await assertSound(visits);
    }
    files.settle();
    await load(visits, files.list());
    await assertSound(visits);
    await assertLikeOneLoad(visits, files.read);
  };

  it('are as if they had come at once, in whatever order, written anew or loaded again by force', () =>
    fc.assert(
      fc.asyncProperty(steps('unreadable', 'growing'), (given) => run(given, true)),
      { numRuns: 25 },
    ));

  it('are as if they had come at once, though some are no longer listed, or cannot be read any more', () =>
    fc.assert(
      fc.asyncProperty(steps('vanishes', 'unreadable'), (given) => run(given, false)),
      { numRuns: 15 },
    ));
});
