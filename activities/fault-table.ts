/** What an error of a step means, and whether the step is tried again: one table. */

import pg from 'pg';

import { decidedByWorkflow, Failure, failureTypes, notRetried, type FailureType } from '../model/failure.js';

/**
 * - `passing`: retried until it is over (network, a busy server, a full disk).
 * - `refused`: retried for the source's `refusalGrace`, then it fails.
 * - `elsewhere`: this worker cannot do it and another one may. Retried until one does.
 * - `unexpected`: an error of the program, or of its setup. Retried a few times, then it fails.
 * - `final`: fails at once, since only a person can mend it, or the workflow decides what to do.
 */
export type Handling = 'passing' | 'refused' | 'elsewhere' | 'unexpected' | 'final';

export interface Fault {
  readonly handling: Handling;
  /** Absent: a passing fault that keeps the name it came with. */
  readonly type?: FailureType;
  /** A sentence. */
  readonly message: string;
  /** Milliseconds that the other side asks us to wait. */
  readonly retryIn?: number;
  readonly cause?: Error;
}

/** By the type that our own code gives. */
const handlingOfType: Readonly<Partial<Record<FailureType, Handling>>> = {
  ...Object.fromEntries([...notRetried, ...decidedByWorkflow].map((type) => [type, 'final'])),
  [failureTypes.accessDenied]: 'refused',
  [failureTypes.sourceMissing]: 'elsewhere',
  [failureTypes.programFault]: 'unexpected',
};

interface SqlFault {
  /** Of the SQLSTATE. */
  readonly pattern: RegExp;
  readonly handling: Handling;
  readonly type?: FailureType;
  readonly advice?: string;
}

/** What Postgres reports, by SQLSTATE. The first row that fits counts; what fits none is unexpected. */
const sqlFaults: readonly SqlFault[] = [
  {
    // 28P01: password authentication failed for user "landfall"
    ...{ pattern: /^28/, handling: 'refused', type: failureTypes.accessDenied },
    advice: 'Check the user and password in postgres.url.',
  },
  {
    // 42501: permission denied for schema experiments
    ...{ pattern: /^42501$/, handling: 'refused', type: failureTypes.accessDenied },
    advice: "Grant the worker's database role what the message names.",
  },
  {
    // 3D000: database "landfall" does not exist
    ...{ pattern: /^3D000$/, handling: 'refused', type: failureTypes.configInvalid },
    advice: 'Check the database in postgres.url.',
  },
  {
    // 42P01, 42703, 42883, 3F000: relation, column, function, schema "…" does not exist
    ...{ pattern: /^(?:42P01|42703|42883|3F000)$/, handling: 'unexpected', type: failureTypes.configInvalid },
    advice: 'Run `landfall setup`. If that does not help, report it.',
  },
  {
    // 55P03: canceling statement due to lock timeout
    ...{ pattern: /^55P03$/, handling: 'passing', type: failureTypes.tablesBusy },
    advice: 'A report or another session holds the table. Nothing has changed; the step is tried again.',
  },
  // Connections; read-only after a failover, timeouts of idle transactions; deadlocks and serialization; full disk, memory
  // or connections; objects in use; cancelled statements, shutdown and crash; files that cannot be read or written.
  { pattern: /^(?:08|25|40|53|55|57|58)/, handling: 'passing' },
];

/** Classes whose messages quote values of rows: 22 (wrong data), 23 (constraints). */
const quotesValues = /^(?:22|23)/;

/** Codes of the system and of TLS that say that another machine, or this one's disk, cannot be used now. */
const systemCodes =
  /^(?:ECONN|EHOST|ENET|EAI_|EADDR|ENOTFOUND|ETIMEDOUT|EPIPE|EPROTO|EMFILE|ENFILE|ENOSPC|EDQUOT|ENOMEM|EAGAIN|EBUSY|CERT_|ERR_TLS|ERR_SSL|ERR_STREAM_PREMATURE|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|UND_ERR)/;

/** Names of errors that speak of a request which was given up, or of a server that could not be asked. */
const passingNames: ReadonlySet<string> = new Set([
  'AbortError',
  'TimeoutError',
  'Unanswered',
  'StoreClosed',
  'ServiceError',
]);

/** What `pg` says in plain errors of connections, and DuckDB of this machine's disk. */
const passingWords =
  /^Connection (?:terminated|ended|closed)|timeout exceeded|timeout expired|Query read timeout|not queryable|connection error|^IO Error: .*(?:No space left|Could not (?:read|write))|does not support SSL|the database system is/i;

/** Errors that only a mistake in a program makes, whatever their message says. */
const programErrors: ReadonlySet<string> = new Set([
  'TypeError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'AssertionError',
]);

export function faultOf(error: unknown): Fault {
  if (error instanceof Failure) {
    const { type, message, retryIn, cause, mayPass } = error;
    return {
      ...{ handling: mayPass ? 'refused' : (handlingOfType[type] ?? 'passing'), type, message },
      ...(retryIn === undefined ? {} : { retryIn }),
      ...(cause instanceof Error ? { cause } : {}),
    };
  }
  if (error instanceof pg.DatabaseError) return faultOfPostgres(error);
  if (isPassing(error)) return { handling: 'passing', message: messageOf(error) };
  return unexpected(messageOf(error), error);
}

function faultOfPostgres(error: pg.DatabaseError): Fault {
  const { code = '' } = error;
  if (code === '23503' && error.constraint === 'delivery_source_fkey') {
    return {
      ...{ handling: 'unexpected', type: failureTypes.configInvalid },
      message:
        'The ledger does not know the source. Run `landfall setup` with the configuration that names it.',
    };
  }
  const known = sqlFaults.find(({ pattern }) => pattern.test(code));
  const said = quotesValues.test(code) ? error.message.replace(/[:(].*$/s, '').trim() : error.message;
  const message = `Postgres refused: ${said} (${code}).`;
  if (known === undefined) return unexpected(message, quotesValues.test(code) ? undefined : error);
  const { handling, type, advice } = known;
  return {
    handling,
    ...(type === undefined ? {} : { type }),
    message: advice === undefined ? message : `${message} ${advice}`,
  };
}

function unexpected(message: string, cause: unknown): Fault {
  return {
    ...{ handling: 'unexpected', type: failureTypes.programFault, message },
    ...(cause instanceof Error ? { cause } : {}),
  };
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // What `fetch` throws of a network is a TypeError, too; its cause says what happened.
  if (programErrors.has(error.name) && error.message !== 'fetch failed') return false;
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string' && systemCodes.test(code)) return true;
  if (passingNames.has(error.name) || passingWords.test(error.message)) return true;
  // A Unix socket of Postgres that is not there.
  if ((error as NodeJS.ErrnoException).syscall === 'connect') return true;
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isPassing);
  return error.cause instanceof pg.DatabaseError
    ? faultOfPostgres(error.cause).handling === 'passing'
    : isPassing(error.cause);
}

/** With its name where that is not just `Error`: a TypeError's message alone is a riddle. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `${String(error)}.`;
  if (error instanceof AggregateError && error.message === '')
    return messageOf(error.errors[0] ?? error.name);
  const { code } = error as NodeJS.ErrnoException;
  const said = error.message === '' ? (code ?? 'no message') : error.message;
  const named = error.name === 'Error' ? said : `${error.name}: ${said}`;
  return /[.!?]$/.test(named) ? named : `${named}.`;
}

/** Without what holds only once it is no longer retried, and what is said beside it anyway. */
export function whileRetried(message: string): string {
  return message.replace(/(?: It is retried|, then reprocess the delivery)\.$/, (end) =>
    end.startsWith(',') ? '.' : '',
  );
}
