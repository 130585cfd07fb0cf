/** A report as one HTML file that needs nothing else: no script, no font, no picture from anywhere. */
import { markup, Html, type HtmlValue } from './html.js';
import type { ReportAnswers, ReportRow } from './report-answers.js';
import { REPORT_STYLE } from './report-style.js';

export interface ReportPage {
  title: string;
  /** Sentences under the title. */
  lead: readonly string[];
  /** Titled parts before the answers. */
  parts: readonly { title: string; content: HtmlValue }[];
  answers: ReportAnswers | undefined;
  /** One sentence: why there are no answers. */
  noAnswers?: string | undefined;
}

/** Marks a file as one that may be replaced by a newer report. */
export const REPORT_MARK = '<meta name="generator" content="Hopscotch">';

/** Answers shown; all are in the CSV file. */
const SHOWN_ROWS = 20;

/** What no browser may do with the page, whatever is in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export function reportPage({ title, lead, parts, answers, noAnswers }: ReportPage): string {
  // Written here, so that nothing in it is anybody else's.
  const style = Html.write([`<style>${REPORT_STYLE}</style>`], []);
  const mark = Html.write([REPORT_MARK], []);
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${mark}
        <title>${title}</title>
        ${style}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${lead.map((sentence) => markup`<p class="lead">${sentence}</p>`)}
          ${parts.map(
            (part) =>
              markup`<section>
                <h2>${part.title}</h2>
                ${part.content}
              </section>`,
          )}
          <section>
            <h2>Answers, worst first</h2>
            ${answers ? answersPart(answers) : markup`<p class="muted">${noAnswers}</p>`}
          </section>
        </main>
        <footer>
          Made with Hopscotch (arxiv.org/abs/2506.03303). Models and datasets have written the answers; they
          are shown as they are.
        </footer>
      </body>
    </html> `;
  return page.text;
}

function answersPart({ names, rows }: ReportAnswers): Html {
  const shown = rows.slice(0, SHOWN_ROWS);
  const note =
    rows.length > shown.length
      ? `The ${shown.length} of ${rows.length} prompts whose answers have suffered most; all are in the CSV file beside this page.`
      : `All ${rows.length} prompts.`;
  return markup`<p class="muted">${note}</p>
    ${shown.map((row) => rowPart(row, names))}`;
}

function rowPart({ line, prompt, expected, answers }: ReportRow, names: readonly string[]): Html {
  const sides = answers.map((answer, place) => {
    const judged = answer?.right;
    const verdict =
      judged !== undefined &&
      markup` <span class="${judged ? 'right' : 'wrong'}">${judged ? '✓ right' : '✗ wrong'}</span>`;
    const same = answer?.same === true && markup` <span class="muted">same answer</span>`;
    return markup`<div class="${place > 0 ? 'side other' : 'side'}">
      <h3>${names[place]}${verdict}${same}</h3>
      <div class="text" dir="auto">${answer?.text}</div>
    </div>`;
  });
  return markup`<article>
    <p class="prompt" dir="auto"><small class="muted">row ${line}</small> ${prompt}</p>
    <div class="sides">${sides}</div>
    ${expected !== undefined && markup`<p class="small muted prompt">Expected: ${expected}</p>`}
  </article>`;
}

/** A table of figures. @param rows each with the figure's name first */
export function figureTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  caption?: string,
): Html {
  return markup`<table class="figures numbers">
    ${
      caption !== undefined &&
      markup`<caption>
        ${caption}
      </caption>`
    }
    <thead>
      <tr>
        ${head.map((cell) => markup`<th scope="col">${cell}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([name, ...cells]) =>
          markup`<tr>
            <th scope="row">${name}</th>
            ${cells.map((cell) => markup`<td>${cell === '' ? '–' : cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** Names and values. */
export function factTable(facts: readonly (readonly [string, string])[]): Html {
  return markup`<table class="figures">
    <tbody>
      ${facts.map(
        ([name, value]) =>
          markup`<tr>
            <th scope="row">${name}</th>
            <td>${value}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
