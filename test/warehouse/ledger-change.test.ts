import assert from 'node:assert/strict';

import { nameDay } from '../../config/name-delivery.js';
import type { Finality } from '../../model/delivery.js';
import { answerByLoad, recordChange, type DeliveryChange } from '../../warehouse/ledger-change.js';
import { discardDelivery } from '../../warehouse/discard-delivery.js';
import { openDelivery } from '../../warehouse/ledger-delivery.js';
import { targetOf } from '../../activities/target.js';
import { vendors } from '../../vendors/registry.js';
import { testSource, type TestSource } from '../support/landfall.js';

const wished = { wish: 'discard', reason: 'a request by law', request: 'r1' };

describe('what the ledger is told of a delivery', () => {
  let source: TestSource;
  let id: string;
  beforeEach(async () => {
    source = await testSource();
    const delivery = nameDay(source.config, 'events', '2026-03-01');
    ({ id } = delivery);
    await openDelivery(source.database.pool, delivery, Date.now());
  });
  afterEach(() => source.drop());

  let requests = 0;
  const change = (
    kind: string,
    finality: Finality | undefined,
    reason: string,
    more: Partial<DeliveryChange> = {},
  ) => {
    const of = { id, kind, reason, request: `test-${++requests}`, ...more };
    return recordChange(source.database.pool, finality === undefined ? of : { ...of, finality });
  };
  const row = async (columns: string) => (await source.rows(`select ${columns} from landfall.delivery`))[0];
  /** Rows of it are visible. */
  const publish = async (finality: Finality): Promise<void> => {
    await change(finality, finality, 'what made it so', { ofVisible: true });
    await source.database.pool.query('update landfall.delivery set published_at = now()');
  };

  for (const [kind, finality] of [
    ['loading', 'loading'],
    ['skipped', 'skipped'],
    ['cancelled', 'waiting'],
    ['failed', 'failed'],
  ] as const) {
    it(`${kind}: leaves a final day the reason that made it final; its history has the other`, async () => {
      await publish('final');
      await change(kind, finality, 'something else', kind === 'cancelled' ? { unlessSettled: true } : {});
      assert.deepEqual(await row('finality, reason'), { finality: 'final', reason: 'what made it so' });
      const [event] = await source.rows('select kind, reason from landfall.delivery_event order by id desc');
      assert.deepEqual(event, { kind, reason: 'something else' });
    });
  }

  it('says of a final day what could not be done with it, until it is or something else is asked for', async () => {
    await publish('final');
    await change('failed', 'failed', 'The store is gone.');
    assert.deepEqual(await row('refusal'), { refusal: 'It could not be loaded again: The store is gone.' });
    await change('signal:discard', undefined, wished.reason, { wish: wished, request: 'r1' });
    assert.deepEqual(await row('refusal'), { refusal: null });
    await change('failed', 'failed', 'No permission.', { answers: ['r1'] });
    assert.deepEqual(await row('wish, refusal'), {
      wish: null,
      refusal: 'discard could not be done: No permission.',
    });
    await answerByLoad(source.database.pool, id, []);
    assert.deepEqual(await row('refusal'), { refusal: null });
  });

  it('keeps what is asked for until that, and nothing earlier, is answered', async () => {
    const { wish } = await change('signal:discard', undefined, wished.reason, { wish: wished });
    assert.deepEqual(wish, wished);
    await change('waiting', 'waiting', 'It waits.', { answers: ['r0'] });
    assert.deepEqual(await row('wish, wish_reason, wished_at is not null as dated'), {
      ...{ wish: 'discard', wish_reason: 'a request by law', dated: true },
    });
    await change('skipped', 'skipped', 'It is done.', { answers: ['r0', 'r1'] });
    assert.deepEqual(await row('wish, wish_reason, wished_at, wish_request'), {
      ...{ wish: null, wish_reason: null, wished_at: null, wish_request: null },
    });
  });

  for (const [finality, after] of [
    ['loading', 'waiting'],
    ['discarded', 'discarded'],
    ['skipped', 'skipped'],
    ['failed', 'failed'],
  ] as const) {
    it(`a cancelled workflow leaves it ${after} when it is ${finality}`, async () => {
      await change(finality, finality, 'because');
      const { finality: now } = await change('cancelled', 'waiting', 'cancelled', { unlessSettled: true });
      assert.equal(now, after);
    });
  }

  it('a discard of what is discarded says so, and leaves when and why it was', async () => {
    const target = targetOf(
      source.config,
      vendors.optimizely,
      nameDay(source.config, 'events', '2026-03-01'),
    );
    const discard = (reason: string, request: string) =>
      discardDelivery(source.database.pool, { deliveryId: id, target, reason, request });
    assert.equal(await discard('test traffic', 'd1'), 'test traffic');
    const before = await row('finality, since, reason');
    const again = await discard('to be sure', 'd2');
    assert.match(
      again,
      /^It is discarded already, since .* UTC \(test traffic\)\. Asked for again: to be sure$/,
    );
    assert.equal(await discard('to be sure', 'd2'), again, 'also when the step runs twice');
    assert.deepEqual(await row('finality, since, reason'), before);
    assert.deepEqual(
      (
        await source.rows(`select reason from landfall.delivery_event where kind = 'discarded' order by id`)
      ).map(({ reason }) => reason),
      ['test traffic', again],
    );
  });
});
