/** HTML whose values are always escaped: what a model or a dataset says can only ever be text. */

/** A piece of HTML that was written here, and not put together of strings. */
export class Html {
  /** @param text trusted: only the literal parts of `markup` and escaped values */
  private constructor(readonly text: string) {}

  /** @param strings literal parts of the source, @param values in between; numbers and strings are escaped */
  static write(strings: readonly string[], values: readonly HtmlValue[]): Html {
    const parts = strings.map(
      (literal, place) => literal + (place < values.length ? textOf(values[place]) : ''),
    );
    return new Html(parts.join(''));
  }
}

export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

/** A template whose values are escaped, for contents of elements and for attributes in double quotes. */
export function markup(strings: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return Html.write(strings, values);
}

function textOf(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  return typeof value === 'object' ? value.map(textOf).join('') : escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters that are part of ordinary text. */
const PLAIN: ReadonlySet<string> = new Set(['\t', '\n', '\r']);

/** Signs that order text anew or cannot be in a file are shown as what they are. */
function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign]!)
    .replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (sign) => (PLAIN.has(sign) ? sign : '\uFFFD'));
}
