/** The model's layers as a picture: attention above MLP, skipped blocks with their place in the order of choosing. */
import type { BlockName } from '../../schema/blocks.js';
import { markup, type Html } from './html.js';

const WIDTH = 960;
const CELL = 34;

/** @param layers of the original */
export function stripSvg(layers: number, skipped: readonly BlockName[]): Html {
  const width = Math.min(40, WIDTH / Math.max(1, layers));
  const gap = Math.min(4, width / 5);
  const every = Math.ceil(24 / width);
  const cell = (layer: number, block: BlockName, top: number) => {
    const place = skipped.indexOf(block);
    const isSkipped = place >= 0;
    const [left, wide] = [layer * width, width - gap];
    return markup`<g
      ><title>${block}${isSkipped && `, skipped, number ${place + 1}`}</title
      ><rect
        class="${isSkipped ? 'gone' : 'kept'}"
        x="${left.toFixed(1)}"
        y="${top}"
        width="${wide.toFixed(1)}"
        height="${CELL}"
        rx="3"
      />${
        isSkipped &&
        markup`<text
          class="place"
          x="${(left + wide / 2).toFixed(1)}"
          y="${top + CELL / 2 + 4}"
          text-anchor="middle"
          >${place + 1}</text
        >`
      }</g
    >`;
  };
  const columns = Array.from({ length: layers }, (_, layer) => [
    cell(layer, `attention ${layer}`, 0),
    cell(layer, `mlp ${layer}`, CELL + 4),
    layer % every === 0 &&
      markup`<text
        x="${(layer * width + (width - gap) / 2).toFixed(1)}"
        y="${2 * CELL + 20}"
        text-anchor="middle"
        >${layer}</text
      >`,
  ]);
  return markup`<svg
    class="strip"
    viewBox="0 0 ${(layers * width).toFixed(1)} ${2 * CELL + 26}"
    role="img"
    aria-label="Layers: attention above, MLP below"
  >
    ${columns}
  </svg>`;
}
