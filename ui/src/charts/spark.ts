// Path of a small curve. Values that are not known leave a gap.

export function sparkPath(values: readonly (number | null)[], width: number, height: number, max: number): string {
  if (values.length < 2 || max <= 0) return '';
  const step = width / (values.length - 1);
  let path = '';
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) {
      pen = false;
      return;
    }
    const x = round(index * step);
    const y = round(height - (Math.min(Math.max(value, 0), max) / max) * height);
    const alone = !pen && (values[index + 1] ?? null) === null;
    // A single known value is a dot, not nothing.
    path += `${pen ? 'L' : 'M'}${x} ${y}${alone ? 'h0.01' : ''}`;
    pen = true;
  });
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
