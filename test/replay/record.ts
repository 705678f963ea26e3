/**
 * Records the histories in test/histories anew, on real servers: `npx tsx test/replay/record.ts [name …]`. When to do
 * that, and when not, says test/README.md.
 */

import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import { startLeanplumApi } from '../../sandbox/leanplum/api.js';
import { shutDownRuntime, quietRuntime } from '../support/runtime.js';
import { endEverything } from '../support/shared.js';
import { devServer, devServerProgram } from '../support/temporal.js';
import { forgetfulServer } from '../workflows/forgetful-server.js';
import { runsOf } from '../workflows/observe.js';
import { watchedSource } from '../workflows/watched-source.js';
import { namesApi } from './names-scenarios.js';
import { scenarios, type Scenario } from './scenarios.js';
import { writeHistory } from './scrub.js';

const folder = new URL('../histories/', import.meta.url);

async function record(name: string, scenario: Scenario): Promise<void> {
  const { address, environment } = await (scenario.longHistory ? forgetfulServer() : devServer());
  const { client } = environment;
  const leanplum = await leanplumOf(scenario);
  const monetate = await namesApi(scenario);
  const source = await watchedSource({
    name: 'experiments',
    batchLimits: { files: scenario.filesPerBatch ?? 4, bytes: 1e9 },
    ...(scenario.open ? { open: scenario.open } : {}),
    settings: { ...scenario.settings, ...(leanplum ? { api: leanplum.api } : {}), ...monetate?.settings },
  });
  try {
    await scenario.before?.(source, client);
    const { workflowId } = await source.watch(environment, () => scenario.play(source, client));
    const { status } = await client.workflow.getHandle(workflowId).describe();
    if (status.name === 'RUNNING') throw new Error(`${name} has not ended: half a history would be kept.`);
    const runs = await runsOf(client, workflowId);
    for (const old of await readdir(folder)) {
      if (new RegExp(`^${name}(-\\d+)?\\.json$`).test(old)) await rm(new URL(old, folder));
    }
    for (const [index, runId] of runs.entries()) {
      const shown = await promisify(execFile)(
        await devServerProgram(),
        ['workflow', 'show', '--address', address, '-w', workflowId, '-r', runId, '-o', 'json'],
        { maxBuffer: 1e8 },
      );
      const file = runs.length === 1 ? `${name}.json` : `${name}-${index + 1}.json`;
      await writeFile(new URL(file, folder), writeHistory(shown.stdout));
      console.log(file);
    }
  } finally {
    await source.drop();
    await leanplum?.stop();
    await monetate?.stop();
  }
}

/** The API by which a scenario asks for an export. */
async function leanplumOf({ exported }: Scenario) {
  if (exported === undefined) return undefined;
  const keys = { appId: 'app', clientKey: 'key' };
  const { url, stop } = await startLeanplumApi({ ...keys, make: () => exported });
  return { api: { ...keys, url }, stop };
}

quietRuntime();
try {
  await mkdir(folder, { recursive: true });
  const wanted = process.argv.slice(2);
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (wanted.length === 0 || wanted.includes(name)) await record(name, scenario);
  }
} finally {
  await endEverything();
  await shutDownRuntime();
}
