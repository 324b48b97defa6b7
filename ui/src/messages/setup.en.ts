export const setupEn = { 'setup.title': 'Setup' } as const;
