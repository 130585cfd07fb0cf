import { describe, expect, it } from 'vitest';
import { elementwise } from '../testing/cases/elementwise.js';
import { matrices } from '../testing/cases/matrices.js';
import { scatters } from '../testing/cases/scatters.js';
import { selections } from '../testing/cases/selections.js';
import { shapes } from '../testing/cases/shapes.js';
import { expectRuleGradients, fc, type RuleCases } from '../testing/rule-case.js';
import { rules } from './index.js';

const cases: RuleCases = { ...elementwise, ...matrices, ...shapes, ...selections, ...scatters };

/** Rules with several ways to the gradient. */
const manyBlocks = new Set(['Concat', 'Gather', 'MatMul', 'Mul', 'Pow', 'Slice']);

describe('gradient rules', () => {
  it('are each checked', () => {
    expect(rules.map((rule) => rule.operator).toSorted()).toEqual(Object.keys(cases).toSorted());
  });

  it.each(rules.map((rule) => [rule.operator, rule] as const))(
    '%s has the gradient of the finite differences',
    async (operator, rule) => {
      await fc.assert(
        fc.asyncProperty(cases[operator]!, fc.nat(1000), fc.boolean(), async (test, seed, forgetSizes) => {
          await expectRuleGradients(operator, rule.domain ?? '', test, seed, forgetSizes);
        }),
        { numRuns: manyBlocks.has(operator) ? 80 : 20, seed: 1 },
      );
    },
  );
});
