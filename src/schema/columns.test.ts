/** A mapping of columns, written and read. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseColumnMapping } from '../engine/data/columns.js';
import { mappingText, type ColumnMapping } from './columns.js';

const name = fc
  .oneof(fc.string({ minLength: 1, maxLength: 12 }), fc.stringMatching(/^[ ,+="a]{1,6}$/))
  .filter((text) => text.trim() !== '' && !/[\n\r\u2028\u2029]/.test(text));
const optional = fc.option(name, { nil: undefined });
const written: fc.Arbitrary<ColumnMapping> = fc.oneof(
  name.map((messages) => ({ kind: 'messages' as const, messages })),
  name.map((text) => ({ kind: 'text' as const, text })),
  fc.record({
    kind: fc.constant('prompt-response' as const),
    prompt: name,
    input: optional,
    choices: fc.option(fc.array(name, { minLength: 1, maxLength: 4 }), { nil: undefined }),
    response: optional,
    system: optional,
  }),
);

describe('a mapping of columns', () => {
  it('is read as it was written, whatever the columns are called', () => {
    fc.assert(
      fc.property(written, (mapping) => {
        expect(parseColumnMapping(mappingText(mapping))).toEqual(mapping);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    'messages=chat',
    'text=story',
    'prompt=question,response=answer',
    'prompt=stem,choices=a+b+c,response=key,system=role',
    'prompt="What, when",response="yes + no"',
  ])('%s is written as it was read', (text) => {
    expect(mappingText(parseColumnMapping(text))).toBe(text);
  });
});
