import ssh2, { type AnyAuthMethod, type AuthenticationType, type ParsedKey, type Prompt } from 'ssh2';

import { isPuttyKey, openSshKey } from './putty-key.js';

export type Login =
  { readonly password: string } | { readonly privateKey: string; readonly passphrase?: string };

/** A login whose key has been read. */
export type Credentials = { readonly password: string } | { readonly key: ParsedKey };

/**
 * Reads the private key, which takes about half a second where it has a passphrase: so it is read once. Throws an error
 * that tells what is wrong with it, and nothing of what it holds.
 */
export function readLogin(login: Login): Credentials {
  if ('password' in login) return login;
  const { privateKey, passphrase } = login;
  const text = isPuttyKey(privateKey) ? openSshKey(privateKey, passphrase) : privateKey;
  const parsed: ParsedKey | ParsedKey[] | Error = ssh2.utils.parseKey(text, passphrase);
  if (parsed instanceof Error) throw parsed;
  const key = [parsed].flat().find((one) => one.isPrivateKey());
  if (key === undefined) throw new Error('it is a public key');
  return { key };
}

/** One login, as far as it has come. */
export interface LoginAttempt {
  /** What ssh2 calls to know how to go on. */
  readonly next: (
    left: AuthenticationType[] | null,
    partial: boolean | null,
    then: (method: AnyAuthMethod | false) => void,
  ) => void;
  /** Whether the password or key was sent. */
  readonly sent: () => boolean;
  /** Why a login that ended was refused. */
  readonly refusal: () => string;
}

/**
 * Shows the password or the key once: servers count what they refuse, and lock out. So the server is first asked what
 * it takes, which is not counted (RFC 4252, 5.2), and what it does not take is not tried.
 */
export function attemptLogin(username: string, login: Credentials): LoginAttempt {
  const ways: readonly AuthenticationType[] =
    'password' in login ? ['password', 'keyboard-interactive'] : ['publickey'];
  let taken: readonly AuthenticationType[] | undefined;
  let sent = false;
  let wantsMore = false;

  const method = (way: AuthenticationType): AnyAuthMethod => {
    if ('key' in login) return { type: 'publickey', username, key: login.key };
    const { password } = login;
    if (way === 'password') return { type: 'password', username, password };
    let asked = false;
    return {
      type: 'keyboard-interactive',
      username,
      prompt: (_name: string, _instructions: string, _language: string, prompts: Prompt[], answer) => {
        // Only what a terminal would not show is the password's, and only at its first asking.
        answer(prompts.map(({ echo }) => (echo === true || asked ? '' : password)));
        asked = true;
      },
    };
  };

  return {
    next: (left, partial, then) => {
      if (left === null) {
        then({ type: 'none', username });
        return;
      }
      taken ??= left;
      wantsMore = partial === true;
      const way = ways.find((possible) => left.includes(possible));
      if (sent || way === undefined) {
        then(false);
        return;
      }
      sent = true;
      then(method(way));
    },
    sent: () => sent,
    refusal: () => {
      const what = 'password' in login ? 'password' : 'key';
      if (wantsMore) return `the ${what} is right, but the server wants more than that`;
      if (sent) return `the server does not take this user with this ${what}`;
      const others = (taken ?? []).join(' or ');
      return `the server takes no ${what} of this user, but ${others === '' ? 'nothing' : others}`;
    },
  };
}
