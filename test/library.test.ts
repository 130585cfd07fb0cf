/** The package as a library: docs/library-example.ts against what `npm run build` wrote. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/shared-folder.js';

const example = path.join(repositoryRoot, 'docs', 'library-example.ts');
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
};

describe('docs/library-example.ts', () => {
  it('compiles against the declarations that the package brings', () => {
    const program = ts.createProgram([example], options);
    const messages = ts
      .getPreEmitDiagnostics(program)
      .map(
        ({ messageText, file }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
      );
    expect(messages).toEqual([]);
    const read = program.getSourceFiles().map(({ fileName }) => path.relative(repositoryRoot, fileName));
    expect(read).toContain(path.join('dist', 'engine', 'index.d.ts'));
    expect(read.filter((name) => name.startsWith('src'))).toEqual([]);
  });

  it('opens the sample model by the package’s own name and says what it is made of', () => {
    const [first, rest] = readFileSync(example, 'utf8').split('// From here on it takes minutes.');
    expect(rest).toContain('slim(');
    const { outputText } = ts.transpileModule(first!, {
      compilerOptions: { ...options, module: ts.ModuleKind.ESNext },
    });
    const args = ['--input-type=module', '--eval', outputText];
    const printed = execFileSync(process.execPath, args, { cwd: repositoryRoot, encoding: 'utf8' });
    expect(printed).toBe('sample: 12 layers, 24 blocks\n');
    for (const folder of ['runs', 'cache']) expect(existsSync(path.join(repositoryRoot, folder))).toBe(false);
  });
});

it('everything that the package points to is built', () => {
  const { exports, bin } = JSON.parse(readFileSync(path.join(repositoryRoot, 'package.json'), 'utf8')) as {
    exports: Record<string, Record<string, string>>;
    bin: Record<string, string>;
  };
  for (const file of [...Object.values(exports['.']!), ...Object.values(bin)])
    expect(existsSync(path.join(repositoryRoot, file)), file).toBe(true);
});
