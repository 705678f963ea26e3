/** What sources of every vendor whose files lie on an SFTP server say of it. */

import type { z } from 'zod';

import { hostKey } from '../host-key.js';
import { privateKey } from '../private-key.js';
import { count, matching, oneOf, secretText } from '../scalars.js';
import { settings } from '../settings.js';
import { algorithms } from '../sftp-algorithms.js';
import { isMapping } from './s3-store.js';

export interface SftpStoreDefaults {
  /** The vendor's server, where all its customers share one. */
  readonly host?: string;
}

export function sftpStore(defaults: SftpStoreDefaults = {}) {
  const host = matching(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+)$/,
    "must be the name or address of a server alone, such as 'sftp.example.com'; the port has its own setting",
  );
  return settings({
    type: oneOf(['sftp']).describe('Where the files lie. Only sftp for this vendor.'),
    host: (defaults.host === undefined ? host : host.prefault(defaults.host)).describe('The SFTP server.'),
    port: count(1, 65_535).prefault(22).describe('Its port.'),
    username: matching(/^\S(?:.*\S)?$/, 'must be the name of a user, without spaces around it').describe(
      'Who logs in.',
    ),
    password: secretText().optional().describe('How, unless with a privateKey.'),
    privateKey: privateKey(
      /PRIVATE KEY-----|^["'\s]*PuTTY-User-Key-File-/,
      'must be a private key itself (OpenSSH, PEM or PuTTY), not the path of its file',
    )
      .optional()
      .describe(
        "Instead of a password: the private key itself, as OpenSSH, PEM or PuTTY write it. On one line, '\\n' stands for a line break.",
      ),
    passphrase: secretText().optional().describe('Belongs to a privateKey that is encrypted.'),
    hostKey: hostKey().describe(
      'By what the server is known: the fingerprint of its host key, or the key. Any other server is refused before ' +
        'anything secret is sent.',
    ),
    root: matching(
      /^(?:|\/|\/?[^/].*\/)$/,
      "must be empty, or a folder that ends with '/', such as '12345/raw_data/session_stream/'",
    )
      .prefault('')
      .describe(
        "The folder in which the export lies, with its final slash: from the user's own folder on, or from the top of the " +
          "server where it begins with '/'. Empty (default): the user's own folder.",
      ),
    algorithms: algorithms()
      .optional()
      .describe(
        'Older algorithms to take besides those of today, for a server that has no others. What to set says the error.',
      ),
    connections: count(1, 64)
      .prefault(4)
      .describe('How many connections the worker has to this server at once, whatever reads from it.'),
  })
    .refine((value) => value.password !== undefined || value.privateKey !== undefined, {
      error: 'is missing: a user logs in with a password or a privateKey',
      path: ['password'],
      when: isMapping,
    })
    .refine((value) => value.password === undefined || value.privateKey === undefined, {
      error: 'must not stand beside password: a user logs in with one of them',
      path: ['privateKey'],
      when: isMapping,
    })
    .refine((value) => value.passphrase === undefined || value.privateKey !== undefined, {
      error: 'is without the privateKey that it belongs to',
      path: ['passphrase'],
      when: isMapping,
    });
}

export type SftpStoreSettings = z.output<ReturnType<typeof sftpStore>>;
