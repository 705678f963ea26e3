import { ApplicationFailure, Context } from '@temporalio/activity';
import pg from 'pg';

import { decidedByWorkflow, Failure, failureTypes, notRetried, type FailureType } from '../model/failure.js';

/**
 * Wraps activities so that what they throw has a stable type: our own failures keep theirs, Postgres' refusals get one,
 * and work that ends because it was cancelled ends as cancelled. Everything else is retried as it is.
 */
export function translateFailures<T extends object>(activities: T): T {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...input: unknown[]): Promise<unknown> => {
      try {
        return await (activity as (...input: unknown[]) => Promise<unknown>)(...input);
      } catch (error) {
        throw translate(error, Context.current().cancellationSignal);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}

function translate(error: unknown, cancellation: AbortSignal): unknown {
  if (cancellation.aborted) return cancellation.reason;
  const failure = error instanceof Failure ? error : refusedByPostgres(error);
  if (!failure) return error;
  return ApplicationFailure.create({
    type: failure.type,
    message: failure.message,
    nonRetryable: [...notRetried, ...decidedByWorkflow].includes(failure.type),
    ...(failure.cause instanceof Error ? { cause: failure.cause } : {}),
    ...(failure.retryIn === undefined ? {} : { nextRetryDelay: failure.retryIn }),
  });
}

/** What Postgres refuses, by SQLSTATE, and what a person may do about it. A type that is not retried says so itself. */
const refusals: readonly { pattern: RegExp; type: FailureType; advice: string }[] = [
  // 28P01: password authentication failed for user "landfall"
  { pattern: /^28/, type: failureTypes.accessDenied, advice: 'Check the user and password in postgres.url.' },
  // 42501: permission denied for schema experiments
  {
    pattern: /^42501$/,
    type: failureTypes.accessDenied,
    advice: "Grant the worker's database role what the message names.",
  },
  // 3D000: database "landfall" does not exist
  { pattern: /^3D000$/, type: failureTypes.configInvalid, advice: 'Check the database in postgres.url.' },
  // 42P01, 3F000: relation "landfall.delivery" does not exist
  { pattern: /^(42P01|3F000)$/, type: failureTypes.configInvalid, advice: 'Run `landfall setup`.' },
  // 55P03: canceling statement due to lock timeout
  {
    pattern: /^55P03$/,
    type: failureTypes.tablesBusy,
    advice: 'A report or another session holds the table. Nothing has changed; the step is tried again.',
  },
];

function refusedByPostgres(error: unknown): Failure | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined;
  const refusal = refusals.find(({ pattern }) => pattern.test(error.code ?? ''));
  if (!refusal) return undefined;
  return new Failure(refusal.type, `Postgres refused: ${error.message} (${error.code}). ${refusal.advice}`);
}
