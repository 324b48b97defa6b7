// Made-up plant for tests and pictures, the same at every run. A production build that contains it fails.

import type {
  ApplyRequest, BrowseRequest, Commands, DiscoverRequest, EpochRequest, ExplainRequest, FrameRequest, Hello, HelloRequest, NodeRequest, PreviewRequest, SearchRequest,
  TagPage, TagsRequest, TrustRequest,
} from '../../generated/api';
import { FLAG_SIMULATED } from '../../session/frame';
import { CallError, type Platform } from '../platform';
import { FakeRecordings } from './recordings';
import { fakeConnections, fakeExplanation } from './connections';
import { encodeFrame } from './encode';
import { FakeLibrary } from './library';
import { FakeServer, PROPOSAL } from './setup';
import { fakePlant, fakeTags, fakeValue, type Scenario, SCENARIOS, START, tailOf } from './plant';

/** A platform that plays one scenario; its clock advances 100 ms with every frame. */
export function fake(name: string): Platform {
  const scenario = SCENARIOS.find((s) => s === name) ?? 'good';
  const tags = fakeTags(scenario);
  const server = new FakeServer();
  const library = new FakeLibrary(scenario);
  let frames = 0;
  const now = () => START + 100 * frames;
  const recordings = new FakeRecordings(tags, now);
  const at = ({ epoch }: EpochRequest) => recordings.position(epoch) ?? now();
  const hello = (request: HelloRequest | null): Hello => {
    if (request?.epoch == null || request.epoch === 1) return helloOf(scenario);
    const found = recordings.hello(request.epoch);
    if (found === null) throw new CallError('stale', `epoch ${request.epoch} is over`);
    return found;
  };
  const answerOf = (command: keyof Commands, request: unknown): unknown => {
    switch (command) {
      case 'hello':
        return hello(request as HelloRequest | null);
      case 'tags':
        return pageOf(tags, request as TagsRequest);
      case 'connections':
        return fakeConnections(scenario, at(request as EpochRequest));
      case 'explain':
        return fakeExplanation(tags[(request as ExplainRequest).tag], scenario, at(request as ExplainRequest));
      default: {
        const answer = recordings.answer(command, request);
        return answer === undefined ? (library.answer(command, request, now()) ?? setupOf(server, command, request)) : answer;
      }
    }
  };
  return {
    downloads: true,
    call<K extends keyof Commands>(command: K, request: Commands[K]['request']) {
      try {
        return Promise.resolve(answerOf(command, request) as Commands[K]['response']);
      } catch (cause) {
        return Promise.reject(CallError.from(cause));
      }
    },
    frame(request: FrameRequest) {
      if (scenario === 'silent' && frames > 10) return new Promise<ArrayBuffer>(() => undefined);
      const replayed = recordings.frame(request);
      if (replayed !== null) return Promise.resolve(replayed);
      const at = START + 100 * frames++;
      if (request.epoch !== 1) return Promise.reject(new CallError('stale', 'another epoch'));
      const values = request.watch.map((id) => fakeValue(tags[id], at, scenario));
      const tail = tailOf(scenario, at, request.cursor === 0);
      return Promise.resolve(
        encodeFrame({ flags: scenario === 'real' ? 0 : FLAG_SIMULATED, epoch: 1, at, seq: frames, values, tail }),
      );
    },
    put(ticket: number, offset: number, bytes: Uint8Array<ArrayBuffer>) {
      return Promise.resolve(library.put(ticket, offset, bytes));
    },
  };
}

function setupOf(server: FakeServer, command: keyof Commands, request: unknown): unknown {
  switch (command) {
    case 'discover':
      return server.discover((request as DiscoverRequest).address);
    case 'certificates':
    case 'import_certificate':
      return server.certificates();
    case 'trust':
      return server.trust(request as TrustRequest);
    case 'explore':
      return { session: 1, product: 'Acme Filler 4.2', security: 'Aes256Sha256RsaPss/SignAndEncrypt', namespaces: [] };
    case 'close_exploration':
      return null;
    case 'browse':
      return server.browse(request as BrowseRequest);
    case 'node':
      return server.details((request as NodeRequest).node);
    case 'preview':
      return { values: (request as PreviewRequest).nodes.map((node) => server.value(node)) };
    case 'search':
      return server.search((request as SearchRequest).text, (request as SearchRequest).more);
    case 'propose':
      return structuredClone(PROPOSAL);
    case 'apply':
      return server.apply(request as ApplyRequest);
    default:
      throw new CallError('badRequest', `the fake plant does not know ${command}`);
  }
}

function helloOf(scenario: Scenario): Hello {
  const problems = [
    {
      place: 'plant.toml, line 14, column 8',
      problem: 'target_rate is "fast", which is not a number.',
      remedy: 'Write products per minute, for example target_rate = 600.',
    },
    {
      place: 'plant.toml, line 31, column 1',
      problem: 'There is no key “endpiont” in [[connection]].',
      remedy: 'The nearest known key is “endpoint”.',
    },
  ];
  const broken = scenario === 'problems' || scenario === 'first' || scenario === 'file';
  return {
    version: '0.1.0', mode: 'live', epoch: 1, plant: broken ? null : fakePlant(scenario),
    problems: scenario === 'problems' ? problems : scenario === 'warned' ? problems.slice(0, 1) : [],
    open: scenario === 'file' ? 'line3-2026-11-20-early.shift' : null,
  };
}

function pageOf(tags: TagPage['tags'], { offset, limit }: TagsRequest): TagPage {
  return { total: tags.length, tags: tags.slice(offset, offset + limit) };
}
