// The desktop window: requests go through Tauri's IPC, frames come back as raw bytes, and pieces of files go out as such.

import { invoke } from '@tauri-apps/api/core';
import type { Commands, FrameRequest } from '../generated/api';
import { CallError, type Platform } from './platform';

export const tauri: Platform = {
  downloads: false,

  async call<K extends keyof Commands>(name: K, request: Commands[K]['request']) {
    try {
      return await invoke<Commands[K]['response']>('call', { name, request });
    } catch (cause) {
      throw CallError.from(cause);
    }
  },

  async frame(request: FrameRequest) {
    try {
      return await invoke<ArrayBuffer>('frame', { request });
    } catch (cause) {
      throw CallError.from(cause);
    }
  },

  async put(ticket: number, offset: number, bytes: Uint8Array<ArrayBuffer>) {
    try {
      await invoke('put', bytes, { headers: { import: String(ticket), offset: String(offset) } });
    } catch (cause) {
      throw CallError.from(cause);
    }
  },
};
