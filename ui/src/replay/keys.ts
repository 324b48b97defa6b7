// Keys of the replay, the same on every view. What somebody types into a field is not for us.

import type { Screen } from '../shell/screen.svelte';
import type { Deck } from './deck.svelte';

/** How far an arrow moves: 1 s, with shift 10 s, with alt 0.1 s. */
export function moveMs({ shiftKey, altKey }: { shiftKey: boolean; altKey: boolean }): number {
  return shiftKey ? 10_000 : altKey ? 100 : 1_000;
}

const ZOOM = 0.5;

/** Acts on a key. Answers whether it was one of ours. */
export function press(event: KeyboardEvent, screen: Screen): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || typing(event.target)) return false;
  // What is behind a dialog waits.
  if (document.querySelector('dialog[open]') !== null) return false;
  const { deck } = screen;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === 'b' && !event.altKey) {
    screen.beginMark();
    return true;
  }
  return deck !== null && inReplay(key, event, screen, deck);
}

function inReplay(key: string, event: KeyboardEvent, screen: Screen, deck: Deck): boolean {
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    deck.move(moveMs(event) * (key === 'ArrowLeft' ? -1 : 1));
    return true;
  }
  if (event.altKey) return false;
  // A focused button takes the space bar, a list its ends.
  if ((key === ' ' && pressable(event.target)) || ((key === 'Home' || key === 'End') && listed(event.target))) return false;
  const acts: Record<string, () => void> = {
    ' ': () => deck.toggle(),
    'Home': () => deck.seek(deck.whole.from),
    'End': () => deck.toEnd(),
    'n': () => void deck.find(true),
    'p': () => void deck.find(false),
    ',': () => deck.shiftSpeed(-1),
    '.': () => deck.shiftSpeed(1),
    '+': () => deck.zoom(deck.position, ZOOM),
    '-': () => deck.zoom(deck.position, 1 / ZOOM),
    '0': () => deck.showWhole(),
    't': () => (deck.typing = true),
    'f': () => (deck.asking = true),
    'a': () => deck.pin(event.shiftKey ? 'b' : 'a'),
    'c': () => deck.compare(),
    'o': () => deck.toggleLoop(),
    'l': () => screen.backToLive(),
    '?': () => (screen.keysOpen = !screen.keysOpen),
    'Escape': () => (deck.arming = false),
  };
  if (!(key in acts)) return false;
  acts[key]();
  return true;
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}

function pressable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, summary, [role="button"]') !== null;
}

function listed(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role="listbox"], [role="log"], [role="tree"], [role="grid"]') !== null;
}
