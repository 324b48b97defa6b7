// Made-up library of shifts: what a plant has after some days, with everything that can be wrong with a recording.

import type {
  Commands, CompareRequest, ExportRequest, Exported, ImportEnd, Imported, ImportStart, ImportTicket, PinRequest, ShiftInfo, ShiftList,
  ShiftRequest, VerifyView, WhatIfRequest,
} from '../../generated/api';
import { CallError } from '../platform';
import { fakeComparison } from './compare';
import { SHIFT_START, type Scenario, START } from './plant';
import { fakeParameters, fakeWhatIf } from './whatif';

const HOUR = 3_600_000;
const SHIFT = 8 * HOUR;
const FOLDER = '/var/lib/lineside/shifts';
const NAMES = ['Early', 'Late', 'Night'];
const CREWS = ['B', 'C', 'A'];

export class FakeLibrary {
  private shifts: ShiftInfo[];
  private readonly imports = new Map<number, { name: string; bytes: number; received: number }>();
  private tickets = 0;

  constructor(private readonly scenario: Scenario) {
    this.shifts = scenario === 'first' || scenario === 'empty' ? [] : madeUpShifts();
  }

  /** Null: not a question for the library. */
  answer(command: keyof Commands, request: unknown, now: number): unknown {
    switch (command) {
      case 'shifts':
        return this.list(now);
      case 'pin': {
        const { shift, pinned } = request as PinRequest;
        this.shifts = this.shifts.map((info) => (info.id === shift ? { ...info, pinned } : info));
        return this.list(now);
      }
      case 'verify':
        return verified(this.find((request as ShiftRequest).shift));
      case 'export':
        return this.exported(request as ExportRequest);
      case 'import':
        return this.begin(request as ImportStart);
      case 'import_end':
        return this.end((request as ImportEnd).import);
      case 'compare':
        return fakeComparison(request as CompareRequest);
      case 'parameters':
        return fakeParameters();
      case 'what_if':
        return fakeWhatIf(request as WhatIfRequest);
      default:
        return null;
    }
  }

  put(ticket: number, offset: number, bytes: Uint8Array): void {
    const file = this.imports.get(ticket);
    if (file === undefined) throw new CallError('badRequest', `there is no import ${ticket}`);
    if (offset !== file.received) throw new CallError('badRequest', `the next piece begins at ${file.received}, not at ${offset}`);
    file.received += bytes.byteLength;
  }

  find(id: string): ShiftInfo {
    const found = this.shifts.find((info) => info.id === id);
    if (found === undefined) throw new CallError('refused', `There is no recording ${id}.`);
    return found;
  }

  private list(now: number): ShiftList {
    const shifts = this.shifts.map((info) => (info.state === 'recording' ? { ...info, toMs: now } : info));
    const none = shifts.length === 0;
    return {
      shifts,
      unreadable: none ? [] : [{
        place: `${FOLDER}/line3-2026-11-18-late.shift`,
        problem: 'It is no recording: the first bytes are not those of a .shift file.',
        remedy: 'If it was copied, copy it again. Otherwise move it out of the folder.',
      }],
      folder: FOLDER,
      bytes: shifts.reduce((sum, { bytes }) => sum + bytes, 0),
      retention: {
        keepDays: this.scenario === 'empty' ? null : 90, keepBytes: this.scenario === 'empty' ? null : 20e9,
        removed: none ? [] : [{ file: 'line3-2026-08-22-night.shift', atMs: SHIFT_START + 61_000, bytes: 21_400_000 }],
      },
    };
  }

  private exported({ shift, fromMs, toMs, tags, format }: ExportRequest): Exported {
    const info = this.find(shift);
    if (toMs <= fromMs) throw new CallError('badRequest', 'The end lies before the beginning.');
    const rows = Math.round(((toMs - fromMs) / 1000) * (tags.length === 0 ? 240 : tags.length) * 0.4);
    const file = `${info.file.replace('.shift', '')}-export.${format}`;
    const bytes = Math.round(rows * { shift: 2, parquet: 3.4, csv: 46, xlsx: 19 }[format]);
    return { file, path: `/var/lib/lineside/exports/${file}`, url: `/exports/${file}`, bytes, rows };
  }

  private begin({ name, bytes }: ImportStart): ImportTicket {
    if (!name.endsWith('.shift')) throw new CallError('refused', `${name} is no recording: its name does not end in .shift.`);
    this.tickets++;
    this.imports.set(this.tickets, { name, bytes, received: 0 });
    return { import: this.tickets };
  }

  private end(ticket: number): Imported {
    const file = this.imports.get(ticket);
    if (file === undefined || file.received !== file.bytes) throw new CallError('badRequest', 'not all pieces are there');
    this.imports.delete(ticket);
    const known = this.shifts.find((info) => info.file === file.name);
    if (known !== undefined) return { shift: known, known: true };
    const shift = { ...this.shifts[3], id: file.name, file: file.name, path: `${FOLDER}/${file.name}`, bytes: file.bytes, line: 'Line 4' };
    this.shifts.push(shift);
    return { shift, known: false };
  }
}

function madeUpShifts(): ShiftInfo[] {
  const shifts = Array.from({ length: 14 }, (_, index) => shiftInfo(index));
  shifts[0] = { ...shifts[0], state: 'recording', toMs: START, bytes: 9_300_000 };
  shifts[2] = { ...shifts[2], state: 'interrupted', toMs: shifts[2].toMs - 2.2 * HOUR, bytes: 13_900_000 };
  shifts[3] = { ...shifts[3], pinned: true, marks: 3 };
  shifts[5] = {
    ...shifts[5], state: 'damaged', problem: 'Block 14 (00:31:10 to 00:46:10) does not match its checksum.', gaps: 4, marks: 1,
  };
  shifts[7] = { ...shifts[7], gaps: null, stops: null, format: 1 };
  shifts[9] = { ...shifts[9], line: 'Line 2', timeZone: 'Europe/Lisbon', crew: null, clip: 'from 08:40 to 09:05, 24 of 240 tags', bytes: 410_000 };
  shifts[9] = { ...shifts[9], fromMs: shifts[9].shiftStartMs + 2.66 * HOUR, toMs: shifts[9].shiftStartMs + 3.08 * HOUR, outside: true };
  shifts[9].path = `/home/operator/Downloads/${shifts[9].file}`;
  return shifts;
}

function shiftInfo(index: number): ShiftInfo {
  const start = SHIFT_START - index * SHIFT;
  const name = NAMES[(300 - index) % 3];
  // Early begins at 06:00, so the local date is that of the start, one hour ahead of UTC.
  const date = new Date(start + HOUR).toISOString().slice(0, 10);
  const file = `line3-${date}-${name.toLowerCase()}.shift`;
  return {
    id: file, file, path: `${FOLDER}/${file}`, line: 'Line 3', timeZone: 'Europe/Berlin', date, shift: name, scheduled: true,
    crew: CREWS[(index * 2) % 3], shiftStartMs: start, shiftEndMs: start + SHIFT, fromMs: start + 240, toMs: start + SHIFT,
    bytes: 17_000_000 + ((index * 7_919) % 41) * 110_000, state: 'complete', problem: '', format: 2, gaps: index % 4 === 1 ? 2 : index % 3 === 0 ? 1 : 0,
    stops: 6 + ((index * 5) % 7), marks: 0, pinned: false, clip: null, outside: false,
  };
}

function verified(info: ShiftInfo): VerifyView {
  const hours = (info.toMs - info.fromMs) / HOUR;
  const damaged = info.state === 'damaged';
  const lost = { fromMs: info.fromMs + 2.5 * HOUR, toMs: info.fromMs + 2.75 * HOUR, inputs: 86_412, reason: 'The checksum of block 14 differs.' };
  return {
    intact: !damaged, batches: Math.round(hours * 17_800), inputs: Math.round(hours * 345_600), blocks: Math.floor(hours * 4), keyframes: Math.ceil(hours * 4),
    digestsEqual: Math.round(hours * 60) - (damaged ? 16 : 0), digests: Math.round(hours * 60), differsAtMs: damaged ? lost.fromMs : null,
    damaged: damaged ? [lost] : [], structure: [], tookMs: hours * 210,
  };
}
