import { render, screen, within } from '@testing-library/svelte';
import { expect, test } from 'vitest';
import { settled, startSession } from '../../../test/renderer/support/fake-bridge.js';
import { LONG_MODEL } from '../../../test/renderer/web-host/places.js';
import App from '../app.svelte';

test('while a model is read, it does not say that none is chosen', async () => {
  const { session, bridge } = await startSession('first-start');
  render(App, { session });
  const bar = within(screen.getAllByRole('banner')[0]!);
  await bar.findByText('sample');
  const give = bridge.hold('model.open');
  const opened = session.openModel({ model: LONG_MODEL });
  await settled();
  await bar.findByText('Reading the model');
  expect(bar.queryByText('No model chosen')).toBeNull();
  await give();
  await opened;
  await bar.findByText('100 layers');
});
