import { beforeEach, describe, expect, it } from 'vitest';
import { type Acts, Gestures } from './gestures';

let acts: unknown[][];
let drawing: boolean;
let on: Gestures;

beforeEach(() => {
  acts = [];
  drawing = false;
  const note = (name: keyof Acts) => (...more: number[]) => void acts.push([name, ...more]);
  on = new Gestures({
    press: note('press'), twice: note('twice'), scrub: note('scrub'), pinch: note('pinch'), drawing: () => drawing,
    stretch: (from, to, done) => acts.push(['stretch', from, to, done]),
  });
});

describe('gestures', () => {
  it('takes a trembling finger for a press', () => {
    on.down(1, 100, false);
    on.move(1, 102);
    on.up(1, 102, 7, 0);
    expect(acts).toEqual([['press', 102, 7]]);
  });

  it('scrubs from the first real movement to where it is let go', () => {
    on.down(1, 100, false);
    [102, 110, 150].forEach((x) => on.move(1, x));
    on.up(1, 160, 7, 0);
    expect(acts).toEqual([['scrub', 110], ['scrub', 150], ['scrub', 160]]);
  });

  it.each([['near and soon', 300, 101, 'twice'], ['late', 900, 101, 'press'], ['elsewhere', 300, 140, 'press']])('two presses, the second %s', (_, at, x, expected) => {
    on.down(1, 100, false);
    on.up(1, 100, 7, 0);
    on.down(1, x, false);
    on.up(1, x, 7, at);
    expect(acts.map(([name]) => name)).toEqual(['press', expected]);
  });

  it.each([['with shift', true, false], ['when asked to', false, true]])('draws a stretch %s', (_, shift, asked) => {
    drawing = asked;
    on.down(1, 100, shift);
    on.move(1, 102);
    on.move(1, 140);
    on.up(1, 150, 7, 0);
    expect(acts).toEqual([['stretch', 100, 140, false], ['stretch', 100, 150, true]]);
  });

  it('zooms about the middle of two fingers, and does not scrub when one is lifted', () => {
    on.down(1, 100, false);
    on.down(2, 200, false);
    on.move(2, 300);
    on.up(2, 300, 7, 0);
    on.move(1, 160);
    on.up(1, 160, 7, 10);
    expect(acts).toEqual([['pinch', 150, 0.5, 50]]);
  });

  it('forgets a gesture that the system took away', () => {
    on.down(1, 100, false);
    on.move(1, 150);
    on.cancel(1);
    on.move(1, 180);
    expect(acts).toEqual([['scrub', 150]]);
  });
});
