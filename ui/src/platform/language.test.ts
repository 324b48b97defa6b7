import { describe, expect, it } from 'vitest';
import { mendLanguage } from './language';

describe('the language of the page', () => {
  it.each([
    ['C', 'en'],
    ['en_US', 'en'],
    ['de-DE', 'de-DE'],
  ])('%s becomes %s', (said, usable) => {
    const navigator = { language: said };
    mendLanguage(navigator);
    expect(navigator.language).toBe(usable);
    expect(() => new Intl.NumberFormat(navigator.language)).not.toThrow();
  });
});
