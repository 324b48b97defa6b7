// A made-up server to be connected: what it offers, its certificate, its nodes, and what Lineside would make of them.

import type {
  Applied, ApplyRequest, BrowsePage, BrowseRequest, CertificatesView, CertificateView, Discovery, NodeDetails, NodeView, PreviewValue,
  Proposal, SearchPage, TagProposal, TrustRequest, UnitProposal,
} from '../../generated/api';
import { CallError } from '../platform';
import { START } from './plant';

const DAY = 86_400_000;
const PAGE = 12;
const URL = 'opc.tcp://plc-filler.local:4840';
const URI = 'urn:plc-filler:acme:filler';

const OWN: CertificateView = {
  thumbprint: 'c2b1770e54d7cdbd31b5b8a9c0e3e19f0a6b7d12', sha256: '', subject: 'CN=Lineside@panel-3, O=Lineside', issuer: 'CN=Lineside@panel-3, O=Lineside',
  selfSigned: true, notBeforeMs: START - 20 * DAY, notAfterMs: START + 1805 * DAY, daysLeft: 1805, hostNames: ['panel-3'],
  applicationUri: 'urn:panel-3:Lineside:client', keyBits: 2048, signature: 'SHA-256 with RSA', place: 'own', findings: [],
};

/** Answers the commands of Setup; keeps which certificates are trusted. */
export class FakeServer {
  private place: CertificateView['place'] = 'unknown';
  private turns = 0;

  discover(address: string): Discovery {
    if (!address.includes('filler')) {
      const problem = `No answer from ${address}:4840.`;
      return { url: `opc.tcp://${address}:4840`, servers: [], problems: [{ place: address, problem, remedy: 'Check the name, the port and the network cable.' }] };
    }
    const users = [{ kind: 'anonymous', safe: true }, { kind: 'name', safe: true }, { kind: 'certificate', safe: true }] as const;
    const open = users.map((user) => ({ ...user, safe: user.kind === 'anonymous' }));
    const endpoint = { url: URL, advertisedUrl: 'opc.tcp://FILLER-S7:4840', recommended: false };
    return {
      url: URL, problems: [],
      servers: [{
        name: 'Filler@plc-filler', applicationUri: URI, productUri: 'urn:acme:filler', simulated: false, certificate: this.certificate(),
        endpoints: [
          { ...endpoint, security: 'Aes256Sha256RsaPss/SignAndEncrypt', grade: 'strong', recommended: true, users: [...users] },
          { ...endpoint, security: 'Basic256Sha256/SignAndEncrypt', grade: 'accepted', users: [...users] },
          { ...endpoint, security: 'Basic256/Sign', grade: 'weak', users: [...users] },
          { ...endpoint, security: 'None', grade: 'none', users: open },
        ],
      }],
    };
  }

  certificates(): CertificatesView {
    const of = (place: CertificateView['place']) => (this.place === place ? [this.certificate()] : []);
    const older: CertificateView = { ...this.certificate(), thumbprint: '11'.repeat(20), subject: 'CN=line3, O=Lineside', place: 'trusted', findings: [] };
    return {
      own: OWN, ownPem: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n', ownDer: 'MIIB',
      ownFile: '/home/operator/.local/share/lineside/pki/own/certs/cert.der', trusted: [older, ...of('trusted')], issuers: [], rejected: of('rejected'),
      revocationLists: [{ issuer: 'CN=Plant CA', file: 'issuer/crl/plant.crl', nextUpdateMs: START + 12 * DAY, revoked: 2 }],
    };
  }

  trust({ decision }: TrustRequest): CertificatesView {
    this.place = decision === 'trust' ? 'trusted' : decision === 'reject' ? 'rejected' : 'unknown';
    return this.certificates();
  }

  browse({ node, more }: BrowseRequest): BrowsePage {
    const all = childrenOf(node);
    const from = more === null ? 0 : Number(more);
    return { nodes: all.slice(from, from + PAGE), more: from + PAGE < all.length ? String(from + PAGE) : null };
  }

  search(text: string, more: string | null): SearchPage {
    const found = MACHINES.flatMap((name) => childrenOf(id(name)).map((view) => ({ ...view, path: ['Machines', name] })))
      .filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
    return more === null ? { found, visited: 1_000, more: '1' } : { found: [], visited: 1_412, more: null };
  }

  details(node: string): NodeDetails {
    return {
      node, name: node.slice(node.lastIndexOf('.') + 1), value: this.value(node),
      attributes: [
        { name: 'Data type', text: 'Double', status: 0 }, { name: 'Engineering unit', text: '1/min', status: 0 },
        { name: 'Normal range', text: '0 to 700', status: 0 }, { name: 'Access', text: 'read, history', status: 0 },
        { name: 'Description', text: '', status: 0x80350000 },
      ],
    };
  }

  value(node: string): PreviewValue {
    this.turns++;
    const speed = node.endsWith('Speed');
    return { node, text: speed ? `598.${this.turns % 10}` : '6', unit: speed ? '1/min' : '', status: 0, sourceMs: START + this.turns * 1000 };
  }

  apply({ plant, tags, units, draft }: ApplyRequest): Applied {
    if (tags.some(({ name }) => name === 'fail')) throw new CallError('internal', 'plant.toml cannot be written: permission denied.');
    const fresh = plant === null ? [] : ['', '[plant]', `area = "${plant.area}"`, `time_zone = "${plant.timeZone}"`];
    const head = draft === null ? [] : ['', '[[connection]]', `name = "${draft.name}"`, `endpoint = "${draft.endpoint}"`, `security = "${draft.security}"`];
    const lines = [
      ...units.flatMap((unit) => ['', '[[unit]]', `name = "${unit.name}"`, ...(unit.speed === null ? [] : [`speed = "${unit.speed}"`])]),
      ...tags.flatMap((tag) => ['', '[[tag]]', `name = "${tag.name}"`, `node = "${tag.node}"`, ...(tag.unit === '' ? [] : [`unit = "${tag.unit}"`])]),
    ];
    return { path: '/home/operator/plant.toml', added: [...fresh, ...head, ...lines].slice(1), problems: [] };
  }

  private certificate(): CertificateView {
    const untrusted = { status: 0x801a0000, side: 'server', problem: 'It is in none of the folders for certificates.', remedy: 'Trust it.', blocks: true } as const;
    const host = {
      status: 0x80160000, side: 'server', problem: 'It was made for FILLER-S7, not for plc-filler.local.', remedy: '', blocks: false,
    } as const;
    return {
      thumbprint: '4fa0cc7d1be09c1cb1aa0e0f3e10a5f7a2b09d11', sha256: '', subject: 'CN=Filler, O=Acme Filling, DC=FILLER-S7', issuer: 'CN=Filler, O=Acme Filling',
      selfSigned: true, notBeforeMs: START - 700 * DAY, notAfterMs: START + 26 * DAY, daysLeft: 26, hostNames: ['FILLER-S7', '192.168.3.12'],
      applicationUri: URI, keyBits: 2048, signature: 'SHA-256 with RSA', place: this.place, findings: this.place === 'trusted' ? [host] : [untrusted, host],
    };
  }
}

const MACHINES = ['Filler', 'Rinser', 'Capper'];
const id = (path: string) => `nsu=${URI};s=${path}`;

function view(name: string, change: Partial<NodeView> = {}): NodeView {
  return { node: id(name), name: name.slice(name.lastIndexOf('.') + 1), class: 'object', typeName: 'FolderType', children: true, recognised: null, path: [], tag: null, ...change };
}

function childrenOf(node: string | null): NodeView[] {
  if (node === null) return [view('Server', { typeName: 'ServerType' }), view('Machines'), view('Diagnostics'), view('Reset', { class: 'method', children: false })];
  if (node === id('Machines')) return MACHINES.map((name) => view(name, { typeName: 'PackMLBaseObjectType', recognised: 'packmlMachine' }));
  const machine = MACHINES.find((name) => node === id(name));
  if (machine === undefined) return [];
  const leaf = (name: string, recognised: NodeView['recognised'], typeName = 'AnalogUnitType') =>
    view(`${machine}.${name}`, { class: 'variable', children: false, typeName, recognised, tag: name === 'Reject' ? `${machine}.Reject` : null });
  return [
    leaf('CurState', 'enumeration', 'BaseDataVariableType'), leaf('UnitMode', 'enumeration', 'BaseDataVariableType'), leaf('Speed', 'analog'),
    leaf('ProdProcessedCount', 'counter', 'BaseDataVariableType'), leaf('Reject', 'counter', 'BaseDataVariableType'),
    ...Array.from({ length: 22 }, (_, i) => leaf(`Valve${String(i + 1).padStart(2, '0')}.Temperature`, 'analog')),
  ];
}

const TAG: TagProposal = {
  name: '', node: '', description: '', unit: '', range: null, scale: null, texts: [], dataType: 'Double', recognised: null, why: '', guess: false, known: false,
};
const UNIT: UnitProposal = {
  name: 'Filler', model: 'PackML (OPC 30050)',
  state: { tag: 'Filler.CurState', entries: [{ value: '2', meaning: 'Stopped' }, { value: '4', meaning: 'Idle' }, { value: '6', meaning: 'Execute' }, { value: '9', meaning: 'Aborted' }, { value: '11', meaning: 'Held' }] },
  mode: { tag: 'Filler.UnitMode', entries: [{ value: '1', meaning: 'Produce' }, { value: '2', meaning: 'Maintenance' }] },
  speed: 'Filler.Speed', idealRate: 640, good: { tag: 'Filler.ProdProcessedCount', rollover: 4_294_967_296 }, reject: { tag: 'Filler.Reject', rollover: null },
  why: 'The object has the type PackMLBaseObjectType.', guess: false, known: false,
};

export const PROPOSAL: Proposal = {
  notes: ['8 nodes were left out: they have no value that Lineside can read.'],
  units: [UNIT],
  tags: [
    { ...TAG, name: 'Filler.CurState', node: id('Filler.CurState'), description: 'State of the machine', dataType: 'Int32', texts: [{ value: 2, text: 'Stopped' }, { value: 6, text: 'Execute' }], why: 'PackML names it the state.' },
    { ...TAG, name: 'Filler.UnitMode', node: id('Filler.UnitMode'), dataType: 'Int32', texts: [{ value: 1, text: 'Produce' }], why: 'PackML names it the mode.' },
    { ...TAG, name: 'Filler.Speed', node: id('Filler.Speed'), description: 'Actual speed', unit: '1/min', range: [0, 700], why: 'Range and unit are told by the server.' },
    { ...TAG, name: 'Filler.ProdProcessedCount', node: id('Filler.ProdProcessedCount'), dataType: 'UInt32', unit: '', why: 'Its name says that it counts.', guess: true },
    { ...TAG, name: 'Filler.Reject', node: id('Filler.Reject'), dataType: 'UInt32', why: '', known: true },
    ...Array.from({ length: 9 }, (_, i): TagProposal => ({
      ...TAG, name: `Filler.Valve0${i + 1}.Temperature`, node: id(`Filler.Valve0${i + 1}.Temperature`), description: `Temperature of valve ${i + 1}`, unit: '°C',
      range: [0, 120], why: 'Range and unit are told by the server.',
    })),
  ],
};
