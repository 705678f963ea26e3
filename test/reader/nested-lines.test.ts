import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';

import {
  landSessions,
  sessionTables,
  type LandedSessions,
  type Sessions,
  type TextRow,
} from './nested-landing.js';

/** Cut short from a real, sanitised line. */
const real =
  '{"country":"US","firstRun":"1.550040022647E9","priorStates":0,"experiments":[' +
  '{"id":800315004,"variantId":796675005},{"id":800315004,"variantId":796675005},{"id":800315004,"variantId":796675005}],' +
  '"lon":"-100.13395690917969","isSession":false,"deviceId":"a","states":[{"stateId":-2977495587907092018,"events":[' +
  Array(4)
    .fill('{"eventId":8457531699855530674,"name":"E_Opened_App","time":"1.591474962721E9","value":0.0}')
    .join() +
  ']}],"duration":0.0,"userAttributes":{"Mailto Is Default":"True"},"sessionId":"9007199254740993","userId":"a",' +
  '"timezoneOffsetSeconds":-25200,"priorTimeSpentInApp":38830.438,"time":"1.591474962721E9","userBucket":767}';

describe('a file of sessions', function () {
  this.timeout(60_000);
  let sessions: Sessions;
  before(async () => {
    sessions = await sessionTables();
  });
  after(() => sessions.drop());

  const land = (...lines: string[]): Promise<LandedSessions> =>
    landSessions(sessions, lines.map((line) => `${line}\n`).join(''));
  /** What stands in some columns of a table. */
  const columns = ({ rows }: LandedSessions, table: string, names: string): (string | null | undefined)[][] =>
    (rows[table] ?? []).map((row) => names.split(' ').map((name) => row[name]));
  const counts = ({ rows }: LandedSessions): Record<string, number> =>
    Object.fromEntries(Object.entries(rows).map(([name, { length }]) => [name, length]));
  const nothing = {
    session: 0,
    state: 0,
    event: 0,
    event_parameter: 0,
    state_parameter: 0,
    experiment: 0,
    user_attribute: 0,
  };

  describe('gives each table its rows', () => {
    it('of a line as the vendor writes it', async () => {
      const landed = await land(real);
      assert.deepEqual([landed.parsed, landed.taken, landed.bad], [1, 1, []]);
      const place = { _file_id: '9007199254740993', _line: '1', _extra: null };
      const { rows } = landed;
      assert.deepEqual(present(rows['session']?.[0]), {
        session_id: '9007199254740993',
        is_session: 'false',
        user_id: 'a',
        device_id: 'a',
        user_bucket: '767',
        time: '2020-06-06 20:22:42.721+00',
        duration: '0',
        first_run: '2019-02-13 06:40:22.647+00',
        prior_states: '0',
        prior_time_spent_in_app: '38830.438',
        country: 'US',
        lon: '-100.13395690917969',
        timezone_offset_seconds: '-25200',
        _file_id: '9007199254740993',
        _line: '1',
      });
      assert.deepEqual(
        rows['experiment'],
        ['1', '2', '3'].map((ordinal) => ({
          session_id: '9007199254740993',
          ordinal,
          experiment_id: '800315004',
          variant_id: '796675005',
          impressed: null,
          ...place,
        })),
      );
      assert.deepEqual(rows['state']?.map(present), [
        {
          session_id: '9007199254740993',
          ordinal: '1',
          state_id: '-2977495587907092018',
          _file_id: '9007199254740993',
          _line: '1',
        },
      ]);
      assert.deepEqual(
        rows['event'],
        ['1', '2', '3', '4'].map((ordinal) => ({
          session_id: '9007199254740993',
          ordinal,
          state_ordinal: '1',
          state_id: '-2977495587907092018',
          has_state: 'false',
          event_id: '8457531699855530674',
          name: 'E_Opened_App',
          time: '2020-06-06 20:22:42.721+00',
          value: '0',
          info: null,
          time_until_first_for_user: null,
          ...place,
        })),
      );
      assert.deepEqual(rows['user_attribute'], [
        { session_id: '9007199254740993', ordinal: '1', name: 'Mailto Is Default', value: 'True', ...place },
      ]);
      assert.deepEqual([rows['event_parameter'], rows['state_parameter']], [[], []]);
    });

    it('numbered within the line, over all that hold such rows', async () => {
      const state = (id: number, events: number[], name = true): string =>
        `{"stateId":${id},${name ? `"name":"s${id}",` : ''}"parameters":{"of":"s${id}"},"events":[${events
          .map((event) => `{"eventId":${event},"parameters":{"a":"${event}","b":"${event}"}}`)
          .join()}]}`;
      const line = (session: number): string =>
        `{"sessionId":${session},"states":[${[state(1, [11, 12]), state(2, []), state(3, [12, 31], false), state(1, [11])].join()}]}`;
      const landed = await land(line(1), line(2));
      assert.deepEqual(landed.bad, []);
      for (const id of ['1', '2']) {
        const of = (table: string, names: string): unknown =>
          columns(landed, table, `session_id _line ${names}`)
            .filter(([session]) => session === id)
            .map(([, line, ...values]) => (assert.equal(line, id), values.join(' ')));
        assert.deepEqual(of('state', 'ordinal state_id name'), ['1 1 s1', '2 2 s2', '3 3 ', '4 1 s1']);
        assert.deepEqual(of('event', 'ordinal state_ordinal state_id has_state event_id'), [
          '1 1 1 true 11',
          '2 1 1 true 12',
          '3 3 3 false 12',
          '4 3 3 false 31',
          '5 4 1 true 11',
        ]);
        assert.deepEqual(of('event_parameter', 'ordinal event_ordinal event_id name value'), [
          ...['1 1 11 a 11', '2 1 11 b 11', '3 2 12 a 12', '4 2 12 b 12', '5 3 12 a 12', '6 3 12 b 12'],
          ...['7 4 31 a 31', '8 4 31 b 31', '9 5 11 a 11', '10 5 11 b 11'],
        ]);
        assert.deepEqual(of('state_parameter', 'ordinal state_ordinal state_id name value'), [
          ...['1 1 1 of s1', '2 2 2 of s2', '3 3 3 of s3', '4 4 1 of s1'],
        ]);
      }
    });

    it('and none of what is absent, null or empty', async () => {
      const landed = await land(
        '{"sessionId":1}',
        '{"sessionId":2,"states":null,"experiments":null,"userAttributes":null,"userId":null}',
        '{"sessionId":3,"states":[],"experiments":[],"userAttributes":{}}',
        '{"sessionId":4,"states":[{"events":null,"parameters":null},{"events":[],"parameters":{}},{}]}',
      );
      assert.deepEqual(landed.bad, []);
      assert.deepEqual(counts(landed), { ...nothing, session: 4, state: 3 });
      for (const row of Object.values(landed.rows).flat()) assert.equal(row['_extra'], null);
    });

    it('whose keys are written with escapes, and not those that differ in case', async () => {
      const landed = await land(
        '{"\\u0073essionId":1,"st\\u0061tes":[{"\\u006eame":"x","Name":"y"}],"States":1}',
      );
      assert.deepEqual(columns(landed, 'state', 'session_id name _extra'), [['1', 'x', '{"Name": "y"}']]);
      assert.deepEqual(columns(landed, 'session', '_extra'), [['{"States": 1}']]);
    });
  });

  it('keeps in _extra what the objects of each table hold besides', async () => {
    const landed = await land(
      '{"sessionId":1,"new":[9007199254740993,{"b":null}],"more":"x","states":[{"stateId":1,"new":1,"events":' +
        '[{"eventId":1,"nothing":null,"parameters":{"new":"y"}},{"eventId":2}]},{"stateId":2}],' +
        '"experiments":[{"id":1,"":{}}],"userAttributes":{"new":"z"}}',
    );
    assert.deepEqual(landed.bad, []);
    const extra = (table: string): unknown => columns(landed, table, '_extra').flat();
    assert.deepEqual(extra('session'), ['{"new": [9007199254740993, {"b": null}], "more": "x"}']);
    assert.deepEqual(extra('state'), ['{"new": 1}', null]);
    assert.deepEqual(extra('event'), ['{"nothing": null}', null]);
    assert.deepEqual(extra('experiment'), ['{"": {}}']);
    assert.deepEqual([extra('event_parameter'), extra('user_attribute')], [[null], [null]]);
  });

  it('has the values of maps as text, and what is none as its JSON', async () => {
    const landed = await land(
      '{"sessionId":1,"userAttributes":{"text":"True","empty":"","null":null,"true":true,"whole":9007199254740993,' +
        '"number":1.5,"e":1E3,"object":{"a":["b",null],"nul":"\\u0000"},"list":[1,"2"],"quoted":"\\"x\\"","":"no name",' +
        '"two\\nlines":"\\u0001\\u0002"}}',
    );
    assert.deepEqual(landed.bad, []);
    assert.deepEqual(columns(landed, 'user_attribute', 'ordinal name value'), [
      ['1', 'text', 'True'],
      ['2', 'empty', ''],
      ['3', 'null', null],
      ['4', 'true', 'true'],
      ['5', 'whole', '9007199254740993'],
      ['6', 'number', '1.5'],
      ['7', 'e', '1000.0'],
      ['8', 'object', '{"a":["b",null],"nul":"\\u0000"}'],
      ['9', 'list', '[1,"2"]'],
      ['10', 'quoted', '"x"'],
      ['11', '', 'no name'],
      ['12', 'two\nlines', '\u0001\u0002'],
    ]);
  });

  describe('has ids of 64 bits', () => {
    for (const id of ['-2977495587907092018', '9223372036854775807', '-9223372036854775808', '0']) {
      it(`such as ${id}, in quotes or not`, async () => {
        const landed = await land(
          `{"sessionId":"${id}","states":[{"stateId":${id},"events":[{"eventId":"${id}"}]}]}`,
        );
        assert.deepEqual(columns(landed, 'event', 'session_id state_id event_id'), [[id, id, id]]);
      });
    }
    for (const id of [
      '9223372036854775808',
      '"-9223372036854775809"',
      '1.5',
      '8.457531699855530674E18',
      '""',
      '[1]',
    ]) {
      it(`and not ${id}`, async () => {
        const landed = await land(`{"sessionId":1,"states":[{"stateId":1},{"events":[{"eventId":${id}}]}]}`);
        assert.deepEqual(counts(landed), nothing);
        assert.match(
          landed.bad[0]?.reason ?? '',
          /^states\[2\]\.events\[1\]\.eventId is not a whole number of 64 bits: /,
        );
      });
    }
  });

  describe('keeps a line as a whole for the quarantine', () => {
    const deep = (event: string): string =>
      `{"sessionId":1,"states":[{},{"events":[{"eventId":1},${event}]}]}`;
    const instant = 'is not an instant between the years 1 and 9999:';
    const faults: readonly (readonly [line: string, reason: string])[] = [
      ['{"sessionId":1', 'the line is not JSON'],
      ['[{"sessionId":1}]', 'the line is JSON, but no object'],
      ['null', 'the line is JSON, but no object'],
      ['{"states":[{"events":[{}]}]}', 'sessionId is missing, and it is the key'],
      ['{"sessionId":null}', 'sessionId is missing, and it is the key'],
      ['{"sessionId":"x"}', 'sessionId is not a whole number of 64 bits: x'],
      ['{"sessionId":1,"sessionId":1}', 'the line has a key twice'],
      ['{"sessionId":1,"new":1,"new":2}', 'the line has a key twice'],
      ['{"sessionId":1,"states":[{"x":1,"x":1}]}', 'states[1] has a key twice'],
      [deep('{"eventId":1,"eventId":1}'), 'states[2].events[2] has a key twice'],
      [deep('{"parameters":{"a":1,"b":1,"\\u0061":1}}'), 'states[2].events[2].parameters has a key twice'],
      ['{"sessionId":1,"userAttributes":{"a":"x","a":"x"}}', 'userAttributes has a key twice'],
      ['{"sessionId":1,"states":{"events":[]}}', 'states is not a list: {"events":[]}'],
      ['{"sessionId":1,"states":"[]"}', 'states is not a list: "[]"'],
      ['{"sessionId":1,"experiments":"none"}', 'experiments is not a list: "none"'],
      ['{"sessionId":1,"experiments":0}', 'experiments is not a list: 0'],
      ['{"sessionId":1,"experiments":false}', 'experiments is not a list: false'],
      ['{"sessionId":1,"userAttributes":["a"]}', 'userAttributes is not an object: ["a"]'],
      ['{"sessionId":1,"userAttributes":[]}', 'userAttributes is not an object: []'],
      ['{"sessionId":1,"userAttributes":""}', 'userAttributes is not an object: ""'],
      ['{"sessionId":1,"states":[{},{"events":{}}]}', 'states[2].events is not a list: {}'],
      [deep('{"parameters":[]}'), 'states[2].events[2].parameters is not an object: []'],
      ['{"sessionId":1,"states":[{},null]}', 'states[2] is not an object: null'],
      ['{"sessionId":1,"states":[[]]}', 'states[1] is not an object: []'],
      ['{"sessionId":1,"experiments":[{},7]}', 'experiments[2] is not an object: 7'],
      [deep('"x"'), 'states[2].events[2] is not an object: "x"'],
      ['{"sessionId":1,"time":"soon"}', `time ${instant} soon`],
      [deep('{"time":1591474962721}'), `states[2].events[2].time ${instant} 1591474962721`],
      [deep('{"value":"much"}'), 'states[2].events[2].value is not a number: much'],
      [
        '{"sessionId":1,"experiments":[{"impressed":"perhaps"}]}',
        'experiments[1].impressed is not true or false: perhaps',
      ],
      ['{"sessionId":1,"userId":"\\u0000"}', 'userId holds the character NUL'],
      [deep('{"info":"a\\u0000b"}'), 'states[2].events[2].info holds the character NUL'],
      [
        deep('{"parameters":{"a":"x","b":"\\u0000"}}'),
        'states[2].events[2].parameters[2].value holds the character NUL',
      ],
      [
        deep('{"parameters":{"\\u0000":"x"}}'),
        'states[2].events[2].parameters[1].key holds the character NUL',
      ],
      ['{"sessionId":1,"userAttributes":{"\\u0000":1}}', 'userAttributes[1].key holds the character NUL'],
      ['{"sessionId":1,"new":["\\u0000"]}', '_extra holds the character NUL'],
      [deep('{"new":{"\\u0000":1}}'), 'states[2].events[2]._extra holds the character NUL'],
      [
        deep('{"new":[NaN]}'),
        'states[2].events[2]._extra holds what is no JSON to Postgres, such as NaN or Infinity',
      ],
    ];
    it('where anything in it is wrong, with the place, counted from 1, and the line as it came', async () => {
      const around = (id: number): string =>
        `{"sessionId":${id},"states":[{"events":[{"parameters":{"a":"b"}}],"parameters":{"a":"b"}}],"experiments":[{}],"userAttributes":{"a":"b"}}`;
      const lines = faults.flatMap(([line], index) => [line, around(index)]);
      const landed = await land(...lines);
      assert.equal(landed.parsed, lines.length);
      assert.equal(landed.taken, faults.length);
      assert.deepEqual(
        landed.bad,
        faults.map(([raw, reason], index) => ({ line: index * 2 + 1, reason, raw })),
      );
      const good = faults.map((_, index) => String(index * 2 + 2));
      for (const [table, rows] of Object.entries(landed.rows)) {
        assert.deepEqual(
          rows.map((row) => row['_line']),
          good,
          table,
        );
      }
    });

    it('with the first reason of several, outermost first', async () => {
      const landed = await land(
        '{"sessionId":1,"states":[{"events":[{"value":"x"},{"value":"y"}]},{"time":"a"},{"time":"b"}]}',
        '{"sessionId":1,"states":[{"events":[{},{"value":"y"}]},{"events":[{"time":"z"}]}],"experiments":[1]}',
        '{"sessionId":"x","states":1}',
      );
      assert.deepEqual(
        landed.bad.map(({ reason }) => reason),
        [
          `states[2].time ${instant} a`,
          'states[1].events[2].value is not a number: y',
          'states is not a list: 1',
        ],
      );
    });

    it('where it holds NUL or is no UTF-8, wherever that is', async () => {
      const bytes = (...parts: (string | number)[]): Buffer =>
        Buffer.concat(
          parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))),
        );
      const landed = await landSessions(
        sessions,
        bytes(
          ...['{"sessionId":1,"states":[{"name":"', 0, '"}]}\n'],
          ...['{"sessionId":2,"states":[{"name":"é', 0xff, '"}]}\n'],
          '{"sessionId":3}\n',
        ),
      );
      const escapes = 'backslashes and bytes that are no text are written as \\xHH';
      assert.deepEqual(landed.bad, [
        {
          line: 1,
          reason: `the line holds the character NUL; ${escapes}`,
          raw: '{"sessionId":1,"states":[{"name":"\\x00"}]}',
        },
        {
          line: 2,
          reason: `the line is not UTF-8; ${escapes}`,
          raw: '{"sessionId":2,"states":[{"name":"é\\xff"}]}',
        },
      ]);
      assert.deepEqual(counts(landed), { ...nothing, session: 1 });
    });
  });

  describe('is read like any file of lines', () => {
    const line = (id: number): string => `{"sessionId":${id},"states":[{}]}`;
    const numbers = (landed: LandedSessions): string =>
      columns(landed, 'state', 'session_id _line')
        .map((row) => row.join(':'))
        .join(' ');

    it('with blank lines, a byte order mark, the line ends of Windows, and no end to the last', async () => {
      const content = `\ufeff${line(1)}\r\n\r\n \t\n${line(2)}\n\n  ${line(3)}`;
      for (const file of [content, gzipSync(content)]) {
        const landed = await landSessions(sessions, file);
        assert.deepEqual([landed.bad, landed.parsed, numbers(landed)], [[], 3, '1:1 2:4 3:6']);
      }
    });

    it('without a row', async () => {
      for (const content of ['', '\n\n', gzipSync('')]) {
        const landed = await landSessions(sessions, content);
        assert.deepEqual([landed.parsed, landed.taken, landed.bad, counts(landed)], [0, 0, [], nothing]);
      }
    });

    it('and is unreadable where it is not whole', async () => {
      const gzip = gzipSync(`${line(1)}\n`.repeat(10));
      const unreadable: readonly (readonly [string | Buffer, RegExp])[] = [
        [`${line(1)}\n${line(2).slice(0, -1)}`, /it ends in the middle of a row\./],
        [gzip.subarray(0, -10), /its gzip is cut off before its end\./],
        [Buffer.concat([gzip, Buffer.from(line(2))]), /something that is no gzip follows its gzip\./],
      ];
      for (const [content, message] of unreadable) {
        await assert.rejects(landSessions(sessions, content), { name: 'FileUnreadable', message });
      }
      // The last line has ended, or is gzip's: nothing broke off.
      assert.equal((await landSessions(sessions, '{"sessionId":1\n')).bad.length, 1);
      assert.equal((await landSessions(sessions, gzipSync('{"sessionId":1'))).bad.length, 1);
    });

    it('with a line of 10 MB that is one text, in 256 MB', async () => {
      const text = 'é"\n'.repeat(2_000_000);
      const landed = await land(`{"sessionId":1,"states":[{"events":[{"info":${JSON.stringify(text)}}]}]}`);
      assert.deepEqual(landed.bad, []);
      assert.ok(landed.rows['event']?.[0]?.['info'] === text);
    });

    it('with a line of 10 MB that has 90,000 events, in 256 MB', async () => {
      const event = `"eventId":-6891611277967000000,"time":"1.591474962721E9","info":"${'x'.repeat(30)}"`;
      const events = Array.from({ length: 90_000 }, (_, index) => `{${event},"value":${index}.0}`);
      const landed = await land(`{"sessionId":1,"states":[{"events":[${events.join()}]}]}`);
      assert.deepEqual(landed.bad, []);
      const numbered = landed.rows['event']?.filter(
        ({ ordinal, value }, index) => ordinal === String(index + 1) && value === String(index),
      );
      assert.equal(numbered?.length, 90_000);
    });

    it('whose longest lines are kept by their beginning', async () => {
      const landed = await land(line(1), `{"sessionId":2,"userId":"${'x'.repeat(16_000_000)}"}`, line(3));
      assert.equal(numbers(landed), '1:1 3:3');
      assert.match(
        landed.bad[0]?.reason ?? '',
        /^the line is longer than 16000000 bytes, of which the first 1000000/,
      );
    });

    for (const threads of [1, 2]) {
      it(`over pieces, with ${threads === 1 ? 'one thread' : 'two threads'}`, async () => {
        const each = (id: number): string => {
          if (id % 10 === 3) return '';
          const events = [1, 2, 3]
            .map((event) => `{"eventId":${id * 10 + event},"parameters":{"x":"y"}}`)
            .join();
          const states = `{"stateId":1,"events":[${events}]},{"events":[${events}]}`;
          return `{"sessionId":${id},"userId":"${'u'.repeat(300)}","states":[${states}]${id % 1000 === 7 ? ',"time":"x"' : ''}}`;
        };
        const content = Array.from({ length: 60_000 }, (_, index) => `${each(index)}\n`).join('');
        const landed = await landSessions(sessions, gzipSync(content, { level: 1 }), undefined, threads);
        assert.deepEqual([landed.parsed, landed.taken, landed.bad.length], [54_000, 53_940, 60]);
        assert.ok(landed.bad.every((row, index) => row.line === index * 1000 + 8));
        assert.equal(landed.rows['event']?.length, 53_940 * 6);
        for (const table of ['session', 'state', 'event', 'event_parameter']) {
          assert.ok(
            landed.rows[table]?.every((row) => Number(row['session_id']) + 1 === Number(row['_line'])),
            table,
          );
        }
        assert.ok(
          landed.rows['event_parameter']?.every(
            (row, index) =>
              row['ordinal'] === String((index % 6) + 1) &&
              row['event_ordinal'] === row['ordinal'] &&
              row['event_id'] === String(Number(row['session_id']) * 10 + (index % 3) + 1),
          ),
        );
      });
    }
  });
});

function present(row: TextRow | undefined): TextRow {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([, value]) => value !== null));
}
