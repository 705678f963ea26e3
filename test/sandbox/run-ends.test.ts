import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { processName } from '../../sandbox/processes.js';
import { eventually } from '../support/eventually.js';
import { inTemporaryDirectory } from '../support/isolated.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const bin = join(dirname(require.resolve('mocha/package.json')), 'bin');

/** For the tests below: starts what does not end by itself, and says so. */
const opens = `
  const { spawn } = require('node:child_process');
  const { createServer } = require('node:http');
  const open = () => {
    const child = spawn(process.execPath, ['-e', 'process.on("SIGHUP", () => {}); setInterval(() => {}, 1e9)']);
    return new Promise((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        process.stdout.write('opened ' + child.pid + ' ' + server.address().port + '\\n', resolve);
      });
    });
  };`;

interface Run {
  readonly pid: number;
  readonly said: () => string;
  /** The process and the port that it opened. */
  readonly opened: () => { readonly pid: number; readonly port: number } | undefined;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Runs tests as those of this project are run. */
async function running(
  source: string,
  body: (run: Run) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
  program = 'mocha.js',
): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const file = join(directory, 'some.test.cjs');
    await writeFile(file, opens + source);
    const child = spawn(process.execPath, ['--import', 'tsx', join(bin, program), file], {
      cwd: root,
      env: { ...process.env, ...env },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
    await body({
      pid: child.pid!,
      said: () => said,
      opened: () => {
        const [, pid, port] = /^opened (\d+) (\d+)$/m.exec(said) ?? [];
        return pid === undefined ? undefined : { pid: Number(pid), port: Number(port) };
      },
      ended: once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string),
    });
  });
}

async function isGone({ opened }: Run): Promise<void> {
  const { pid } = opened()!;
  await eventually(async () => (await processName(pid)) === undefined, { timeoutMs: 10_000 });
}

describe('a run of tests', function () {
  this.timeout(60_000);

  it('ends what a test left open, fails and names it', () =>
    running(`it('leaves', open); it('is another', () => {});`, async (run) => {
      assert.notEqual(await run.ended, 0, run.said());
      await isGone(run);
      const { pid, port } = run.opened()!;
      assert.match(run.said(), new RegExp(`process ${pid}: .*node -e .*\\(opened by "leaves"\\)`));
      assert.match(run.said(), new RegExp(`server on 127\\.0\\.0\\.1:${port} \\(opened by "leaves"\\)`));
      assert.match(run.said(), /\n2 passed, 1 failed\n$/);
    }));

  it('ends what a failed test left open, and goes on', () =>
    running(
      `it('fails', async () => { await open(); throw new Error('broken'); }); it('is another', () => {});`,
      async (run) => {
        assert.equal(await run.ended, 1, run.said());
        await isGone(run);
        assert.match(run.said(), /\n1 passed, 1 failed\n$/);
      },
    ));

  it('ends what a hook left open, and names it', () =>
    running(`before(open); it('passes', () => {});`, async (run) => {
      assert.equal(await run.ended, 1, run.said());
      await isGone(run);
      assert.match(run.said(), /left open, and were ended:\n\s*process \d+/);
    }));

  it('is ended when something else keeps its process alive, which is named', () =>
    running(
      `const net = require('node:net');
       it('leaves a connection', (done) => {
         const server = net.createServer().listen(0, '127.0.0.1', () => {
           const { port } = server.address();
           net.connect(port, '127.0.0.1', () => { console.log('connected to', port); server.close(); done(); });
         });
         server.unref();
       });`,
      async (run) => {
        assert.equal(await run.ended, 1, run.said());
        const [, port] = /^connected to (\d+)$/m.exec(run.said()) ?? [];
        assert.ok(port, run.said());
        assert.match(
          run.said(),
          /\n1 passed, 0 failed\n\nThe tests are over, and the process has not ended for 1 s\.\n/,
        );
        assert.match(run.said(), new RegExp(`\nOpen:\n  connection \\d+ – 127\\.0\\.0\\.1:${port}\n`));
        assert.match(run.said(), /\nResources of Node:\n(?: {2}.*\n)*? {2}\d × TCPSocketWrap\n/);
      },
      { LANDFALL_TEST_EXIT_WITHIN: '1' },
    ));

  it('is ended when it takes too long, with what it has opened', () =>
    running(
      `it('never ends', async function () { this.timeout(0); await open(); await new Promise(() => {}); });`,
      async (run) => {
        assert.equal(await run.ended, 1, run.said());
        await isGone(run);
        const { pid, port } = run.opened()!;
        assert.match(run.said(), /The tests take longer than 0\.1 minutes; now runs "never ends"\./);
        assert.match(run.said(), new RegExp(`\n  process ${pid}: .*\n  server on 127\\.0\\.0\\.1:${port} `));
        assert.match(run.said(), new RegExp(`\nChild processes:\n  ${pid} .*node -e `));
      },
      { LANDFALL_TEST_LIMIT: '0.1' },
    ));

  it('does not outlive the process that started it, nor does what it opened', () =>
    running(
      `it('never ends', async function () { this.timeout(0); await open(); await new Promise(() => {}); });`,
      async (run) => {
        await eventually(run.opened, { timeoutMs: 30_000 });
        process.kill(run.pid, 'SIGKILL');
        await isGone(run);
        await run.ended;
      },
    ));

  it('takes programs of ours with it when it is killed', () =>
    running(
      `it('never ends', async function () {
         this.timeout(0);
         const { nodeArguments } = await import('${new URL('../support/program.ts', import.meta.url).href}');
         const program = __filename.replace(/[^/]+$/, 'program.mjs');
         require('node:fs').writeFileSync(program, 'console.log("ready"); setInterval(() => {}, 1e9);');
         const child = spawn(process.execPath, nodeArguments(program), { stdio: ['ignore', 'pipe', 'inherit'] });
         child.stdout.once('data', () => console.log('opened ' + child.pid + ' 0'));
         await new Promise(() => {});
       });`,
      async (run) => {
        await eventually(run.opened, { timeoutMs: 30_000 });
        process.kill(run.pid, 'SIGKILL');
        await isGone(run);
        await run.ended;
      },
      {},
      '_mocha',
    ));
});
