// Numbers and durations as text. Knows nothing of plants or clocks.

/** Narrow no-break space: separates thousands without looking like two numbers. */
const THIN = '\u202f';
const MINUS = '\u2212';

/** The decimal mark of the language in force. */
let decimalMark = '.';

export function setDecimalMark(mark: '.' | ','): void {
  decimalMark = mark;
}

/** `118240` → `118 240`, with a thin space and a true minus sign. */
export function formatNumber(value: number, decimals = 0): string {
  if (!Number.isFinite(value)) return value > 0 ? '∞' : value < 0 ? `${MINUS}∞` : '–';
  const fixed = Math.abs(value).toFixed(decimals);
  const [whole, fraction] = fixed.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN);
  const sign = value < 0 && Number(fixed) !== 0 ? MINUS : '';
  return sign + grouped + (fraction === undefined ? '' : decimalMark + fraction);
}

/** Speeds: whole numbers from 100 on, one decimal below, none where it would be 0. */
export function formatRate(value: number): string {
  return formatNumber(value, Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 1);
}

/**
 * As many decimals as are meaningful: a thousandth of the range, or five significant digits. Below a
 * millionth, and beyond 15 digits, powers of ten.
 */
export function formatMeasured(value: number, range: readonly [number, number] | null): string {
  if (range !== null && range[1] > range[0]) return formatNumber(value, decimalsFor((range[1] - range[0]) / 1000));
  const size = Math.abs(value);
  if (size === 0 || Number.isInteger(value)) return formatNumber(value);
  if (size < 1e-6 || size >= 1e15) return value.toExponential(4).replace('.', decimalMark).replace(/-/g, MINUS);
  return formatNumber(value, decimalsFor(size / 10_000));
}

function decimalsFor(step: number): number {
  return Math.min(9, Math.max(0, -Math.floor(Math.log10(step))));
}

/** `412 kB`, `3.4 MB`, `1.2 GB`: decimal units, as disks are sold. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${formatNumber(bytes)} B`;
  const step = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  const size = bytes / 1000 ** step;
  // 999.6 kB would be written as 1 000 kB.
  const [shown, unit] = Math.round(size) >= 1000 && step < 4 ? [size / 1000, step + 1] : [size, step];
  return `${formatNumber(shown, shown < 10 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `44 s`, `12m 05s`, `1h 04m`, `2d 03h`; never negative. */
export function formatDuration(ms: number): string {
  const span = Math.max(0, ms);
  if (span < MINUTE) return `${Math.floor(span / SECOND)} s`;
  if (span < HOUR) return pair(span, MINUTE, 'm', SECOND, 's');
  if (span < DAY) return pair(span, HOUR, 'h', MINUTE, 'm');
  return pair(span, DAY, 'd', HOUR, 'h');
}

/** A setting, not a measurement: `5 min`, `90 s`. */
export function formatSpan(ms: number): string {
  if (ms >= HOUR && ms % HOUR === 0) return `${ms / HOUR} h`;
  if (ms >= MINUTE && ms % MINUTE === 0) return `${ms / MINUTE} min`;
  return ms >= SECOND ? `${formatNumber(ms / SECOND, ms % SECOND === 0 ? 0 : 1)} s` : `${formatNumber(ms)} ms`;
}

function pair(span: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((span % big) / small);
  return `${Math.floor(span / big)}${bigUnit} ${String(rest).padStart(2, '0')}${smallUnit}`;
}
