import assert from 'node:assert/strict';

import { ApplicationFailure, type Info } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

import { translateFailures } from '../../activities/failures.js';
import { sourceMissing } from '../../activities/sources.js';
import { Failure } from '../../model/failure.js';
import { openPool } from '../../warehouse/pool.js';
import { testDatabase, type TestDatabase } from '../support/postgres.js';

const id = 'experiments/events/2026-03-01';

describe('a step', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await testDatabase();
    await database.pool.query(
      `insert into landfall.source (name, vendor, schema_name) values ('experiments', 'optimizely', 'experiments');
       insert into landfall.delivery (id, source, type, date, finality, since, reason)
       values ('${id}', 'experiments', 'events', '2026-03-01', 'waiting', now(), 'Not looked at yet.')`,
    );
  });
  afterEach(() => database.drop());

  const source = (): never => {
    throw sourceMissing("source 'experiments'");
  };
  /** `record` needs no source. */
  const run = (
    work: () => Promise<void>,
    { pool = database.pool, attempt = 1, logged = [] as string[] } = {},
  ): Promise<void> => {
    const record: (input: object) => Promise<void> = translateFailures(
      { record: work },
      { pool, source },
    ).record;
    const logger = new DefaultLogger(
      'WARN',
      ({ message, meta }) => void logged.push(`${message} ${String(meta?.['error'])}`),
    );
    const info: Partial<Info> = { attempt, retryPolicy: { maximumAttempts: 0 } };
    return new MockActivityEnvironment(info, { logger }).run(record, { id });
  };
  const reason = async (): Promise<string> =>
    (await database.pool.query<{ reason: string }>('select reason from landfall.delivery')).rows[0]!.reason;

  it('that has failed twice without a word is told of by the third attempt, while that is under way', async () => {
    let during = '';
    const look = async (): Promise<void> => void (during = await reason());
    await run(look, { attempt: 2 });
    assert.equal(during, 'Not looked at yet.');
    await run(look, { attempt: 3 });
    assert.match(
      during,
      /^Attempt 2 of step 'record' did not tell how it ended: .* Attempt 3 is under way\.$/,
    );
    assert.equal(await reason(), 'Not looked at yet.');
  });

  it('whose last attempt has told how it ended keeps its word', async () => {
    const busy = (): Promise<never> =>
      Promise.reject(new Failure('StoreUnavailable', 'It is busy. It is retried.'));
    await assert.rejects(run(busy, { attempt: 2 }), { type: 'StoreUnavailable', nonRetryable: false });
    let during = '';
    await run(async () => void (during = await reason()), { attempt: 3 });
    assert.match(during, /^It is busy\. Attempt 2 of step 'record'; it is tried again at /);
  });

  it('is retried as it would be while Postgres is away, and the log says that the ledger could not be told', async () => {
    const pool = openPool('postgres://nobody@127.0.0.1:1/nothing', 1);
    const logged: string[] = [];
    try {
      const refused = (): Promise<never> => Promise.reject(new Failure('AccessDenied', 'No.'));
      await assert.rejects(run(refused, { pool, logged, attempt: 2 }), (error: unknown) => {
        assert.ok(error instanceof ApplicationFailure);
        assert.deepEqual([error.type, error.nonRetryable], ['AccessDenied', false]);
        return true;
      });
    } finally {
      await pool.end();
    }
    assert.match(
      logged.join('\n'),
      /The ledger could not be told how attempt 2 of step 'record' of \S+ ended\. .*ECONNREFUSED/,
    );
  });
});
