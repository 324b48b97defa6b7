// Decodes and applies one frame of 10,000 updates, again and again; what the page does for every frame.

import { encodeFrame } from '../src/platform/fake/encode';
import { decodeFrame } from '../src/session/frame';
import { Session } from '../src/session/session';

const UPDATES = 10_000;
const WARM_UP = 200;
const ROUNDS = 2_000;

/** p99 in milliseconds over all rounds after warming up. */
export function applyP99(): number {
  // One value in twenty is a text, as in a real plant; ids are spread over 50,000 tags.
  const values = Array.from({ length: UPDATES }, (_, i) => ({
    id: i * 5, value: i * 1.01, status: 0, sourceTime: 1e12 + i, serverTime: 1e12 + i, received: 1e12 + i,
    ...(i % 20 === 0 ? { kind: 'text' as const, text: `batch ${i}` } : {}),
  }));
  const buffer = encodeFrame({ at: 1e12, seq: 1, values });
  const session = new Session();
  session.values.reset(50_000);
  const spent: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const own = buffer.slice(0);
    const began = performance.now();
    session.apply(decodeFrame(own));
    if (round >= WARM_UP) spent.push(performance.now() - began);
  }
  if (session.values.get(5 * (UPDATES - 1))?.value !== (UPDATES - 1) * 1.01) throw new Error('the frame was not applied');
  return spent.sort((a, b) => a - b)[Math.floor(spent.length * 0.99)];
}
