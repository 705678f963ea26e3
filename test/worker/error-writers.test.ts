import assert from 'node:assert/strict';

import { pino } from 'pino';

import { errorWriters } from '../../worker/error-writers.js';

describe('errors in the log', () => {
  const write = (fields: object): Record<string, Record<string, unknown>> => {
    let line = '';
    pino({ serializers: errorWriters }, { write: (text: string) => void (line = text) }).warn(fields, 'said');
    return JSON.parse(line) as Record<string, Record<string, unknown>>;
  };

  it('tells of an error its kind, message, code, stack and causes, whatever field it is in', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const error = new TypeError('it failed', { cause });
    for (const field of ['error', 'err']) {
      const { type, message, stack, cause: why } = write({ [field]: error })[field]!;
      assert.deepEqual([type, message], ['TypeError', 'it failed']);
      assert.match(String(stack), /error-writers\.test\.ts/);
      const { code, message: because } = why as Record<string, unknown>;
      assert.deepEqual([code, because], ['ECONNREFUSED', 'connect ECONNREFUSED']);
    }
  });

  it('tells of several errors each', () => {
    const error = new AggregateError([new Error('one'), new Error('two')], 'both');
    const { message, errors } = write({ error })['error']!;
    assert.equal(message, 'both');
    assert.deepEqual(
      (errors as { message: string }[]).map((one) => one.message),
      ['one', 'two'],
    );
  });

  it('tells nothing of the row that a driver adds to its error', () => {
    const error = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (email)=(jane@example.com)',
    });
    const line = JSON.stringify(write({ error }));
    assert.match(line, /23505/);
    assert.doesNotMatch(line, /jane/);
  });
});
