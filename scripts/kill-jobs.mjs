/** The jobs that scripts/kill-test.mjs kills: how each is begun, gone on with, and what must be the same in the end. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const sample = path.join(root, 'assets', 'sample');

const SLIM = [
  '--responses=file',
  '--strategy=cosine',
  '--calibration-range=0..3',
  '--heldout-range=400..401',
  '--batch-rows=4',
  '--budget=2',
  '--epochs=2',
  '--answer-rows=2',
  '--max-new-tokens=6',
  '--threads=1',
  '--train-points=last',
];

/** Figures that are of the machine and the moment, and what says where and when. */
const OF_THE_MOMENT = new Set([
  'seconds',
  'promptSeconds',
  'pointSeconds',
  'speed',
  'created',
  'process',
  'folder',
  'exportedTo',
]);

/**
 * Each job in a folder of its own, in which it finds what `prepare` has put there:
 *   begin(folder): arguments of the command
 *   goOn(folder): arguments once it was killed; the same as begin where nothing is kept
 *   result(folder): what must be the same as without kills, as texts by name
 */
export const jobs = [
  {
    name: 'slim',
    prepare: () => {},
    begin: (folder) => slim(folder, '--speed-rounds=0'),
    goOn: (folder) => resumeOr(folder, slim(folder, '--speed-rounds=0')),
    result: runAndOutput,
  },
  {
    name: 'slim with speed',
    prepare: () => {},
    begin: (folder) => slim(folder, '--speed-rounds=1'),
    goOn: (folder) => resumeOr(folder, slim(folder, '--speed-rounds=1')),
    result: runAndOutput,
  },
  {
    name: 'import',
    prepare: () => {},
    begin: importing,
    goOn: (folder) => (existsSync(path.join(folder, 'out')) ? undefined : importing(folder)),
    result: output,
  },
  {
    name: 'export',
    prepare: finishedRun,
    begin: (folder) => ['export', runOf(folder), path.join(folder, 'out')],
    goOn: (folder) =>
      existsSync(path.join(folder, 'out')) ? undefined : ['export', runOf(folder), path.join(folder, 'out')],
    result: output,
  },
  {
    name: 'training of a point',
    prepare: finishedRun,
    begin: point,
    goOn: (folder) => (existsSync(path.join(folder, 'out')) ? undefined : point(folder)),
    result: runAndOutput,
  },
  {
    name: 'comparison of a list',
    prepare: finishedRun,
    begin: comparing,
    goOn: (folder) =>
      comparisonsOf(folder).some(({ status }) => status === 'finished') ? undefined : comparing(folder),
    result: comparisons,
  },
];

/** What a job may leave behind beside its result: nothing hidden, nothing half written. */
export function leftovers(folder) {
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  return all.filter((name) => /(^|\/)\.|\.(tmp|partial|writing)|lock\.json|-trial-/.test(name));
}

function slim(folder, ...more) {
  const task = path.join(sample, 'tasks', 'tracking.jsonl');
  return ['slim', sample, task, ...SLIM, ...more, '--output', path.join(folder, 'out')];
}

function resumeOr(folder, begin) {
  const run = runOf(folder);
  return run === undefined ? begin : ['slim', '--resume', run];
}

function importing(folder) {
  return ['import', path.join(root, 'test', 'gguf', 'sample.gguf'), '--output', path.join(folder, 'out')];
}

function point(folder) {
  return ['export', runOf(folder), path.join(folder, 'out'), '--blocks', '1'];
}

function comparing(folder) {
  const task = path.join(sample, 'tasks', 'tracking.jsonl');
  const run = runOf(folder);
  return [
    'compare',
    `${run}@0`,
    `${run}@2`,
    '--prompts',
    task,
    '--count=40',
    '--max-new-tokens=6',
    '--threads=1',
    '--json',
  ];
}

/** The run that the uninterrupted slim has left. */
function finishedRun(folder, reference) {
  cpSync(path.join(reference('slim'), 'home'), path.join(folder, 'home'), { recursive: true });
}

function runOf(folder) {
  const runs = path.join(folder, 'home', 'runs');
  return existsSync(runs)
    ? readdirSync(runs).find((name) => existsSync(path.join(runs, name, 'run.json')))
    : undefined;
}

function output(folder) {
  const files = {};
  const out = path.join(folder, 'out');
  if (!existsSync(out)) return { out: 'missing' };
  for (const name of readdirSync(out, { recursive: true }).toSorted()) {
    const file = path.join(out, name);
    if (!statSync(file).isFile()) continue;
    const bytes = readFileSync(file);
    // The model card tells its own place.
    const content = name.endsWith('.md') ? bytes.toString().replaceAll(folder, 'FOLDER') : bytes;
    files[`out/${name}`] = createHash('sha256').update(content).digest('hex');
  }
  return files;
}

function runAndOutput(folder) {
  const run = path.join(folder, 'home', 'runs', runOf(folder));
  const json = (name) => JSON.parse(readFileSync(path.join(run, name), 'utf8'));
  return {
    ...output(folder),
    checkpoint: JSON.stringify(json('checkpoint.json')),
    report: JSON.stringify(lasting(json('report.json'))),
    status: json('run.json').status,
  };
}

function comparisonsOf(folder) {
  const all = path.join(folder, 'home', 'comparisons');
  if (!existsSync(all)) return [];
  return readdirSync(all).map((id) => ({
    folder: path.join(all, id),
    ...JSON.parse(readFileSync(path.join(all, id, 'comparison.json'), 'utf8')),
  }));
}

/** Each answer once; models take turns at parts of the list that depend on time, so that the order differs. */
function comparisons(folder) {
  const result = {};
  for (const [place, { folder: kept, status, prompts }] of comparisonsOf(folder).entries()) {
    const lines = readFileSync(path.join(kept, 'answers.jsonl'), 'utf8').split('\n');
    const answers = lines.flatMap(wholeAnswer).toSorted(byPlace);
    result[`comparison ${place}`] = JSON.stringify({ status, prompts, answers: answers.map(lasting) });
  }
  return result;
}

/** A line that a kill cut short stays where it is; its prompt is asked again. */
function wholeAnswer(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

function byPlace(a, b) {
  return a.prompt - b.prompt || a.model - b.model;
}

function lasting(value) {
  if (Array.isArray(value)) return value.map(lasting);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !OF_THE_MOMENT.has(key));
  return Object.fromEntries(entries.toSorted().map(([key, each]) => [key, lasting(each)]));
}
