/** Lines as Monetate's page describes them: sessions of some 1.4 kB with 8 to 25 rows within each. */
export function* documentLines(from: number, count: number): Generator<string> {
  for (let number = from; number < from + count; number += 1) {
    const start = 1_795_169_400_123 + number * 77;
    const end = start + 600_000 + (number % 977);
    const guid = `1234:2.${1e9 + ((number * 7_919) % 1e9)}.${start}`;
    const buys = number % 25 === 0;
    const carts = number % 8 === 0;
    const item = (place: number, priced: boolean): object => ({
      product_id: `p-${(number * 13 + place * 7) % 9_000}`,
      sku: `s-${(number + place) % 20_000}`,
      time: start + place * 9_000,
      ...(priced ? { unit_price: 29.95, quantity: 1 } : {}),
    });
    const list = (length: number, priced: boolean): object[] =>
      Array.from({ length }, (_, place) => item(place, priced));
    const seen = (length: number, first: number, of: number): Record<string, number> =>
      Object.fromEntries(
        Array.from({ length }, (_, place) => [
          `${first + ((number * 31 + place * 17) % of)}`,
          start + place * 1_000,
        ]),
      );
    const targets = [`v-${number % 1_000}`, 'gold', number].slice(0, number % 4);
    yield `${JSON.stringify({
      session_id: `${guid}:${buys ? 1 : 0}:${start}:${end}`,
      ...{ account_id: 1_234, guid, start_time: start, end_time: end, session_count: 1 },
      ...{
        customer_id: number % 3 ? `c-${number % 50_000}` : null,
        customer_link: number % 5 ? '' : `c-${number}`,
      },
      ...{ time_on_site: 600 + (number % 977), time_on_site_ss: (600 + (number % 977)) ** 2 },
      ...{ is_closed: 't', is_bounce: number % 3 === 0 ? 't' : 'f', has_stealth: 'f', has_new_customer: 'f' },
      ...{ browser: 'Chrome', browser_version: '142.0.0', os: 'Mac OS X', os_version: '10.15.7' },
      ...{ device_type: 'desktop', screen_width: 1_920, screen_height: 1_080 },
      ...{ country_code: 'US', region: 'CA', city: 'San Francisco' },
      ...{ page_views: 1 + (number % 17), page_views_ss: (1 + (number % 17)) ** 2 },
      ...{
        has_product_view: number % 4 ? 't' : 'f',
        product_view_count: number % 6,
        has_cart: carts ? 't' : 'f',
      },
      ...{
        has_purchase: buys ? 't' : 'f',
        purchase_count: buys ? 1 : 0,
        purchase_value_ss: buys ? 3_588.01 : 0,
      },
      ...{ session_value: buys ? 59.9 : 0, session_value_ss: buys ? 3_588.01 : 0 },
      ...{ has_recommendation_impression: number % 2 ? 'f' : 't', has_recommendation_click: 'f' },
      ...{ has_recommendation_cart: 'f', has_recommendation_purchase: 'f' },
      offers: seen(4 + (number % 5), 800_000, 500),
      page_event_ids: seen(3 + (number % 4), 70_000, 90),
      custom_targets: Object.fromEntries(targets.map((value, place) => [`${11 + place}`, value])),
      view_lines: list(number % 6, false),
      cart_lines: list(carts ? 2 : 0, true),
      purchases: buys ? { [`o-${number}`]: 59.9 } : {},
      purchase_lines: buys ? { [`o-${number}`]: { total_value: 59.9, time: end, items: list(2, true) } } : {},
    })}\n`;
  }
}
