import { ScheduleNotFoundError } from '@temporalio/client';

import type { SourceConfig } from '../../config/schema.js';
import { hasWorker } from '../has-worker.js';
import type { Place } from '../place.js';
import { schedulesOf, type SourceSchedule } from '../setup/schedule.js';
import { byHand, isRefusal, readAttributes, wrongTypes } from '../setup/search-attributes.js';
import { withTemporal, type TemporalSession } from '../with-temporal.js';
import { temporalAdvice } from './connection.js';
import { reportOn, sentence, type Finding, type PartReport } from './finding.js';

/** Connects to Temporal and looks at what Landfall needs there. Changes nothing. */
export async function checkTemporal(
  place: Place,
  sources: readonly SourceConfig[],
): Promise<readonly Finding[]> {
  const report = reportOn('temporal');
  const { taskQueue } = place.config.temporal;
  try {
    await withTemporal(place, async (session) => {
      report.ok('connection', `connected to ${(await place.temporal()).connectionOptions.address}`);
      if (!(await checkNamespace(session, report))) return;
      await checkAttributes(session, report);
      if (await hasWorker(session, taskQueue))
        report.ok('worker', `there is one on task queue '${taskQueue}'`);
      else
        report.wrong(
          'worker',
          `there is none on task queue '${taskQueue}'`,
          "Start one with 'landfall worker'.",
        );
      for (const schedule of sources.flatMap((source) => schedulesOf(source, taskQueue))) {
        if (schedule.options) await checkSchedule(session, schedule, report);
      }
    });
  } catch (error) {
    report.wrong('connection', sentence(error), temporalAdvice(error));
  }
  return report.findings;
}

async function checkNamespace(
  { connection, namespace }: TemporalSession,
  report: PartReport,
): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    report.ok('namespace', `'${namespace}' is there`);
    return true;
  } catch (error) {
    report.wrong(
      'namespace',
      `'${namespace}' cannot be used: ${sentence(error)}`,
      `Create it ('temporal operator namespace create -n ${namespace}'), or name another with TEMPORAL_NAMESPACE or in ` +
        `temporal.toml.`,
    );
    return false;
  }
}

async function checkAttributes(session: TemporalSession, report: PartReport): Promise<void> {
  const what = 'search attributes';
  try {
    const { missing, wrong } = await readAttributes(session);
    if (wrong.length > 0) {
      report.wrong(what, 'some have the wrong type', wrongTypes(wrong, session.namespace));
    } else if (missing.length > 0)
      report.wrong(what, `${missing.join(', ')} missing`, "Run 'landfall setup'.");
    else report.ok(what, 'they are registered');
  } catch (error) {
    if (!isRefusal(error)) throw error;
    report.wrong(what, 'Temporal does not let us see them', byHand(session.namespace, sentence(error)));
  }
}

async function checkSchedule(
  { client }: TemporalSession,
  { id, whilePaused }: SourceSchedule,
  report: PartReport,
): Promise<void> {
  const what = `schedule ${id}`;
  try {
    const { state } = await client.schedule.getHandle(id).describe();
    if (state.paused) {
      report.wrong(
        what,
        `it is paused${state.note === undefined ? '' : ` (${state.note})`}`,
        `${whilePaused} until it goes on: 'temporal schedule toggle --unpause -s ${id}'.`,
      );
    } else report.ok(what, 'it is active');
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    report.wrong(what, 'it is not there', "Run 'landfall setup'.");
  }
}
