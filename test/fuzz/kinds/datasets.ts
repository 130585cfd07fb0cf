/** Damaged datasets: every format that is read. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { readDataset } from '../../../src/engine/data/dataset.js';
import { loadTokenizer } from '../../../src/engine/data/tokenizer.js';
import { encodeSide, mapColumns, taskRows } from '../../../src/engine/jobs/parts/rows.js';
import { checkedSettings } from '../../../src/engine/jobs/parts/settings.js';
import type { Kind } from '../kind.js';
import { mutateBytes, mutateText } from '../mutate-bytes.js';
import { mutateValue } from '../mutate-value.js';
import type { Random } from '../random.js';
import { sampleFile, sampleJson, sampleRows } from '../sample-files.js';

/** As the sample. */
const MODEL = { embeddingRows: Number(sampleJson('config.json').vocab_size) };

function dataset(name: string, extension: string, make: (random: Random) => string | Uint8Array): Kind {
  const file = `rows.${extension}`;
  return {
    name,
    write: (random, folder) => writeFileSync(path.join(folder, file), make(random)),
    use: async (folder) => {
      const settings = checkedSettings({
        model: folder,
        dataset: path.join(folder, file),
        responses: 'file',
      });
      const tokenizer = await loadTokenizer(path.dirname(sampleFile('tokenizer.json')));
      const reader = { tokenizer, model: MODEL };
      const read = await readDataset(settings.dataset);
      const rows = taskRows(reader, mapColumns(read, undefined), settings);
      encodeSide(reader, rows.calibration, rows.responses, settings);
    },
  };
}

const eitherWay = (random: Random, text: string) =>
  random.unit() < 0.7 ? mutateText(random, text) : mutateBytes(random, Buffer.from(text));

const chats = () =>
  sampleRows().map(({ prompt, response }) => ({
    messages: [
      { role: 'user', content: prompt },
      { role: 'assistant', content: response },
    ],
  }));

const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const csv = () =>
  ['prompt,response', ...sampleRows().map(({ prompt, response }) => `"${prompt}","${response}"`)].join('\n');

const plainText = () =>
  sampleRows()
    .map(({ prompt, response }) => `${prompt}\n${response}`)
    .join('\n\n');

function parquet(random: Random): Uint8Array {
  const rows = sampleRows();
  const columns = {
    prompt: rows.map(({ prompt }) => prompt),
    response: rows.map(({ response }) => response),
    number: rows.map((_, index) => index),
  };
  const buffer = parquetWriteBuffer({
    codec: random.pick(['UNCOMPRESSED', 'SNAPPY']),
    columnData: Object.entries(columns).map(([name, data]) => ({ name, data })),
  });
  return mutateBytes(random, new Uint8Array(buffer));
}

export const datasets: Kind[] = [
  dataset('Parquet', 'parquet', parquet),
  dataset('CSV', 'csv', (random) => eitherWay(random, csv())),
  dataset('JSONL', 'jsonl', (random) =>
    random.unit() < 0.5
      ? eitherWay(random, lines(random.pick([sampleRows, chats])()))
      : lines(mutateRows(random, random.pick([sampleRows, chats])())),
  ),
  dataset('JSON', 'json', (random) =>
    random.unit() < 0.3
      ? eitherWay(random, JSON.stringify(sampleRows()))
      : JSON.stringify(mutateValue(random, random.pick([sampleRows, chats])())),
  ),
  dataset('plain text', 'txt', (random) => eitherWay(random, plainText())),
];

function mutateRows(random: Random, rows: readonly unknown[]): unknown[] {
  const changed = mutateValue(random, rows);
  return Array.isArray(changed) ? changed : [changed];
}
