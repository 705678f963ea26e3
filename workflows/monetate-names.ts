/** What the ids in sessions are called: all of them once a day, and those of a day that have no name yet. */

import {
  ActivityFailure,
  ApplicationFailure,
  continueAsNew,
  defineQuery,
  isCancellation,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';

import { statusQuery } from '../model/control.js';
import { failureTypes } from '../model/failure.js';
import {
  kindWords,
  nameKinds,
  sumNames,
  type NameKind,
  type NamesInput,
  type NamesResult,
  type NamesStatus,
} from '../model/names.js';
import { namesDetails, writeNamed } from './details.js';
import { rootFailure } from './step-failure.js';
import { naming } from './steps.js';

/** 10,000,000 ids: a list that is longer leads in a circle. */
const mostPages = 10_000;

/**
 * Reads the list of each kind page by page, and asks one by one for the ids that it no longer has; or, given a day, only
 * for those in its sessions that have no name. Passing faults are waited for; what a person has to mend ends it as failed.
 */
export async function monetateNames(input: NamesInput): Promise<NamesResult> {
  const { source, day, carried } = input;
  const at = carried?.at ?? Date.now();
  const of = { source, at };
  let status: NamesStatus = {
    source,
    ...(day === undefined ? {} : { day }),
    counts: carried?.counts ?? {},
    next: 'Asks Monetate.',
  };
  const show = (change: Partial<NamesStatus>): void => {
    status = { ...status, ...change };
    setCurrentDetails(namesDetails(status));
  };
  setHandler(defineQuery<NamesStatus>(statusQuery), () => status, {
    description: 'What was named so far, and what happens next.',
  });
  show({});

  const readList = async (kind: NameKind): Promise<void> => {
    const begun = carried?.list.kind === kind ? carried.list : undefined;
    let pages = begun?.pages ?? 0;
    let next = begun?.next;
    const met = new Set<string>();
    do {
      if (next !== undefined && workflowInfo().continueAsNewSuggested) {
        const { counts } = status;
        const list = { kind, pages, next };
        await continueAsNew<typeof monetateNames>({ ...input, carried: { at, counts, list } });
      }
      const summary = `${kindWords[kind]}: page ${pages + 1}`;
      const step = { ...of, kind, ...(next === undefined ? {} : { next }) };
      ({ next } = await naming.namePage.executeWithOptions({ summary }, [step]));
      pages += 1;
      show({ next: `Reads the list of ${kindWords[kind]}, ${pages} of its pages so far.` });
      if (next !== undefined && (met.has(next) || pages >= mostPages)) throw circle(kind, pages);
      if (next !== undefined) met.add(next);
    } while (next !== undefined);
  };

  try {
    for (const kind of nameKinds) {
      if (status.counts[kind] !== undefined) continue;
      const which = day === undefined ? 'that are no longer listed' : `of ${day} that have no name`;
      if (day === undefined) await readList(kind);
      show({ next: `Asks for ${kindWords[kind]} ${which}, one by one.` });
      const counts = await naming.nameIds.executeWithOptions({ summary: `${kindWords[kind]} ${which}` }, [
        { ...of, kind, ...(day === undefined ? {} : { day }) },
      ]);
      show({ counts: { ...status.counts, [kind]: counts } });
    }
    const sum = sumNames(status.counts);
    const reason = `What Monetate says of ids${day === undefined ? '' : ` of ${day}`}: ${writeNamed(sum)}.`;
    show({ next: 'Nothing: it is done.' });
    return { ...sum, reason };
  } catch (error) {
    if (isCancellation(error)) {
      show({ next: 'Nothing: it was cancelled. What was named stays.' });
      throw error;
    }
    const failure = failureOf(error);
    if (!failure) throw error;
    show({ next: failure.message });
    throw failure;
  }
}

/** What a person reads of it; nothing that was named is lost by it. */
function failureOf(error: unknown): ApplicationFailure | undefined {
  const failure = rootFailure(error);
  if (error instanceof ActivityFailure && error.retryState === 'TIMEOUT') {
    const fault = failure?.message.replace(/ It is retried\.$/, '') ?? 'No worker gave an answer.';
    return ApplicationFailure.nonRetryable(
      `${fault} It was tried for 12 hours. What was named before stays; the next daily run tries again.`,
      failureTypes.storeUnavailable,
    );
  }
  return failure && ApplicationFailure.nonRetryable(failure.message, failure.type ?? undefined);
}

function circle(kind: NameKind, pages: number): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Monetate's list of ${kindWords[kind]} comes back to a page that was read already, after ${pages} pages. What it gave ` +
      `stays; the next daily run tries again. If that ends so as well, tell Monetate's support.`,
    failureTypes.storeUnavailable,
  );
}
