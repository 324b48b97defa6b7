// Made from crates/api by `cargo xtask bindings`. Do not edit.

export type Hello = { version: string, mode: SessionMode, 
/**
 * Changes when everything the UI knows is void (another session, another configuration).
 */
epoch: number, 
/**
 * Null when the configuration could not be read: then `problems` says why.
 */
plant: PlantInfo | null, problems: Array<Problem>, };

export type SessionMode = "live" | "replay";

export type Problem = { 
/**
 * Which file, line and column, tag or server.
 */
place: string, 
/**
 * What is wrong.
 */
problem: string, 
/**
 * What to do.
 */
remedy: string, };

export type PlantInfo = { site: string, area: string, line: string, 
/**
 * IANA name; the UI shows every time in it.
 */
timeZone: string, 
/**
 * What is counted, in the plural.
 */
product: string, 
/**
 * Products per minute.
 */
targetRate: number | null, 
/**
 * Stops shorter than this are short stops.
 */
minorStopMs: number, 
/**
 * The unit whose state is the state of the line.
 */
constraint: number | null, connections: Array<ConnectionInfo>, units: Array<UnitInfo>, tagCount: number, 
/**
 * Where the configuration came from.
 */
configPath: string, };

export type ConnectionInfo = { id: number, name: string, endpoint: string, };

export type UnitInfo = { id: number, name: string, 
/**
 * Best possible speed, products per minute.
 */
idealRate: number | null, 
/**
 * Normal band of the speed.
 */
band: [number, number] | null, hasState: boolean, hasSpeed: boolean, hasGood: boolean, hasReject: boolean, };

export type TagsRequest = { offset: number, limit: number, };

export type TagPage = { total: number, tags: Array<TagInfo>, };

export type TagInfo = { id: number, name: string, description: string, connection: number, node: string, unit: string, range: [number, number] | null, 
/**
 * A value older than this is late; null: it may stay the same for ever.
 */
maxAgeMs: number | null, 
/**
 * Names of enumeration values.
 */
texts: Array<TagText>, };

export type TagText = { value: number, text: string, };

export type FrameRequest = { 
/**
 * The epoch that the cursor belongs to.
 */
epoch: number, 
/**
 * `seq` of the last frame; 0 at first.
 */
cursor: number, 
/**
 * Tags whose values are visible.
 */
watch: Array<number>, 
/**
 * Send all watched tags, changed or not (the set of visible tags has changed).
 */
fresh: boolean, };

export type FrameTail = { 
/**
 * Texts that the value columns point into.
 */
texts: Array<string>, links: Array<LinkView> | null, recorder: RecorderView | null, shift: ShiftView | null, units: Array<UnitView> | null, strips: Array<StripView> | null, output: Array<OutputPointView> | null, 
/**
 * Everything notable since the cursor, oldest first, never merged.
 */
notices: Array<Notice>, 
/**
 * Notices that were dropped because there were more than a frame takes.
 */
noticesDropped: number, };

export type LinkView = { id: number, name: string, state: LinkStateView, sinceMs: number, 
/**
 * OPC UA status code of the failure; 0 while the link is up.
 */
status: number, 
/**
 * What the adapter says about it, in English.
 */
detail: string, subscription: SubscriptionStateView, subscriptionSinceMs: number, 
/**
 * The server's own product name.
 */
product: string, simulated: boolean, tags: number, 
/**
 * Tags that the server refused.
 */
refused: number, 
/**
 * Tags with a bad or uncertain value, a late one, or none.
 */
doubtful: number, };

export type LinkStateView = "down" | "connecting" | "up";

export type SubscriptionStateView = "none" | "live" | "late";

export type RecorderView = { state: RecorderStateView, 
/**
 * How far behind it is.
 */
lagMs: number, detail: string, 
/**
 * File name of the shift being recorded.
 */
file: string, 
/**
 * Since when it has been in this state.
 */
sinceMs: number, };

export type RecorderStateView = "off" | "recording" | "lagging" | "failed";

export type ShiftView = { name: string, startMs: number, endMs: number, crew: string | null, scheduled: boolean, };

export type UnitView = { id: number, 
/**
 * PackML name, or `Unknown`.
 */
state: string, 
/**
 * The server sent a state that the mapping does not know.
 */
unmapped: boolean, stateSinceMs: number, 
/**
 * PackML mode, or `Unknown`.
 */
mode: string, 
/**
 * What can be said of the state's freshness.
 */
stateTrust: Trust, 
/**
 * Products per minute.
 */
rate: number | null, rateTrust: Trust, good: CounterView | null, reject: CounterView | null, 
/**
 * Mean speeds of the last ten minutes, oldest first, 10 s each; null where not known.
 */
rates: Array<number | null>, };

export type Trust = "live" | "uncertain" | "late" | "silent" | "linkDown" | "bad" | "refused" | "waiting" | "absent" | "unusable";

export type CounterView = { 
/**
 * Products since the start of the shift; null before the first usable reading.
 */
total: number | null, 
/**
 * Part of the total that was counted across an outage.
 */
acrossGaps: number, resets: number, rejected: number, trust: Trust, };

export type StripView = { unit: number, intervals: Array<IntervalView>, };

export type IntervalView = { startMs: number, kind: IntervalKind, state: string, };

export type IntervalKind = "running" | "stopped" | "held" | "suspended" | "changeover" | "maintenance" | "unknown";

export type OutputPointView = { atMs: number, total: number | null, };

export type Notice = { seq: number, atMs: number, kind: NoticeKind, connection: number | null, tag: number | null, fromMs: number | null, toMs: number | null, 
/**
 * How many values were lost, where that is known.
 */
lost: number | null, status: number, detail: string, };

export type NoticeKind = "started" | "linkUp" | "linkDown" | "subscriptionLate" | "subscriptionLive" | "serverRestarted" | "itemRefused" | "itemAccepted" | "gapLinkDown" | "gapServerOverflow" | "gapClientOverflow" | "gapLostNotification" | "gapNotRunning" | "gapNotRecorded" | "gapSilent" | "recorderLagging" | "recorderFailed" | "recorderRecovered" | "clockStepped" | "shiftStarted";

export type ApiError = { code: ErrorCode, message: string, };

export type ErrorCode = "stale" | "badRequest" | "internal";

export type Commands = {
  hello: { request: null, response: Hello },
  tags: { request: TagsRequest, response: TagPage },
};
