/** The curve of quality against skipped blocks as a picture. */
import { qualityShare, type RunReport } from '../../schema/report.js';
import { markup, type Html } from './html.js';

const [WIDTH, HEIGHT] = [640, 240];
const MARGIN = { left: 52, right: 20, top: 14, bottom: 40 };

/** @param blocks the point that the report is about */
export function curveSvg({ original, points, qualityMeasure }: RunReport, blocks: number): Html {
  const shares = [
    { blocks: 0, share: qualityShare(original, qualityMeasure) },
    ...points.map(({ skipped, withScales, withoutScales }) => ({
      blocks: skipped.length,
      share: qualityShare(withScales ?? withoutScales, qualityMeasure),
    })),
  ].toSorted((a, b) => a.blocks - b.blocks);
  const most = Math.max(1, ...shares.map((point) => point.blocks));
  const least = Math.floor(Math.min(...shares.map(({ share }) => share), 0.9) * 10) / 10;
  const x = (value: number) => MARGIN.left + (value / most) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (share: number) =>
    MARGIN.top + ((1 - share) / Math.max(0.1, 1 - least)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const at = (value: number) => value.toFixed(1);
  const steps = Math.max(1, Math.ceil((1 - least) / 0.1 / 5));
  const lines = Array.from(
    { length: Math.round((1 - least) / (0.1 * steps)) + 1 },
    (_, place) => 1 - place * 0.1 * steps,
  );
  const every = Math.ceil(most / 12);
  const ticks = Array.from({ length: most + 1 }, (_, place) => place).filter((tick) => tick % every === 0);
  return markup`<svg
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    role="img"
    aria-label="Quality by number of skipped blocks"
  >
    ${lines.map(
      (share) =>
        markup`<line
            class="grid"
            x1="${MARGIN.left}"
            x2="${WIDTH - MARGIN.right}"
            y1="${at(y(share))}"
            y2="${at(y(share))}"
          /><text x="${MARGIN.left - 8}" y="${at(y(share) + 4)}" text-anchor="end"
            >${Math.round(share * 100)} %</text
          >`,
    )}
    ${ticks.map((tick) => markup`<text x="${at(x(tick))}" y="${HEIGHT - MARGIN.bottom + 18}" text-anchor="middle">${tick}</text>`)}
    <text x="${(WIDTH + MARGIN.left) / 2}" y="${HEIGHT - 4}" text-anchor="middle">skipped blocks</text>
    <polyline
      class="curve"
      points="${shares.map((point) => `${at(x(point.blocks))},${at(y(point.share))}`).join(' ')}"
    />
    ${shares.map(
      (point) =>
        markup`<circle
          class="${point.blocks === blocks ? 'here' : 'point'}"
          cx="${at(x(point.blocks))}"
          cy="${at(y(point.share))}"
          r="${point.blocks === blocks ? 6 : 4}"
          ><title>${point.blocks} skipped: ${(point.share * 100).toFixed(1)} %</title></circle
        >`,
    )}
  </svg>`;
}
