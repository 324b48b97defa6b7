// Output of two shifts over one clock: A drawn solid, B dashed, each with its letter at its end.

import uPlot from 'uplot';
import { offsetText, offsetTicks, type PairColumns } from './offsets';
import { short } from './output';

export interface PairView {
  readonly columns: PairColumns;
  /** Offsets, ms. */
  readonly from: number;
  readonly to: number;
  /** Where the cursor stands, ms; null: nowhere. */
  readonly offset: number | null;
  /** Room for the numbers at the left, pixels, so that the curves lie under the lanes. */
  readonly left: number;
  /** The same at the right. */
  readonly right: number;
}

export function mountPair(element: HTMLElement, first: PairView) {
  let view = first;
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const size = () => ({ width: Math.max(160, element.clientWidth), height: Math.max(90, element.clientHeight) });
  const axis = { stroke: token('--ink2'), font: `12px ${style.fontFamily}`, ticks: { show: false }, gap: 6 };
  const curve = { width: 2.2, points: { show: false }, pxAlign: 0 } as const;
  const chart = new uPlot({
    ...size(),
    padding: [10, view.right, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: () => [view.from / 1000, view.to / 1000] }, y: { range: () => [0, topOf(view.columns)] } },
    axes: [
      {
        ...axis, size: 24, grid: { show: false }, splits: (self) => offsetTicks(view.from, view.to, Math.max(2, self.width / 110)).map((ms) => ms / 1000),
        values: (_, splits) => splits.map((s) => offsetText(s * 1000).replace(/:00$/, '')),
      },
      { ...axis, size: view.left, space: 32, grid: { stroke: token('--band'), width: 1 }, values: (_, splits) => splits.map(short) },
    ],
    series: [{}, { ...curve, stroke: token('--pin-a') }, { ...curve, stroke: token('--pin-b'), dash: [7, 4] }],
    hooks: { draw: [(self) => drawOver(self, view, { ink: token('--ink'), panel: token('--panel'), font: style.fontFamily, a: token('--pin-a'), b: token('--pin-b') })] },
  }, view.columns, element);
  return {
    update(next: PairView) {
      const same = next.columns === view.columns && next.from === view.from && next.to === view.to;
      view = next;
      if (same) chart.redraw(false);
      else chart.setData(view.columns);
    },
    resize: () => chart.setSize(size()),
    destroy: () => chart.destroy(),
  };
}

export function topOf([, a, b]: PairColumns): number {
  return Math.max(10, ...[...a, ...b].map((value) => value ?? 0)) * 1.06;
}

interface Colours {
  readonly ink: string;
  readonly panel: string;
  readonly font: string;
  readonly a: string;
  readonly b: string;
}

function drawOver(chart: uPlot, view: PairView, c: Colours): void {
  const { ctx, bbox } = chart;
  const ratio = window.devicePixelRatio;
  ctx.save();
  if (view.offset !== null && view.offset >= view.from && view.offset <= view.to) {
    ctx.fillStyle = c.ink;
    ctx.fillRect(Math.round(chart.valToPos(view.offset / 1000, 'x', true)), bbox.top, Math.max(1, Math.round(ratio)), bbox.height);
  }
  ctx.font = `700 ${12 * ratio}px ${c.font}`;
  ctx.textBaseline = 'middle';
  letter(chart, view.columns[0], view.columns[1], 'A', c.a, c.panel);
  letter(chart, view.columns[0], view.columns[2], 'B', c.b, c.panel);
  ctx.restore();
}

/** The letter stands at the last point of its curve. */
function letter(chart: uPlot, xs: number[], ys: (number | null | undefined)[], text: string, colour: string, ground: string): void {
  const last = ys.findLastIndex((value) => value != null);
  if (last === -1) return;
  const { ctx, bbox } = chart;
  const ratio = window.devicePixelRatio;
  const wide = ctx.measureText(text).width;
  const x = Math.min(chart.valToPos(xs[last], 'x', true) + 4 * ratio, bbox.left + bbox.width - wide - 2 * ratio);
  const y = Math.max(bbox.top + 8 * ratio, chart.valToPos(ys[last] ?? 0, 'y', true));
  ctx.fillStyle = ground;
  ctx.fillRect(x - 2 * ratio, y - 8 * ratio, wide + 4 * ratio, 16 * ratio);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}
