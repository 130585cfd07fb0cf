import { describe, expect, test } from 'vitest';
import { AppStore } from './store.js';

function storeWith(content: Record<string, unknown> = {}) {
  const storage = new Map(Object.entries(content));
  return { storage, store: new AppStore(storage, { model: { model: '/sample' } }) };
}

describe('AppStore', () => {
  test('at the first start the sample is chosen and everything has its default', () => {
    const { store } = storeWith();
    expect(store.workspace).toMatchObject({ step: 'model', model: { model: '/sample' } });
    expect(store.settings).toMatchObject({ appearance: 'system', zoom: 1, notifications: true });
    expect(store.window).toEqual({ width: 1280, height: 840, maximised: false });
  });

  test('changes are kept, what was not changed stays', () => {
    const { store, storage } = storeWith();
    store.changeSettings({ appearance: 'dark' });
    store.changeSettings({ zoom: 1.5 });
    const again = new AppStore(storage, {});
    expect(again.settings).toMatchObject({ appearance: 'dark', zoom: 1.5 });
  });

  test('a choice can be taken back', () => {
    const { store } = storeWith();
    store.changeWorkspace({ run: 'a-run', point: 3 });
    expect(store.changeWorkspace({ run: undefined })).not.toHaveProperty('run');
    expect(store.workspace.point).toBe(3);
  });

  test.each([{ settings: 'nonsense' }, { settings: { zoom: 'large' } }, { settings: null }])(
    'damaged content %j is as if it were not there',
    (content) => {
      expect(storeWith(content).store.settings.zoom).toBe(1);
    },
  );

  test('recent models: the last one first, each once, ten at the most', () => {
    const { store } = storeWith();
    for (let index = 0; index < 12; index += 1)
      store.addRecentModel({ model: `/m${index}`, name: `m${index}` });
    store.addRecentModel({ model: '/m5', name: 'm5' });
    const names = store.recentModels.map((model) => model.name);
    expect(names).toHaveLength(10);
    expect(names.slice(0, 3)).toEqual(['m5', 'm11', 'm10']);
    store.forgetModel({ model: '/m5' });
    expect(store.recentModels[0]!.name).toBe('m11');
  });

  test('two files of one folder are two models', () => {
    const { store } = storeWith();
    store.addRecentModel({ model: '/m', modelFile: 'a.onnx', name: 'm' });
    store.addRecentModel({ model: '/m', modelFile: 'b.onnx', name: 'm' });
    expect(store.recentModels).toHaveLength(2);
  });
});
