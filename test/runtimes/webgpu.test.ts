/** WebGPU computes what the CPU does. */
import { beforeAll, describe, expect, it } from 'vitest';
import { decoderResults, type DecoderResults } from '../support/decoder-results.js';
import { automaticChoice, findWebgpu, webgpuResults } from '../support/webgpu.js';

const webgpu = await findWebgpu();
const title = 'reason' in webgpu ? `WebGPU, skipped since it does not start: ${webgpu.reason}` : 'WebGPU';

describe.skipIf('reason' in webgpu)(title, () => {
  describe.each(['llama', 'gpt2', 'genai qwen3'])('on a decoder in the style of %s', (name) => {
    let expected: DecoderResults;
    let actual: DecoderResults;
    beforeAll(async () => {
      if ('reason' in webgpu) return;
      expected = await decoderResults(name, 'cpu');
      actual = await webgpuResults(name, webgpu.environment);
    });

    it.each(['scalar', 'channel+gain'])("has the CPU's loss and gradients by %s scales", (granularity) => {
      const [cpu, gpu] = [expected.gradients[granularity]!, actual.gradients[granularity]!];
      expect(relativeDifference([gpu.loss], [cpu.loss])).toBeLessThan(TOLERANCE);
      expect(Object.keys(gpu.gradients)).toEqual(Object.keys(cpu.gradients));
      expect(Object.keys(cpu.gradients).length).toBeGreaterThan(8);
      const whole = Math.hypot(...Object.values(cpu.gradients).flat());
      for (const [key, values] of Object.entries(cpu.gradients)) {
        const own = Math.hypot(...values);
        expect(own, key).toBeGreaterThan(0);
        // The gradient of a single scale may nearly cancel out.
        const most = GRADIENT_TOLERANCE * Math.max(own, whole / 50);
        expect(relativeDifference(gpu.gradients[key]!, values) * own, key).toBeLessThan(most);
      }
    });

    it("has the CPU's loss, logits and predictions forward", () => {
      expect(relativeDifference([actual.forward.loss], [expected.forward.loss])).toBeLessThan(TOLERANCE);
      expect(relativeDifference(actual.forward.tokenLosses, expected.forward.tokenLosses)).toBeLessThan(
        TOLERANCE,
      );
      expect(relativeDifference(actual.forward.logits, expected.forward.logits)).toBeLessThan(TOLERANCE);
      expect(actual.forward.predictions).toEqual(expected.forward.predictions);
    });

    it('leaves no matrix product or activation to the CPU, and names what it does leave', () => {
      const { cpuOperators } = actual;
      expect(cpuOperators.length).toBeGreaterThan(0);
      for (const product of ['MatMul', 'Gemm', 'Softmax', 'Mul']) expect(cpuOperators).not.toContain(product);
      expect(expected.cpuOperators).toEqual([]);
    });

    it('generates the same tokens with the KV cache', () => {
      expect(expected.generated.every((tokens) => tokens.length === 8)).toBe(true);
      expect(new Set(expected.generated.map(String)).size).toBe(expected.generated.length);
      expect(actual.generated).toEqual(expected.generated);
    });
  });
});

describe.skipIf('reason' in webgpu || webgpu.environment.VK_ICD_FILENAMES === undefined)(
  'a graphics card in software (SwiftShader; skipped where it is missing or a real one is there)',
  () => {
    it('is passed over by the automatic choice', async () => {
      if ('reason' in webgpu) return;
      const { provider, reason } = await automaticChoice(webgpu.environment);
      expect(provider).toBe('cpu');
      expect(reason).toMatch(/WebGPU is slower than the CPU here \(\d+ ms against \d+ ms/);
    }, 100_000);
  },
);

/** float32 rounds at 6e-8; sums run in another order on each device. */
const TOLERANCE = 1e-4;
const GRADIENT_TOLERANCE = 1e-3;

/** Length of the difference against the length of what is expected. */
function relativeDifference(actual: readonly number[], expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.hypot(...actual.map((value, at) => value - expected[at]!)) / Math.hypot(...expected);
}
