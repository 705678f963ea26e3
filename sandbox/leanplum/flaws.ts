/** Shards of JSON that are not as the vendor's page has them, each with what a load has to make of it. */

import { gzipSync } from 'node:zlib';

import { jsonLine, jsonText } from './lines.js';
import { rowsOf, type LeanplumRows } from './rows.js';
import type { Session } from './session.js';
import { makeSessions } from './sessions.js';

export interface ReadShard {
  readonly is: 'read';
  /** What is loaded, in the order of the file. */
  readonly rows: LeanplumRows;
  /** Lines, from 1, on which bad rows begin. A session with a fault anywhere is a bad row as a whole. */
  readonly bad: readonly number[];
  /** Lines whose session comes again later in the file, and says something else: the last stays. */
  readonly conflicting: readonly number[];
}

/** Of a file that cannot be read nothing is loaded, and the delivery is not complete with it. */
export type Outcome = ReadShard | { readonly is: 'unreadable' };

export interface FlawedShard {
  /** What is wrong, to be said after "a shard". */
  readonly title: string;
  readonly bytes: Buffer;
  readonly outcome: Outcome;
}

const until = Date.parse('2026-11-20T18:00:00Z');
const sessions = makeSessions({ seed: 'flaws', count: 5, until });
/** With states, events and parameters, so that a fault can be put everywhere. */
const spoilt = makeSessions({ seed: 'flaws', from: 12, count: 1, until }).reduce((one) => one);
const lines = sessions.map((session) => `${jsonLine(session)}\n`);
const whole = lines.join('');
const allOfThem = read(sessions);

/** All but the empty ones have five good sessions; bad lines stand behind the first of them. */
export function flawedShards(): readonly FlawedShard[] {
  return [...unreadable(), ...harmless(), ...badLines(), ...repeated()];
}

function read(
  good: readonly Session[],
  bad: readonly number[] = [],
  conflicting: readonly number[] = [],
): ReadShard {
  return { is: 'read', rows: rowsOf(good), bad, conflicting };
}

function unreadable(): readonly FlawedShard[] {
  const gzip = gzipSync(whole);
  const damaged = Buffer.from(gzip);
  const middle = damaged.length >> 1;
  damaged.fill(0xff, middle, middle + 64);
  return [
    { title: 'whose gzip is cut off', bytes: gzip.subarray(0, middle) },
    { title: 'whose gzip lacks its last byte', bytes: gzip.subarray(0, -1) },
    { title: 'whose gzip is damaged', bytes: damaged },
    {
      title: 'whose gzip is followed by something else',
      bytes: Buffer.concat([gzip, Buffer.from('no gzip')]),
    },
    { title: 'that ends in the middle of a line', bytes: Buffer.from(whole.slice(0, -40)) },
  ].map((file) => ({ ...file, outcome: { is: 'unreadable' } }));
}

function harmless(): readonly FlawedShard[] {
  const [first = '', ...others] = lines;
  const unknown = first.replace(/\}\n$/, ',"carrier":{"name":"Nord","bars":4}}\n');
  const [, ...rest] = sessions;
  const long = { ...spoilt, userAttributes: { 'Long story': 'x'.repeat(10_000_000) } };
  const nothing = { ...spoilt, states: undefined, experiments: undefined, userAttributes: undefined };
  const nulls = jsonLine(nothing).replace(
    /\}$/,
    ',"states":null,"experiments":null,"userAttributes":null}\n',
  );
  const files: readonly (readonly [string, string | Buffer, ReadShard])[] = [
    ['that is empty', '', read([])],
    ['that is gzip of nothing', gzipSync(''), read([])],
    ['without a line feed at its end', whole.trimEnd(), allOfThem],
    ['with line breaks of two characters', whole.replaceAll('\n', '\r\n'), allOfThem],
    ['with blank lines', lines.join('\n'), allOfThem],
    ['with a byte order mark', `\uFEFF${whole}`, allOfThem],
    ['of two members of gzip', Buffer.concat(lines.map((line) => gzipSync(line))), allOfThem],
    ['with a field that nobody knows', unknown + others.join(''), allOfThem],
    ['with a line of 10 MB', `${jsonLine(long)}\n${others.join('')}`, read([long, ...rest])],
    ['with null for what is left out', nulls + others.join(''), read([nothing, ...rest])],
  ];
  return files.map(([title, content, outcome]) => ({ title, bytes: Buffer.from(content), outcome }));
}

function badLines(): readonly FlawedShard[] {
  const text = jsonLine(spoilt);
  /** With other values for some of the session's fields. */
  const withFields = (fields: Readonly<Record<string, unknown>>): string =>
    jsonText({ ...spoilt, ...fields });
  /** With another user, whose name is JSON text. */
  const withUser = (user: string): string => text.replace(/"userId":"[^"]*"/, `"userId":${user}`);
  const [state] = spoilt.states ?? [];
  const withState = (fields: Readonly<Record<string, unknown>>): string =>
    withFields({ states: [{ ...state, ...fields }] });
  const event = { eventId: 1n, name: 'Shared', time: 1_795_000_000.5, value: 0 };
  const withEvent = (fields: Readonly<Record<string, unknown>>): string =>
    withState({ events: [{ ...event, ...fields }] });
  const beyond = 2n ** 63n;
  const bad: readonly (readonly [string, string | Buffer])[] = [
    ['that is no JSON', 'no JSON'],
    ['that ends in the middle', text.slice(0, 100)],
    ['that is an array', `[${text}]`],
    ['with the byte 00', withUser('"a\0b"')],
    ['with an escaped NUL', withUser(String.raw`"a\u0000b"`)],
    // FF is in no character's encoding.
    ['that is not UTF-8', Buffer.from(withUser('"a\u00ffb"'), 'latin1')],
    ['with half of a surrogate pair', withUser(String.raw`"a\ud83eb"`)],
    ['with an escaped NUL in an attribute', withFields({ userAttributes: { Note: 'a\0b' } })],
    ['with an escaped NUL in an event', withEvent({ info: 'a\0b' })],
    ['without a session', withFields({ sessionId: undefined })],
    ['with null for the session', withFields({ sessionId: null })],
    ['with a session that is no number', withFields({ sessionId: 'abc' })],
    ['with a session beyond 64 bits', withFields({ sessionId: String(beyond) })],
    ['with a state beyond 64 bits', withState({ stateId: beyond })],
    ['with a state that is no number', withState({ stateId: 'Home' })],
    ['with an event below 64 bits', withEvent({ eventId: -beyond - 1n })],
    ['with an event of a fraction', withEvent({ eventId: 1.5 })],
    ['with an experiment that is no number', withFields({ experiments: [{ id: 'A', variantId: 1n }] })],
    ['with a time that is none', withFields({ time: 'soon' })],
    ['with an event’s time that is none', withEvent({ time: 'soon' })],
    ['with a duration that is no number', withFields({ duration: 'long' })],
    ['with a flag that is none', withFields({ isSession: 'perhaps' })],
    ['with an object for the states', withFields({ states: { 1: state } })],
    ['with a text for a state', withFields({ states: ['Home'] })],
    ['with a text for the events', withState({ events: 'Shared' })],
    ['with a number for an event', withState({ events: [1n] })],
    ['with a list for an event’s parameters', withEvent({ parameters: ['How', 'tap'] })],
    ['with a text for the attributes', withFields({ userAttributes: 'none' })],
    ['with an object for the experiments', withFields({ experiments: { id: 1n, variantId: 2n } })],
  ];
  const [first = '', ...others] = lines;
  return bad.map(([title, line]) => ({
    title: `with a line ${title}`,
    bytes: Buffer.concat([Buffer.from(first), Buffer.from(line), Buffer.from(`\n${others.join('')}`)]),
    outcome: read(sessions, [2]),
  }));
}

function repeated(): readonly FlawedShard[] {
  const again = makeSessions({ seed: 'flaws', count: 1, until, version: 2 });
  return [
    {
      title: 'with a session twice, grown the second time',
      bytes: Buffer.from(`${whole}${again.map(jsonText).join('')}\n`),
      outcome: read([...again, ...sessions.slice(1)], [], [1]),
    },
  ];
}
