// Every pair of colours that meets on the screen, in both themes: WCAG 2.2 AA (1.4.3 text, 1.4.11 symbols).
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/theme/tokens.css', 'utf8');

const blocks = { light: css.slice(css.indexOf(':root {'), css.indexOf(":root[data-theme='dark']")), dark: css.slice(css.indexOf(":root[data-theme='dark']")) };

function token(theme: keyof typeof blocks, name: string): string {
  const found = new RegExp(`--${name}:\\s*(#[0-9a-f]{6})`).exec(blocks[theme]);
  if (found === null) throw new Error(`${theme} has no --${name}`);
  return found[1];
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const SURFACES = ['bg', 'panel', 'raise'];
const TEXT = [
  ...SURFACES.flatMap((on) => ['ink', 'ink2', 'data', 'stale', 'ink3'].map((ink) => [ink, on])),
  ['stale', 'hatch'], ['stale', 'band'], ['ink', 'hatch'], ['ink2', 'hatch'], ['ink', 'notice'], ['on-critical', 'critical'], ['on-warning', 'warning'],
  ['on-simulated', 'simulated'], ['on-replay', 'replay'], ['replay', 'raise'], ['panel', 'ink'], ['on-pin', 'pin-a'], ['on-pin', 'pin-b'], ['on-whatif', 'whatif'],
];
const SYMBOLS = [
  ...SURFACES.flatMap((on) => ['critical', 'symbol-edge', 'simulated', 'edge', 'curve', 'focus', 'replay', 'pin-a', 'pin-b', 'whatif'].map((ink) => [ink, on])),
  // A stop must be told from running by brightness alone.
  ['stop', 'run'], ['data', 'band'], ['wait', 'band'], ['gap-edge', 'gap'], ['gap-edge', 'raise'], ['critical', 'notice'],
];

describe.each(['light', 'dark'] as const)('%s theme', (theme) => {
  it.each(TEXT)('text %s on %s has 4.5 to 1', (ink, on) => {
    expect(contrast(token(theme, ink), token(theme, on))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(SYMBOLS)('symbol %s on %s has 3 to 1', (ink, on) => {
    expect(contrast(token(theme, ink), token(theme, on))).toBeGreaterThanOrEqual(3);
  });
});

it('knows the two ends of the scale', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21);
});
