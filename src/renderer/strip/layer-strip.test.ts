import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, test } from 'vitest';
import { sample } from '../../../test/renderer/web-host/model-handlers.js';
import LayerStrip from './layer-strip.svelte';
import { plainView, stripColumns, type StripView } from './strip-cells.js';

function show(view: Partial<StripView> = {}) {
  const columns = stripColumns(sample(), 0, { ...plainView, ...view });
  render(LayerStrip, { columns, skippedAs: view.skippedAs ?? 'hop', legend: 'sizes' });
}
const focused = () => document.activeElement?.getAttribute('data-block');
const press = (key: string) => fireEvent.keyDown(document.activeElement!, { key });

describe('walking the strip by keyboard', () => {
  test('Tab leads to one cell only; arrows lead on, and stop at the ends', async () => {
    show();
    const cells = screen.getAllByRole('gridcell');
    expect(cells.filter((cell) => cell.tabIndex === 0)).toHaveLength(1);
    cells[0]!.focus();
    await press('ArrowLeft');
    expect(focused()).toBe('attention 0');
    await press('ArrowRight');
    await press('ArrowRight');
    expect(focused()).toBe('attention 2');
    await press('ArrowDown');
    expect(focused()).toBe('mlp 2');
    await press('ArrowDown');
    expect(focused()).toBe('mlp 2');
    await press('End');
    expect(focused()).toBe('mlp 11');
    await press('ArrowUp');
    await press('Home');
    expect(focused()).toBe('attention 0');
  });

  test('the focused cell is described in the line above', async () => {
    show();
    screen.getByRole('gridcell', { name: /^Layer 5, MLP/ }).focus();
    expect(await screen.findByText('Layer 5 · MLP')).toBeTruthy();
    expect(screen.getByText(/541 kB/)).toBeTruthy();
  });
});

describe('what became of a block', () => {
  test('a skipped one hops while calibrating, and is a gap afterwards', () => {
    show({ skipped: ['attention 3'] });
    expect(screen.getByRole('gridcell', { name: /^Layer 3, attention, skipped first/ }).classList).toContain(
      'hop',
    );
  });

  test('afterwards it is a gap without bars', () => {
    const scales = [{ name: 'attention 3' as const, residual: { mean: 1.02, low: 1, high: 1.04 } }];
    show({ skipped: ['attention 3'], skippedAs: 'gap', scales });
    const cell = screen.getByRole('gridcell', { name: /^Layer 3, attention/ });
    expect(cell.classList).toContain('gap');
    expect(cell.querySelectorAll('.bar')).toHaveLength(0);
  });

  test('blocks that may not be skipped are dimmed', () => {
    show({ open: ['attention'] });
    expect(screen.getByRole('gridcell', { name: /^Layer 0, MLP, stays/ }).classList).toContain('dimmed');
  });
});
