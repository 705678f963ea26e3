/** What the data say: a metric of each source, asked of the tables that landed. */

import pg from 'pg';

import type { SourceConfig } from '../../config/schema.js';
import { writeTable, type TableColumn } from '../table.js';

type Row = Readonly<Record<string, string | null>>;

export interface Landed {
  readonly source: string;
  readonly vendor: string;
  readonly schema: string;
  /** Texts by column, as Postgres writes them. */
  readonly results: readonly Row[];
}

interface Question {
  /** What is asked, for a heading; `schema` is quoted. */
  readonly heading: (schema: string) => string;
  readonly query: (schema: string) => string;
  readonly columns: readonly TableColumn<Row>[];
}

const cents = (value: string | null | undefined): string => (Number(value) / 100).toFixed(2);

const questions: Readonly<Record<SourceConfig['vendor'], Question>> = {
  optimizely: {
    heading: (schema) => `Results of the experiments, by select * from ${schema}.experiment_results():`,
    query: (schema) =>
      `select experiment_id, variation_id, unique_visitors_full_stack::text as visitors,
              total_conversions::text as conversions, total_revenue::text as revenue
       from ${schema}.experiment_results()
       order by experiment_id, variation_id limit 20`,
    columns: [
      { title: 'EXPERIMENT', cell: (row) => row['experiment_id'] ?? undefined },
      { title: 'VARIATION', cell: (row) => row['variation_id'] ?? undefined },
      { title: 'VISITORS', cell: (row) => Number(row['visitors']) },
      { title: 'CONVERSIONS', cell: (row) => Number(row['conversions']) },
      { title: 'REVENUE', cell: (row) => cents(row['revenue']) },
    ],
  },
  megaphone: {
    heading: (schema) => `Downloads as Megaphone reports them, by ${schema}.daily_episode:`,
    query: (schema) =>
      `select export_date::text as day, count(distinct podcast_id)::text as podcasts,
              sum(downloads)::text as downloads, sum(requests)::text as requests
       from ${schema}.daily_episode
       group by export_date order by export_date desc limit 20`,
    columns: [
      { title: 'DAY', cell: (row) => row['day'] ?? undefined },
      { title: 'PODCASTS', cell: (row) => Number(row['podcasts']) },
      { title: 'DOWNLOADS', cell: (row) => Number(row['downloads']) },
      { title: 'REQUESTS', cell: (row) => Number(row['requests']) },
    ],
  },
  leanplum: {
    heading: (schema) =>
      `Sessions by Pacific day, as Leanplum counts them, by ${schema}.daily_session_pacific:`,
    query: (schema) =>
      `select pacific_date::text as day, sessions::text, users::text, round(average_duration::numeric, 1)::text as seconds
       from ${schema}.daily_session_pacific
       order by pacific_date desc limit 20`,
    columns: [
      { title: 'DAY', cell: (row) => row['day'] ?? undefined },
      { title: 'SESSIONS', cell: (row) => Number(row['sessions']) },
      { title: 'USERS', cell: (row) => Number(row['users']) },
      { title: 'AVERAGE SECONDS', cell: (row) => Number(row['seconds']) },
    ],
  },
  monetate: {
    heading: (schema) => `Variants by the revenue of the sessions that saw them, by ${schema}.daily_variant:`,
    query: (schema) =>
      `select coalesce(experience_name, 'of no known name') as experience, coalesce(variant_name, variant_id) as variant,
              sum(sessions)::text as sessions, sum(purchase_sessions)::text as purchasing, sum(revenue)::text as revenue
       from ${schema}.daily_variant
       group by variant_id, 1, 2 order by sum(revenue) desc, variant_id limit 10`,
    columns: [
      { title: 'EXPERIENCE', cell: (row) => row['experience'] ?? undefined },
      { title: 'VARIANT', cell: (row) => row['variant'] ?? undefined },
      { title: 'SESSIONS', cell: (row) => Number(row['sessions']) },
      { title: 'PURCHASING', cell: (row) => Number(row['purchasing']) },
      { title: 'REVENUE', cell: (row) => Number(row['revenue']).toFixed(2) },
    ],
  },
  dynatrace: {
    heading: (schema) => `User sessions by application, from ${schema}.user_session:`,
    query: (schema) =>
      `select application_type as application, count(*)::text as sessions, sum(user_action_count)::text as actions,
              sum(total_error_count)::text as errors
       from ${schema}.user_session
       group by application_type order by count(*) desc, application_type limit 10`,
    columns: [
      { title: 'APPLICATION', cell: (row) => row['application'] ?? undefined },
      { title: 'SESSIONS', cell: (row) => Number(row['sessions']) },
      { title: 'ACTIONS', cell: (row) => Number(row['actions']) },
      { title: 'ERRORS', cell: (row) => Number(row['errors']) },
    ],
  },
};

/** Asks each source's own question of what landed. */
export async function readLanded(
  pool: pg.Pool,
  sources: readonly SourceConfig[],
): Promise<readonly Landed[]> {
  return Promise.all(
    sources.map(async ({ name, vendor, schema }) => {
      const { rows } = await pool.query<Row>(questions[vendor].query(pg.escapeIdentifier(schema)));
      return { source: name, vendor, schema, results: rows };
    }),
  );
}

export function writeLanded({ vendor, schema, results }: Landed): string {
  const question = questions[vendor as SourceConfig['vendor']];
  return `${question.heading(schema)}\n${writeTable(results, question.columns)}`;
}
