/** What config.json says of the width of MLPs. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readConfigFile } from '../../onnx/file/config-file.js';

/** Names under which model configs keep the number of neurons of an MLP. */
const WIDTH_KEYS = [
  'intermediate_size',
  'ffn_dim',
  'ffn_hidden_size',
  'n_inner',
  'd_ff',
  'inner_size',
] as const;

/** The width of each layer's MLP, where they differ; the field is ours, since other programs read none. */
const LAYER_WIDTHS_KEY = 'hopscotch_intermediate_sizes';

/**
 * The width in config.json: the largest where layers differ, for programs expect one number, with the layers' own beside.
 * @param widths of the MLPs from the first to the last layer
 */
export function writeWidths(folder: string, widths: readonly number[]): void {
  const file = path.join(folder, 'config.json');
  if (widths.length === 0 || !existsSync(file)) return;
  const config = withWidths(readConfigFile(file), widths);
  writeFileSync(file, `${JSON.stringify(config, undefined, 2)}\n`);
}

export function withWidths(
  config: Record<string, unknown>,
  widths: readonly number[],
): Record<string, unknown> {
  const changed = { ...config };
  const keys = WIDTH_KEYS.filter(
    (key) => typeof config[key] === 'number' || (key === 'n_inner' && key in config),
  );
  for (const key of keys) changed[key] = Math.max(...widths);
  if (keys.length > 0) {
    delete changed[LAYER_WIDTHS_KEY];
    if (widths.some((width) => width !== widths[0])) changed[LAYER_WIDTHS_KEY] = widths;
  }
  const text = config.text_config;
  if (typeof text === 'object' && text !== null && !Array.isArray(text))
    changed.text_config = withWidths(text as Record<string, unknown>, widths);
  return changed;
}
