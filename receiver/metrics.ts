/** What the receiver counts, for Prometheus. */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { InboxDepth } from '../model/inbox.js';
import type { Memory } from './memory.js';
import type { Seen } from './seen.js';

export interface ReceiverMetrics {
  /** A request has come to its end. `seconds`: since it began. */
  finished(seen: Pick<Seen, 'source' | 'form'>, status: string, seconds: number): void;
  /** A body was put into the inbox. */
  kept(source: string, bytes: number, documents: number): void;
  nudgeFailed(source: string): void;
  /** Everything in Prometheus' text form. `depths` by source; undefined where Postgres did not tell. */
  write(depths: ReadonlyMap<string, InboxDepth> | undefined, now: number): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(memory: Memory): ReceiverMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'landfall_receiver_requests_total',
    help: 'Requests by source (empty where there is none of that name), form and status (aborted: the sender went away).',
    labelNames: ['source', 'form', 'status'] as const,
    registers,
  });
  const bytes = new Counter({
    name: 'landfall_receiver_bytes_total',
    help: 'Bytes of bodies that were put into the inbox, decompressed.',
    labelNames: ['source'] as const,
    registers,
  });
  const sessions = new Counter({
    name: 'landfall_receiver_sessions_total',
    help: 'Documents of bodies that were put into the inbox.',
    labelNames: ['source'] as const,
    registers,
  });
  const nudgeFailures = new Counter({
    name: 'landfall_receiver_nudge_failures_total',
    help: 'Times that Temporal could not be told of bodies. They wait in the inbox.',
    labelNames: ['source'] as const,
    registers,
  });
  const duration = new Histogram({
    name: 'landfall_receiver_request_duration_seconds',
    help: 'From the head of a request to the end of its answer.',
    labelNames: ['source'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  new Gauge({
    name: 'landfall_receiver_in_flight_bytes',
    help: 'Memory that bodies under way have reserved (at most receiver.memory).',
    registers,
    collect() {
      this.set(memory.held());
    },
  });
  new Gauge({
    name: 'landfall_receiver_waiting',
    help: 'Requests that wait for memory (at most receiver.maxWaiting).',
    registers,
    collect() {
      this.set(memory.waiting());
    },
  });
  const writeDepths = depthGauges(registers);

  return {
    finished: ({ source, form }, status, seconds) => {
      requests.inc({ source, form, status });
      duration.observe({ source }, seconds);
    },
    kept: (source, size, documents) => {
      bytes.inc({ source }, size);
      sessions.inc({ source }, documents);
    },
    nudgeFailed: (source) => nudgeFailures.inc({ source }),
    write: (depths, now) => {
      writeDepths(depths ?? new Map<string, InboxDepth>(), now);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

function depthGauges(registers: Registry[]): (depths: ReadonlyMap<string, InboxDepth>, now: number) => void {
  const labelNames = ['source'] as const;
  const bodies = new Gauge({
    name: 'landfall_inbox_bodies',
    help: 'Bodies whose rows are not published yet. Absent while Postgres is away, like the next two.',
    labelNames,
    registers,
  });
  const bytes = new Gauge({
    name: 'landfall_inbox_bytes',
    help: 'Bytes of them, decompressed.',
    labelNames,
    registers,
  });
  const oldest = new Gauge({
    name: 'landfall_inbox_oldest_seconds',
    help: 'Age of the oldest of them; 0 where there is none.',
    labelNames,
    registers,
  });
  return (depths, now) => {
    for (const gauge of [bodies, bytes, oldest]) gauge.reset();
    for (const [source, depth] of depths) {
      bodies.set({ source }, depth.bodies);
      bytes.set({ source }, depth.bytes);
      oldest.set({ source }, depth.oldest === undefined ? 0 : Math.max(0, now - depth.oldest) / 1000);
    }
  };
}
