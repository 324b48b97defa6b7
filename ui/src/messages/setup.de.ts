import type { setupEn } from './setup.en';

export const setupDe: Record<keyof typeof setupEn, string> = { 'setup.title': 'Einrichten' };
