import { describe, expect, it, vi } from 'vitest';
import type { TagPage, TagsRequest } from '../generated/api';
import type { Platform } from '../platform';
import { fakeTags } from '../platform/fake/plant';
import { PAGE, TagDirectory } from './directory';

const EPOCH = 5;
const TAGS = fakeTags('many');

function directory(tags: (request: TagsRequest) => Promise<TagPage>) {
  const changed = vi.fn();
  const platform = { call: (_: string, request: TagsRequest) => tags(request), frame: vi.fn() } as unknown as Platform;
  const made = new TagDirectory(platform, changed);
  made.reset(EPOCH, TAGS.length);
  return { made, changed };
}

const page = ({ offset, limit }: TagsRequest): TagPage => ({ total: TAGS.length, tags: TAGS.slice(offset, offset + limit) });

describe('TagDirectory', () => {
  it('loads 50,000 tags page by page, once', async () => {
    const ask = vi.fn((request: TagsRequest) => Promise.resolve(page(request)));
    const { made } = directory(ask);
    await Promise.all([made.load(), made.load()]);
    await made.load();
    expect(made.tags).toHaveLength(50_000);
    expect(made.tags[49_999].id).toBe(49_999);
    expect(ask).toHaveBeenCalledTimes(50_000 / PAGE);
  });

  it('says why loading failed, and goes on from there', async () => {
    let broken = true;
    const { made } = directory((request) => (request.offset > 0 && broken ? Promise.reject(new Error('cable')) : Promise.resolve(page(request))));
    await made.load();
    expect([made.failure, made.tags.length]).toEqual(['cable', PAGE]);
    broken = false;
    await made.load();
    expect([made.failure, made.tags.length]).toEqual([null, 50_000]);
  });

  it('throws away answers for an older configuration', async () => {
    let answer: (value: TagPage) => void = () => undefined;
    const { made } = directory(() => new Promise((resolve) => (answer = resolve)));
    const loading = made.load();
    made.reset(EPOCH + 1, 3);
    answer(page({ epoch: EPOCH, offset: 0, limit: PAGE }));
    await loading;
    expect([made.tags.length, made.total]).toEqual([0, 3]);
  });

  it('reads again what a server changed, and shows the old until the new is complete', async () => {
    let unit = 'bar';
    const ask = vi.fn((request: TagsRequest) => {
      const { total, tags } = page(request);
      return Promise.resolve({ total, tags: tags.map((tag) => ({ ...tag, unit })) });
    });
    const { made } = directory(ask);
    await made.refresh();
    expect(ask).not.toHaveBeenCalled();
    await made.load();
    unit = 'mbar';
    const refreshing = made.refresh();
    expect(made.tags[0].unit).toBe('bar');
    await Promise.all([refreshing, made.refresh()]);
    expect([made.tags.length, made.tags[0].unit, made.tags[49_999].unit]).toEqual([50_000, 'mbar', 'mbar']);
  });

  it('keeps the old where the new cannot be had', async () => {
    let broken = false;
    const { made } = directory((request) => (broken ? Promise.reject(new Error('cable')) : Promise.resolve(page(request))));
    await made.load();
    broken = true;
    await made.refresh();
    expect([made.failure, made.tags.length]).toEqual([null, 50_000]);
  });

  it('asks for one name where only one is wanted, and once', async () => {
    const ask = vi.fn((request: TagsRequest) => Promise.resolve(page(request)));
    const { made, changed } = directory(ask);
    expect([made.name(44), made.name(44)]).toEqual([null, null]);
    await vi.waitFor(() => expect(made.name(44)).toBe(TAGS[44].name));
    expect(ask.mock.calls).toEqual([[{ epoch: EPOCH, offset: 44, limit: 1 }]]);
    expect(changed).toHaveBeenCalled();
  });
});
