/** Exports that somebody asks Leanplum for. */

import type { Client, WorkflowHandle } from '@temporalio/client';

import { exportId, exportWorkflow, type ExportInput, type ExportStatus } from '../../model/export.js';
import type { ScriptedExport } from '../../sandbox/leanplum/api.js';
import { makeJob } from '../../sandbox/leanplum/job.js';
import { makeSessions } from '../../sandbox/leanplum/sessions.js';
import { pacificDay } from '../../vendors/leanplum/pacific.js';
import { eventually } from '../support/eventually.js';
import { resultOf, runsOf } from '../workflows/observe.js';
import type { WatchedSource } from '../workflows/watched-source.js';
import type { Scenario } from './scenarios.js';

/** Somebody asks for an export, which ends as `states` say. */
const asked = (
  states: NonNullable<ScriptedExport['states']>,
  act: (source: WatchedSource, client: Client, started: WorkflowHandle) => Promise<void> = nothing,
  options: Partial<Scenario> = {},
): Scenario => ({
  settings: { vendor: 'leanplum' },
  exported: { ...exportedJob, states },
  ...options,
  play: async (source, client) => {
    const input: ExportInput = { source: 'experiments', from: lastWeek, to: lastWeek, format: 'json' };
    const started = await client.workflow.start(exportWorkflow, {
      workflowId: exportId(input),
      taskQueue: source.taskQueue,
      args: [{ ...input, askEvery: 1_000 }] as [ExportInput],
      workflowExecutionTimeout: '10 minutes',
    });
    await act(source, client, started);
    // How it ends is part of the history.
    await resultOf(started, 60_000).catch(() => undefined);
    return started;
  },
});
const lastWeek = pacificDay(Date.now() - 7 * 86_400_000);
const exportedJob: ScriptedExport = {
  files: makeJob({
    ...{ uuid: '37e812c0-d66e-48a2-8812-27ee12d58b58', date: '2026-03-01' },
    sessions: makeSessions({ count: 40, until: Date.parse('2026-03-01T12:00:00Z') }),
  })
    .files.filter(({ role }) => role === 'shard')
    .map(({ key, bytes }) => ({ name: key.split('/')[1] ?? '', bytes })),
  sessions: 40,
};
const inState = async (started: WorkflowHandle, state: string): Promise<void> => {
  await eventually(async () => (await started.query<ExportStatus>('status')).state === state, {
    timeoutMs: 20_000,
  });
};

const nothing = (): Promise<void> => Promise.resolve();

export const exportScenarios: Readonly<Record<string, Scenario>> = {
  'export-is-loaded': asked(['PENDING', 'RUNNING', 'FINISHED']),
  'export-fails': asked(['FAILED']),
  'export-brings-nothing': asked(['FINISHED'], nothing, { exported: { files: [], sessions: 0 } }),
  'export-is-cancelled': asked(['RUNNING'], async (_source, _client, started) => {
    await inState(started, 'RUNNING');
    await started.cancel();
  }),
  'export-for-long': asked(
    ['FINISHED'],
    (source, client, started) => {
      source.once('look', async () => {
        const renewed = async (): Promise<boolean> => (await runsOf(client, started.workflowId)).length > 1;
        await eventually(renewed, { timeoutMs: 18_000 });
      });
      return Promise.resolve();
    },
    { longHistory: true },
  ),
};
