import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import { filesOfFolder, planFiles } from '../../sandbox/monetate/day.js';
import type { MonetateFile } from '../../sandbox/monetate/files.js';
import { sessionLine, type Session } from '../../sandbox/monetate/session.js';
import { withWorker } from '../support/delivery.js';
import { monetateSource, type MonetateSource } from '../support/monetate.js';
import { daysAgo, dropConsistent, ended, putFiles } from '../support/monetate-day.js';

const date = daysAgo(30);
const maskKey = 'a key of at least thirty-two bytes';

/** What nobody is to find, of the values that can be told from others. */
function personal({ customer_id: id, customer_link: link, custom_targets: targets }: Session): string[] {
  const values = Object.values(targets ?? {}).flatMap((value) => value as string | readonly string[]);
  return [id, link, ...values].filter((value) => typeof value === 'string' && value.length > 7) as string[];
}

describe('personal data of Monetate sessions', function () {
  this.timeout(180_000);
  let source: MonetateSource;
  afterEach(() => dropConsistent(source));

  it('is nowhere in Postgres unless it is kept, not even of lines that cannot be loaded', async () => {
    source = await monetateSource({ schema: 'experiments', settleFor: '1 second', quarantineLimit: '50%' });
    const [first, ...others] = filesOfFolder(planFiles([{ date, sessions: 200 }]), date);
    const known = first!.sessions.concat(others.flatMap(({ sessions }) => sessions));
    const customer = known.find(({ customer_id: id }) => typeof id === 'string')!;
    const whole = sessionLine(customer);
    const bad: MonetateFile = {
      ...first!,
      badLines: [whole.slice(0, -9), whole.replace(/"page_views":\d+/, '"page_views":"n/a"')],
    };
    await putFiles(source, [bad, ...others]);
    await withWorker(source, async (client) => {
      const result = await ended(await source.start(client, source.input('sessions', date)));
      assert.equal(result.finality, 'final', result.reason);
      assert.equal(result.counts?.quarantined, 2);
    });
    const everything = await allText(source);
    const values = new Set(known.flatMap(personal));
    assert.ok(values.size > 20, String(values.size));
    for (const value of values) assert.ok(!everything.includes(value), value);
    assert.ok(!everything.includes(maskKey));
    const hashed = await source.rows(
      `select customer_id from experiments.session where session_id = '${customer.session_id}'`,
    );
    const hash = createHmac('sha256', maskKey).update(String(customer.customer_id)).digest('hex');
    assert.deepEqual(hashed, [{ customer_id: hash }]);
    assert.ok(everything.includes(customer.guid), 'what is no personal data is there');
  });
});

/** All rows of all tables. */
async function allText(source: MonetateSource): Promise<string> {
  const tables = await source.rows(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('experiments', 'landfall', 'landfall_staging', 'landfall_superseded')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    texts.push(
      ...(await source.rows(`select t::text as row from ${String(name)} t`)).map((row) => String(row['row'])),
    );
  }
  return texts.join('\n');
}
