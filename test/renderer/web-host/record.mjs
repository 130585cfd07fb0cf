/**
 * Records a real job of the sample for the stand-in host: its events with their times, its report, the answers of
 * every point of its curve. After `npm run build`: node test/app/web-host/record.mjs [folder of dist, default: .]
 */
import { mkdirSync, readFileSync, rmSync, statSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const root = path.resolve(process.argv[2] ?? '.');
const engine = (file) => import(pathToFileURL(path.join(root, 'dist/engine', file)).href);
const [
  { slim, slimmedDecoder, sessionOptions },
  { RunStore },
  { openModel },
  { prepareTask },
  { jobSettings },
] = await Promise.all(
  ['slim.js', 'run-store.js', 'open-source-model.js', 'prepare-task.js', 'settings.js'].map(engine),
);
const [{ describeDecoder }, { Generator }, { compareAnswers }, { readCheckpoint }, { restoreScales }] =
  await Promise.all(
    [
      'decoder/describe.js',
      'generate/generator.js',
      'evaluate/compare-answers.js',
      'calibrate/checkpoint.js',
      'calibrate/scales.js',
    ].map(engine),
  );
const { parse } = await import('valibot');

const out = path.join(import.meta.dirname, 'recordings');
const scratch = '/tmp/hopscotch-recording';
const save = (name, data) => writeFileSync(path.join(out, `${name}.json`), `${JSON.stringify(data)}\n`);
const dataset = path.join(root, 'assets/sample/tasks/arithmetic.jsonl');
rmSync(scratch, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const settings = parse(jobSettings, {
  model: path.join(root, 'assets/sample'),
  dataset,
  budget: { kind: 'blocks', blocks: 6 },
  calibrationRows: 96,
  heldoutRows: 64,
  answerRows: 64,
  training: { epochs: 12 },
  output: path.join(scratch, 'sample-arithmetic-6'),
  exportMode: 'explicit',
});
const store = new RunStore(path.join(scratch, 'runs'));
const run = store.create(settings);
const events = [];
const started = performance.now();
const { report } = await slim(run, {
  store,
  cacheFolder: path.join(scratch, 'cache'),
  onEvent: (event) => events.push({ at: Math.round(performance.now() - started), event }),
});
const model = await openModel(settings.model);
const checkpoint = readCheckpoint(store.checkpointFile(run));
save('description', describeDecoder(model.decoder));
save('events', events);
save('report', report);

const range = (values) => ({
  mean: values.reduce((sum, value) => sum + value, 0) / values.length,
  low: Math.min(...values),
  high: Math.max(...values),
});
const scales = Object.fromEntries(
  Object.entries(checkpoint.training).map(([blocks, { best }]) => {
    const byBlock = new Map();
    for (const [key, values] of Object.entries(best.scales)) {
      const [what, kind, layer] = key.split(' ');
      const name = `${kind} ${layer}`;
      byBlock.set(name, { ...byBlock.get(name), name, [what]: range(values) });
    }
    return [blocks, [...byBlock.values()]];
  }),
);
save('findings', {
  rounds: checkpoint.rounds,
  training: Object.fromEntries(
    Object.entries(checkpoint.training).map(([blocks, { epochs }]) => [blocks, epochs]),
  ),
  scales,
});

const task = await prepareTask(model, settings, {
  cacheFolder: path.join(scratch, 'cache'),
  session: sessionOptions(settings),
});
const { tokenizer } = task;
const special = new Set(tokenizer.specialTokens.values());
const pieces = (row) => {
  const joined = [];
  row.ids.forEach((id, place) => {
    const piece = {
      text: tokenizer.decode([id]),
      part: place < row.responseStart ? 'prompt' : 'response',
      special: special.has(id),
    };
    const last = joined.at(-1);
    if (last && !last.special && !piece.special && last.part === piece.part) last.text += piece.text;
    else joined.push(piece);
  });
  return joined;
};
const previewOf = (rows, side) =>
  rows.map((row) => ({
    line: row.line,
    side,
    pieces: pieces(row),
    promptTokens: row.responseStart,
    responseTokens: row.ids.length - row.responseStart,
  }));
save('rows', [...previewOf(task.calibration, 'calibration'), ...previewOf(task.heldout, 'heldout')]);

const lines = readFileSync(dataset, 'utf8').split('\n');
const answers = {};
const original = await Generator.open(model.decoder, sessionOptions(settings));
for (const point of report.points) {
  const { best } = checkpoint.training[point.skipped.length];
  const decoder = slimmedDecoder(model, { skipped: point.skipped, scales: restoreScales(best.scales) });
  const slimmed = await Generator.open(decoder, sessionOptions(settings));
  const compared = await compareAnswers(
    original,
    slimmed,
    task.prompts.slice(0, settings.answerRows),
    { maxNewTokens: 128, stopTokens: task.stopTokens },
    (tokens) => tokenizer.decode(tokens, { skipSpecialTokens: true }),
  );
  const rows = compared.rows.map((row) => ({ ...row, prompt: JSON.parse(lines[row.line - 1]).prompt }));
  answers[point.skipped.length] = { ...compared, rows };
  await slimmed.release();
}
save('answers', answers);
const folder = settings.output;
save('exported', {
  files: readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return {
        name: path.relative(folder, file).replaceAll(path.sep, '/'),
        bytes: statSync(file).size,
      };
    }),
  verification: JSON.parse(readFileSync(path.join(folder, 'hopscotch.json'), 'utf8')).verification,
});
