/**
 * Draws the app's icon into assets/icons: a row of columns, each an attention cell above an MLP cell, and one attention
 * cell hopping down. Run it after a change here: `node scripts/make-icons.mjs`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';

const folder = path.resolve(import.meta.dirname, '../assets/icons');

/** Units of the drawing; sizes are multiples of a 32nd of it. */
const SIZE = 512;
const TILE = { x: 16, y: 16, width: 480, height: 480, radius: 108, colour: '#14171A' };
const COLUMNS = 5;
const HOPPING = 2;
const CELL = { width: 68, height: 124, gap: 16, radius: 16 };
const SHADES = ['#EFE6D6', '#BFD0C6', '#FF7A4D', '#6FA9A6', '#5FD0C5'];
const MLP = '#4A535C';

function rectangles() {
  const width = COLUMNS * CELL.width + (COLUMNS - 1) * CELL.gap;
  const height = 2 * CELL.height + CELL.gap;
  const left = (SIZE - width) / 2;
  const top = (SIZE - height) / 2 - CELL.height / 4;
  const cells = Array.from({ length: COLUMNS }, (_, column) => {
    const x = left + column * (CELL.width + CELL.gap);
    const hop = column === HOPPING ? CELL.height / 2 : 0;
    const cell = { x, width: CELL.width, height: CELL.height, radius: CELL.radius };
    return [
      { ...cell, y: top + hop, colour: SHADES[column] },
      { ...cell, y: top + CELL.height + CELL.gap + hop, colour: MLP },
    ];
  });
  return [TILE, ...cells.flat()];
}

function svg() {
  const shapes = rectangles().map(
    ({ x, y, width, height, radius, colour }) =>
      `  <rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" fill="${colour}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}">\n${shapes.join('\n')}\n</svg>\n`;
}

/** RGBA, drawn with 4 x 4 samples a pixel. */
function pixels(size) {
  const samples = 4;
  const scale = SIZE / size;
  const shapes = rectangles().map((shape) => ({ ...shape, rgb: rgbOf(shape.colour) }));
  const data = Buffer.alloc(size * size * 4);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      let [red, green, blue, alpha] = [0, 0, 0, 0];
      for (let sample = 0; sample < samples * samples; sample += 1) {
        const px = (x + ((sample % samples) + 0.5) / samples) * scale;
        const py = (y + (Math.floor(sample / samples) + 0.5) / samples) * scale;
        const shape = shapes.findLast((candidate) => isInside(candidate, px, py));
        if (!shape) continue;
        red += shape.rgb[0];
        green += shape.rgb[1];
        blue += shape.rgb[2];
        alpha += 1;
      }
      const place = (y * size + x) * 4;
      if (alpha === 0) continue;
      data.set(
        [red / alpha, green / alpha, blue / alpha, (255 * alpha) / samples ** 2].map(Math.round),
        place,
      );
    }
  }
  return data;
}

function isInside({ x, y, width, height, radius }, px, py) {
  const dx = Math.max(x + radius - px, px - (x + width - radius), 0);
  const dy = Math.max(y + radius - py, py - (y + height - radius), 0);
  return dx ** 2 + dy ** 2 <= radius ** 2;
}

function rgbOf(colour) {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
}

function png(size) {
  const data = pixels(size);
  const rows = Buffer.concat(
    Array.from({ length: size }, (_, y) =>
      Buffer.concat([Buffer.of(0), data.subarray(y * size * 4, (y + 1) * size * 4)]),
    ),
  );
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function crc32(data) {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Windows: a directory of PNG images. */
function ico(sizes) {
  const images = sizes.map(png);
  const head = Buffer.alloc(6 + 16 * sizes.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(sizes.length, 4);
  let offset = head.length;
  for (const [index, size] of sizes.entries()) {
    const entry = 6 + 16 * index;
    head.set([size % 256, size % 256, 0, 0], entry);
    head.writeUInt16LE(1, entry + 4);
    head.writeUInt16LE(32, entry + 6);
    head.writeUInt32LE(images[index].length, entry + 8);
    head.writeUInt32LE(offset, entry + 12);
    offset += images[index].length;
  }
  return Buffer.concat([head, ...images]);
}

/** macOS: typed chunks of PNG images. */
function icns(types) {
  const chunks = Object.entries(types).map(([type, size]) => {
    const image = png(size);
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32BE(image.length + 8, 4);
    return Buffer.concat([head, image]);
  });
  const head = Buffer.alloc(8);
  head.write('icns', 'latin1');
  head.writeUInt32BE(8 + chunks.reduce((sum, { length }) => sum + length, 0), 4);
  return Buffer.concat([head, ...chunks]);
}

mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, 'hopscotch.svg'), svg());
writeFileSync(path.join(folder, 'hopscotch.png'), png(512));
writeFileSync(path.join(folder, 'hopscotch.ico'), ico([16, 32, 48, 256]));
writeFileSync(
  path.join(folder, 'hopscotch.icns'),
  icns({ ic11: 32, ic07: 128, ic08: 256, ic09: 512, ic10: 1024 }),
);
