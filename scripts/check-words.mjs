/** Checks that nothing but the command line speaks its syntax, since the app shows the same messages: `npm run check` runs it. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** An option within a text, or a command. What is to be typed for an error goes into its `inCommands`. */
const SYNTAX =
  /(?<!var)[\s'"`(]--[a-z][a-z-]+|hopscotch (slim|export|runs|models|compare|evaluate|inspect|import)\b/;
const COMMENT = /^\s*(\/?\*|\/\/)/;

const problems = [];
for (const name of ['src/engine', 'src/schema'].flatMap(sourceFiles)) {
  let isTyped = false;
  for (const [index, line] of readFileSync(path.join(root, name), 'utf8').split('\n').entries()) {
    isTyped = line.includes('inCommands:') || (isTyped && /^\s*["'`]/.test(line));
    if (!isTyped && !COMMENT.test(line) && SYNTAX.test(line))
      problems.push(`${name}:${index + 1}: the command line's syntax belongs into an error's inCommands`);
  }
}

function sourceFiles(folder) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => path.join(folder, name));
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
