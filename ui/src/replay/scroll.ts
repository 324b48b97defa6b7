// How far the parts of a view are scrolled, and back to it once the view is there again.

import { tick } from 'svelte';

/** Remembers the view that is on the page; the answer puts it back. Parts are found again by where they are in the page. */
export function rememberScroll(root: () => Element | null = () => document.querySelector('main')): () => void {
  const parts = [...(root()?.querySelectorAll('*') ?? [])]
    .filter(({ scrollTop, scrollLeft }) => scrollTop > 0 || scrollLeft > 0)
    .map((element) => ({ path: pathOf(element, root()), top: element.scrollTop, left: element.scrollLeft }));
  return () => void restore(parts, root);
}

async function restore(parts: readonly { path: number[]; top: number; left: number }[], root: () => Element | null): Promise<void> {
  await tick();
  const put = () => {
    for (const { path, top, left } of parts) {
      const element = path.reduce<Element | null | undefined>((at, index) => at?.children[index], root());
      element?.scrollTo({ top, left });
    }
  };
  put();
  // Long lists get their height one frame later.
  requestAnimationFrame(put);
}

function pathOf(element: Element, root: Element | null): number[] {
  const path: number[] = [];
  for (let at: Element | null = element; at !== null && at !== root; at = at.parentElement) {
    path.unshift(at.parentElement === null ? 0 : [...at.parentElement.children].indexOf(at));
  }
  return path;
}
