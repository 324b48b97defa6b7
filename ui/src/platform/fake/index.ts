// Made-up plant for tests and pictures, the same at every run. A production build that contains it fails.

import type { Commands, ExplainRequest, FrameRequest, Hello, TagPage, TagsRequest } from '../../generated/api';
import { FLAG_SIMULATED } from '../../session/frame';
import { CallError, type Platform } from '../platform';
import { fakeConnections, fakeExplanation } from './connections';
import { encodeFrame } from './encode';
import { fakePlant, fakeTags, fakeValue, type Scenario, SCENARIOS, START, tailOf } from './plant';

/** A platform that plays one scenario; its clock advances 100 ms with every frame. */
export function fake(name: string): Platform {
  const scenario = SCENARIOS.find((s) => s === name) ?? 'good';
  const tags = fakeTags(scenario);
  let frames = 0;
  const now = () => START + 100 * frames;
  const answerOf = (command: keyof Commands, request: unknown): unknown => {
    switch (command) {
      case 'hello':
        return helloOf(scenario);
      case 'tags':
        return pageOf(tags, request as TagsRequest);
      case 'connections':
        return fakeConnections(scenario, now());
      case 'explain':
        return fakeExplanation(tags[(request as ExplainRequest).tag], scenario, now());
      default:
        throw new CallError('badRequest', `the fake plant does not know ${command}`);
    }
  };
  return {
    call<K extends keyof Commands>(command: K, request: Commands[K]['request']) {
      return Promise.resolve(answerOf(command, request) as Commands[K]['response']);
    },
    frame(request: FrameRequest) {
      if (scenario === 'silent' && frames > 10) return new Promise<ArrayBuffer>(() => undefined);
      const at = START + 100 * frames++;
      if (request.epoch !== 1) return Promise.reject(new CallError('stale', 'another epoch'));
      const values = request.watch.map((id) => fakeValue(tags[id], at, scenario));
      const tail = tailOf(scenario, at, request.cursor === 0);
      return Promise.resolve(
        encodeFrame({ flags: scenario === 'real' ? 0 : FLAG_SIMULATED, epoch: 1, at, seq: frames, values, tail }),
      );
    },
  };
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
  const broken = scenario === 'problems' || scenario === 'first';
  return {
    version: '0.1.0', mode: 'live', epoch: 1, plant: broken ? null : fakePlant(scenario),
    problems: scenario === 'problems' ? problems : scenario === 'warned' ? problems.slice(0, 1) : [],
  };
}

function pageOf(tags: TagPage['tags'], { offset, limit }: TagsRequest): TagPage {
  return { total: tags.length, tags: tags.slice(offset, offset + limit) };
}
