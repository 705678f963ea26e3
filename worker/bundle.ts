import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { WorkerOptions } from '@temporalio/worker';

/** The workflows: the bundle that the build made, or their sources where there is none (tests, development). */
export function workflowCode(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const built = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
  if (existsSync(built)) return { workflowBundle: { codePath: built } };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return { workflowsPath: fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url)) };
}
