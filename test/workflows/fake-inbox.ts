/** An inbox and the deliveries of it as far as workflows see them, on the test server's clock. */

import type { TestWorkflowEnvironment } from '@temporalio/testing';

import type { Activities } from '../../activities/create.js';
import type { DeliveryStart } from '../../config/delivery-start.js';
import type { Finality } from '../../model/delivery.js';
import type { InboxSeen } from '../../model/inbox.js';
import type { LedgerDelivery } from '../../warehouse/ledger-delivery.js';
import { fakeLandfall } from './fake-landfall.js';

interface Body {
  readonly at: number;
  readonly bytes: number;
  delivery?: string;
}

export interface FakeInbox {
  readonly activities: Activities;
  readonly bodies: Body[];
  readonly ledger: Map<string, Finality>;
  /** Epoch ms of each gathering, and the room that it had. */
  readonly gathered: { readonly at: number; readonly room: number }[];
  /** Loads that are staged or published now, and the most that there were. */
  atWork: number;
  mostAtWork: number;
  counted: number;
  /** Ids, as often as they were published. */
  readonly published: string[];
  /** Awaited inside the step before it is done; may throw what the step should throw. */
  during: Partial<Record<'gather' | 'count' | 'stage' | 'publish', (id: string) => Promise<void> | void>>;
  gatherBytes: number;
}

export function fakeInbox(environment: () => TestWorkflowEnvironment): FakeInbox {
  const known = (id: string): LedgerDelivery => {
    const finality = inbox.ledger.get(id) ?? 'waiting';
    return { id, byRule: false, finality, published: finality === 'final' };
  };
  const unsettled = (): string[] =>
    [...inbox.ledger].flatMap(([id, finality]) => (['waiting', 'loading'].includes(finality) ? [id] : []));
  const seen = (): InboxSeen => {
    const late = inbox.bodies.filter(
      ({ delivery }) => delivery === undefined || unsettled().includes(delivery),
    );
    const oldest = late.map(({ at }) => at).sort()[0];
    const bytes = late.reduce((sum, body) => sum + body.bytes, 0);
    return {
      depth: { bodies: late.length, bytes, ...(oldest === undefined ? {} : { oldest }) },
      failed: [...inbox.ledger.values()].filter((finality) => finality === 'failed').length,
    };
  };
  const startOf = (id: string): DeliveryStart => ({
    ...{ workflowType: 'dynatrace', workflowId: id, staticSummary: id, staticDetails: id },
    input: {
      ...{ id, source: 'rum', vendor: 'dynatrace', type: 'sessions', date: '2026-11-20' },
      ...{ deadline: 0, pollEvery: 60_000, inFlight: 2, heartbeatTimeout: 20_000 },
    },
  });

  const inbox: FakeInbox = {
    ...{ bodies: [], ledger: new Map(), gathered: [], published: [], during: {} },
    ...{ atWork: 0, mostAtWork: 0, counted: 0, gatherBytes: 1_000 },
    activities: {
      ...fakeLandfall(environment).activities,
      openDelivery: ({ id }) => {
        if (!inbox.ledger.has(id)) inbox.ledger.set(id, 'waiting');
        return Promise.resolve(known(id));
      },
      look: ({ delivery }) =>
        Promise.resolve({ awaited: 'its bodies', marker: { key: delivery.id, version: 'v' } }),
      plan: ({ delivery }) =>
        Promise.resolve({
          ...{
            loadId: delivery.id,
            files: 1,
            bytes: 10,
            batches: 1,
            published: false,
            nextBatch: 0,
            ignored: 0,
          },
          staged: { files: 0, bytes: 0, parsed: 0, loaded: 0, quarantined: 0 },
        }),
      stage: async ({ delivery }) => {
        inbox.atWork += 1;
        inbox.mostAtWork = Math.max(inbox.mostAtWork, inbox.atWork);
        try {
          await inbox.during.stage?.(delivery.id);
        } catch (error) {
          inbox.atWork -= 1;
          throw error;
        }
        return { files: 1, bytes: 10, parsed: 5, loaded: 5, quarantined: 0 };
      },
      publish: async ({ delivery, finality }) => {
        await inbox.during.publish?.(delivery.id);
        inbox.published.push(delivery.id);
        inbox.ledger.set(delivery.id, finality);
        inbox.atWork -= 1;
        return { files: 1, bytes: 10, parsed: 5, loaded: 4, quarantined: 0, duplicate: 1 };
      },
      record: ({ id, finality }) => {
        if (finality !== undefined) inbox.ledger.set(id, finality);
        return Promise.resolve(known(id));
      },
      settledDeliveries: ({ ids }) => {
        const open = unsettled();
        return Promise.resolve({
          settled: ids
            .filter((id) => !open.includes(id))
            .map((delivery) => ({ delivery, finality: known(delivery).finality, reason: 'asked' })),
          waiting: [],
        });
      },
      gather: async ({ known: started, room }) => {
        await inbox.during.gather?.('');
        inbox.gathered.push({ at: await environment().currentTimeMs(), room });
        const left = (): string[] => unsettled().filter((id) => !started.includes(id));
        while (left().length < room) {
          const waiting = inbox.bodies.filter(({ delivery }) => delivery === undefined);
          if (waiting.length === 0) break;
          const id = `rum/2026-11-20/${inbox.bodies.indexOf(waiting[0]!) + 1}`;
          let bytes = 0;
          for (const body of waiting) {
            bytes += body.bytes;
            if (bytes > inbox.gatherBytes && body !== waiting[0]) break;
            body.delivery = id;
          }
          inbox.ledger.set(id, 'waiting');
        }
        const starts = left().slice(0, room);
        const more = left().length > room || inbox.bodies.some(({ delivery }) => delivery === undefined);
        return {
          ...{ starts: starts.map(startOf), more, ...seen() },
          ...{ gatherBytes: inbox.gatherBytes, gatherWithin: 10_000 },
        };
      },
      countInbox: async () => {
        inbox.counted += 1;
        await inbox.during.count?.('');
        return seen();
      },
    },
  };
  return inbox;
}
