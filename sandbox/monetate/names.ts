/** What the made-up account has: ids in the sandbox's sessions, and what its metadata API calls them. Pure data. */

/** As the metadata API gives it; ids are texts here, as in sessions, and numbers there. */
export interface MadeVariant {
  readonly id: string;
  readonly experience_id: string;
  readonly experience_name: string;
  readonly experience_type: string;
  readonly split_name: string;
  readonly split_description: string;
  readonly account_domain: string;
  readonly integration_type: string;
}

export interface MadePageEvent {
  readonly id: string;
  readonly title: string;
}

export interface MadeCustomTarget {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly is_identifier: boolean;
  readonly collects_person_id: boolean;
}

const experiences: readonly (readonly [name: string, type: string, integration: string])[] = [
  ['Free shipping banner', 'experience', 'js-tag'],
  ['Summer sale hero', 'experience', 'js-tag'],
  ['Cart abandonment reminder', 'experience', 'js-tag'],
  ['Recommended for you', 'recommendations', 'js-tag'],
  ['Search ranking', 'experience', 'engine-api'],
  ['Checkout in one page', 'experience', 'engine-api'],
  ['Newsletter opening', 'email', 'email'],
  ['Loyalty badge', 'experience', 'js-tag'],
];
const splits: readonly (readonly [name: string, description: string])[] = [
  ['Control', 'As it was'],
  ['Experiment A', 'The bolder one'],
  ['Experiment B', 'The quieter one'],
];

/** 100001 … 100024: three of each experience, 5001 … 5008. */
export const variants: readonly MadeVariant[] = experiences.flatMap(
  ([experience_name, experience_type, integration_type], experience) =>
    splits.map(([split_name, split_description], split) => ({
      id: String(100_001 + experience * splits.length + split),
      experience_id: String(5_001 + experience),
      ...{ experience_name, experience_type, split_name, split_description },
      account_domain: 'www.example.com',
      integration_type,
    })),
);

const titles = [
  ...[
    'Signed up',
    'Signed in',
    'Opened the size guide',
    'Watched the video',
    'Wrote a review',
    'Used search',
  ],
  ...['Filtered by colour', 'Saved to the wish list', 'Opened the chat', 'Found a shop', 'Used a coupon'],
  'Shared a product',
];

/** 200001 … 200012. */
export const pageEvents: readonly MadePageEvent[] = titles.map((title, index) => ({
  id: String(200_001 + index),
  title,
}));

/** 300001 … 300006. */
export const customTargets: readonly MadeCustomTarget[] = [
  target('300001', 'Loyalty tier', 'none, silver or gold'),
  target('300002', 'Favourite category', 'What the visitor looks at most'),
  target('300003', 'Shop account', 'The number of the account in the shop', { is_identifier: true }),
  target('300004', 'Mail address', 'For the newsletter', { is_identifier: true, collects_person_id: true }),
  target('300005', 'Weather', 'Where the visitor is'),
  target('300006', 'Referrer', 'The campaign that brought the visitor'),
];

function target(
  id: string,
  title: string,
  description: string,
  flags: Partial<Pick<MadeCustomTarget, 'is_identifier' | 'collects_person_id'>> = {},
): MadeCustomTarget {
  return { id, title, description, is_identifier: false, collects_person_id: false, ...flags };
}
