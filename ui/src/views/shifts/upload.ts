// Brings a file into the library in pieces. A piece that was not answered is sent again; a refusal is final.

import type { Imported } from '../../generated/api';
import { CallError, PIECE_BYTES, type Platform } from '../../platform';

/** Pauses before a piece is sent again, ms. */
export const PAUSES_MS = [250, 1_000, 3_000] as const;

export interface Steps {
  /** Share of the bytes that arrived, 0 to 1. */
  progress(share: number): void;
  /** True: somebody does not want it any more. */
  stopped(): boolean;
}

/** Fails with {@link CallError}; null: it was stopped. */
export async function upload(platform: Platform, file: File, steps: Steps): Promise<Imported | null> {
  const { import: ticket } = await platform.call('import', { name: file.name, bytes: file.size });
  for (let offset = 0; offset < file.size; ) {
    if (steps.stopped()) return null;
    const piece = new Uint8Array(await file.slice(offset, offset + PIECE_BYTES).arrayBuffer());
    await again(() => platform.put(ticket, offset, piece));
    offset += piece.byteLength;
    steps.progress(offset / file.size);
  }
  return await again(() => platform.call('import_end', { import: ticket }));
}

/** Only silence is worth another try: whoever answered has decided. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await ask();
    } catch (cause) {
      if (CallError.from(cause).code !== 'unreachable') throw cause;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return await ask();
}
