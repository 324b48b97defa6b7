// Made-up facts of connections, and explanations of values.

import type {
  ConnectionsView, ConnectionView, Explanation, GapView, LinkView, RefusedView, ReportView, TagInfo,
} from '../../generated/api';
import { fakeTags, fakeValue, linksOf, type Scenario, START } from './plant';

const MIN = 60_000;
const DAY = 24 * 60 * MIN;

export function fakeConnections(scenario: Scenario, at: number): ConnectionsView {
  return { atMs: at, connections: linksOf(scenario).map((link) => connectionOf(link, scenario)) };
}

export function fakeExplanation(tag: TagInfo, scenario: Scenario, at: number): Explanation {
  const link = linksOf(scenario)[tag.connection];
  const value = fakeValue(tag, at, scenario);
  const refused = value.trust === 'refused';
  const ms = (time: number | undefined) => (time === undefined || Number.isNaN(time) || refused ? null : time);
  return {
    tag: tag.id, name: tag.name, node: tag.node, connection: tag.connection, connectionName: link.name,
    trust: scenario === 'late' || scenario === 'frozen' ? 'silent' : (value.trust ?? 'live'), status: refused ? 0 : (value.status ?? 0),
    itemStatus: refused ? (value.status ?? 0) : 0, link, receivedMs: ms(value.received), sourceMs: ms(value.sourceTime),
    serverMs: ms(value.serverTime), maxAgeMs: tag.maxAgeMs, confirmed: link.subscription === 'live' && !refused,
    clockSkewMs: 3_240, serverUnit: null, atMs: at,
  };
}

function connectionOf(link: LinkView, scenario: Scenario): ConnectionView {
  const second = link.id > 0;
  return {
    link, endpoint: second ? 'opc.tcp://packer-plc.bremen.local:4840/' : 'opc.tcp://127.0.0.1:4855/',
    report: link.state === 'connecting' ? null : reportOf(scenario, second), reportedMs: link.state === 'connecting' ? null : START - 1_200,
    serverStartedMs: START - 9 * DAY, history: historyOf(scenario),
    gaps: second ? [] : GAPS, moreGaps: second ? 0 : 3,
    refused: scenario === 'refused' ? refusedOf() : [], moreRefused: 0,
  };
}

function reportOf(scenario: Scenario, second: boolean): ReportView {
  const troubled = scenario === 'troubled';
  return {
    endpoint: second ? 'opc.tcp://packer-plc.bremen.local:4840/' : 'opc.tcp://127.0.0.1:4855/',
    security: second ? 'None' : 'Aes256Sha256RsaPss/SignAndEncrypt', user: second ? '' : 'operator',
    serverState: 'running', serviceLevel: second ? null : troubled ? 120 : 255, shutdownS: troubled && !second ? 95 : null,
    shutdownReason: troubled && !second ? 'Update of the operating system' : '',
    certificate: second ? '' : '4fa0cc7d1be09c1cb1aa0e0f3e10a5f7a2b09d11',
    certificateExpiresMs: second ? null : START + (troubled ? 5 : 412) * DAY, ownCertificateExpiresMs: START + (troubled ? 21 : 1801) * DAY,
    sessionTimeoutMs: 60_000,
    members: second || !troubled ? [] : [
      { endpoint: 'opc.tcp://line3-a:4840/', role: 'active', serviceLevel: 120, detail: '' },
      { endpoint: 'opc.tcp://line3-b:4840/', role: 'standby', serviceLevel: 255, detail: '' },
      { endpoint: 'opc.tcp://line3-c:4840/', role: 'unreachable', serviceLevel: null, detail: 'No route to host (os error 113).' },
    ],
    subscriptions: second ? [{ id: 11, publishingMs: 250, keepAlive: 20, lifetime: 2400, items: 128 }] : [
      { id: 4711, publishingMs: 250, keepAlive: 20, lifetime: 2400, items: 1000 },
      { id: 4712, publishingMs: 250, keepAlive: 20, lifetime: 2400, items: 200 },
    ],
    limits: [
      { name: 'MaxNodesPerRead', declared: 1000, used: 1000 }, { name: 'MaxMonitoredItemsPerCall', declared: null, used: 500 },
      { name: 'MaxMonitoredItemsPerSubscription', declared: 1000, used: 1000 }, { name: 'MaxSubscriptionsPerSession', declared: 20, used: 2 },
      { name: 'MaxNodesPerBrowse', declared: 1000, used: 1000 }, { name: 'MaxArrayLength', declared: 65535, used: 65535 },
      { name: 'MaxBrowseContinuationPoints', declared: 100, used: null },
    ],
    diagnostics: second ? [] : [
      { name: 'LatePublishRequestCount', value: 0 }, { name: 'MonitoringQueueOverflowCount', value: troubled ? 14 : 0 },
      { name: 'DiscardedMessageCount', value: 0 }, { name: 'UnacknowledgedMessageCount', value: 1 },
    ],
    flow: {
      notifications: 31_680, values: 4_127_204, lostLinks: 1, sessionsCreated: 1, sessionsReactivated: 1, subscriptionsTransferred: 0,
      subscriptionsCreated: 2, missing: troubled ? 9 : 3, republished: troubled ? 7 : 3, lost: troubled ? 2 : 0, repeated: 0,
      overflows: troubled ? 14 : 0, late: 1,
    },
    clockSkewMs: troubled ? 3_240 : 12, roundTripMs: 1.4, publishLateMs: 38,
  };
}

const GAP: GapView = {
  tag: null, tagName: null, fromMs: START - 58 * MIN, toMs: START - 48 * MIN, reason: 'linkDown', lost: null, filled: 148_212,
  tagsFilled: 1_160, tagsWithout: 40,
};
const GAPS: GapView[] = [
  { ...GAP, tag: 44, tagName: 'Packer.Station01.MotorCurrent', fromMs: START - 33 * MIN - 1500, toMs: START - 33 * MIN, reason: 'serverOverflow', lost: 12, filled: 0, tagsFilled: 0, tagsWithout: 0 },
  GAP,
  { ...GAP, fromMs: START - 26 * 60 * MIN, toMs: START - 25.4 * 60 * MIN, reason: 'notRunning', filled: 0, tagsFilled: 0, tagsWithout: 1_200 },
];

function historyOf(scenario: Scenario): ConnectionView['history'] {
  const before: ConnectionView['history'] = [
    { atMs: START - 48 * MIN, state: 'up', status: 0, detail: '' },
    { atMs: START - 58 * MIN, state: 'down', status: 0x80ae0000, detail: 'The connection broke: connection reset by peer.' },
    { atMs: START - 132 * MIN, state: 'up', status: 0, detail: '' },
  ];
  if (scenario !== 'linkdown') return before;
  return [{ atMs: START - 51_000, state: 'down', status: 0x80ae0000, detail: 'connection reset by peer' }, ...before];
}

function refusedOf(): RefusedView[] {
  const codes = [0x80340000, 0x801f0000, 0x80db0000, 0x80350000];
  return fakeTags('refused').filter(({ id }) => id % 97 === 5)
    .map(({ id, name, node }, index) => ({ tag: id, name, node, status: codes[index % codes.length] }));
}
