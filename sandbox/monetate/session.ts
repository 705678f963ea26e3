/**
 * What a session is, in the vendor's fields and the order of its page. Null is null, and what is undefined is a key that is
 * left out. Times are Unix milliseconds, money has at most two decimals.
 */

export type Flag = 't' | 'f';

/** What it is called inside is not public: these are names that can only mean that. */
export interface Item {
  readonly product_id: string;
  readonly sku?: string | undefined;
  readonly time?: number | undefined;
  readonly unit_price?: number | undefined;
  readonly quantity?: number | undefined;
  readonly total_value?: number | undefined;
}

export interface PurchaseLines {
  readonly total_value: number;
  readonly time: number;
  readonly items: readonly Item[];
}

/** Values by the id of a custom target. */
export type CustomTargets = Readonly<Record<string, string | number | null | readonly string[]>>;

/** Milliseconds by id. */
export type FirstSeen = Readonly<Record<string, number>>;

/** With what the visitor came, and from where. */
export interface Device {
  readonly browser: string;
  readonly browser_version: string;
  readonly device_type: string;
  readonly os: string;
  readonly os_version: string | null;
  readonly screen_height: number;
  readonly screen_width: number;
}

export interface Place {
  readonly city?: string | null;
  readonly country_code: string | null;
  readonly region?: string | null;
}

export interface Session extends Device, Place {
  readonly account_id: number;
  readonly cart_lines?: readonly Item[] | null | undefined;
  readonly custom_targets?: CustomTargets | null | undefined;
  readonly customer_id?: string | null | undefined;
  readonly customer_link?: string | null | undefined;
  readonly end_time: number;
  readonly guid: string;
  readonly has_cart: Flag;
  readonly has_new_customer: Flag;
  readonly has_product_view: Flag;
  readonly has_purchase: Flag;
  readonly has_recommendation_cart: Flag;
  readonly has_recommendation_click: Flag;
  readonly has_recommendation_impression: Flag;
  readonly has_recommendation_purchase: Flag;
  readonly has_stealth: Flag;
  readonly is_bounce: Flag;
  readonly is_closed: Flag;
  readonly offers?: FirstSeen | null | undefined;
  readonly page_event_ids?: FirstSeen | null | undefined;
  readonly page_views: number;
  readonly page_views_ss: number;
  readonly product_view_count: number;
  readonly purchase_count: number;
  readonly purchase_lines?: Readonly<Record<string, PurchaseLines>> | null | undefined;
  readonly purchase_value_ss: number;
  /** Money by purchase. */
  readonly purchases?: Readonly<Record<string, number>> | null | undefined;
  readonly session_count: 1;
  readonly session_id: string;
  readonly session_value: number;
  readonly session_value_ss: number;
  readonly start_time: number;
  /** Seconds. */
  readonly time_on_site: number;
  readonly time_on_site_ss: number;
  readonly view_lines?: readonly Item[] | null | undefined;
  /** Not on the page, as are all that begin so: a view of Monetate's inside shows such columns. */
  readonly product_types_viewed?: readonly string[] | undefined;
  readonly session_value_from_recommendations?: number | undefined;
}

/** A line of a file, without its line feed. */
export function sessionLine(session: Session): string {
  return JSON.stringify(session);
}
