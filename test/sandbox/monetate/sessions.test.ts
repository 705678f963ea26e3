import assert from 'node:assert/strict';

import { addDays, startOfDay } from '../../../model/day.js';
import { forgottenPageEvent, forgottenVariant } from '../../../sandbox/monetate/happenings.js';
import { customTargets, pageEvents, variants } from '../../../sandbox/monetate/names.js';
import type { Session } from '../../../sandbox/monetate/session.js';
import { makeSessions, type SessionsToMake } from '../../../sandbox/monetate/sessions.js';
import { session as declared } from '../../../vendors/monetate/tables.js';

const date = '2026-11-20';
const hour = 3_600_000;
const make = (more: Partial<SessionsToMake> = {}): readonly Session[] =>
  makeSessions({ date, sessions: 1_300, ...more });
const made = make();
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const cents = (money: number): number => Math.round(money * 100);

describe("the sandbox's Monetate sessions", () => {
  it('have the fields of the vendor’s page, and no others', () => {
    const fields = declared.columns.flatMap((column) => ('field' in column ? [column.field] : []));
    assert.equal(fields.length, 45);
    const seen = new Set(made.flatMap((session) => Object.keys(session)));
    assert.deepEqual([...seen].sort(), fields.toSorted());
  });

  it('are the same every time, whatever number of them is made, and others with another seed or day', () => {
    assert.deepEqual(make(), made);
    assert.deepEqual(make({ sessions: 200 }), made.slice(0, 200));
    const ids = new Set(made.map(({ session_id: id }) => id));
    assert.equal(ids.size, 1_300);
    for (const other of [make({ seed: 'other' }), make({ date: addDays(date, 1) })]) {
      assert.ok(other.every(({ session_id: id }) => !ids.has(id)));
    }
  });

  it('are known by visitor, purchases and times', () => {
    for (const { session_id: id, guid, purchase_count: count, start_time: start, end_time: end } of made) {
      assert.equal(id, `${guid}:${count}:${start}:${end}`);
      assert.match(guid, /^1234:5\.\d+\.\d{13}$/);
    }
  });

  it('begin on their day, at the hours at which people are awake, and end by 12:30 of the next', () => {
    const midnight = startOfDay(date);
    const hours = Array<number>(24).fill(0);
    for (const { start_time: start, end_time: end } of make({ sessions: 6_000 })) {
      hours[Math.floor((start - midnight) / hour)]! += 1;
      assert.ok(start < midnight + 24 * hour);
      assert.ok(end >= start + hour / 2 && end <= start + 12.5 * hour);
    }
    assert.ok(Math.min(...hours) > 0);
    assert.ok(Math.max(...hours) > 5 * Math.min(...hours), String(hours));
  });

  it('last for minutes mostly, some for hours, and some from the last minute of the day on for 12 hours', () => {
    const lasting = (from: number, to: number): readonly Session[] =>
      made.filter(({ time_on_site: seconds }) => seconds >= from && seconds < to);
    assert.ok(lasting(0, 3_600).length > 1_150);
    assert.ok(lasting(3_600, 43_200).length > 10);
    const longest = lasting(43_200, Infinity);
    assert.equal(longest.length, 22);
    const last = longest.filter(({ start_time: start }) => start >= startOfDay(date) + 24 * hour - 60_000);
    assert.deepEqual(
      last.map(({ end_time: end }) => new Date(end).toISOString().slice(0, 16)),
      Array(5).fill('2026-11-21T12:29'),
    );
  });

  it('are several of a visitor, one after the other, on neighbouring days too', () => {
    const byVisitor = new Map<string, Session[]>();
    for (const session of [
      ...make({ date: addDays(date, -1) }),
      ...made,
      ...make({ date: addDays(date, 6) }),
    ]) {
      byVisitor.set(session.guid, [...(byVisitor.get(session.guid) ?? []), session]);
    }
    const visits = [...byVisitor.values()].map((sessions) =>
      sessions.toSorted((a, b) => a.start_time - b.start_time),
    );
    for (const sessions of visits) {
      for (const [index, { start_time: start }] of sessions.entries()) {
        assert.ok(start > (sessions[index - 1]?.end_time ?? 0));
        assert.deepEqual(sessions[index]!.custom_targets, sessions[0]!.custom_targets);
      }
    }
    assert.deepEqual(new Set(visits.map(({ length }) => length)), new Set([6, 4, 3, 2, 1]));
  });

  it('agree with themselves', () => {
    for (const session of made) {
      const { page_views: views, time_on_site: seconds, start_time: start } = session;
      assert.equal(seconds, Math.floor((session.end_time - 30 * 60_000 - start) / 1_000));
      assert.deepEqual([session.page_views_ss, session.time_on_site_ss], [views ** 2, seconds ** 2]);
      assert.equal(session.is_bounce, views === 1 ? 't' : 'f');
      assert.equal(session.has_product_view, session.product_view_count > 0 ? 't' : 'f');
      assert.equal(session.has_cart, (session.cart_lines ?? []).length > 0 ? 't' : 'f');
      assert.ok(views === 2_600 || (session.view_lines ?? []).length === session.product_view_count);
      const times = [
        ...Object.values({ ...session.offers, ...session.page_event_ids }),
        ...[...(session.view_lines ?? []), ...(session.cart_lines ?? [])].map(({ time }) => time!),
        ...Object.values(session.purchase_lines ?? {}).map(({ time }) => time),
      ];
      assert.ok(times.every((time) => time >= start && time <= start + seconds * 1_000 + 999));
    }
  });

  it('are worth what was bought in them', () => {
    const buying = made.filter(({ has_purchase: has }) => has === 't');
    assert.ok(buying.length > 150 && buying.some(({ purchase_count: count }) => count === 2));
    for (const session of buying) {
      const values = Object.values(session.purchases ?? {}).map(cents);
      assert.equal(values.length, session.purchase_count);
      assert.equal(sum(values), cents(session.session_value));
      assert.equal(session.session_value_ss, sum(values) ** 2 / 10_000);
      assert.equal(session.purchase_value_ss, sum(values.map((value) => value ** 2)) / 10_000);
      for (const [id, { total_value: total, items }] of Object.entries(session.purchase_lines ?? {})) {
        assert.equal(session.purchases![id], total);
        assert.equal(sum(items.map((item) => cents(item.unit_price!) * item.quantity!)), cents(total));
      }
    }
    const ids = buying.flatMap(({ purchases }) => Object.keys(purchases ?? {}));
    assert.equal(new Set(ids).size, ids.length);
  });

  it('have ids that the account has names for, and one of each kind that was forgotten', () => {
    const ids = (of: (session: Session) => object | null | undefined): Set<string> =>
      new Set(made.flatMap((session) => Object.keys(of(session) ?? {})));
    const all = (named: readonly { id: string }[], ...more: string[]): Set<string> =>
      new Set([...named.map(({ id }) => id), ...more]);
    assert.deepEqual(
      ids(({ offers }) => offers),
      all(variants, forgottenVariant),
    );
    assert.deepEqual(
      ids(({ page_event_ids: events }) => events),
      all(pageEvents, forgottenPageEvent),
    );
    assert.deepEqual(
      ids(({ custom_targets: targets }) => targets),
      all(customTargets),
    );
  });

  it('show a visitor one variant of an experience', () => {
    for (const { offers } of made) {
      const shown = variants.filter(({ id }) => id in (offers ?? {}));
      assert.equal(new Set(shown.map((variant) => variant.experience_id)).size, shown.length);
    }
  });

  it('have what holds nothing empty, null or not at all, and targets of all kinds', () => {
    for (const field of ['offers', 'cart_lines', 'purchases', 'view_lines', 'custom_targets'] as const) {
      const kinds = made.map((session) => {
        const value = session[field];
        return value === null || value === undefined ? value : Object.keys(value).length > 0;
      });
      assert.deepEqual(new Set(kinds), new Set([true, false, null, undefined]), field);
    }
    const values = made.flatMap(({ custom_targets: targets }) => Object.values(targets ?? {}));
    const kinds = values.map((value) => (Array.isArray(value) ? `list of ${value.length}` : typeof value));
    assert.deepEqual(
      new Set(kinds),
      new Set(['string', 'number', 'object', 'list of 0', 'list of 2', 'list of 3']),
    );
  });

  it('are bots’ now and then, whose fields are cut at about 1,000', () => {
    const most = (field: 'view_lines' | 'cart_lines'): readonly number[] =>
      made.map((session) => (session[field] ?? []).length).filter((length) => length > 500);
    assert.deepEqual(most('view_lines'), [1_003, 999, 1_003, 999, 1_003, 999]);
    assert.deepEqual(most('cart_lines'), [1_000, 1_000]);
  });

  it('have fields that are not on the page when asked', () => {
    const odd = make({ unknownKeys: true }).filter((session) => 'product_types_viewed' in session);
    assert.equal(odd.length, 130);
    assert.ok(odd.every((session) => typeof session.session_value_from_recommendations === 'number'));
  });
});
