/** Shards of CSV that are not as RFC 4180 or the vendor's page has them, each with what a load has to make of it. */

import type { CsvKind } from '../../vendors/leanplum/layout.js';
import {
  csvHeaders,
  csvLine,
  csvRecords,
  csvText,
  rowsOfCsv,
  type CsvRecord,
  type CsvRecords,
} from './csv.js';
import type { FlawedShard, Outcome } from './flaws.js';
import { makeSessions } from './sessions.js';

export interface FlawedCsvShard extends FlawedShard {
  readonly kind: CsvKind;
}

const made = { seed: 'flaws', until: Date.parse('2026-11-20T18:00:00Z') };
const nothing: CsvRecords = csvRecords([], 'seconds');
const all = csvRecords(makeSessions({ ...made, count: 6 }), 'seconds');

const headers = { sessions: csvHeaders.sessions, userattributes: csvHeaders.userattributes } as const;
type Kind = keyof typeof headers;

/** Rows are those of the file's own table, with nothing that other files would have to tell. */
export function flawedCsvShards(): readonly FlawedCsvShard[] {
  return [...unreadable(), ...harmless(), ...badRows(), repeated()];
}

function unreadable(): readonly FlawedCsvShard[] {
  const text = textOf('userattributes');
  const without = csvHeaders.sessions.filter((header) => header !== 'sessionId');
  const files: readonly (readonly [Kind, string, string])[] = [
    ['userattributes', 'that ends within a quoted value', text + '123,Note,"and then'],
    [
      'sessions',
      'whose header has no sessionId',
      csvText(
        without,
        valuesOf('sessions').map((values) => values.slice(1)),
      ),
    ],
    ['userattributes', 'without a header', text.slice(text.indexOf('\n') + 1)],
  ];
  return files.map(([kind, title, content]) => file(kind, title, content, { is: 'unreadable' }));
}

function harmless(): readonly FlawedCsvShard[] {
  const text = textOf('userattributes');
  const extra = (values: readonly string[], more: string): readonly string[] => [more, ...values];
  const story = 'x, "y"\n'.repeat(1_000_000);
  const longRecord: CsvRecord = {
    values: ['123', 'Long story', story],
    row: { session_id: '123', name: 'Long story', value: story },
  };
  return [
    file('sessions', 'with a header alone', csvText(headers.sessions, []), readAs('sessions', [])),
    file('userattributes', 'without a line break at its end', text.trimEnd(), readAs('userattributes')),
    file('userattributes', 'with a byte order mark', `\uFEFF${text}`, readAs('userattributes')),
    file('userattributes', 'with a blank line at its end', `${text}\n`, readAs('userattributes')),
    file(
      'userattributes',
      'with headers in capitals',
      text.replace('sessionId,name,value', 'SESSIONID,NAME,VALUE'),
      readAs('userattributes'),
    ),
    file(
      'sessions',
      'with a column that nobody knows',
      csvText(
        extra(headers.sessions, 'carrier'),
        valuesOf('sessions').map((values) => extra(values, 'Nord')),
      ),
      readAs('sessions'),
    ),
    file(
      'userattributes',
      'with a value of 7 MB and a million lines',
      text + csvLine(longRecord.values),
      readAs('userattributes', [...all.userattributes, longRecord]),
    ),
  ];
}

function badRows(): readonly FlawedCsvShard[] {
  const at = (header: string): number => headers.sessions.indexOf(header);
  const [session = []] = valuesOf('sessions');
  const withValue = (header: string, value: string): readonly string[] =>
    session.map((old, index) => (index === at(header) ? value : old));
  const sessions: readonly (readonly [string, readonly string[]])[] = [
    ['with too few values', session.slice(0, -1)],
    ['with too many values', [...session, 'more']],
    ['without a session', withValue('sessionId', '')],
    ['with a session that is no number', withValue('sessionId', 'abc')],
    ['with a session beyond 64 bits', withValue('sessionId', String(2n ** 63n))],
    ['with a start that is no time', withValue('start', 'soon')],
    ['with a flag that is none', withValue('isSession', 'perhaps')],
    ['with an offset that has a fraction', withValue('timezoneOffset', '-25200.50')],
    ['with the byte 00', withValue('userId', 'a\0b')],
  ];
  const text = textOf('userattributes');
  const age: CsvRecord = {
    values: ['124', 'Age', '41'],
    row: { session_id: '124', name: 'Age', value: '41' },
  };
  // FF is in no character's encoding.
  const notUtf8 = Buffer.from('123,Note,a\u00ffb\n', 'latin1');
  const [first, ...others] = valuesOf('userattributes');
  const before = csvText(headers.userattributes, first ? [first] : []);
  const after = others.map((values) => csvLine(values)).join('');
  return [
    ...sessions.map(([title, values]) =>
      file(
        'sessions',
        `with a row ${title}`,
        csvText(headers.sessions, [values, ...valuesOf('sessions')]),
        readAs('sessions', all.sessions, [2]),
      ),
    ),
    // What is behind it is no part of the value.
    file(
      'userattributes',
      'with a quote that is never closed',
      `${text}123,Note,"and then\n${csvLine(age.values)}`,
      readAs('userattributes', [...all.userattributes, age], [text.split('\n').length]),
    ),
    {
      ...{ kind: 'userattributes', title: 'with a row that is not UTF-8' },
      bytes: Buffer.concat([Buffer.from(before), notUtf8, Buffer.from(after)]),
      outcome: readAs('userattributes', all.userattributes, [3]),
    },
  ];
}

function repeated(): FlawedCsvShard {
  const again = csvRecords(makeSessions({ ...made, count: 1, version: 2 }), 'seconds').sessions;
  const values = [...all.sessions, ...again].map((record) => record.values);
  const title = 'with a session twice, longer the second time';
  return file(
    'sessions',
    title,
    csvText(headers.sessions, values),
    readAs('sessions', [...again, ...all.sessions.slice(1)], [], [2]),
  );
}

function file(kind: Kind, title: string, content: string, outcome: Outcome): FlawedCsvShard {
  return { kind, title, bytes: Buffer.from(content), outcome };
}

function readAs(
  kind: Kind,
  records: readonly CsvRecord[] = all[kind],
  bad: readonly number[] = [],
  conflicting: readonly number[] = [],
): Outcome {
  return { is: 'read', rows: rowsOfCsv({ ...nothing, [kind]: records }).rows, bad, conflicting };
}

function valuesOf(kind: Kind): readonly (readonly string[])[] {
  return all[kind].map(({ values }) => values);
}

function textOf(kind: Kind): string {
  return csvText(headers[kind], valuesOf(kind));
}
