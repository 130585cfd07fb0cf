/** What a provider leaves to the CPU, told to the job's listener. */
import type { JobListener } from '../../../schema/events.js';
import type { RunOptions } from '../../runtime/session.js';

/** The options, for sessions of this process, with an eye on what their provider lacks: each operator is told once. */
export function tellingCpuOperators(options: RunOptions, on: JobListener): RunOptions {
  const named = new Set<string>();
  const onCpuOperators = (operators: readonly string[]) => {
    const added = operators.filter((operator) => !named.has(operator));
    if (added.length === 0) return;
    for (const operator of added) named.add(operator);
    on({ type: 'cpu-operators', provider: options.provider ?? 'cpu', operators: added });
  };
  return { ...options, onCpuOperators };
}
