// Imported before everything else: WebKitGTK in the POSIX locale says that the page's language is "C", which is
// no language tag, and uPlot hands it to Intl while it is being imported. The page would stay blank.

export function mendLanguage(navigator: { readonly language: string }): void {
  try {
    Intl.getCanonicalLocales(navigator.language);
  } catch {
    Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
  }
}

mendLanguage(navigator);
