import { afterEach, describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatMeasured, formatNumber, formatRate, formatSpan, setDecimalMark } from './format';
import { PlantTime } from './plant-time';
import { timeText } from './time-text';

afterEach(() => setDecimalMark('.'));

const plain = (text: string) => text.replaceAll('\u202f', '_');

describe('numbers', () => {
  it.each([
    [118240, 0, '118_240'], [0, 0, '0'], [999, 0, '999'], [1234567.891, 2, '1_234_567.89'], [0.5, 1, '0.5'],
    [-1234.5, 1, '−1_234.5'], [-0.04, 1, '0.0'], [NaN, 0, '–'], [Infinity, 0, '∞'],
  ])('%d with %i decimals', (value, decimals, text) => {
    expect(plain(formatNumber(value, decimals))).toBe(text);
  });

  it('uses the decimal mark of the language', () => {
    setDecimalMark(',');
    expect(formatNumber(0.5, 1)).toBe('0,5');
  });

  it.each([[598, '598'], [598.4, '598'], [45.25, '45.3'], [0, '0'], [12, '12']])('rate %d', (value, text) => {
    expect(formatRate(value)).toBe(text);
  });

  it.each([
    [20.7713, [0, 32], '20.77'], [75.13, [0, 120], '75.1'], [6.6, [0, 10], '6.60'], [3.14159265, null, '3.1416'],
    [42, null, '42'], [0.000123456, null, '0.00012346'], [1e-9, null, '1.0000e−9'], [123456.789, null, '123_457'],
  ] as const)('measured %d in %j', (value, range, text) => {
    expect(plain(formatMeasured(value, range))).toBe(text);
  });
});

describe('sizes', () => {
  it.each([
    [0, '0 B'], [999, '999 B'], [1000, '1.0 kB'], [412_300, '412 kB'], [999_600, '1.0 MB'], [9_300_000, '9.3 MB'], [1.24e9, '1.2 GB'], [3e15, '3_000 TB'],
  ])('%d bytes', (bytes, text) => expect(plain(formatBytes(bytes))).toBe(text));
});

describe('durations', () => {
  it.each([
    [-5, '0 s'], [44_900, '44 s'], [60_000, '1m 00s'], [725_000, '12m 05s'], [3_840_000, '1h 04m'], [183_600_000, '2d 03h'],
  ])('%d ms', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([[300_000, '5 min'], [10_000, '10 s'], [90_000, '90 s'], [1_500, '1.5 s'], [250, '250 ms'], [7_200_000, '2 h']])(
    'setting of %d ms', (ms, text) => expect(formatSpan(ms)).toBe(text));
});

describe('plant time', () => {
  const at = Date.UTC(2026, 10, 21, 9, 12, 36);

  it.each([['Europe/Berlin', '10:12:36', 'CET'], ['America/New_York', '04:12:36', 'GMT-5'], ['Asia/Kolkata', '14:42:36', 'GMT+5:30']])(
    '%s', (zone, text, abbreviation) => {
      const time = new PlantTime(zone);
      expect([time.seconds(at), time.abbreviation(at)]).toEqual([text, abbreviation]);
    });

  it('shows an unknown zone as UTC, and says so', () => {
    const time = new PlantTime('Mars/Olympus');
    expect([time.seconds(at), time.abbreviation(at)]).toEqual(['09:12:36', 'UTC']);
  });

  it('puts ticks on full local hours, in zones off by half an hour too, and through the end of summer time', () => {
    expect(new PlantTime('Asia/Kolkata').ticks(at, at + 2 * 3_600_000, 60).map((t) => new PlantTime('Asia/Kolkata').minutes(t))).toEqual(['15:00', '16:00']);
    const october = Date.UTC(2026, 9, 25, 0, 0);
    const berlin = new PlantTime('Europe/Berlin');
    expect(berlin.ticks(october, october + 2 * 3_600_000, 60).map((t) => berlin.minutes(t))).toEqual(['02:00', '02:00', '03:00']);
  });

  it('adds the date to another day', () => {
    const time = new PlantTime('UTC');
    expect([time.near(at - 1000, at), time.near(at - 36e6, at)]).toEqual(['09:12:35', '2026-11-20 23:12:36']);
  });

  it.each([
    [at + 1500, at, at, '10:12:37.500'], [at, at, at, '10:12:36'], [at, at, at + 72e6, '2026-11-21 10:12:36'],
  ])('%d stands in a field as it is typed', (ms, from, to, text) => expect(timeText(ms, new PlantTime('Europe/Berlin'), from, to)).toBe(text));
});
