/** Damaged models: bytes of the file, structure of the graph, weights in a file beside. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describeModel } from '../../../src/engine/jobs/describe-model.js';
import { jobContext } from '../../../src/engine/jobs/context.js';
import { slim } from '../../../src/engine/jobs/slim.js';
import { checkedSettings } from '../../../src/engine/jobs/parts/settings.js';
import { RunStore } from '../../../src/engine/runs/run-store.js';
import { encodeModel, writeModel, type OnnxModel } from '../../../src/engine/onnx/file/model-file.js';
import {
  ModelProtoSchema,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../../../src/engine/onnx/file/onnx_pb.js';
import { buildDecoder, decoderStyles } from '../../graphs/build-decoder.js';
import { buildGenaiDecoder, genaiStyles } from '../../graphs/genai-decoder.js';
import type { Kind } from '../kind.js';
import { mutateBytes } from '../mutate-bytes.js';
import type { Random } from '../random.js';
import { sampleFile, sampleJson } from '../sample-files.js';

const styles = ['llama', 'gpt2', 'phi', 'qwen3']
  .map((name) => decoderStyles.find((style) => style.name === name)!)
  .map(
    (style) => () =>
      buildDecoder(style, { layers: 2, vocabulary: Number(sampleJson('config.json').vocab_size) }),
  );
const makers: (() => OnnxModel)[] = [...styles, () => buildGenaiDecoder(genaiStyles[0]!, 2)];

function original(random: Random): OnnxModel {
  return random.pick(makers)();
}

function writeCompanions(folder: string): void {
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    cpSync(sampleFile(name), path.join(folder, name));
  const rows = ['two', 'three', 'four', 'five', 'six', 'seven'];
  writeFileSync(
    path.join(folder, 'rows.jsonl'),
    rows.map((word) => JSON.stringify({ prompt: `What is ${word}?`, response: `It is ${word}.` })).join('\n'),
  );
}

/** Looks at the model; some of those that can be read are slimmed, the smallest job that there is. */
async function use(folder: string): Promise<void> {
  const store = new RunStore(path.join(folder, 'runs'));
  const context = jobContext({ store, cache: path.join(folder, 'cache') });
  await describeModel({ model: folder }, context);
  if (readFileSync(path.join(folder, 'model.onnx')).length % 4 !== 0) return;
  const settings = checkedSettings({
    model: folder,
    dataset: path.join(folder, 'rows.jsonl'),
    output: path.join(folder, '..', `${path.basename(folder)}-out`),
    responses: 'own',
    strategy: 'cosine',
    scales: 'scalar',
    budget: { kind: 'blocks', blocks: 1 },
    calibrationRows: 2,
    heldoutRows: 1,
    batchRows: 2,
    training: { epochs: 1 },
    maxNewTokens: 3,
    answerRows: 1,
    speedRounds: 0,
    threads: 1,
  });
  await slim({ run: store.create(settings) }, context);
}

const bytes: Kind = {
  name: 'ONNX bytes',
  write: (random, folder) => {
    writeCompanions(folder);
    writeFileSync(path.join(folder, 'model.onnx'), mutateBytes(random, encodeModel(original(random))));
  },
  use,
};

const structure: Kind = {
  name: 'ONNX structure',
  write: (random, folder) => {
    writeCompanions(folder);
    const proto = fromBinary(ModelProtoSchema, encodeModel(original(random)));
    for (let left = random.some(5); left > 0; left -= 1) changeGraph(random, proto);
    writeFileSync(path.join(folder, 'model.onnx'), toBinary(ModelProtoSchema, proto));
  },
  use,
};

const externalData: Kind = {
  name: 'ONNX external data',
  write: async (random, folder) => {
    writeCompanions(folder);
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, 'model.onnx');
    await writeModel(original(random), file, { moveToExternal: { location: 'model.onnx_data', above: 64 } });
    const proto = fromBinary(ModelProtoSchema, readFileSync(file));
    const data = path.join(folder, 'model.onnx_data');
    if (random.unit() < 0.3) writeFileSync(data, mutateBytes(random, readFileSync(data)));
    for (let left = random.some(3); left > 0; left -= 1) {
      const { externalData: entries } = random.pick(
        proto.graph!.initializer.filter((one) => one.externalData.length > 0),
      );
      const entry = random.pick(entries);
      entry.value = random.pick([
        '',
        '-1',
        '0',
        '7',
        '1e9',
        '99999999999999999999',
        '../model.onnx',
        '/etc/passwd',
        'model.onnx',
        '.',
        'a'.repeat(300),
        '\0',
      ]);
    }
    writeFileSync(file, toBinary(ModelProtoSchema, proto));
  },
  use,
};

const OPERATORS = [
  'Add',
  'MatMul',
  'Gather',
  'Identity',
  'Shape',
  'Reshape',
  'Loop',
  'If',
  'Softmax',
  'NoSuchOperator',
  '',
];

function changeGraph(random: Random, proto: ModelProto): void {
  const graph = proto.graph!;
  if (graph.node.length === 0) return;
  const node = random.pick(graph.node);
  const other = random.pick(graph.node);
  const tensor = graph.initializer.length > 0 ? random.pick(graph.initializer) : undefined;
  const changes: (() => void)[] = [
    () => (node.opType = random.pick(OPERATORS)),
    () => (node.domain = random.pick(['', 'com.microsoft', 'ai.onnx', 'strange'])),
    () =>
      (node.input = random.pick([
        node.input.slice(1),
        [...node.input, ...other.input],
        other.input,
        node.output,
        [],
      ])),
    () => (node.output = random.pick([[], other.output, [...node.output, 'more'], ['']])),
    () => void graph.node.splice(graph.node.indexOf(node), random.some(3)),
    () => void graph.node.splice(random.below(graph.node.length), 0, node),
    () => (graph.node = graph.node.toReversed()),
    () => changeAttribute(random, node),
    () => tensor && changeTensor(random, tensor),
    () => tensor && void graph.initializer.splice(graph.initializer.indexOf(tensor), 1),
    () => tensor && (tensor.name = random.pick(['', node.output[0] ?? 'x', 'input_ids'])),
    () => void random.pick([graph.input, graph.output]).splice(0, 1),
    () => void graph.input.push(...graph.input.slice(0, 1)),
    () => changeDeclared(random, proto),
    () => (proto.irVersion = random.pick([0n, 3n, 999n])),
    () => proto.opsetImport.forEach((opset) => (opset.version = random.pick([0n, 1n, 7n, 13n, 30n, -1n]))),
  ];
  random.pick(changes)();
}

function changeAttribute(random: Random, node: NodeProto): void {
  if (node.attribute.length === 0) return;
  const attribute = random.pick(node.attribute);
  attribute.i = random.pick([-1n, 0n, 1n, 7n, 2n ** 40n]);
  attribute.ints = random.pick([[], [0n, 0n], attribute.ints.map((value) => -value), [2n ** 62n]]);
  attribute.f = random.pick([0, NaN, Infinity, -1]);
  if (random.unit() < 0.2) attribute.type = random.below(14);
  if (random.unit() < 0.2) attribute.name = random.pick(['axis', 'perm', 'to', '']);
  if (attribute.t) changeTensor(random, attribute.t);
}

function changeTensor(random: Random, tensor: TensorProto): void {
  const changes: (() => void)[] = [
    () =>
      (tensor.dims = random.pick([
        [],
        [0n],
        [-1n],
        [2n ** 40n],
        [...tensor.dims, 2n],
        tensor.dims.toReversed(),
        tensor.dims.slice(1),
      ])),
    () => (tensor.dataType = random.below(30)),
    () => (tensor.rawData = mutateBytes(random, tensor.rawData)),
    () => (tensor.rawData = new Uint8Array(tensor.rawData.length).fill(random.pick([0, 0xff, 0x7f]))),
    () => (tensor.floatData = [1, NaN, Infinity]),
  ];
  random.pick(changes)();
}

function changeDeclared(random: Random, proto: ModelProto): void {
  const value = random.pick([...proto.graph!.input, ...proto.graph!.output]);
  const type = value?.type?.value;
  if (type?.case !== 'tensorType') return;
  type.value.elemType = random.pick([0, 1, 7, 10, 99]);
  const dims = type.value.shape?.dim ?? [];
  if (random.unit() < 0.5) dims.splice(0, 1);
  for (const dim of dims)
    if (random.unit() < 0.3)
      dim.value = random.pick([
        { case: 'dimValue', value: 0n },
        { case: 'dimValue', value: -5n },
        { case: 'dimParam', value: '' },
        { case: 'dimValue', value: 2n ** 50n },
      ] as const);
}

export const models = [bytes, structure, externalData];
