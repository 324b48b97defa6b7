// Draws the lanes of the time bar on a canvas. Colours are those of the theme; shapes say the same as they do.

import type { GapSpanView, LaneView, Notice } from '../generated/api';
import { rects, type Look, type Stretch } from '../charts/strip';
import { type Column, density, gapRects, type Lane, rangeOf, runsOf } from './lanes';
import { type Span, xOf } from './span';

export interface Picture {
  readonly span: Span;
  readonly lanes: readonly Lane[];
  readonly width: number;
  readonly height: number;
  /** By unit. */
  readonly stretches: ReadonlyMap<number, readonly Stretch[]>;
  readonly gaps: readonly GapSpanView[];
  readonly notices: readonly Notice[];
  readonly lane: LaneView | null;
  /** Until where anything is known. */
  readonly until: number;
}

const TOKENS = [
  'line', 'band', 'run', 'stop', 'short', 'wait', 'plan-a', 'plan-b', 'gap', 'gap-edge', 'critical', 'warning', 'symbol-edge', 'curve', 'data', 'hatch',
] as const;
export type Colours = Record<(typeof TOKENS)[number], string>;

/** The colours of the theme in force. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  return Object.fromEntries(TOKENS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as Colours;
}

export function paint(context: CanvasRenderingContext2D, picture: Picture, colours: Colours): void {
  context.clearRect(0, 0, picture.width, picture.height);
  for (const lane of picture.lanes) {
    context.save();
    context.translate(0, lane.top);
    if (lane.unit !== null) paintStates(context, lane, picture, colours);
    else if (lane.kind === 'gaps') paintGaps(context, lane, picture, colours);
    else if (lane.kind === 'events') paintEvents(context, lane, picture, colours);
    else if (lane.kind === 'tag') paintTag(context, lane, picture, colours);
    else underline(context, lane.height, picture.width, colours);
    context.restore();
  }
}

function underline(context: CanvasRenderingContext2D, height: number, width: number, colours: Colours): void {
  context.fillStyle = colours.line;
  context.fillRect(0, height, width, 1);
}

function paintStates(context: CanvasRenderingContext2D, { unit, height }: Lane, { span, width, stretches, until }: Picture, colours: Colours): void {
  const known = Math.min(width, Math.max(0, xOf(until, span, width)));
  context.fillStyle = colours.band;
  context.fillRect(0, 0, known, height);
  for (const { x, width: wide, look } of rects(stretches.get(unit ?? -1) ?? [], span.from, span.to, Math.max(1, Math.floor(width)))) {
    box(context, look, x, Math.min(wide, known - x), height, colours);
  }
}

/** Waiting is drawn low, planned hatched, unknown hollow: told apart without colour. */
function box(context: CanvasRenderingContext2D, look: Look, x: number, width: number, height: number, colours: Colours): void {
  if (width <= 0) return;
  if (look === 'unknown') return hollow(context, x, width, height, colours);
  if (look === 'planned') return hatched(context, x, width, height, colours['plan-a'], colours['plan-b']);
  const fill = { running: colours.run, stopped: colours.stop, short: colours.short, suspended: colours.wait }[look];
  context.fillStyle = fill;
  if (look === 'suspended') context.fillRect(x, height / 2, width, height / 2);
  else context.fillRect(x, 0, width, height);
}

function hollow(context: CanvasRenderingContext2D, x: number, width: number, height: number, colours: Colours): void {
  context.fillStyle = colours.gap;
  context.fillRect(x, 0, width, height);
  context.strokeStyle = colours['gap-edge'];
  context.setLineDash([3, 3]);
  context.strokeRect(x + 0.5, 0.5, Math.max(0, width - 1), height - 1);
  context.setLineDash([]);
}

function hatched(context: CanvasRenderingContext2D, x: number, width: number, height: number, under: string, over: string): void {
  context.save();
  context.beginPath();
  context.rect(x, 0, width, height);
  context.clip();
  context.fillStyle = under;
  context.fillRect(x, 0, width, height);
  context.strokeStyle = over;
  context.lineWidth = 2;
  context.beginPath();
  // The pattern lies still on the bar, whatever is drawn over it.
  for (let at = Math.floor((x - height) / 7) * 7; at < x + width; at += 7) {
    context.moveTo(at, height);
    context.lineTo(at + height, 0);
  }
  context.stroke();
  context.restore();
}

function paintGaps(context: CanvasRenderingContext2D, { height }: Lane, { span, width, gaps }: Picture, colours: Colours): void {
  underline(context, height, width, colours);
  for (const { x, width: wide, partial } of gapRects(gaps, span, width)) {
    context.save();
    context.translate(0, partial ? height * 0.5 : 0);
    const high = partial ? height * 0.5 : height;
    hatched(context, x, wide, high, colours.gap, colours['gap-edge']);
    context.strokeStyle = colours['gap-edge'];
    context.strokeRect(x + 0.5, 0.5, Math.max(1, wide - 1), high - 1);
    context.restore();
  }
}

function paintEvents(context: CanvasRenderingContext2D, { height }: Lane, { span, width, notices }: Picture, colours: Colours): void {
  underline(context, height, width, colours);
  for (const column of density(notices, span, width, height)) bar(context, column, height, colours);
}

function bar(context: CanvasRenderingContext2D, { x, width, height: high, weight }: Column, height: number, colours: Colours): void {
  context.fillStyle = { critical: colours.critical, warning: colours.warning, notice: colours.curve }[weight];
  context.fillRect(x, height - high, width, high);
  if (weight !== 'warning') return;
  context.strokeStyle = colours['symbol-edge'];
  context.strokeRect(x + 0.5, height - high + 0.5, width - 1, high - 1);
}

/** Least to greatest of each column as a band, the last values as a line, gaps as gaps, doubtful columns marked below. */
function paintTag(context: CanvasRenderingContext2D, { height }: Lane, { span, width, lane, until }: Picture, colours: Colours): void {
  underline(context, height, width, colours);
  // A value that is held goes on; what is recorded does not.
  context.beginPath();
  context.rect(0, 0, Math.max(0, xOf(until, span, width)), height + 1);
  context.clip();
  const range = lane === null ? null : rangeOf(lane);
  if (lane === null || range === null) return;
  const columns = lane.min.length;
  const room = range[1] - range[0];
  const x = (column: number) => xOf(lane.fromMs + (column / columns) * (lane.toMs - lane.fromMs), span, width);
  const y = (value: number | null) => (room === 0 ? height / 2 : 2 + (1 - ((value ?? range[0]) - range[0]) / room) * (height - 8));
  for (const [first, beyond] of runsOf(lane)) band(context, lane, first, beyond, x, y, colours);
  context.fillStyle = colours['gap-edge'];
  lane.doubtful.forEach((doubtful, column) => doubtful && context.fillRect(x(column), height - 3, Math.max(1, x(column + 1) - x(column)), 3));
}

function band(
  context: CanvasRenderingContext2D, lane: LaneView, first: number, beyond: number, x: (column: number) => number, y: (value: number | null) => number,
  colours: Colours,
): void {
  context.beginPath();
  for (let column = first; column < beyond; column++) context.lineTo(x(column + 0.5), y(lane.max[column]));
  for (let column = beyond - 1; column >= first; column--) context.lineTo(x(column + 0.5), y(lane.min[column]));
  context.closePath();
  context.globalAlpha = 0.3;
  context.fillStyle = colours.data;
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = colours.data;
  context.lineWidth = 1.2;
  context.beginPath();
  for (let column = first; column < beyond; column++) context.lineTo(x(column + 0.5), y(lane.last[column]));
  if (beyond - first === 1) context.lineTo(x(beyond), y(lane.last[first]));
  context.stroke();
}
