import type { Delivery } from '../model/delivery.js';
import { discardDelivery } from '../warehouse/discard-delivery.js';
import { answerByLoad } from '../warehouse/ledger-change.js';
import { publishLoad } from '../warehouse/publish-load.js';
import type { PublishedLoad } from '../warehouse/publish-request.js';
import type { Dependencies } from './dependencies.js';
import { withHeartbeat } from './heartbeat.js';
import { targetOf } from './target.js';

export interface PublishStep {
  readonly delivery: Delivery;
  readonly loadId: string;
  readonly finality: 'provisional' | 'final';
  /** Why it has this finality, as a sentence. */
  readonly reason: string;
  /** What people should know of it. */
  readonly notice?: string;
  /** Requests of the wishes that are done with it. */
  readonly answers?: readonly string[];
  /** Why a person accepts the load that was held. */
  readonly accepted?: string;
}

export function createPublish({ pool, source }: Dependencies) {
  return async function publish(step: PublishStep): Promise<PublishedLoad> {
    const { config, vendor } = source(step.delivery.source);
    return withHeartbeat(
      () => ({ publishing: step.delivery.id }),
      async (signal) => {
        const published = await publishLoad(
          pool,
          {
            loadId: step.loadId,
            deliveryId: step.delivery.id,
            target: targetOf(config, vendor, step.delivery),
            quarantineLimit: config.quarantineLimit,
            finality: step.finality,
            reason: step.reason,
            notice: step.notice,
            onlyGrows: vendor.onlyGrows,
            shrinkLimit: config.shrinkLimit,
            accepted: step.accepted,
            answers: step.answers,
          },
          signal,
        );
        // A step that dies in between is repeated, and finds the load published.
        await answerByLoad(pool, step.delivery.id, step.answers ?? []);
        return published;
      },
    );
  };
}

export interface DiscardStep {
  readonly delivery: Delivery;
  readonly reason: string;
  readonly request: string;
  /** Requests of the wishes that are done with it. */
  readonly answers?: readonly string[];
}

export function createDiscard({ pool, source }: Dependencies) {
  /** Returns why it is discarded, as a sentence. */
  return async function discard(step: DiscardStep): Promise<string> {
    const { config, vendor } = source(step.delivery.source);
    return discardDelivery(pool, {
      deliveryId: step.delivery.id,
      target: targetOf(config, vendor, step.delivery),
      reason: step.reason,
      request: step.request,
      answers: step.answers ?? [],
    });
  };
}
