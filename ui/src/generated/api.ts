// Made from crates/api/src/wire.rs by `cargo xtask bindings`. Do not edit.

export type Hello = { version: string, mode: SessionMode, epoch: number, plant: PlantInfo | null, problems: Array<Problem>, };

export type SessionMode = "live" | "replay";

export type Problem = { place: string, problem: string, remedy: string, };

export type PlantInfo = { site: string, area: string, line: string, timeZone: string, product: string, targetRate: number | null, minorStopMs: number, constraint: number | null, connections: Array<ConnectionInfo>, units: Array<UnitInfo>, tagCount: number, configPath: string, };

export type ConnectionInfo = { id: number, name: string, endpoint: string, };

export type UnitInfo = { id: number, name: string, idealRate: number | null, band: [number, number] | null, hasState: boolean, hasSpeed: boolean, hasGood: boolean, hasReject: boolean, };

export type TagsRequest = { offset: number, limit: number, };

export type TagPage = { total: number, tags: Array<TagInfo>, };

export type TagInfo = { id: number, name: string, description: string, connection: number, node: string, unit: string, range: [number, number] | null, maxAgeMs: number | null, texts: Array<TagText>, };

export type TagText = { value: number, text: string, };

export type FrameRequest = { epoch: number, cursor: number, watch: Array<number>, fresh: boolean, };

export type FrameTail = { texts: Array<string>, links: Array<LinkView> | null, recorder: RecorderView | null, shift: ShiftView | null, units: Array<UnitView> | null, strips: Array<StripView> | null, output: Array<OutputPointView> | null, notices: Array<Notice>, noticesDropped: number, };

export type LinkView = { id: number, name: string, state: LinkStateView, sinceMs: number, status: number, detail: string, subscription: SubscriptionStateView, subscriptionSinceMs: number, product: string, simulated: boolean, tags: number, refused: number, doubtful: number, };

export type LinkStateView = "down" | "connecting" | "up";

export type SubscriptionStateView = "none" | "live" | "late";

export type RecorderView = { state: RecorderStateView, lagMs: number, detail: string, file: string, sinceMs: number, };

export type RecorderStateView = "off" | "recording" | "lagging" | "failed";

export type ShiftView = { name: string, startMs: number, endMs: number, crew: string | null, scheduled: boolean, };

export type UnitView = { id: number, state: string, unmapped: boolean, stateSinceMs: number, mode: string, stateTrust: Trust, rate: number | null, rateTrust: Trust, good: CounterView | null, reject: CounterView | null, rates: Array<number | null>, };

export type Trust = "live" | "uncertain" | "late" | "silent" | "linkDown" | "bad" | "refused" | "waiting" | "absent";

export type CounterView = { total: number | null, acrossGaps: number, resets: number, rejected: number, trust: Trust, };

export type StripView = { unit: number, intervals: Array<IntervalView>, };

export type IntervalView = { startMs: number, kind: IntervalKind, state: string, };

export type IntervalKind = "running" | "stopped" | "held" | "suspended" | "changeover" | "maintenance" | "unknown";

export type OutputPointView = { atMs: number, total: number | null, };

export type Notice = { seq: number, atMs: number, kind: NoticeKind, connection: number | null, tag: number | null, fromMs: number | null, toMs: number | null, lost: number | null, status: number, detail: string, };

export type NoticeKind = "started" | "linkUp" | "linkDown" | "subscriptionLate" | "subscriptionLive" | "serverRestarted" | "itemRefused" | "itemAccepted" | "gapLinkDown" | "gapServerOverflow" | "gapClientOverflow" | "gapLostNotification" | "gapNotRunning" | "gapNotRecorded" | "gapSilent" | "recorderLagging" | "recorderFailed" | "recorderRecovered" | "clockStepped" | "shiftStarted";

export type ApiError = { code: ErrorCode, message: string, };

export type ErrorCode = "stale" | "badRequest" | "internal";

export type Commands = {
  hello: { request: null, response: Hello },
  tags: { request: TagsRequest, response: TagPage },
};
