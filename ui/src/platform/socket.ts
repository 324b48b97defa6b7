// A browser: one WebSocket to the server that delivered the page.
//
// Text out `{id, name, request}`; text back `{id, ok}` or `{id, error}`; a frame comes back as one binary
// message: u32 request id, u32 zero, then the frame. A piece of a file goes out as one binary message: u32 request
// id, u32 import, u64 offset, then the bytes; the answer to it is text. Numbers are little-endian. A lost socket fails what was waiting on it and is
// opened again with growing pauses; nothing is sent twice, because only the caller knows whether it may be.

import type { Commands, FrameRequest } from '../generated/api';
import { CallError, type Platform, PUT_HEADER_BYTES } from './platform';

const PAUSE_FIRST_MS = 250;
const PAUSE_MAX_MS = 5_000;
const PREFIX_BYTES = 8;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: CallError): void;
}

export function socket(url: string): Platform {
  const line = new Line(url);
  return {
    downloads: true,
    call: <K extends keyof Commands>(name: K, request: Commands[K]['request']) =>
      line.ask(name, request) as Promise<Commands[K]['response']>,
    frame: (request: FrameRequest) => line.ask('frame', request) as Promise<ArrayBuffer>,
    put: async (ticket: number, offset: number, bytes: Uint8Array<ArrayBuffer>) => {
      await line.put(ticket, offset, bytes);
    },
  };
}

/** The address of the server's socket, from the address of the page. */
export function socketUrl(location: Pick<Location, 'protocol' | 'host'>): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
}

class Line {
  private socket: WebSocket | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;
  private pauseMs = PAUSE_FIRST_MS;

  constructor(private readonly url: string) {
    this.open();
  }

  ask(name: string, request: unknown): Promise<unknown> {
    return this.send((id) => JSON.stringify({ id, name, request }));
  }

  put(ticket: number, offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<unknown> {
    return this.send((id) => {
      const message = new ArrayBuffer(PUT_HEADER_BYTES + bytes.byteLength);
      const head = new DataView(message);
      head.setUint32(0, id, true);
      head.setUint32(4, ticket, true);
      head.setBigUint64(8, BigInt(offset), true);
      new Uint8Array(message, PUT_HEADER_BYTES).set(bytes);
      return message;
    });
  }

  private send(message: (id: number) => string | ArrayBuffer): Promise<unknown> {
    const socket = this.socket;
    if (socket?.readyState !== WebSocket.OPEN) {
      return Promise.reject(new CallError('unreachable', `not connected to ${this.url}`));
    }
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      socket.send(message(id));
    });
  }

  private open(): void {
    const socket = new WebSocket(this.url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => (this.pauseMs = PAUSE_FIRST_MS);
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.take(data);
    socket.onclose = () => this.lost();
    this.socket = socket;
  }

  private lost(): void {
    this.socket = null;
    for (const { reject } of this.waiting.values()) {
      reject(new CallError('unreachable', `the connection to ${this.url} broke`));
    }
    this.waiting.clear();
    setTimeout(() => this.open(), this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, PAUSE_MAX_MS);
  }

  private take(data: string | ArrayBuffer): void {
    if (typeof data === 'string') {
      const { id, ok, error } = JSON.parse(data) as { id: number; ok?: unknown; error?: unknown };
      if (error === undefined) this.settle(id)?.resolve(ok);
      else this.settle(id)?.reject(CallError.from(error));
    } else {
      this.settle(new DataView(data).getUint32(0, true))?.resolve(data.slice(PREFIX_BYTES));
    }
  }

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }
}
