import { stripVTControlCharacters } from 'node:util';
import { CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancelledError, ProviderFailure, UserError } from '../engine/index.js';
import { EXIT_CODES, EXIT_CODE_HELP } from './exit-codes.js';
import { reportFailure } from './failure.js';

let said = '';
beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += stripVTControlCharacters(String(text));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe('a command that fails', () => {
  it.each([
    ['what a user can mend', new UserError('There is no model at /m; check the path.')],
    ['a provider that fails', new ProviderFailure('cuda', 'no device')],
  ])('of %s says it in one line and ends with 2', (_, error) => {
    expect(reportFailure(error)).toBe(2);
    expect(said).toBe(`hopscotch: ${error.message}\n`);
  });

  it('says what to type, which the app does not', () => {
    const error = new UserError('Say which file.', { inCommands: '--model-file FILE' });
    expect(error.message).toBe('Say which file.');
    reportFailure(error);
    expect(said).toBe('hopscotch: Say which file. At the command line: --model-file FILE\n');
  });

  it('because it was stopped says nothing more and ends with 130, as shells do', () => {
    expect(reportFailure(new CancelledError())).toBe(130);
    expect(said).toBe('');
  });

  it('for wrong arguments leaves the words to commander; asked for help it has not failed', () => {
    expect(reportFailure(new CommanderError(1, 'commander.unknownOption', 'unknown option'))).toBe(2);
    expect(reportFailure(new CommanderError(0, 'commander.help', '(outputHelp)'))).toBe(0);
    expect(said).toBe('');
  });

  it('by a fault of ours says so, hides the stack until asked for it, and ends with 1', () => {
    const fault = new TypeError('x is undefined');
    vi.stubEnv('HOPSCOTCH_DEBUG', '');
    expect(reportFailure(fault)).toBe(1);
    expect(said).toBe(
      'hopscotch: something went wrong that should not: x is undefined\n' +
        'Set HOPSCOTCH_DEBUG=1 to see where, and please report it.\n',
    );
    said = '';
    vi.stubEnv('HOPSCOTCH_DEBUG', '1');
    reportFailure(fault);
    expect(said).toContain('failure.test.ts');
  });

  it('by something thrown that is no error still says what it was', () => {
    expect(reportFailure('nonsense')).toBe(1);
    expect(said).toContain('that should not: nonsense\n');
  });
});

it('the help names every exit code', () => {
  for (const code of Object.values(EXIT_CODES)) expect(EXIT_CODE_HELP).toMatch(new RegExp(`\\b${code}\\b`));
});
