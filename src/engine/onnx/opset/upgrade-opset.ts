/** Rewrites a model of an earlier operator set in the forms that the gradient rules know; for the gradient graph only. */
import { UserError } from '../../../schema/errors.js';
import { subgraphs } from '../graph/attributes.js';
import { DataType, isFloatingPoint } from '../graph/data-types.js';
import { Graph } from '../graph/graph.js';
import { isStandardDomain } from '../graph/operator-domain.js';
import { Operators } from '../graph/operators.js';
import { copyModel, initializersOf, opsetVersion, type OnnxModel } from '../file/model-file.js';
import type { GraphProto } from '../file/onnx_pb.js';
import { OPSET_CHANGES } from './opset-changes.js';

/**
 * The first opset whose scatter operators add up, which gradients of gathers need. The decoder operators of 13 to 15
 * mean the same there.
 */
const TARGET = 16;
const OLDEST = 7;

/** The IR version that goes with the target. */
const IR_VERSION = 8n;

/** Since this IR version an initializer that is also an input is a default that a caller may replace. */
const IR_WITH_DEFAULTS = 4n;

/**
 * A copy of the model of opset 16 or later with the same meaning.
 * @throws UserError if the model's opset is before 7
 */
export function upgradeOpset(original: OnnxModel): OnnxModel {
  const model = copyModel(original);
  const version = opsetVersion(model) ?? 1;
  if (version >= TARGET) return model;
  if (version < OLDEST) {
    throw new UserError(
      `The model uses ONNX operator set ${version}, and Hopscotch needs ${OLDEST} or later; export it again with a newer opset.`,
    );
  }
  upgradeGraph(model.graph, version, floatTypeOf(model));
  if (model.proto.irVersion < IR_WITH_DEFAULTS) {
    const constants = new Set(model.graph.initializer.map((tensor) => tensor.name));
    model.graph.input = model.graph.input.filter((input) => !constants.has(input.name));
  }
  if (model.proto.irVersion < IR_VERSION) model.proto.irVersion = IR_VERSION;
  for (const opset of model.proto.opsetImport) {
    if (isStandardDomain(opset.domain)) opset.version = BigInt(TARGET);
  }
  return model;
}

function upgradeGraph(proto: GraphProto, version: number, floatType: DataType): void {
  const graph = new Graph(proto);
  const op = new Operators(graph, 'upgraded', floatType);
  for (const node of graph.nodes.slice()) {
    for (const inner of subgraphs(node)) upgradeGraph(inner, version, floatType);
    for (const change of OPSET_CHANGES) {
      if (version < change.since && isStandardDomain(node.domain) && node.opType === change.operator) {
        op.enter(`upgraded/${node.output[0]}`, floatType);
        change.apply({ node, graph, op });
      }
    }
  }
  graph.sortNodes();
}

function floatTypeOf(model: OnnxModel): DataType {
  return (
    initializersOf(model.graph).find((tensor) => isFloatingPoint(tensor.dataType))?.dataType ?? DataType.FLOAT
  );
}
