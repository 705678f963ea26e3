/** What is known of each request while it runs, for its line in the log and its place in the metrics. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { BodyForm } from '../warehouse/insert-body.js';

export interface Seen {
  /** Empty while, or where, it is for no source that there is. */
  source: string;
  form: BodyForm | '';
  /** Of the body, decompressed. */
  bytes: number;
  documents: number;
  /** Whether it is of somebody who looks after us, and no delivery. */
  probe: boolean;
  /** Whether its sender waits to be told to send the body, and has sent nothing that could be read. */
  awaits: boolean;
}

export interface Sight {
  /** Of every request, when it begins. */
  begin(request: IncomingMessage, response: ServerResponse, awaits: boolean): void;
  of(request: IncomingMessage): Seen;
  /** Whether an answer is being written to a connection. */
  isAnswering(socket: Socket): boolean;
}

/** `finished` gets the answer's status, or 'aborted' where there was none, and the seconds since the request began. */
export function createSight(finished: (seen: Seen, status: string, seconds: number) => void): Sight {
  const requests = new WeakMap<IncomingMessage, Seen>();
  const answers = new WeakMap<Socket, ServerResponse>();
  return {
    begin: (request, response, awaits) => {
      const began = performance.now();
      const seen: Seen = { source: '', form: '', bytes: 0, documents: 0, probe: false, awaits };
      requests.set(request, seen);
      answers.set(request.socket, response);
      response.once('close', () => {
        const status = response.headersSent ? String(response.statusCode) : 'aborted';
        finished(seen, status, (performance.now() - began) / 1000);
      });
    },
    of: (request) => {
      const seen = requests.get(request);
      if (seen === undefined) throw new Error('A request was not seen when it began.');
      return seen;
    },
    isAnswering: (socket) => {
      const response = answers.get(socket);
      return response !== undefined && response.headersSent && !response.writableEnded;
    },
  };
}
