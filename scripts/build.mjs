// Builds dist/: compiled TypeScript, the SQL beside it, and the workflows as one bundle, made ahead so that a worker
// starts without webpack.
import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const require = createRequire(import.meta.url);

const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });

for (const folder of ['warehouse', 'vendors']) {
  for (const name of await readdir(join(root, folder), { recursive: true })) {
    if (!name.endsWith('.sql')) continue;
    const target = join(dist, folder, name);
    await mkdir(dirname(target), { recursive: true });
    await cp(join(root, folder, name), target);
  }
}
await chmod(join(dist, 'client/main.js'), 0o755);

const bundle = join(dist, 'worker/workflow-bundle.js');
if (await isStale()) {
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const logger = { ...console, trace: quiet, debug: quiet, info: quiet, log: quiet };
  const { code } = await bundleWorkflowCode({ workflowsPath: join(dist, 'workflows/index.js'), logger });
  await writeFile(bundle, code);
}

/** The bundler tells of every module it looks at. */
function quiet() {
  return undefined;
}

/** Bundling takes seconds, compiling incrementally does not: bundle only what changed since. */
async function isStale() {
  const built = await stat(bundle).then(
    (found) => found.mtimeMs,
    () => 0,
  );
  for (const folder of ['workflows', 'model', 'vendors', 'config', 'activities']) {
    for (const name of await readdir(join(dist, folder), { recursive: true })) {
      if (name.endsWith('.js') && (await stat(join(dist, folder, name))).mtimeMs >= built) return true;
    }
  }
  const lock = await readFile(join(root, 'node_modules/.package-lock.json')).catch(() => undefined);
  return lock !== undefined && (await stat(join(root, 'node_modules/.package-lock.json'))).mtimeMs >= built;
}
