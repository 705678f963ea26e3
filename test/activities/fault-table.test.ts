import assert from 'node:assert/strict';

import pg from 'pg';

import { faultOf, whileRetried, type Handling } from '../../activities/fault-table.js';
import { Failure, failureTypes, type FailureType } from '../../model/failure.js';

function sql(code: string, message = 'said by Postgres', constraint?: string): pg.DatabaseError {
  const error = new pg.DatabaseError(message, message.length, 'error');
  return Object.assign(error, { code, ...(constraint === undefined ? {} : { constraint }) });
}

function system(code: string, more: object = {}): Error {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:5432`), { code, ...more });
}

function named(name: string, message = 'no more is known'): Error {
  return Object.assign(new Error(message), { name });
}

describe('what an error of a step means', () => {
  const cases: readonly (readonly [what: string, error: unknown, handling: Handling, type?: FailureType])[] =
    [
      // What our own code throws.
      ['a refusal', new Failure('AccessDenied', 'no'), 'refused', 'AccessDenied'],
      ['a missing source', new Failure('SourceMissing', 'no'), 'elsewhere', 'SourceMissing'],
      ['a wrong configuration', new Failure('ConfigInvalid', 'no'), 'final', 'ConfigInvalid'],
      [
        'one that a server tells of',
        new Failure('ConfigInvalid', 'no', { mayPass: true }),
        'refused',
        'ConfigInvalid',
      ],
      ['too many bad rows', new Failure('TooManyBadRows', 'no'), 'final', 'TooManyBadRows'],
      ['a changed file', new Failure('FileChanged', 'no'), 'final', 'FileChanged'],
      ['an unreadable file', new Failure('FileUnreadable', 'no'), 'final', 'FileUnreadable'],
      ['lost staging', new Failure('StagingLost', 'no'), 'final', 'StagingLost'],
      ['a superseded load', new Failure('LoadSuperseded', 'no'), 'final', 'LoadSuperseded'],
      ['a failed export', new Failure('ExportFailed', 'no'), 'final', 'ExportFailed'],
      ['an expired export', new Failure('ExportExpired', 'no'), 'final', 'ExportExpired'],
      ['a store that is away', new Failure('StoreUnavailable', 'no'), 'passing', 'StoreUnavailable'],
      // Postgres: connections, shutdown, resources, conflicts, locks.
      ...['08000', '08006', '08P01', '57P01', '57P02', '57P03', '57014', '53100', '53200', '53300'].map(
        (code) => [code, sql(code), 'passing'] as const,
      ),
      ...['40001', '40P01', '55006', '25006', '25P03', '58030'].map(
        (code) => [code, sql(code), 'passing'] as const,
      ),
      ['55P03', sql('55P03'), 'passing', 'TablesBusy'],
      ['28P01', sql('28P01'), 'refused', 'AccessDenied'],
      ['28000', sql('28000'), 'refused', 'AccessDenied'],
      ['42501', sql('42501'), 'refused', 'AccessDenied'],
      ['3D000', sql('3D000'), 'refused', 'ConfigInvalid'],
      ...['42P01', '42703', '42883', '3F000'].map(
        (code) => [code, sql(code), 'unexpected', 'ConfigInvalid'] as const,
      ),
      ['no source', sql('23503', 'violates', 'delivery_source_fkey'), 'unexpected', 'ConfigInvalid'],
      ...['42601', '42804', '42702', '22P02', '23505', '54001', 'XX000', 'P0001', '0A000'].map(
        (code) => [code, sql(code), 'unexpected', 'ProgramFault'] as const,
      ),
      // The network, this machine's disk, and what libraries say of them.
      ...[
        'ECONNREFUSED',
        'ECONNRESET',
        'ETIMEDOUT',
        'ENOTFOUND',
        'EAI_AGAIN',
        'EHOSTUNREACH',
        'EPIPE',
        'ENOSPC',
        'EMFILE',
      ].map((code) => [code, system(code), 'passing'] as const),
      ['a certificate', system('CERT_HAS_EXPIRED'), 'passing'],
      ['no socket of Postgres', system('ENOENT', { syscall: 'connect' }), 'passing'],
      ['a file that is gone', system('ENOENT', { syscall: 'open' }), 'unexpected', 'ProgramFault'],
      ['two addresses', new AggregateError([system('ECONNREFUSED'), system('ENETUNREACH')]), 'passing'],
      [
        'one of two',
        new AggregateError([system('ECONNREFUSED'), new TypeError('x')]),
        'unexpected',
        'ProgramFault',
      ],
      ['a cause', new Error('it failed', { cause: system('ECONNRESET') }), 'passing'],
      ['a cause of Postgres', new Error('it failed', { cause: sql('57P01') }), 'passing'],
      ['fetch', new TypeError('fetch failed', { cause: system('ECONNREFUSED') }), 'passing'],
      ['an abort', named('AbortError'), 'passing'],
      ['a timeout', named('TimeoutError'), 'passing'],
      ['Temporal', named('ServiceError'), 'passing'],
      ...[
        'Connection terminated unexpectedly',
        'Connection terminated due to connection timeout',
        'timeout exceeded when trying to connect',
        'Query read timeout',
        'Client has encountered a connection error and is not queryable',
        'IO Error: Could not write all bytes to file "/tmp/x": No space left on device',
      ].map((message) => [message, new Error(message), 'passing'] as const),
      // The program's own.
      ['a TypeError', new TypeError('x is undefined'), 'unexpected', 'ProgramFault'],
      ['a TypeError about a connection', new TypeError('connection error'), 'unexpected', 'ProgramFault'],
      ['a RangeError', new RangeError('Invalid array length'), 'unexpected', 'ProgramFault'],
      ['an assertion', named('AssertionError'), 'unexpected', 'ProgramFault'],
      ['DuckDB', new Error('Binder Error: Referenced column "a" not found'), 'unexpected', 'ProgramFault'],
      ['anything else', new Error('what is this'), 'unexpected', 'ProgramFault'],
      ['no error', 'a text', 'unexpected', 'ProgramFault'],
    ];
  for (const [what, error, handling, type] of cases) {
    it(`${what} is ${handling}`, () => {
      const fault = faultOf(error);
      assert.deepEqual([fault.handling, fault.type], [handling, type]);
      assert.match(fault.message, /\S/);
    });
  }

  it('has a row for every type of our own', () => {
    for (const type of Object.values(failureTypes)) {
      const { handling, type: same } = faultOf(new Failure(type, 'A sentence.'));
      assert.equal(same, type);
      assert.ok(handling !== 'unexpected' || type === failureTypes.programFault, type);
    }
  });

  it('names errors whose message alone is a riddle', () => {
    assert.equal(faultOf(new TypeError('x is undefined')).message, 'TypeError: x is undefined.');
    assert.equal(
      faultOf(new AggregateError([system('ECONNREFUSED')])).message,
      'connect ECONNREFUSED 127.0.0.1:5432.',
    );
    assert.equal(faultOf(system('ECONNRESET')).message, 'connect ECONNRESET 127.0.0.1:5432.');
  });

  it('quotes no values of rows', () => {
    const value = 'jane@example.com';
    for (const error of [
      sql('22P02', `invalid input syntax for type integer: "${value}"`),
      sql('23505', `duplicate key value violates unique constraint "a_key"`),
      sql('22001', `value too long for type character varying(3)`),
      sql('23514', `new row for relation "a" violates check constraint "c"`),
    ]) {
      const fault = faultOf(Object.assign(error, { detail: `Key (email)=(${value}) already exists.` }));
      assert.ok(!JSON.stringify([fault.message, fault.cause]).includes(value), fault.message);
    }
    assert.equal(
      faultOf(sql('22P02', `invalid input syntax for type integer: "${value}"`)).message,
      'Postgres refused: invalid input syntax for type integer (22P02).',
    );
  });

  it('keeps the wait that the other side asks for', () => {
    assert.equal(faultOf(new Failure('StoreUnavailable', 'later', { retryIn: 7_000 })).retryIn, 7_000);
  });

  it('leaves out of a message what holds only once it is no longer retried', () => {
    assert.equal(whileRetried('It failed. It is retried.'), 'It failed.');
    assert.equal(whileRetried('Check the keys, then reprocess the delivery.'), 'Check the keys.');
    assert.equal(whileRetried('It failed: 503.'), 'It failed: 503.');
  });
});
