/**
 * Columns of the two tables, in the order of the vendor's schema page. The DDL is in sql/001-tables.sql; a test holds
 * the two against each other.
 */

import type { Column, Table } from '../table.js';

const text = (name: string): Column => ({ name, type: 'text', field: name });
const timestamp = (name: string): Column => ({ name, type: 'timestamptz', field: name });
const json = (name: string): Column => ({ name, type: 'jsonb', field: name });

const decision: Table = {
  name: 'decision',
  key: 'uuid',
  ofFile: ['export_date', 'partition_value'],
  columns: [
    text('uuid'),
    timestamp('timestamp'),
    timestamp('process_timestamp'),
    text('visitor_id'),
    text('session_id'),
    text('account_id'),
    text('campaign_id'),
    text('experiment_id'),
    text('variation_id'),
    json('attributes'),
    text('user_ip'),
    text('user_agent'),
    text('referer'),
    { name: 'is_holdback', type: 'boolean', field: 'is_holdback' },
    text('revision'),
    text('client_engine'),
    text('client_version'),
  ],
};

const conversion: Table = {
  name: 'conversion',
  key: 'uuid',
  ofFile: ['export_date', 'partition_value'],
  columns: [
    text('uuid'),
    timestamp('timestamp'),
    timestamp('process_timestamp'),
    text('visitor_id'),
    text('session_id'),
    text('account_id'),
    json('experiments'),
    text('entity_id'),
    json('attributes'),
    text('user_ip'),
    text('user_agent'),
    text('referer'),
    text('event_type'),
    text('event_name'),
    { name: 'revenue', type: 'bigint', field: 'revenue' },
    { name: 'value', type: 'double precision', field: 'value' },
    { name: 'quantity', type: 'bigint', field: 'quantity' },
    json('tags'),
    text('revision'),
    text('client_engine'),
    text('client_version'),
  ],
};

/** By the vendor's name for the type. */
export const optimizelyTables = { decisions: decision, events: conversion } as const;

export type OptimizelyType = keyof typeof optimizelyTables;
