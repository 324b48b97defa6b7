// The address space of one server as a tree that is read branch by branch, a search, and what was ticked.

import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { NodeDetails, NodeView, PreviewValue } from '../../generated/api';
import type { Platform } from '../../platform';

/** A search that finds nothing goes on by itself for so many answers. */
const SEARCH_TURNS = 5;

interface Branch {
  readonly nodes: readonly NodeView[];
  readonly more: string | null;
  readonly busy: boolean;
  readonly error: string | null;
  readonly open: boolean;
}

/** A row of the tree as shown. */
export type Row =
  | { readonly kind: 'node'; readonly view: NodeView; readonly depth: number; readonly open: boolean; readonly inherited: boolean }
  | { readonly kind: 'more' | 'busy' | 'error' | 'empty'; readonly parent: string | null; readonly depth: number; readonly text: string };

const EMPTY: Branch = { nodes: [], more: null, busy: false, error: null, open: false };

export class Browser {
  /** Text of the search field. */
  text = $state('');
  found = $state.raw<{ nodes: readonly NodeView[]; visited: number; more: string | null } | null>(null);
  searching = $state.raw(false);
  searchError = $state.raw<string | null>(null);
  active = $state.raw<NodeView | null>(null);
  details = $state.raw<NodeDetails | null>(null);
  detailsError = $state.raw<string | null>(null);
  value = $state.raw<PreviewValue | null>(null);
  private readonly branches = new SvelteMap<string | null, Branch>();
  private readonly ticked = new SvelteSet<string>();

  readonly rows = $derived.by(() => (this.found === null ? this.below(null, 0, false) : this.hits(this.found)));
  readonly count = $derived(this.ticked.size);

  constructor(
    private readonly platform: Platform,
    readonly session: number,
  ) {}

  /** Nodes to be proposed, in the order in which they were ticked. */
  picked(): string[] {
    return [...this.ticked];
  }

  /** Names of the ticked nodes, as far as they were read. */
  pickedNames(): string[] {
    const read = [...[...this.branches.values()].flatMap(({ nodes }) => nodes), ...(this.found?.nodes ?? [])];
    return [...this.ticked].map((node) => read.find((view) => view.node === node)?.name).filter((name) => name !== undefined);
  }

  isTicked(node: string): boolean {
    return this.ticked.has(node);
  }

  tick(node: string): void {
    if (!this.ticked.delete(node)) this.ticked.add(node);
  }

  toggle(view: NodeView): void {
    if (this.branches.get(view.node)?.open) this.branches.set(view.node, { ...this.branch(view.node), open: false });
    else void this.open(view.node);
  }

  isOpen(node: string): boolean {
    return this.branches.get(node)?.open === true;
  }

  /** Shows what is below a node; reads it the first time. */
  async open(node: string | null): Promise<void> {
    const branch = this.branch(node);
    this.branches.set(node, { ...branch, open: true });
    if (branch.nodes.length === 0 && !branch.busy) await this.read(node, null);
  }

  /** Reads on where the server paused, or again what failed. */
  async more(node: string | null): Promise<void> {
    const branch = this.branch(node);
    if (!branch.busy) await this.read(node, branch.more);
  }

  async search(): Promise<void> {
    if (this.text.trim() === '') return this.leaveSearch();
    this.found = { nodes: [], visited: 0, more: null };
    await this.searchOn(null);
  }

  async searchMore(): Promise<void> {
    if (this.found?.more != null) await this.searchOn(this.found.more);
  }

  leaveSearch(): void {
    this.found = null;
    this.searchError = null;
  }

  async pick(view: NodeView): Promise<void> {
    this.active = view;
    [this.details, this.detailsError, this.value] = [null, null, null];
    try {
      const details = await this.platform.call('node', { session: this.session, node: view.node });
      if (this.active !== view) return;
      this.details = details;
      this.value = details.value;
    } catch (cause) {
      if (this.active === view) this.detailsError = messageOf(cause);
    }
  }

  /** The present value of the node that is looked at. */
  async refresh(): Promise<void> {
    const view = this.active;
    if (view?.class !== 'variable') return;
    try {
      const { values } = await this.platform.call('preview', { session: this.session, nodes: [view.node] });
      if (this.active !== view) return;
      this.value = values.at(0) ?? null;
      this.detailsError = null;
    } catch (cause) {
      // An old value must not look current.
      if (this.active === view) [this.value, this.detailsError] = [null, messageOf(cause)];
    }
  }

  private branch(node: string | null): Branch {
    return this.branches.get(node) ?? EMPTY;
  }

  private async read(node: string | null, from: string | null): Promise<void> {
    const before = this.branch(node);
    this.branches.set(node, { ...before, busy: true, error: null });
    try {
      const page = await this.platform.call('browse', { session: this.session, node, more: from });
      const nodes = from === null ? page.nodes : [...before.nodes, ...page.nodes];
      this.branches.set(node, { ...this.branch(node), nodes, more: page.more, busy: false });
    } catch (cause) {
      this.branches.set(node, { ...this.branch(node), busy: false, error: messageOf(cause) });
    }
  }

  private async searchOn(more: string | null): Promise<void> {
    if (this.searching) return;
    this.searching = true;
    this.searchError = null;
    let from = more;
    try {
      for (let turn = 0; turn < SEARCH_TURNS; turn++) {
        const page = await this.platform.call('search', { session: this.session, text: this.text.trim(), under: null, more: from });
        const nodes: readonly NodeView[] = [...(this.found?.nodes ?? []), ...page.found];
        if (this.found === null) break;
        this.found = { nodes, visited: page.visited, more: page.more };
        from = page.more;
        if (from === null || page.found.length > 0) break;
      }
    } catch (cause) {
      this.searchError = messageOf(cause);
    } finally {
      this.searching = false;
    }
  }

  private below(parent: string | null, depth: number, inherited: boolean): Row[] {
    const branch = this.branch(parent);
    const rows = branch.nodes.flatMap((view): Row[] => {
      const open = this.isOpen(view.node);
      const row: Row = { kind: 'node', view, depth, open, inherited };
      return open ? [row, ...this.below(view.node, depth + 1, inherited || this.ticked.has(view.node))] : [row];
    });
    const note = (kind: 'more' | 'busy' | 'error' | 'empty', text = ''): Row => ({ kind, parent, depth, text });
    if (branch.busy) rows.push(note('busy'));
    else if (branch.error !== null) rows.push(note('error', branch.error));
    else if (branch.more !== null) rows.push(note('more'));
    else if (branch.nodes.length === 0) rows.push(note('empty'));
    return rows;
  }

  private hits({ nodes }: { nodes: readonly NodeView[] }): Row[] {
    return nodes.map((view) => ({ kind: 'node', view, depth: 0, open: false, inherited: false }));
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
