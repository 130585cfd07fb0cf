import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { greedyToken, randomSource, sampleToken } from './sampling.js';

/** Logits of probabilities 0.5, 0.3, 0.15, 0.05 in another order. */
const logits = Float32Array.from([0.15, 0.5, 0.05, 0.3], Math.log);

describe('a drawn token', () => {
  it('comes as often as its probability says', () => {
    const counts = [0, 0, 0, 0];
    const random = randomSource(3);
    for (let draw = 0; draw < 20_000; draw += 1) counts[sampleToken(logits, settings({}), random())]! += 1;
    [0.15, 0.5, 0.05, 0.3].forEach((share, token) => expect(counts[token]! / 20_000).toBeCloseTo(share, 1.7));
  });

  it.each([
    [{ topK: 2 }, [1, 3]],
    [{ topK: 0 }, [0, 1, 2, 3]],
    [{ topP: 0.5 }, [1]],
    [{ topP: 0.51 }, [1, 3]],
    [{ topP: 1 }, [0, 1, 2, 3]],
    [{ topK: 3, topP: 0.9 }, [0, 1, 3]],
    [{ temperature: 1e-6 }, [1]],
  ])('with %j is one of %j', (limits, possible) => {
    const random = randomSource(5);
    const drawn = Array.from({ length: 500 }, () => sampleToken(logits, settings(limits), random()));
    expect([...new Set(drawn)].toSorted()).toEqual(possible);
  });

  it('is always one that the limits leave, for any logits', () => {
    const value = fc.float({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 1, maxLength: 20, min: -100, max: 100, noNaN: true }),
        value,
        (values, n) => {
          const random = (Math.abs(n) % 1) * 0.999;
          expect(sampleToken(values, settings({ topK: 1 }), random)).toBe(greedyToken(values));
          expect(values[sampleToken(values, settings({ topP: 0.9 }), random)]).toBeDefined();
        },
      ),
    );
  });
});

function settings(limits: { temperature?: number; topK?: number; topP?: number }) {
  return { temperature: 1, seed: 0, ...limits };
}
