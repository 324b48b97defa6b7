import { describe, expect, it } from 'vitest';
import type { GapSpanView, LaneView, MarkView, Notice, NoticeKind } from '../generated/api';
import { fakePlant } from '../platform/fake/plant';
import { conditionOf, FIRST_DRAFT } from './condition';
import { COLUMN_PX, density, flagAt, flagsOf, gapNear, gapRects, heightOf, laneAt, lanesOf, noticeNear, rangeOf, runsOf } from './lanes';

const SPAN = { from: 0, to: 1_000 };
const WIDTH = 1_000;
const plant = fakePlant('good');

const notice = (atMs: number, kind: NoticeKind): Notice => ({ seq: atMs, atMs, kind, connection: null, tag: null, fromMs: null, toMs: null, lost: null, status: 0, detail: '' });
const gap = (fromMs: number, toMs: number, tag: number | null = null): GapSpanView => ({ fromMs, toMs, connection: tag === null ? 0 : null, tag, kind: 'gapLinkDown' });
const mark = (id: number, atMs: number): MarkView => ({ id, atMs, untilMs: null, text: `mark ${id}`, author: null, madeMs: 0 });

describe('lanes', () => {
  it.each([
    ['folded', false, false, ['line', 'gaps', 'events', 'marks']],
    ['unfolded', true, false, ['line', 'unit', 'unit', 'unit', 'unit', 'unit', 'gaps', 'events', 'marks']],
    ['with a tag', false, true, ['line', 'gaps', 'events', 'marks', 'tag']],
  ])('%s', (_, unfolded, tag, kinds) => {
    const lanes = lanesOf(plant, unfolded, tag);
    expect(lanes.map(({ kind }) => kind)).toEqual(kinds);
    lanes.slice(1).forEach((lane, index) => expect(lane.top).toBeGreaterThanOrEqual(lanes[index].top + lanes[index].height));
    expect(laneAt(lanes, heightOf(lanes) - 1)?.kind).toBe(kinds.at(-1));
  });

  it('shows every unit where no unit stands for the line, and none where none has states', () => {
    expect(lanesOf({ ...plant, constraint: null }, false, false).filter(({ kind }) => kind === 'unit')).toHaveLength(5);
    expect(lanesOf(null, true, false).map(({ kind }) => kind)).toEqual(['gaps', 'events', 'marks']);
  });

  it('draws a grave notice higher than any number of harmless ones', () => {
    const many = Array.from({ length: 400 }, () => notice(100, 'linkUp'));
    const [harmless, warning, grave] = density([...many, notice(300, 'gapServerOverflow'), notice(500, 'linkDown'), notice(500, 'linkUp')], SPAN, WIDTH, 20);
    expect([harmless.count, harmless.weight, warning.weight, grave.weight, grave.count]).toEqual([400, 'notice', 'warning', 'critical', 2]);
    expect(harmless.height).toBeLessThan(warning.height);
    expect(warning.height).toBeLessThan(grave.height);
    expect(grave.height).toBeLessThanOrEqual(20);
  });

  it('leaves out what is not in view, and keeps the last column inside', () => {
    const found = density([notice(-1, 'linkUp'), notice(1_000, 'linkUp'), notice(1_001, 'linkUp')], SPAN, WIDTH, 20);
    expect(found.map(({ x, count }) => [x, count])).toEqual([[WIDTH - COLUMN_PX, 1]]);
  });

  it('draws a gap of a millisecond, and joins those that touch', () => {
    expect(gapRects([gap(10.1, 10.2), gap(500, 600), gap(590, 650), gap(700, 800, 4)], SPAN, WIDTH)).toEqual([
      { x: 10.1, width: 2, partial: false }, { x: 500, width: 150, partial: false }, { x: 700, width: 100, partial: true },
    ]);
    expect(gapNear([gap(500, 600)], 602, SPAN, WIDTH)).toMatchObject({ fromMs: 500 });
    expect(gapNear([gap(500, 600)], 610, SPAN, WIDTH)).toBeNull();
  });

  it('makes one flag of bookmarks that lie on each other, and gives texts the room there is', () => {
    const flags = flagsOf([mark(1, 100), mark(2, 104), mark(3, 200), mark(4, 230)], SPAN, WIDTH);
    expect(flags.map(({ mark: { id }, more, room }) => [id, more, room])).toEqual([[1, 1, 82], [3, 0, 0], [4, 0, 220]]);
    const lanes = lanesOf(plant, false, false);
    const y = (lanes.find(({ kind }) => kind === 'marks')?.top ?? 0) + 4;
    expect([flagAt(flags, lanes, 97, y)?.mark.id, flagAt(flags, lanes, 160, y)?.mark.id, flagAt(flags, lanes, 232, y)?.mark.id, flagAt(flags, lanes, 232, 2)]).toEqual([1, 1, 4, undefined]);
  });

  it('names the gravest of the notices under the pointer', () => {
    const notices = [notice(98, 'linkUp'), notice(101, 'linkDown'), notice(103, 'gapLinkDown'), notice(120, 'recorderFailed')];
    expect(noticeNear(notices, 100, SPAN, WIDTH)).toMatchObject({ notice: { atMs: 101 }, more: 2 });
    expect(noticeNear(notices, 60, SPAN, WIDTH)).toBeNull();
  });

  it('keeps gaps of a tag as gaps', () => {
    const lane: LaneView = { tag: 0, fromMs: 0, toMs: 5, first: [], min: [1, null, 2, 0, null], max: [3, null, 4, 9, null], last: [], doubtful: [] };
    expect(runsOf(lane)).toEqual([[0, 1], [2, 4]]);
    expect(rangeOf(lane)).toEqual([0, 9]);
    expect(rangeOf({ ...lane, min: [null], max: [null] })).toBeNull();
  });
});

describe('condition', () => {
  it.each([
    [{ tag: null }, { problem: 'noTag' }],
    [{ value: '' }, { problem: 'noValue' }],
    [{ value: 'much' }, { problem: 'noValue' }],
    [{ value: '1.2', seconds: '-1' }, { problem: 'noSpan' }],
    [{ value: '1,2', seconds: '5' }, { tag: 3, op: 'below', value: 1.2, forMs: 5_000 }],
    [{ value: '−1\u202f000.5', seconds: '' }, { tag: 3, op: 'below', value: -1000.5, forMs: 0 }],
    [{ value: '0', op: 'notEqual' as const }, { tag: 3, op: 'notEqual', value: 0, forMs: 0 }],
  ])('%j', (typed, expected) => expect(conditionOf({ ...FIRST_DRAFT, tag: 3, ...typed })).toEqual(expected));
});
