// Chooses the platform. Made-up data needs both a development build and `?fake=<scenario>` in the address.

import type { Platform } from './platform';
import { socket, socketUrl } from './socket';

export { CallError, PIECE_BYTES, type Platform } from './platform';

export async function choosePlatform(window: Window): Promise<Platform> {
  if (import.meta.env.DEV) {
    const scenario = new URLSearchParams(window.location.search).get('fake');
    if (scenario !== null) return (await import('./fake')).fake(scenario);
  }
  if ('__TAURI_INTERNALS__' in window) return (await import('./tauri')).tauri;
  return socket(socketUrl(window.location));
}
