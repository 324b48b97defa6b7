// What this screen remembers of its user: language and theme. Storage that is switched off is no error.

import { setDecimalMark } from '../kit/format';
import { type Language, LANGUAGES, pickLanguage, setLanguage } from '../messages';

export type Theme = 'light' | 'dark';

const LANGUAGE = 'lineside.language';
const THEME = 'lineside.theme';

export function startLanguage(): Language {
  const stored = LANGUAGES.find((l) => l === read(LANGUAGE));
  return useLanguage(stored ?? pickLanguage(navigator.languages));
}

/** Remembers the language and makes messages and numbers follow it. */
export function chooseLanguage(language: Language): Language {
  write(LANGUAGE, language);
  return useLanguage(language);
}

export function startTheme(): Theme {
  const stored = read(THEME);
  const wished = window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  return useTheme(stored === 'dark' || stored === 'light' ? stored : wished);
}

export function chooseTheme(theme: Theme): Theme {
  write(THEME, theme);
  return useTheme(theme);
}

function useLanguage(language: Language): Language {
  setLanguage(language);
  setDecimalMark(language === 'de' ? ',' : '.');
  document.documentElement.lang = language;
  return language;
}

function useTheme(theme: Theme): Theme {
  document.documentElement.dataset['theme'] = theme;
  return theme;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice holds until the page is closed.
  }
}
