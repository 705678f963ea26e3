/** Settings of `landfall receiver`, which takes in what vendors send. */

import { byteCount, count, httpUrl, text } from './scalars.js';
import { settings } from './settings.js';

export const receiverSettings = settings({
  host: text()
    .prefault('127.0.0.1')
    .describe("Address to listen at; '0.0.0.0' for every one of the machine's."),
  port: count(0, 65_535).prefault(8480).describe('Port to listen at. 0: any that is free.'),
  url: httpUrl()
    .optional()
    .describe(
      "Address by which vendors reach it, without a path. Default: host and port. 'landfall check' shows it.",
    ),
  tls: settings({
    certificate: text().describe('File with the certificate and those that it stands on, in PEM.'),
    key: text().describe('File with its private key, in PEM.'),
  })
    .optional()
    .describe('HTTPS. Both files are read again when they change. Absent: HTTP, for a proxy before it.'),
  maxBody: byteCount(1, 2 ** 29)
    .prefault('16 MB')
    .describe('Largest body that is taken, decompressed.'),
  memory: byteCount(1, 2 ** 40)
    .prefault('256 MB')
    .describe('Bodies that are held at the same time, at least one; others wait their turn.'),
  maxWaiting: count(0, 100_000)
    .prefault(1_000)
    .describe('Requests that wait their turn; more are told to come again (503).'),
});
