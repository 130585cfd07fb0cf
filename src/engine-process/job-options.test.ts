import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { checkedSettings, defaultSettings } from '../engine/index.js';
import { jobOptions as schema, jobRequest } from '../shared/job-settings.js';
import { jobOptions } from './job-options.js';

describe('what step 3 offers', () => {
  const options = jobOptions();

  it('fits the contract', () => expect(v.safeParse(schema, options).success).toBe(true));

  it('has the engine’s defaults, except for the device: a graphics card is used where there is one', () => {
    const { provider, ...rest } = options.defaults;
    expect(provider).toBe('auto');
    expect(defaultSettings()).toMatchObject(rest);
  });

  it('promises the defaults that a request without choices gets', () => {
    const asked = v.parse(jobRequest, { model: '/m', dataset: '/d' });
    expect(asked).toMatchObject(v.parse(schema, options).defaults);
  });

  it.each(options.presets)('has a preset that the engine takes: $name', ({ choices }) => {
    expect(() => checkedSettings({ model: '/m', dataset: '/d', ...choices })).not.toThrow();
  });
});
