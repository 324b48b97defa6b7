// A foreign OPC UA server for the tests: node-opcua on loopback, told what to do by lines on stdin.
//
// usage: node peer.mjs <options as JSON>   prints "UP <port>", then "OK ..." or "NO <why>" for each command
//   set <name> <value> [status in hex] [source time in ms since 1970]
//   bad <name> <status in hex>         a status without a value
//   transfer off                       TransferSubscriptions is refused from now on
//   end sessions                       all sessions of clients are gone, unannounced; their subscriptions stay
//   end subscriptions                  as well as their subscriptions
//   sessions <n>                       at most so many sessions from now on
//   counts                             OK <sessions> <subscriptions> <items> of all clients
// Options and the log of rounds are those of `Options` in tests/src/peers.rs.
// Stack, address space, history and certificate checks are node-opcua's; these lines only start it.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const opcua = createRequire(import.meta.url)("node-opcua");
const { DataType, StatusCodes, Variant, VariantArrayType } = opcua;

const URI = "urn:lineside:peer";
const APPLICATION = "urn:lineside:test-server";
const FIRST_COUNTER = 1000;
const POLICIES = {
  None: opcua.SecurityPolicy.None,
  Basic256Sha256: opcua.SecurityPolicy.Basic256Sha256,
  Aes128Sha256RsaOaep: opcua.SecurityPolicy.Aes128_Sha256_RsaOaep,
  Aes256Sha256RsaPss: opcua.SecurityPolicy.Aes256_Sha256_RsaPss,
};
const VARIABLES = {
  Boolean: true,
  SByte: -128,
  Byte: 255,
  Int16: -32768,
  UInt16: 65535,
  Int32: -2147483648,
  UInt32: 4294967295,
  Int64: [0x80000000, 0],
  UInt64: [0xffffffff, 0xffffffff],
  Float: 1.5,
  Double: -2.5e300,
  String: "Füller",
  DateTime: new Date(Date.UTC(2024, 1, 29, 12, 0, 0, 250)),
  LocalizedText: opcua.coerceLocalizedText({ locale: "de", text: "läuft" }),
  QualifiedName: opcua.coerceQualifiedName({ namespaceIndex: 2, name: "State" }),
  NodeId: opcua.resolveNodeId("i=85"),
  ByteString: Buffer.from([0, 255]),
};

const options = JSON.parse(process.argv[2]);
const secured = options.policies.filter((policy) => policy !== "None");
const modes = [
  ...(options.policies.includes("None") ? [opcua.MessageSecurityMode.None] : []),
  ...(secured.length > 0 ? [opcua.MessageSecurityMode.Sign, opcua.MessageSecurityMode.SignAndEncrypt] : []),
];

async function freePort() {
  const probe = createServer();
  await new Promise((bound) => probe.listen(0, "127.0.0.1", bound));
  const { port } = probe.address();
  await new Promise((closed) => probe.close(closed));
  return port;
}

const port = options.port || (await freePort());
const stores = {
  own: new opcua.OPCUACertificateManager({
    rootFolder: `${options.folder}/pki`,
    automaticallyAcceptUnknownCertificate: !options.trusted,
  }),
  users: new opcua.OPCUACertificateManager({
    rootFolder: `${options.folder}/users`,
    automaticallyAcceptUnknownCertificate: false,
  }),
};
await stores.own.initialize();
await stores.users.initialize();
if (options.trusted) await stores.own.trustCertificate(readFileSync(options.trusted));
if (options.user_certificate) await stores.users.trustCertificate(readFileSync(options.user_certificate));

const limits = options.limits;
const server = new opcua.OPCUAServer({
  port,
  host: "127.0.0.1",
  hostname: "127.0.0.1",
  serverInfo: { applicationUri: APPLICATION },
  registerServerMethod: opcua.RegisterServerMethod.HIDDEN,
  serverCertificateManager: stores.own,
  userCertificateManager: stores.users,
  ...(options.certificate ? { certificateFile: options.certificate, privateKeyFile: options.key } : {}),
  securityPolicies: options.policies.map((policy) => POLICIES[policy]),
  securityModes: modes,
  disableDiscovery: false,
  allowAnonymous: options.tokens.includes("anonymous"),
  userManager: { isValidUser: (name, password) => name === options.user && password === options.password },
  nodeset_filename: [opcua.nodesets.standard],
  serverCapabilities: {
    maxSessions: 100,
    maxSubscriptionsPerSession: 100,
    maxMonitoredItemsPerSubscription: limits.items_per_subscription || 100000,
    maxMonitoredItems: 1000000,
    maxMonitoredItemsQueueSize: 10000,
    operationLimits: {
      maxMonitoredItemsPerCall: limits.items_per_call || 10000,
      maxNodesPerRead: limits.nodes_per_read || 10000,
      maxNodesPerHistoryReadData: 1000,
    },
  },
});
await server.initialize();
const space = server.engine.addressSpace;
for (let number = 0; number < options.other_namespaces; number += 1) {
  space.registerNamespace(`urn:lineside:other:${number}`);
}
const own = space.registerNamespace(URI);
const nodes = new Map();

function add(nodeId, name, dataType, value, arrayType = VariantArrayType.Scalar) {
  const node = own.addVariable({
    organizedBy: space.rootFolder.objects,
    nodeId,
    browseName: name,
    dataType,
    ...(arrayType === VariantArrayType.Array ? { valueRank: 1 } : {}),
  });
  node.setValueFromSource(new Variant({ dataType, arrayType, value }), StatusCodes.Good, new Date());
  nodes.set(name, { node, dataType });
  return node;
}

for (const [name, value] of Object.entries(VARIABLES)) add(`s=${name}`, name, DataType[name], value);
add("s=Array", "Array", DataType.Double, new Float64Array([1.5, -2]), VariantArrayType.Array);
for (const name of ["counter", "other"]) add(`s=${name}`, name, DataType.UInt32, 0);

// Each round gives every counter the next number, at one source time, which is logged. A server that starts
// again goes on counting.
let round = options.rounds && existsSync(options.rounds) ? readFileSync(options.rounds, "utf8").split("\n").length - 1 : 0;
const counters = [];
for (let number = 0; number < options.counters; number += 1) {
  const node = add(`i=${FIRST_COUNTER + number}`, `c${number}`, DataType.UInt32, round);
  if (options.history) space.installHistoricalDataNode(node, { maxOnlineValues: 100000 });
  counters.push(node);
}
function count() {
  round += 1;
  const now = new Date();
  if (options.rounds) appendFileSync(options.rounds, `${round} ${now.getTime() * 1000}\n`);
  for (const node of counters) {
    node.setValueFromSource({ dataType: DataType.UInt32, value: round }, StatusCodes.Good, now);
  }
}

const status = (hex) => opcua.getStatusCodeFromCode(Number.parseInt(hex, 16));

function counts() {
  const engine = server.engine;
  const sessions = Object.values(engine._sessions);
  const orphans = engine._orphanPublishEngine ? engine._orphanPublishEngine.subscriptions : [];
  const subscriptions = [...sessions.flatMap((session) => session.publishEngine.subscriptions), ...orphans];
  const items = subscriptions.reduce((sum, subscription) => sum + subscription.monitoredItemCount, 0);
  return `OK ${sessions.length} ${subscriptions.length} ${items}`;
}

function obey([verb, name, ...rest]) {
  const { node, dataType } = nodes.get(name) ?? {};
  switch (verb) {
    case "set": {
      const [value, hex = "0", ms = Date.now()] = rest;
      node.setValueFromSource({ dataType, value: Number(value) }, status(hex), new Date(Number(ms)));
      return "OK";
    }
    case "bad":
      node.setValueFromSource({ dataType: DataType.Null }, status(rest[0]), new Date());
      return "OK";
    case "transfer":
      server.engine.transferSubscription = async () =>
        new opcua.TransferResult({ statusCode: StatusCodes.BadServiceUnsupported });
      return "OK";
    case "end":
      for (const session of Object.values(server.engine._sessions)) {
        server.engine.closeSession(session.authenticationToken, name === "subscriptions", "Terminated");
      }
      return "OK";
    case "sessions":
      server.engine.serverCapabilities.maxSessions = Number(name);
      return "OK";
    case "counts":
      return counts();
    default:
      return "NO such command";
  }
}

await server.start();
if (options.counters) setInterval(count, options.interval_ms);
console.log(`UP ${port}`);
const input = createInterface({ input: process.stdin });
input.on("line", (line) => console.log(obey(line.trim().split(/\s+/))));
input.on("close", () => process.exit(0));
