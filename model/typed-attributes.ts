import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';

import { searchAttributes, type DeliveryInput } from './control.js';
import { startOfDay } from './day.js';

const sourceKey = defineSearchAttributeKey(searchAttributes.source, SearchAttributeType.KEYWORD);
const vendorKey = defineSearchAttributeKey(searchAttributes.vendor, SearchAttributeType.KEYWORD);
const dateKey = defineSearchAttributeKey(searchAttributes.date, SearchAttributeType.DATETIME);

/** Search attributes of a delivery's workflow. */
export function deliveryAttributes({ source, vendor, date }: DeliveryInput): SearchAttributePair[] {
  return [...sourceAttributes(source, vendor), { key: dateKey, value: new Date(startOfDay(date)) }];
}

/** Search attributes of what works for a whole source: backfills, its inbox and its schedules. */
export function sourceAttributes(source: string, vendor: string): SearchAttributePair[] {
  return [
    { key: sourceKey, value: source },
    { key: vendorKey, value: vendor },
  ];
}
