/** A process that tries one case after another, as scripts/fuzz.mjs tells it to; what kills it is known by its case. */
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { KINDS } from './kinds/index.js';
import { outcomeOf } from './outcome.js';
import { Random } from './random.js';

interface Question {
  kind: string;
  seed: string;
  folder: string;
}

process.on('unhandledRejection', (error) => {
  process.send!({ is: 'unhandled rejection', message: String(error) });
  setTimeout(() => process.exit(1), 50);
});

process.on('message', ({ kind: name, seed, folder }: Question) => {
  const kind = KINDS.find((each) => each.name === name)!;
  void (async () => {
    for (const each of [folder, `${folder}-out`]) rmSync(each, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    try {
      await kind.write(new Random(`${name} ${seed}`), folder);
    } catch {
      // Some damage cannot be written down, such as text nested too deeply for JSON; that is nobody's fault.
      process.send!({ is: 'read' });
      return;
    }
    process.send!({ is: 'written' });
    const outcome = await outcomeOf(kind, folder);
    // A promise that nobody waits for fails a moment later.
    await new Promise((resolve) => setImmediate(resolve));
    process.send!(outcome);
  })();
});
process.on('disconnect', () => process.exit(0));
process.send!({ is: 'ready', kinds: KINDS.map(({ name }) => name), folder: path.sep });
