/**
 * onnxruntime, loaded so that it reports nothing: since 1.30 it looks up its maker's host, and keeps a device id and a
 * queue of events (process, model file, operators) in the user's cache folder, unless it is told not to before it is
 * loaded. The only module that loads it.
 */
import { createRequire } from 'node:module';
import type * as Onnxruntime from 'onnxruntime-node';

process.env.ORT_DISABLE_TELEMETRY = '1';

// Not a static import: those are loaded before the line above runs.
export const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnxruntime;

// What goes wrong is thrown as well; the log would only repeat it, with source files and lines.
ort.env.logLevel = 'fatal';

export type Tensor = Onnxruntime.Tensor;
export type InferenceSession = Onnxruntime.InferenceSession;
export type SessionOptions = Onnxruntime.InferenceSession.SessionOptions;
export type ValueMetadata = Onnxruntime.InferenceSession.ValueMetadata;
