// The one door between the page and whatever runs it: the desktop window or the loopback server.

import type { ApiError, Commands, FrameRequest } from '../generated/api';

/** What goes before a piece in a message: request, import, offset. */
export const PUT_HEADER_BYTES = 16;
/** With its header a piece makes a message of 1 MiB. */
export const PIECE_BYTES = 1024 * 1024 - PUT_HEADER_BYTES;

export interface Platform {
  /** The page can hand files to whoever looks at it. */
  readonly downloads: boolean;
  /** Asks for JSON. Fails with {@link CallError}. */
  call<K extends keyof Commands>(name: K, request: Commands[K]['request']): Promise<Commands[K]['response']>;
  /** Asks for the next frame (docs/FRAME.md). Fails with {@link CallError}. */
  frame(request: FrameRequest): Promise<ArrayBuffer>;
  /** Hands over a piece of a file that was announced with `import`, at most {@link PIECE_BYTES}. Fails with {@link CallError}. */
  put(ticket: number, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** A request that was not answered with a value. `unreachable`: no answer at all. */
export class CallError extends Error {
  readonly code: ApiError['code'] | 'unreachable';

  constructor(code: ApiError['code'] | 'unreachable', message: string) {
    super(message);
    this.name = 'CallError';
    this.code = code;
  }

  /** Makes one from whatever a host rejected with. */
  static from(cause: unknown): CallError {
    if (cause instanceof CallError) return cause;
    if (isApiError(cause)) return new CallError(cause.code, cause.message);
    return new CallError('unreachable', cause instanceof Error ? cause.message : String(cause));
  }
}

function isApiError(value: unknown): value is ApiError {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}
