import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

import { workflowBundle } from '../support/landfall.js';
import { bundleWorkflows } from '../workflows/bundle.js';

const folder = new URL('../histories/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));

interface Started {
  readonly workflowId: string;
  readonly workflowType: { readonly name: string };
}

interface History {
  readonly events: readonly { readonly workflowExecutionStartedEventAttributes?: Started }[];
}

const read = (file: string): string => readFileSync(new URL(file, folder), 'utf8');
const parse = (file: string): History => JSON.parse(read(file)) as History;
const started = (history: History): Started => {
  const attributes = history.events[0]?.workflowExecutionStartedEventAttributes;
  assert.ok(attributes, 'a history begins with its start');
  return attributes;
};

async function replay(workflows: WorkflowBundleWithSourceMap, file: string): Promise<void> {
  const history = parse(file);
  await Worker.runReplayHistory({ workflowBundle: workflows }, history, started(history).workflowId);
}

describe('the workflows of today, on histories that were recorded earlier', function () {
  this.timeout(30_000);

  for (const file of files) {
    it(`do the same again: ${file.replace('.json', '')}`, async () => replay(await workflowBundle(), file));
  }

  it('are all among them', () => {
    const index = readFileSync(new URL('../../workflows/index.ts', import.meta.url), 'utf8');
    const types = [...index.matchAll(/export \{ (\w+) \}/g)].map(([, type]) => type);
    assert.ok(types.length >= 3, 'they are exported one by one');
    const recorded = new Set(files.map((file) => started(parse(file)).workflowType.name));
    assert.deepEqual([...recorded].sort(), types.sort());
  });

  it('would be caught if they did something else', async () => {
    const changed = await bundleWorkflows(new URL('./changed-workflow.ts', import.meta.url));
    await assert.rejects(replay(changed, 'delivery-loads-at-once.json'), DeterminismViolationError);
  });
});

describe('a recorded history', () => {
  /** Everything in it that can be read, payloads too. */
  const texts = (value: unknown, name = ''): string[] => {
    if (typeof value === 'string') {
      return name === 'data' ? [value, Buffer.from(value, 'base64').toString()] : [value];
    }
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => texts(inner, key));
  };

  for (const [what, pattern] of [
    ['stack trace', /\n\s+at /],
    ['path of a machine', /(?:^|[\s"'(])\/(?:home|root|Users|tmp|var|work)\//],
    ['process of a machine', /\d+@[\w-]/],
    ['secret', /S3RVER|secretAccessKey|password|PRIVATE KEY|Token 1\./i],
  ] as const) {
    it(`holds no ${what}`, () => {
      for (const file of files) {
        const found = texts(parse(file)).filter((text) => pattern.test(text));
        assert.deepEqual(found, [], file);
      }
    });
  }
});
