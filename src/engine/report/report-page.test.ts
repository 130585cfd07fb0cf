import { Window } from 'happy-dom';
import { describe, expect, it } from 'vitest';
import { answersCsv } from './answers-csv.js';
import { markup } from './html.js';
import { factTable, figureTable, reportPage } from './report-page.js';

const HOSTILE = [
  '<script>document.title="taken"</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</div></main></body></html><h1>Gone</h1>',
  '<!-- <style>*{display:none}</style>',
  '&lt;b&gt; &amp; ${html}',
  '</textarea></title><svg onload=alert(1)>',
  'gnp.\u202Eexe\u0000',
];

describe('a report whose texts are hostile', () => {
  const hostile = HOSTILE.join('\n');
  const answers = {
    names: [hostile, hostile],
    rows: [
      {
        line: 1,
        prompt: hostile,
        expected: hostile,
        answers: [
          { text: hostile, right: true },
          { text: hostile, right: false, same: true },
        ],
      },
    ],
  };
  const page = reportPage({
    title: hostile,
    lead: [hostile],
    parts: [
      { title: hostile, content: figureTable(['', hostile], [[hostile, hostile]], hostile) },
      { title: 'Settings', content: factTable([[hostile, hostile]]) },
    ],
    answers,
  });
  const { document } = new Window();
  document.write(page);

  it('has the elements that it was written with, and no others', () => {
    const names = new Set([...document.querySelectorAll('*')].map(({ tagName }) => tagName.toLowerCase()));
    for (const name of ['script', 'img', 'svg', 'b', 'textarea', 'iframe', 'object', 'link', 'base'])
      expect(names).not.toContain(name);
    expect(document.querySelectorAll('h1')).toHaveLength(1);
    expect(document.querySelectorAll('style')).toHaveLength(1);
    const attributes = new Set([...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames()));
    expect([...attributes].filter((name) => name.startsWith('on'))).toEqual([]);
  });

  it('shows them as they are, but for signs that order text anew', () => {
    const shown = hostile.replaceAll(/[\u202E\0]/g, '\uFFFD');
    for (const element of document.querySelectorAll('.text')) expect(element.textContent).toBe(shown);
    expect(document.querySelector('h1')!.textContent).toBe(shown);
    expect(document.title).toBe(shown);
  });

  it('may load nothing from anywhere', () => {
    const policy = document.querySelector('meta[http-equiv]')!.getAttribute('content');
    expect(policy).toContain("default-src 'none'");
    expect(document.querySelector('[src], [href], [style]')).toBeNull();
    expect(document.querySelector('style')!.textContent).not.toMatch(/url\(|@import/);
  });
});

it('markup escapes values also in lists and in other templates', () => {
  const inner = markup`<b title="${'"<'}">${'<i>'}</b>`;
  expect(markup`<p>${[inner, '&', 3, undefined, false]}</p>`.text).toBe(
    '<p><b title="&quot;&lt;">&lt;i&gt;</b>&amp;3</p>',
  );
});

it('the CSV file has a line a prompt, quotes what needs it, and no cell that is a formula', () => {
  const csv = answersCsv({
    names: ['original', 'slimmed'],
    rows: [
      {
        line: 7,
        prompt: 'Say "no", please',
        answers: [
          { text: '=HYPERLINK("x")', right: false },
          { text: '-5', right: true, same: false },
        ],
      },
    ],
  });
  expect(csv).toBe(
    'row,prompt,expected,original,original: right,slimmed,slimmed: right,same answer\r\n' +
      '7,"Say ""no"", please",,"\'=HYPERLINK(""x"")",no,-5,yes,no\r\n',
  );
});
