/** Names and paths that the recordings are shown under. */
export const SAMPLE_MODEL = '/opt/Hopscotch/resources/sample';
export const TASKS = ['arithmetic', 'records', 'tracking'] as const;
export const taskPath = (name: string) => `${SAMPLE_MODEL}/tasks/${name}.jsonl`;
export const LONG_MODEL =
  '/home/ada/.cache/huggingface/hub/models--onnx-community--Meta-Llama-3.1-Instruct-with-an-unusually-long-name-ONNX/snapshots/4f0c1d7ab2e94a5f';
export const LONG_DATASET =
  '/home/ada/Documents/customer support/2026/exports/tickets-with-answers-cleaned-and-deduplicated-final-v3 (copy 2).jsonl';
export const RUN = '20261125-021944-sample-arithmetic';
export const OLDER_RUN = '20261125-020744-sample-records';
