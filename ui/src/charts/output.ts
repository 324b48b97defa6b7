// The output chart: points become columns for uPlot, and uPlot is set up in the colours of the theme.

import uPlot from 'uplot';
import type { OutputPointView } from '../generated/api';
import { formatNumber } from '../kit/format';

/** Where counting began: a target for a time in which nobody counted would blame the line for it. */
export interface Counted {
  /** Counts reach back to here, to the minute. */
  readonly from: number;
  /** The target goes through this point. */
  readonly at: number;
  readonly total: number;
}

export interface OutputView {
  readonly points: readonly OutputPointView[];
  /** Span of the shift, ms. */
  readonly from: number;
  readonly to: number;
  readonly counted: Counted;
  readonly now: number;
  /** Products per minute; null: no target line. */
  readonly targetRate: number | null;
  readonly zone: string;
  /** Text at the now line; empty where the total is not known. */
  readonly label: string;
}

/** uPlot's columns: seconds, output, target. */
export type Columns = [number[], (number | null)[], (number | null)[]];

/** Points further apart than this are not joined: nobody counted in between. */
export const JOIN_MAX_MS = 150_000;
/** The backend notes the output once in so long. */
const POINT_EVERY_MS = 60_000;

/** What the scale and the columns are made from. */
type Drawn = Pick<OutputView, 'points' | 'from' | 'to' | 'counted' | 'targetRate'>;

/** Where the counts of these points begin; at the shift's start where that is within the first minutes. */
export function countedOf(points: readonly OutputPointView[], shiftStart: number): Counted {
  const first = points.find((point) => point.total !== null);
  if (first?.total == null || first.atMs - shiftStart <= JOIN_MAX_MS) return { from: shiftStart, at: shiftStart, total: 0 };
  return { from: first.atMs - POINT_EVERY_MS, at: first.atMs, total: first.total };
}

export function columnsOf(view: Drawn): Columns {
  const { at } = view.counted;
  const columns: Columns = [[at / 1000], [view.points.find(({ atMs }) => atMs === at)?.total ?? null], [target(view, at)]];
  const add = (ms: number, total: number | null) => {
    columns[0].push(ms / 1000);
    columns[1].push(total);
    columns[2].push(target(view, ms));
  };
  let last: number | null = columns[1][0] === null ? null : at;
  for (const { atMs, total } of view.points) {
    if (atMs <= at || atMs > view.to) continue;
    if (last !== null && atMs - last > JOIN_MAX_MS) add((last + atMs) / 2, null);
    add(atMs, total);
    last = atMs;
  }
  add(view.to, null);
  return columns;
}

/** Top of the scale: the target at the end of the shift or what was made, with room above. */
export function topOf(view: Drawn): number {
  const made = Math.max(0, ...view.points.map((p) => p.total ?? 0));
  return Math.max(made, target(view, view.to) ?? 0, 10) * 1.04;
}

/** What should have been made by then. */
export function target({ counted, targetRate }: Pick<OutputView, 'counted' | 'targetRate'>, ms: number): number | null {
  return targetRate === null ? null : counted.total + ((ms - counted.at) / 60_000) * targetRate;
}

/** Mounts the chart; `update` redraws with a newer view, `resize` fits it to its element. */
export function mountOutput(element: HTMLElement, first: OutputView) {
  let view = first;
  const colours = themeColours(element);
  const size = () => ({ width: Math.max(120, element.clientWidth), height: Math.max(90, element.clientHeight) });
  const chart = new uPlot(options(() => view, colours, size()), columnsOf(view), element);
  return {
    update(next: OutputView) {
      view = next;
      chart.setData(columnsOf(view));
    },
    resize: () => chart.setSize(size()),
    destroy: () => chart.destroy(),
  };
}

interface Colours {
  readonly ink: string;
  readonly ink2: string;
  readonly grid: string;
  readonly data: string;
  readonly font: string;
  readonly panel: string;
}

function themeColours(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: token('--ink'),
    ink2: token('--ink2'),
    grid: token('--band'),
    data: token('--data'),
    panel: token('--panel'),
    font: style.fontFamily,
  };
}

function options(view: () => OutputView, c: Colours, size: { width: number; height: number }): uPlot.Options {
  const axis = { stroke: c.ink2, font: `12px ${c.font}`, ticks: { show: false }, gap: 6 };
  return {
    ...size,
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), view().zone),
    scales: {
      x: { time: true, range: () => [view().from / 1000, view().to / 1000] },
      y: { range: () => [0, topOf(view())] },
    },
    axes: [
      { ...axis, size: 28, grid: { show: false }, space: 70, values: [[3600, '{HH}:{mm}', null, null, null, null, null, null, 1], [60, '{HH}:{mm}', null, null, null, null, null, null, 1]] },
      { ...axis, size: 58, space: (_, __, ___, ____, height) => Math.max(30, height / 6), grid: { stroke: c.grid, width: 1 }, values: (_, splits) => splits.map(short) },
    ],
    series: [
      {},
      { stroke: c.data, width: 2.4, points: { show: false }, pxAlign: 0 },
      { stroke: c.ink, width: 1, dash: [5, 5], points: { show: false }, pxAlign: 0 },
    ],
    hooks: { draw: [(chart) => drawNow(chart, view(), c)] },
  };
}

/** `150k` for whole thousands, all digits otherwise. */
export function short(value: number): string {
  return value >= 1000 && value % 1000 === 0 ? `${formatNumber(value / 1000)}k` : formatNumber(value);
}

function drawNow(chart: uPlot, view: OutputView, c: Colours): void {
  if (view.now < view.from || view.now > view.to) return;
  const { ctx, bbox } = chart;
  const ratio = window.devicePixelRatio;
  const x = Math.round(chart.valToPos(view.now / 1000, 'x', true));
  ctx.save();
  ctx.fillStyle = c.ink;
  ctx.fillRect(x, bbox.top, Math.max(1, Math.round(ratio)), bbox.height);
  ctx.font = `600 ${13 * ratio}px ${c.font}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  const room = 8 * ratio;
  const wide = ctx.measureText(view.label).width;
  const left = x + room + wide > bbox.left + bbox.width ? x - room - wide : x + room;
  ctx.fillStyle = c.panel;
  ctx.fillRect(left - 3 * ratio, bbox.top, wide + 6 * ratio, 18 * ratio);
  ctx.fillStyle = c.ink;
  ctx.fillText(view.label, left, bbox.top + 2 * ratio);
  ctx.restore();
}
