import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../support/stray-program.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly err: string;
}

/** Lets the program do what nobody listens to, and once it has told of it asks it to end. */
async function run(stray: string): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { ...process.env, LANDFALL_TEST_STRAY: stray },
  });
  child.stdin.on('error', () => undefined);
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    if (err.includes('\n')) child.stdin.end('end\n');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, err };
}

describe('an error that nobody listens to', function () {
  this.timeout(60_000);

  for (const stray of ['refused', 'reset', 'child', 'rejection']) {
    it(`does not end the process where it is of a connection or a child process: ${stray}`, async () => {
      const { code, err } = await run(stray);
      assert.match(err, /A connection failed that nothing was waiting for/);
      assert.equal(code, 0, err);
    });
  }

  it('ends it where it is a fault of the program, which the log tells', async () => {
    const { code, err } = await run('fault');
    assert.match(err, /"level":60.*a fault of the program.*The program has a fault, and ends/);
    assert.equal(code, 1);
  });
});
