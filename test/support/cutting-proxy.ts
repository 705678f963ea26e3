import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly port: number;
  /** The connections to come are cut, one each, when so many bytes have come from the server. Further ones are not. */
  readonly cutAfter: (...bytes: readonly number[]) => void;
  readonly stop: () => Promise<void>;
}

/** Passes on what comes to 127.0.0.1, and cuts connections to the byte, whatever is spoken over them. */
export async function cuttingProxy(behind: number): Promise<CuttingProxy> {
  const cuts: number[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const cut = cuts.shift() ?? Infinity;
    const server = connect(behind, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    let passed = 0;
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', end).on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.pipe(server);
    server.on('data', (bytes: Buffer) => {
      client.write(bytes.subarray(0, cut - passed));
      passed += bytes.length;
      // What was passed on still arrives.
      if (passed >= cut) client.destroySoon();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    cutAfter: (...bytes) => void cuts.splice(0, cuts.length, ...bytes),
    stop: async () => {
      const closed = new Promise((resolve) => proxy.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
