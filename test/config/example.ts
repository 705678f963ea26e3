/** The configuration of the README, word for word. */
export const example = `
postgres: { url: \${DATABASE_URL} }          # absent: embedded, under ./.landfall
temporal: { profile: default, taskQueue: landfall }   # connection: temporal.toml / TEMPORAL_*
sources:
  experiments:
    vendor: optimizely
    schema: optimizely                      # default: the vendor's name; two sources may not share one
    types: [decisions, events]              # default: both
    store: { type: s3, bucket: b, prefix: v1/account_id=596780373/, region: us-east-1,
             endpoint: http://127.0.0.1:9000, forcePathStyle: true, accessKeyId: \${K}, secretAccessKey: \${S} }
    # or, instead of keys: credentials: { optimizelyToken: \${TOKEN} }
    pollEvery: 15 minutes
    giveUpAfter: 3 days                     # no _SUCCESS by then: the delivery fails, visibly
    quarantineLimit: 1%                     # more bad rows than that: nothing is published
`;

export const exampleEnv = {
  DATABASE_URL: 'postgres://loader:pa55word@db.internal:5432/warehouse',
  K: 'AKIAEXAMPLEKEY',
  S: 'verysecretkey',
  TOKEN: '2:verysecrettoken',
};
