import assert from 'node:assert/strict';

import fc from 'fast-check';
import pg from 'pg';

import { supersededTable } from '../../warehouse/names.js';
import { eventually } from '../support/eventually.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';
import {
  discardCopies,
  heldCopies,
  openCopies,
  publishCopies,
  stageCopies,
  type Copies,
  type CopyFile,
  type CopyLine,
  type Shape,
} from './copies.js';
import { expectedCopies } from './copies-model.js';

const deliveries = ['d0', 'd1', 'd2', 'd3'] as const;
const filesOfEach = 3;

/** By delivery: neither their names nor the order in which they are loaded say which is newer. */
const age = [2, 0, 3, 1] as const;

const line: fc.Arbitrary<CopyLine> = fc.record({
  session: fc.constantFrom('1', '2', '3', '4'),
  says: fc.constantFrom('x', 'y'),
  items: fc.nat(2),
});
/** What is written into a file; undefined where it stays as it is. */
const content = fc.option(fc.array(line, { maxLength: 4 }), { nil: undefined });
const delivery = fc.nat(deliveries.length - 1);
const written = fc.record({ delivery, contents: fc.tuple(content, content, content) });

/** Where a publishing transaction is stopped, to be ended there. */
const places = ['session', 'item', 'superseded session', 'copies', 'ledger', 'history'] as const;

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('load' as const), one: written }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reload' as const), one: delivery }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('discard' as const), one: delivery }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('both' as const), one: written, other: written }) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ do: fc.constant('kill' as const), one: written },
      ...{ at: fc.constantFrom(...places), again: fc.boolean() },
    }),
  },
);

describe('copies of a row in several deliveries', function () {
  this.timeout(300_000);
  let database: TestDatabase;
  before(async () => {
    database = await testDatabase();
  });
  after(() => database.drop());

  for (const [shape, what] of [
    ['whole', 'lines that hold all of a session'],
    ['parted', 'files that hold rows of one table each'],
    ['adding', 'files that come one by one'],
  ] as const) {
    it(`in ${what}: the newest is seen and the ledger counts the others, whatever is loaded, discarded or killed in whatever order`, () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
          const scene = await openScene(database, shape);
          for (const one of steps) {
            await scene.play(one);
            assert.deepEqual(await heldCopies(scene.copies), expectedCopies(scene.live, shape));
          }
        }),
        { numRuns: 25 },
      ));
  }
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Written = typeof written extends fc.Arbitrary<infer T> ? T : never;

async function openScene(database: TestDatabase, shape: Shape) {
  const copies = await openCopies(database.pool, shape);
  const live = new Map<string, readonly CopyFile[]>();
  /** What the store has. */
  const there = new Map<string, readonly CopyFile[]>();
  let versions = 0;

  const write = ({ delivery: number, contents }: Written): readonly CopyFile[] => {
    const name = deliveries[number]!;
    const before = there.get(name) ?? emptyFiles(number, shape);
    const files = before.map((file, index) => {
      const lines = contents[index];
      if (lines === undefined) return file;
      const alone = lines.map((one) => (shape === 'parted' ? { ...one, items: 0 } : one));
      return { ...file, version: `v${++versions}`, lines: alone };
    });
    there.set(name, files);
    return files;
  };
  const stage = (number: number, files: readonly CopyFile[], force = false): Promise<string | undefined> =>
    stageCopies(copies, deliveries[number]!, files, force);
  const publish = async (number: number, files: readonly CopyFile[], loadId?: string): Promise<void> => {
    if (loadId !== undefined) await publishCopies(copies, deliveries[number]!, loadId);
    live.set(deliveries[number]!, files);
  };

  const play = async (one: Step): Promise<void> => {
    if (one.do === 'discard') {
      await discardCopies(copies, deliveries[one.one]!);
      live.delete(deliveries[one.one]!);
      return;
    }
    if (one.do === 'reload') {
      const files = there.get(deliveries[one.one]!);
      if (files) await publish(one.one, files, await stage(one.one, files, true));
      return;
    }
    const files = write(one.one);
    const number = one.one.delivery;
    const loadId = await stage(number, files);
    if (one.do === 'both' && one.other.delivery !== number) {
      const others = write(one.other);
      const other = await stage(one.other.delivery, others);
      await Promise.all([publish(number, files, loadId), publish(one.other.delivery, others, other)]);
      return;
    }
    if (one.do === 'kill' && loadId !== undefined) {
      const killed = await publishAndKill(database, copies, deliveries[number]!, loadId, one.at);
      if (killed && !one.again) return;
    }
    await publish(number, files, loadId);
  };
  return { copies, live, play };
}

function emptyFiles(number: number, shape: Shape): readonly CopyFile[] {
  return Array.from({ length: filesOfEach }, (_, index): CopyFile => ({
    key: `${deliveries[number]!}-${index * 6}`,
    version: 'v0',
    // Files of one delivery that come one by one are older and newer than those of others, or as new.
    newness: shape === 'adding' ? `n${age[number]! + index}` : `n${age[number]!}`,
    table: shape === 'parted' && index > 0 ? 'item' : 'session',
    lines: [],
  }));
}

/** Ends the server process of a transaction that publishes, where it wants to write a table; false where it never does. */
async function publishAndKill(
  database: TestDatabase,
  copies: Copies,
  delivery: string,
  loadId: string,
  at: (typeof places)[number],
): Promise<boolean> {
  const table = {
    session: `${copies.source}.session`,
    item: `${copies.source}.item`,
    'superseded session': supersededTable(copies.source, 'session'),
    copies: supersededTable(copies.source),
    ledger: 'landfall.superseded',
    history: 'landfall.delivery_event',
  }[at];
  const application = `killed ${copies.source}`;
  const pool = new pg.Pool({ connectionString: database.url, application_name: application, max: 1 });
  pool.on('error', () => undefined);
  const blocker = await database.pool.connect();
  try {
    await blocker.query(`begin; lock table ${table} in share mode`);
    let done = false;
    const publishing = publishCopies({ ...copies, pool }, delivery, loadId).then(
      () => true,
      () => false,
    );
    void publishing.then(() => (done = true));
    await eventually(async () => {
      if (done) return true;
      const { rowCount } = await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = $1 and wait_event_type = 'Lock'`,
        [application],
      );
      return rowCount === 1;
    });
    return !(await publishing);
  } finally {
    await blocker.query('rollback');
    blocker.release();
    await pool.end();
  }
}
