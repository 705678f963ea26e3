/** Does with LANDFALL_TEST_STRAY what a library would that does not listen to its sockets or children, or has a fault. */
import { spawn } from 'node:child_process';
import { connect, type AddressInfo, createServer } from 'node:net';

import { openLog } from '../../worker/log.js';
import { outliveStrayErrors } from '../../worker/stray-errors.js';

const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

const strays: Readonly<Record<string, () => void>> = {
  refused: () => {
    connect(1, '127.0.0.1');
  },
  reset: () => {
    connect(port, '127.0.0.1').write('hello');
  },
  child: () => {
    spawn('/nowhere/landfall-has-no-such-program');
  },
  rejection: () => {
    void Promise.reject(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }));
  },
  fault: () => {
    throw new TypeError('a fault of the program');
  },
};

outliveStrayErrors(openLog());
setImmediate(strays[process.env['LANDFALL_TEST_STRAY'] ?? '']!);
// Alive until it is told to end, and then in good order.
process.stdin.once('data', () => process.exit(0));
