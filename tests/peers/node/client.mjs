// node-opcua's client as a measure: it subscribes to the counters of a peer and counts what arrives.
//
// usage: node client.mjs <endpoint URL> <counters>   prints "UP" when subscribed, then "OK <values so far>" for
// each line
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { AttributeIds, ClientMonitoredItemGroup, ClientSubscription, MessageSecurityMode, OPCUAClient, SecurityPolicy, TimestampsToReturn } =
  createRequire(import.meta.url)("node-opcua");

const URI = "urn:lineside:peer";
const FIRST_COUNTER = 1000;
const [url, counters] = process.argv.slice(2);

const client = OPCUAClient.create({
  endpointMustExist: false,
  securityMode: MessageSecurityMode.None,
  securityPolicy: SecurityPolicy.None,
});
await client.connect(url);
const session = await client.createSession();
const index = (await session.readNamespaceArray()).indexOf(URI);
const subscription = ClientSubscription.create(session, {
  requestedPublishingInterval: 250,
  requestedLifetimeCount: 1000,
  requestedMaxKeepAliveCount: 10,
  maxNotificationsPerPublish: 0,
  publishingEnabled: true,
});
const items = Array.from({ length: Number(counters) }, (_, number) => ({
  nodeId: `ns=${index};i=${FIRST_COUNTER + number}`,
  attributeId: AttributeIds.Value,
}));
let values = 0;
const group = ClientMonitoredItemGroup.create(
  subscription,
  items,
  { samplingInterval: 0, queueSize: 30, discardOldest: true },
  TimestampsToReturn.Both,
);
group.on("changed", () => {
  values += 1;
});
await new Promise((ready) => group.once("initialized", ready));
console.log("UP");
const input = createInterface({ input: process.stdin });
input.on("line", () => console.log(`OK ${values}`));
input.on("close", () => process.exit(0));
