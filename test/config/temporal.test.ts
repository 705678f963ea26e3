import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { configuredTemporal } from '../../config/temporal.js';

describe('the connection to Temporal', () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'landfall-temporal-'));
    file = join(folder, 'temporal.toml');
    await writeFile(
      file,
      `[profile.default]
namespace = "team"
[profile.production]
address = "production:7233"
namespace = "loads"
api_key = "hunter2"
`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('is absent when neither TEMPORAL_ADDRESS nor a profile gives an address', () => {
    assert.equal(configuredTemporal(undefined, { HOME: folder }), undefined);
    assert.equal(configuredTemporal('default', { TEMPORAL_CONFIG_FILE: file }), undefined);
  });

  it('comes from TEMPORAL_*', () => {
    const access = configuredTemporal(undefined, { HOME: folder, TEMPORAL_ADDRESS: 'localhost:7233' });
    assert.equal(access?.connectionOptions.address, 'localhost:7233');
    assert.equal(access.namespace, 'default');
  });

  it('comes from the profile that the configuration names, before TEMPORAL_PROFILE', () => {
    const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'nowhere' };
    const access = configuredTemporal('production', env);
    assert.equal(access?.connectionOptions.address, 'production:7233');
    assert.equal(access.connectionOptions.apiKey, 'hunter2');
    assert.equal(access.namespace, 'loads');
  });

  it('comes from the profile that TEMPORAL_PROFILE names, where the configuration names none', () => {
    const env = { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'production' };
    assert.equal(configuredTemporal(undefined, env)?.namespace, 'loads');
  });

  it('is refused when the profile does not exist', () => {
    assert.throws(() => configuredTemporal('staging', { TEMPORAL_CONFIG_FILE: file }), {
      name: 'ConfigInvalid',
      message:
        "Temporal's configuration cannot be used: Profile 'staging' not found in config data. See temporal.toml " +
        '(TEMPORAL_CONFIG_FILE names it), TEMPORAL_* and temporal.profile in landfall.yaml.',
    });
  });

  it('is refused when temporal.toml is broken, without showing what stands in it', async () => {
    const broken = join(folder, 'broken.toml');
    await writeFile(broken, '[profile.default]\napi_key = "hunter2" oops\n');
    assert.throws(
      () => configuredTemporal(undefined, { TEMPORAL_CONFIG_FILE: broken }),
      (error) => {
        assert(error instanceof Error);
        assert.match(error.message, /^Temporal's configuration cannot be used: Invalid TOML document/);
        assert(!error.message.includes('hunter2'));
        return true;
      },
    );
  });
});
