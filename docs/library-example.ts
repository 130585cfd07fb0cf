// Hopscotch as a library, from the project's root: what the sample model is made of, and the model without a block.
import { describeModel, jobContext, checkedSettings, RunStore, slim } from 'hopscotch';

const context = jobContext({ store: new RunStore('runs'), cache: 'cache' });
const { name, layers, blocks } = await describeModel({ model: 'assets/sample' }, context);
console.log(`${name}: ${layers} layers, ${blocks.length} blocks`);

// From here on it takes minutes.
const task = { dataset: 'assets/sample/tasks/tracking.jsonl', budget: { kind: 'blocks', blocks: 1 } };
const run = context.store.create(checkedSettings({ model: 'assets/sample', ...task, output: 'slimmed' }));
const { report } = await slim({ run }, { ...context, on: (event) => console.log(event.type) });
console.log(
  report.points.map(({ skipped, withScales }) => `without ${skipped}: loss ${withScales?.loss.value}`),
);
