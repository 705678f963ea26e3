import assert from 'node:assert/strict';

import { createProgram } from '../../client/program.js';
import { openDesk, yamlOf, type Desk } from './landfall-command.js';

const names = [
  'dev',
  'setup',
  'worker',
  'receiver',
  'check',
  'backfill',
  'leanplum export',
  'monetate names',
  'status',
  'show',
  'reprocess',
  'accept',
  'skip',
  'discard',
  'pause',
  'resume',
  'acknowledge',
  'config-schema',
];

describe('landfall', () => {
  let desk: Desk;
  before(async () => {
    desk = await openDesk();
  });
  after(() => desk.leave());

  it('has these commands', () => {
    const silent = {
      out: () => undefined,
      err: () => undefined,
      env: {},
      cwd: '/',
      width: undefined,
      watched: false,
    };
    const program = createProgram(silent, () => Promise.resolve());
    assert.deepEqual(
      program.commands.flatMap((command) =>
        command.commands.length === 0
          ? command.name()
          : command.commands.map((below) => `${command.name()} ${below.name()}`),
      ),
      names,
    );
  });

  for (const name of names) {
    it(`${name} --help shows an example, the output formats and --config`, async () => {
      const { code, out, err } = await desk.landfall(...name.split(' '), '--help');
      assert.equal(code, 0);
      assert.equal(err, '');
      assert.match(out, new RegExp(`\\nExamples?:\\n  \\$ landfall ${name}\\b`));
      assert.match(out, /-o, --output <format>/);
      assert.match(out, /--config <file>/);
    });
  }

  it('says its version', async () => {
    assert.match((await desk.landfall('--version')).out, /^\d+\.\d+\.\d+\n$/);
  });

  it('prints its help to stdout when asked for, and what is wrong to stderr', async () => {
    assert.match((await desk.landfall('--help')).out, /^Usage: landfall/);
    const { code, out, err } = await desk.landfall('statsu');
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, /^error: unknown command 'statsu'\n\(Did you mean status\?\)/);
  });

  for (const signal of ['reprocess', 'accept', 'skip', 'discard', 'pause', 'resume']) {
    it(`${signal} wants a reason`, async () => {
      const { code, out, err } = await desk.landfall(signal, 'a/events/2026-11-20');
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, /^error: required option '--reason <text>' not specified/);
    });
  }

  it('backfill wants days of the calendar', async () => {
    const { code, err } = await desk.landfall('backfill', 'a', '--from', '2026-02-30', '--to', '2026-03-01');
    assert.equal(code, 2);
    assert.match(
      err,
      /^error: option '--from <day>' argument '2026-02-30' is invalid\. It must be a calendar day/,
    );
  });

  it('config-schema prints JSON', async () => {
    const { code, out } = await desk.landfall('config-schema', '-o', 'json');
    assert.equal(code, 0);
    assert.equal((JSON.parse(out) as { title: string }).title, 'landfall.yaml');
  });
});

describe('errors', () => {
  it('of the configuration end with exit code 2, on stderr, without a stack', async () => {
    const desk = await openDesk('sources: { a: { vendor: acme } }');
    const { code, out, err } = await desk.landfall('status', '-o', 'json');
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.equal(
      err,
      'landfall.yaml has one problem:\n' +
        "  landfall.yaml:1: sources.a.vendor must be the name of a vendor: optimizely, megaphone, leanplum, monetate, dynatrace; it is 'acme'.\n",
    );
    await desk.leave();
  });

  it('show where they came from with LANDFALL_DEBUG', async () => {
    const desk = await openDesk('a: 1', { LANDFALL_DEBUG: '1' });
    assert.match((await desk.landfall('status')).err, /\n {4}at .*load\.ts/);
    await desk.leave();
  });

  it('say what to do where nothing is configured', async () => {
    const desk = await openDesk();
    const { code, err } = await desk.landfall('status');
    assert.equal(code, 2);
    assert.match(err, /^There is no landfall\.yaml in .* Only 'landfall dev' works without\.\n$/);
    await desk.leave();
  });

  it('say how to come to a database and to Temporal', async () => {
    const desk = await openDesk(yamlOf('a'));
    const status = await desk.landfall('status');
    assert.equal(status.code, 2);
    assert.match(
      status.err,
      /^No Postgres is configured, and no 'landfall dev' runs in this directory\. Set postgres\.url/,
    );
    const setup = await desk.landfall('backfill', 'a', '--from', '2026-01-01', '--to', '2026-01-01');
    assert.equal(setup.code, 2);
    assert.match(setup.err, /^No Temporal is configured, .* Set TEMPORAL_ADDRESS/);
    await desk.leave();
  });

  it('name the server that cannot be reached, and no password', async () => {
    const desk = await openDesk(
      yamlOf('a', 'postgres: { url: "postgres://u:hunter2@127.0.0.1:1/warehouse" }'),
    );
    const { code, out, err } = await desk.landfall('status');
    assert.deepEqual([code, out], [1, '']);
    assert.equal(
      err,
      'Postgres at 127.0.0.1:1/warehouse cannot be reached (ECONNREFUSED). Check that it runs and that postgres.url ' +
        'leads to it.\n',
    );
    await desk.leave();
  });
});

describe('a delivery on the command line', () => {
  const env = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const database = 'postgres: { url: "postgres://u@127.0.0.1:1/warehouse" }';
  const cases: readonly (readonly [string, string])[] = [
    [
      'experiments',
      "'experiments' is not the id of a delivery: that is <source>/<what the vendor calls it>, such as " +
        'experiments/events/2026-11-20.',
    ],
    [
      'experiments/2026-11-20/events/more',
      "'experiments/2026-11-20/events/more' is not the id of a delivery of experiments: that is such as " +
        'experiments/events/2026-11-20.',
    ],
    [
      'experiment/events/2026-11-20',
      "The configuration has no source 'experiment'; did you mean 'experiments'? It has experiments.",
    ],
    [
      'experiments/event/2026-11-20',
      "Source 'experiments' does not load 'event'; did you mean 'events'? Its types are decisions, events.",
    ],
    ['experiments/events/2026-11-31', "'2026-11-31' is not a day (YYYY-MM-DD)."],
  ];
  for (const [id, message] of cases) {
    it(`is not ${id}`, async () => {
      const desk = await openDesk(yamlOf('experiments', database), env);
      assert.deepEqual(await desk.landfall('reprocess', id, '--reason', 'x'), {
        code: 2,
        out: '',
        err: `${message}\n`,
      });
      await desk.leave();
    });
  }

  it('is asked for with a reason that says something', async () => {
    const desk = await openDesk(yamlOf('experiments', database), env);
    const { code, err } = await desk.landfall('skip', 'experiments/events/2026-11-20', '--reason', ' ');
    assert.equal(code, 2);
    assert.equal(err, '--reason is empty. Say why: it is kept in the ledger.\n');
    await desk.leave();
  });

  for (const [from, to, message] of [
    ['2026-01-02', '2026-01-01', '--from 2026-01-02 lies after --to 2026-01-01.'],
    ['2026-01-02', '9999-01-01', '--to 9999-01-01 has not begun: today is '],
  ] as const) {
    it(`is not backfilled from ${from} to ${to}`, async () => {
      const desk = await openDesk(yamlOf('experiments', database), env);
      const { code, err } = await desk.landfall('backfill', 'experiments', '--from', from, '--to', to);
      assert.equal(code, 2);
      assert(err.startsWith(message), err);
      await desk.leave();
    });
  }
});
