// All words of the screen. `t` looks one up in the language in force; changing the language redraws the page.

import { de } from './de';
import { en } from './en';

export type Key = keyof typeof en;
export type Catalogue = Record<Key, string>;
export type Params = Record<string, string | number>;
/** A message with a singular and a plural is asked for by its stem. */
export type CountedKey = { [K in Key]: K extends `${infer Stem}.one` ? Stem : never }[Key];

export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

export const catalogues: Record<Language, Catalogue> = { en, de };

let current: Language = 'en';

export function language(): Language {
  return current;
}

export function setLanguage(to: Language): void {
  current = to;
}

/** The first language of the list that there is a catalogue for; English otherwise. */
export function pickLanguage(wanted: readonly string[]): Language {
  const known = (tag: string): Language | undefined => LANGUAGES.find((l) => tag.toLowerCase().startsWith(l));
  return wanted.map(known).find((l) => l !== undefined) ?? 'en';
}

/** The message with its {parameters} filled in. */
export function t(key: Key, params: Params = {}): string {
  return catalogues[current][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

/** The singular or plural message; `{n}` is `shown` where the number has its own format. */
export function tn(stem: CountedKey, n: number, params: Params = {}, shown: string = String(n)): string {
  return t(`${stem}.${n === 1 ? 'one' : 'other'}` as Key, { n: shown, ...params });
}

/** The message under a key that is put together from data, or `fallback` where there is none. */
export function tOr(key: string, fallback: string): string {
  return key in en ? t(key as Key) : fallback;
}
