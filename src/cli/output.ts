/** What a command prints on standard output: text for people or JSON for scripts. */

export function printResult(asJson: boolean | undefined, result: unknown, text: () => string): void {
  process.stdout.write(`${asJson ? JSON.stringify(result, undefined, 2) : text()}\n`);
}
