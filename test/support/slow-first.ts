/** The order of the test files. */
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Whose files take minutes. Begun last, one of them would run while all other cores wait. */
const SLOW = new Set(['test/models', 'test/cli', 'test/runtimes']);

const { sort: ownOrder } = BaseSequencer.prototype;

/** Files that take minutes first, then vitest's own order. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await ownOrder.call(this, files);
    const isSlow = ({ moduleId }: TestSpecification) =>
      SLOW.has(path.relative(this.ctx.config.root, path.dirname(moduleId)));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}
