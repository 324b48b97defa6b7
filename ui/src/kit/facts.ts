// One row of a list of facts: see Facts.svelte.

export interface FactRow {
  readonly name: string;
  /** Null: not known. */
  readonly text: string | null;
  /** In full, where the text is cut. */
  readonly title?: string;
  /** Something to look at. */
  readonly weight?: 'critical' | 'warning' | 'notice' | null;
  /** Belongs to the row above. */
  readonly inner?: boolean;
}
