// Connecting a server, step by step. What was typed and chosen stays through every error and every change of view.

import type {
  Applied, CertificateView, ConnectionDraft, Discovery, EndpointOffer, Explored, PlantDraft, ServerOffer, TrustDecision, UserDraft, UserKind,
} from '../../generated/api';
import type { Platform } from '../../platform';
import { Browser } from './browser.svelte';
import { Draft } from './draft.svelte';

export const STEPS = ['address', 'trust', 'browse', 'proposal', 'write'] as const;
export type Step = (typeof STEPS)[number];

/** What the steps need of the program around them. */
export interface Around {
  /** Names that connections of the plant have already. */
  names(): readonly string[];
  /** There is no plant yet: the file will be new. */
  fresh(): boolean;
}

const ANONYMOUS: UserDraft = { kind: 'anonymous', name: '', password: null, certificate: '', key: '' };

export class Steps {
  step = $state<Step>('address');
  /** The step that waits for an answer. */
  busy = $state.raw<Step | null>(null);
  /** Why a step failed, in English. */
  errors = $state<{ [step in Step]?: string | undefined }>({});

  address = $state('');
  discovery = $state.raw<Discovery | null>(null);
  /** The connection of the plant that is looked through; null: a new one. */
  known = $state.raw<number | null>(null);
  server = $state.raw<ServerOffer | null>(null);
  endpoint = $state.raw<EndpointOffer | null>(null);
  name = $state('');
  user = $state<UserDraft>({ ...ANONYMOUS });
  explored = $state.raw<Explored | null>(null);
  browser = $state.raw<Browser | null>(null);
  /** What ticked nodes are called, for words about them. */
  tickedNames = $state.raw<readonly string[]>([]);
  draft = $state.raw<Draft | null>(null);
  /** What a new file is told of the line; used only while there is none. */
  plant = $state<PlantDraft>({ site: '', area: '', line: '', product: '', timeZone: ownZone() });
  preview = $state.raw<Applied | null>(null);
  written = $state.raw<Applied | null>(null);

  constructor(
    private readonly platform: Platform,
    readonly around: Around,
  ) {}

  /** Can this step be opened? */
  reachable(step: Step): boolean {
    switch (step) {
      case 'address':
        return true;
      case 'trust':
        return this.endpoint !== null;
      case 'browse':
        return this.browser !== null;
      case 'proposal':
        return this.draft !== null;
      case 'write':
        return this.preview !== null;
    }
  }

  go(step: Step): void {
    if (this.reachable(step)) this.step = step;
  }

  async discover(): Promise<void> {
    const found = await this.run('address', () => this.platform.call('discover', { address: this.address.trim() }));
    if (found === null) return;
    this.discovery = found;
    this.choose(found.servers.at(0) ?? null);
  }

  choose(server: ServerOffer | null): void {
    this.server = server;
    this.known = null;
    this.name = freeName(server === null ? '' : nameOf(server), this.around.names());
    this.chooseEndpoint(server?.endpoints.find(({ recommended }) => recommended) ?? server?.endpoints.at(0) ?? null);
  }

  chooseEndpoint(endpoint: EndpointOffer | null): void {
    this.endpoint = endpoint;
    void this.forget();
    const kinds = usable(endpoint);
    if (!kinds.includes(this.user.kind)) this.user = { ...this.user, kind: kinds.at(0) ?? 'anonymous' };
  }

  /** Trusts or rejects a certificate, and takes over what is said of it now. */
  async decide(thumbprint: string, decision: TrustDecision): Promise<void> {
    const stores = await this.run('trust', () => this.platform.call('trust', { thumbprint, decision }));
    if (stores === null || this.server?.certificate?.thumbprint !== thumbprint) return;
    const all = [...stores.trusted, ...stores.rejected, ...stores.issuers];
    this.take(all.find((certificate) => certificate.thumbprint === thumbprint) ?? null);
  }

  /** Opens a session of its own on the new server, with what was chosen. */
  connect(): Promise<void> {
    return this.explore(null);
  }

  /** Opens a session on a server of the plant. */
  async look(connection: number): Promise<void> {
    this.known = connection;
    await this.explore(connection);
  }

  async propose(): Promise<void> {
    const { browser } = this;
    if (browser === null) return;
    const nodes = browser.picked();
    const proposal = await this.run('browse', () => this.platform.call('propose', { session: browser.session, nodes }));
    if (proposal === null) return;
    this.tickedNames = browser.pickedNames();
    this.draft = new Draft(proposal);
    this.preview = null;
    this.step = 'proposal';
  }

  /** Asks what would be written. */
  async check(): Promise<void> {
    const answer = await this.apply('proposal', true);
    if (answer === null) return;
    this.preview = answer;
    this.step = 'write';
  }

  /** Asks again what would be written, for names of the line as typed. */
  async checkPlant(): Promise<void> {
    this.preview = (await this.apply('write', true)) ?? this.preview;
  }

  async write(): Promise<void> {
    const answer = await this.apply('write', false);
    if (answer === null) return;
    if (answer.problems.length > 0) this.preview = answer;
    else {
      this.written = answer;
      void this.forget();
    }
  }

  /** Another server, from the beginning. */
  restart(): void {
    void this.forget();
    this.step = 'address';
    [this.written, this.discovery, this.server, this.endpoint, this.known] = [null, null, null, null, null];
    this.address = '';
    this.user = { ...ANONYMOUS };
    this.errors = {};
  }

  private async explore(connection: number | null): Promise<void> {
    const step = connection === null ? 'trust' : 'address';
    const draft = connection === null ? this.connection() : null;
    await this.forget();
    const explored = await this.run(step, () => this.platform.call('explore', { connection, draft }));
    if (explored === null) return;
    this.explored = explored;
    this.browser = new Browser(this.platform, explored.session);
    this.step = 'browse';
    await this.browser.open(null);
  }

  private apply(step: Step, dryRun: boolean): Promise<Applied | null> {
    const { draft } = this;
    if (draft === null) return Promise.resolve(null);
    const connection = this.known;
    const plant = this.around.fresh() ? $state.snapshot(this.plant) : null;
    return this.run(step, () =>
      this.platform.call('apply', { plant, draft: connection === null ? this.connection() : null, connection, ...draft.taken(), dryRun }),
    );
  }

  private connection(): ConnectionDraft | null {
    const { endpoint } = this;
    if (endpoint === null) return null;
    const security = endpoint.recommended ? 'best' : endpoint.security === 'None' ? 'none' : endpoint.security;
    const { kind, name, password, certificate, key } = this.user;
    const user: UserDraft = {
      kind, name: kind === 'name' ? name : '', password: kind === 'name' ? password : null,
      certificate: kind === 'certificate' ? certificate : '', key: kind === 'certificate' ? key : '',
    };
    return { name: this.name.trim(), endpoint: endpoint.url, security, user };
  }

  /** What follows from an earlier choice is void, and the server need not keep a session for it. */
  private async forget(): Promise<void> {
    const { explored } = this;
    [this.explored, this.browser, this.draft, this.preview] = [null, null, null, null];
    if (explored === null) return;
    // A session that is already gone is what was wanted.
    await this.platform.call('close_exploration', { session: explored.session }).catch(() => null);
  }

  private take(certificate: CertificateView | null): void {
    if (this.server === null || certificate === null) return;
    const before = this.server;
    this.server = { ...before, certificate };
    const servers = this.discovery?.servers.map((server) => (server === before ? { ...before, certificate } : server)) ?? [];
    if (this.discovery !== null) this.discovery = { ...this.discovery, servers };
  }

  private async run<T>(step: Step, ask: () => Promise<T>): Promise<T | null> {
    this.busy = step;
    this.errors[step] = undefined;
    try {
      return await ask();
    } catch (cause) {
      this.errors[step] = cause instanceof Error ? cause.message : String(cause);
      return null;
    } finally {
      this.busy = null;
    }
  }
}

/** Ways to log in that are of use here: what is offered, and does not give a password away. */
export function usable(endpoint: EndpointOffer | null): UserKind[] {
  const safe = endpoint?.users.filter((user) => user.safe && user.kind !== 'issued') ?? [];
  return safe.map(({ kind }) => kind);
}

/** The time zone of this PC; empty where it does not say. */
function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || '';
}

/** A short name for the connection: what the server calls itself, without what does not belong into a name. */
function nameOf(server: ServerOffer): string {
  return server.name.split(/[@:/]/)[0].trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 24);
}

function freeName(wanted: string, taken: readonly string[]): string {
  const base = wanted === '' ? 'server' : wanted;
  if (!taken.includes(base)) return base;
  let number = 2;
  while (taken.includes(`${base}-${number}`)) number++;
  return `${base}-${number}`;
}
