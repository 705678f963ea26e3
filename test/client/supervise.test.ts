import assert from 'node:assert/strict';

import { supervise, type Supervision } from '../../client/dev/supervise.js';
import { eventually } from '../support/eventually.js';

const quick = { every: 2, answersWithin: 40, sickFor: 30 };

/** A server that works until it is told otherwise. */
function someServer() {
  let die: (how: string) => void = () => undefined;
  let ended = new Promise<string>((resolve) => (die = resolve));
  let wrong: string | undefined;
  let restarts = 0;
  return {
    server: {
      ...{ name: 'The server', logFile: '/its.log' },
      ended: () => ended,
      examine: () => (wrong === 'is silent' ? new Promise<never>(() => undefined) : Promise.resolve(wrong)),
      restart: () => {
        restarts += 1;
        wrong = undefined;
        ended = new Promise((resolve) => (die = resolve));
        return Promise.resolve();
      },
    },
    die: (how: string) => die(how),
    isWrong: (what: string | undefined) => void (wrong = what),
    restarts: () => restarts,
  };
}

describe("what landfall dev does about a server's faults", () => {
  let said: string[];
  let supervision: Supervision | undefined;
  const say = (line: string): void => void said.push(line);

  beforeEach(() => void (said = []));
  afterEach(() => supervision?.stop());

  it('starts one again that has ended, at once, and says so', async () => {
    const { server, die, restarts } = someServer();
    supervision = supervise(server, say, quick);
    die('SIGKILL');
    await eventually(() => said.length === 2);
    assert.deepEqual(said, [
      'The server has ended (SIGKILL): it is started again, with what it has kept. Its log is /its.log.',
      'The server works again.',
    ]);
    assert.equal(restarts(), 1);
  });

  for (const fault of ['does not work (interrupted (9))', 'is silent']) {
    it(`says at once that one ${fault.split(' (')[0]}, and starts it again when that stays`, async () => {
      const { server, isWrong, restarts } = someServer();
      supervision = supervise(server, say, quick);
      isWrong(fault);
      await eventually(() => restarts() === 1);
      const phrase = fault === 'is silent' ? 'does not answer' : fault;
      assert.equal(said[0], `The server ${phrase}. Unless that passes within 0 s it is started again.`);
      assert.match(said[1] ?? '', /it is started again/);
    });
  }

  it('leaves one alone whose fault passes', async () => {
    const { server, isWrong, restarts } = someServer();
    supervision = supervise(server, say, { ...quick, sickFor: 60_000 });
    isWrong('does not work (it is busy)');
    await eventually(() => said.length === 1);
    isWrong(undefined);
    await eventually(() => said.length === 2);
    assert.equal(said[1], 'The server works again.');
    assert.equal(restarts(), 0);
  });

  it('tries again where it cannot be started, and gives up after five restarts', async () => {
    const { server, die } = someServer();
    const restart = (): Promise<void> => Promise.reject(new Error('the port is taken'));
    supervision = supervise({ ...server, restart }, say, quick);
    die('exit code 1');
    await assert.rejects(
      supervision.failed,
      /^Error: The server has ended \(exit code 1\), once more after 5 restarts within 10 minutes\. Its log is \/its\.log\./,
    );
    assert.equal(
      said.filter((line) => line.includes('could not be started again: the port is taken')).length,
      5,
    );
  });

  it('does nothing about one that is stopped on purpose', async () => {
    const { server, die, restarts } = someServer();
    const own = supervise(server, say, quick);
    await own.stop();
    die('SIGTERM');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([said, restarts()], [[], 0]);
  });
});
