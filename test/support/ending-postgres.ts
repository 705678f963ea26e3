import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** At which moment a connection ends, and how. */
export type EndOfConnection =
  /** The packet that says that the connection is ready also says that an administrator ends it. */
  | 'when ready'
  /** The same, and then its bytes are cut off by a reset. */
  | 'when ready, with a reset'
  /** Before it is ready, with a reason. */
  | 'while it starts'
  /** Before it is ready, without a word. */
  | 'without a word'
  /** What comes is no message of Postgres. */
  | 'with nonsense';

export interface EndingPostgres {
  readonly url: string;
  /** The connections to come end like that, one each; further ones do not. */
  readonly endNext: (...ends: readonly EndOfConnection[]) => void;
  /** How many are still to end. */
  readonly left: () => number;
  readonly stop: () => Promise<void>;
}

/** Stands before a Postgres, and speaks its protocol (version 3) for connections that are to end. */
export async function endingPostgres(url: string): Promise<EndingPostgres> {
  const behind = new URL(url);
  const ends: EndOfConnection[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    const end = ends.shift();
    if (end !== undefined) {
      // Its startup message.
      client.once('data', () => endIt(client, end));
      return;
    }
    const onward = connect(Number(behind.port), behind.hostname);
    keep(onward);
    client.pipe(onward).pipe(client);
    client.once('close', () => onward.destroy());
    onward.once('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    endNext: (...next) => void ends.push(...next),
    left: () => ends.length,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function endIt(client: Socket, end: EndOfConnection): void {
  const fatal = message('E', 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const ready = Buffer.concat([
    message('R', Buffer.from([0, 0, 0, 0])),
    message('K', Buffer.from([0, 0, 0, 1, 0, 0, 0, 2])),
    message('Z', 'I'),
  ]);
  if (end === 'while it starts') client.end(fatal);
  else if (end === 'without a word') client.end();
  else if (end === 'with nonsense') client.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  else {
    client.write(Buffer.concat([ready, fatal]), () => {
      if (end === 'when ready') client.end();
      else client.resetAndDestroy();
    });
  }
}

/** Its kind, its length with that of the length, and what it says. */
function message(kind: string, text: string | Buffer): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.alloc(5);
  head.write(kind);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
