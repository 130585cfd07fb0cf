/** Writing systems by name, and those that texts are written in (Unicode's property Script). */
import { UserError } from '../../../schema/errors.js';

/** ISO 15924 codes of Unicode's scripts; a runtime with an older Unicode does not know the newest. */
const CODES = (
  'Latn Cyrl Grek Arab Hebr Hani Hira Kana Hang Thai Deva Beng Taml Telu Knda Mlym Gujr Guru Orya Sinh Geor Armn Ethi ' +
  'Mymr Khmr Laoo Tibt Mong Bopo Cher Cans Syrc Thaa Nkoo Yiii Copt Goth Runr Ogam Brai Tfng Vaii Bali Java Sund Tglg ' +
  'Adlm Aghb Ahom Armi Avst Bamu Bass Batk Bhks Brah Bugi Buhd Cakm Cari Cham Chrs Cpmn Cprt Diak Dogr Dsrt Dupl Egyp ' +
  'Elba Elym Gara Glag Gong Gonm Gran Gukh Hano Hatr Hluw Hmng Hmnp Hung Ital Kali Kawi Khar Khoj Kits Krai Kthi Lana ' +
  'Lepc Limb Lina Linb Lisu Lyci Lydi Mahj Maka Mand Mani Marc Medf Mend Merc Mero Modi Mroo Mtei Mult Nagm Nand Narb ' +
  'Nbat Newa Nshu Olck Onao Orkh Osge Osma Ougr Palm Pauc Perm Phag Phli Phlp Phnx Plrd Prti Rjng Rohg Samr Sarb Saur ' +
  'Sgnw Shaw Shrd Sidd Sind Sogd Sogo Sora Soyo Sunu Sylo Tagb Takr Tale Talu Tang Tavt Tirh Tnsa Todr Toto Tutg Ugar ' +
  'Vith Wara Wcho Xpeo Xsux Yezi Zanb'
).split(' ');

/** Characters that texts of any script have: digits, signs, spaces, emoji; and marks that take the script of their base. */
export const COMMON_SCRIPTS = ['Zyyy', 'Zinh'] as const;

/** Codes that stand for several scripts. */
const SEVERAL: Readonly<Record<string, readonly string[]>> = {
  Jpan: ['Hani', 'Hira', 'Kana'],
  Hrkt: ['Hira', 'Kana'],
  Kore: ['Hang', 'Hani'],
  Hans: ['Hani'],
  Hant: ['Hani'],
};

/** One character of any of the scripts. @throws SyntaxError if the runtime does not know one */
export function characterOf(codes: readonly string[]): RegExp {
  return new RegExp(`[${codes.map((code) => `\\p{Script=${code}}`).join('')}]`, 'u');
}

const known = CODES.filter((code) => {
  try {
    return characterOf([code]) instanceof RegExp;
  } catch {
    return false;
  }
});

/** 'Latin' for 'Latn'. */
export function scriptName(code: string): string {
  const name = new Intl.DisplayNames(['en'], { type: 'script', fallback: 'none' }).of(code);
  return name === undefined ? code : code === 'Hani' ? 'Han' : name;
}

export interface FoundScripts {
  /** Number of texts with characters of each script, by its code, the most frequent first. */
  texts: Map<string, number>;
  /** Characters of no script that is known: private ones, and those that Unicode has not given yet. */
  others: ReadonlySet<string>;
}

/** The scripts that texts are written in. */
export function scriptsOf(texts: readonly string[]): FoundScripts {
  const counts = new Map<string, number>();
  const others = new Set<string>();
  const seen: string[] = [];
  let ofSeen = allOf(seen);
  for (const text of texts) {
    for (;;) {
      const unseen = [...text.replaceAll(ofSeen, '')].find((character) => !others.has(character));
      if (unseen === undefined) break;
      const code = known.find((candidate) => characterOf([candidate]).test(unseen));
      if (code === undefined) others.add(unseen);
      else {
        seen.push(code);
        ofSeen = allOf(seen);
      }
    }
  }
  for (const code of seen) {
    const character = characterOf([code]);
    counts.set(code, texts.filter((text) => character.test(text)).length);
  }
  return { texts: new Map([...counts].toSorted(([, a], [, b]) => b - a)), others };
}

function allOf(codes: readonly string[]): RegExp {
  return new RegExp(characterOf([...COMMON_SCRIPTS, ...codes]).source, 'gu');
}

/**
 * The scripts that a name stands for: 'Latin', 'latn', 'german', 'ja'.
 * @throws UserError if it is the name of no script and of no language
 */
export function scriptsCalled(name: string): readonly string[] {
  const wanted = name.trim().toLowerCase();
  const script = known.find((code) =>
    [code, scriptName(code)].some((other) => other.toLowerCase() === wanted),
  );
  if (script !== undefined) return [script];
  const written = writtenIn(wanted);
  if (written) return written;
  throw new UserError(
    `'${name.trim().slice(0, 40)}' is the name of no script and no language that is known; give names of scripts such as latin, cyrillic or han, or of languages such as german or japanese, with commas between.`,
  );
}

/** The scripts that a language is written in, by its English name or its code (ISO 639-1). */
function writtenIn(language: string): readonly string[] | undefined {
  const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const code = letters
    .flatMap((first) => letters.map((second) => first + second))
    .find((candidate) => {
      const called = names.of(candidate)?.toLowerCase();
      return called !== undefined && (called === language || candidate === language);
    });
  if (code === undefined) return undefined;
  const { script } = new Intl.Locale(code).maximize();
  if (script === undefined) return undefined;
  return SEVERAL[script] ?? (known.includes(script) ? [script] : undefined);
}
