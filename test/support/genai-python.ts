/** A Python with onnxruntime-genai and onnxruntime for tests: the one that HOPSCOTCH_GENAI_PYTHON names, or scripts/prepare-genai.sh's. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from './shared-folder.js';

const given = process.env['HOPSCOTCH_GENAI_PYTHON'];
const candidate = given ?? path.join(repositoryRoot, '.cache', 'genai-python', 'bin', 'python');

function canImport(python: string): boolean {
  try {
    execFileSync(python, ['-c', 'import onnxruntime, onnxruntime_genai'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Path of the interpreter; undefined where there is none. */
export const genaiPython = canImport(candidate) ? candidate : undefined;

/** Goes into the title of tests that are skipped without it. */
export const genaiReason =
  genaiPython !== undefined
    ? ''
    : given !== undefined
      ? ' (skipped: the Python of HOPSCOTCH_GENAI_PYTHON does not import onnxruntime_genai)'
      : ' (skipped: no Python with onnxruntime-genai; scripts/prepare-genai.sh makes one)';
