// Made from crates/api by `cargo xtask bindings`. Do not edit.

export type Hello = { version: string, mode: SessionMode, 
/**
 * Changes when everything the UI knows is void (another session, another configuration).
 */
epoch: number, 
/**
 * Null when the configuration could not be read: then `problems` says why.
 */
plant: PlantInfo | null, problems: Array<Problem>, 
/**
 * The recording that the program was asked to open (a double click on a file), by its id.
 */
open: string | null, };

export type HelloRequest = { epoch: number | null, };

export type EpochRequest = { epoch: number, };

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
band: [number, number] | null, hasState: boolean, hasSpeed: boolean, hasGood: boolean, hasReject: boolean, 
/**
 * Tags behind the figures; null where there is none.
 */
stateTag: number | null, speedTag: number | null, goodTag: number | null, rejectTag: number | null, };

export type TagsRequest = { epoch: number, offset: number, limit: number, };

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
texts: Array<string>, links: Array<LinkView> | null, recorder: RecorderView | null, shift: ShiftView | null, 
/**
 * Grows when facts of connections changed: then `connections` has news.
 */
reports: number, 
/**
 * Grows when a server told another unit, range or texts of a node: then `tags` has news.
 */
meta: number, units: Array<UnitView> | null, strips: Array<StripView> | null, output: Array<OutputPointView> | null, 
/**
 * Everything notable since the cursor, oldest first, never merged.
 */
notices: Array<Notice>, 
/**
 * Notices that were dropped because there were more than a frame takes.
 */
noticesDropped: number, 
/**
 * Where the replay stands; null in frames of the plant.
 */
replay: ReplayView | null, };

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

export type SubscriptionStateView = "none" | "live" | "late" | "frozen";

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

export type NoticeKind = "started" | "linkUp" | "linkDown" | "subscriptionLate" | "subscriptionLive" | "serverRestarted" | "itemRefused" | "itemAccepted" | "gapLinkDown" | "gapServerOverflow" | "gapClientOverflow" | "gapLostNotification" | "gapNotRunning" | "gapNotRecorded" | "gapSilent" | "gapFilled" | "serverNotRunning" | "serverRunning" | "serverDegraded" | "serverHealthy" | "failover" | "clockSkewed" | "clockAgrees" | "heartbeatLost" | "metaChanged" | "recorderLagging" | "recorderFailed" | "recorderRecovered" | "clockStepped" | "shiftStarted";

export type ConnectionsView = { connections: Array<ConnectionView>, atMs: number, };

export type ConnectionView = { link: LinkView, 
/**
 * As configured.
 */
endpoint: string, 
/**
 * The facts that the adapter told last; null before the first.
 */
report: ReportView | null, 
/**
 * When it told them.
 */
reportedMs: number | null, serverStartedMs: number | null, 
/**
 * Changes of the link, newest first.
 */
history: Array<LinkEventView>, 
/**
 * Gaps of the connection and of its tags, newest first.
 */
gaps: Array<GapView>, 
/**
 * Gaps beyond those listed.
 */
moreGaps: number, 
/**
 * Items that the server refused, one by one.
 */
refused: Array<RefusedView>, 
/**
 * Refused items beyond those listed.
 */
moreRefused: number, };

export type ReportView = { 
/**
 * The endpoint in use, of a redundant set the active member.
 */
endpoint: string, security: string, 
/**
 * Empty: anonymous.
 */
user: string, serverState: ServerStateView, serviceLevel: number | null, 
/**
 * Seconds until an announced shutdown.
 */
shutdownS: number | null, shutdownReason: string, 
/**
 * SHA-1 of the server's certificate; empty without security.
 */
certificate: string, certificateExpiresMs: number | null, ownCertificateExpiresMs: number | null, 
/**
 * As revised by the server.
 */
sessionTimeoutMs: number, members: Array<MemberView>, subscriptions: Array<SubscriptionView>, limits: Array<LimitView>, diagnostics: Array<DiagnosticView>, flow: FlowView, 
/**
 * The server's clock minus ours.
 */
clockSkewMs: number | null, roundTripMs: number | null, 
/**
 * How much later than promised publish responses came, 95th percentile.
 */
publishLateMs: number | null, };

export type ServerStateView = "running" | "failed" | "noConfiguration" | "suspended" | "shutdown" | "test" | "communicationFault" | "unknown";

export type MemberView = { endpoint: string, role: MemberRoleView, serviceLevel: number | null, detail: string, };

export type MemberRoleView = "unknown" | "active" | "standby" | "unreachable";

export type SubscriptionView = { id: number, publishingMs: number, keepAlive: number, lifetime: number, items: number, };

export type LimitView = { name: string, declared: number | null, used: number | null, };

export type DiagnosticView = { name: string, value: number, };

export type FlowView = { notifications: number, values: number, lostLinks: number, sessionsCreated: number, sessionsReactivated: number, subscriptionsTransferred: number, subscriptionsCreated: number, 
/**
 * Notification messages that were not there when they were due.
 */
missing: number, 
/**
 * Of those, fetched again.
 */
republished: number, 
/**
 * Of those, lost for good.
 */
lost: number, repeated: number, overflows: number, late: number, };

export type LinkEventView = { atMs: number, state: LinkStateView, status: number, detail: string, };

export type GapView = { 
/**
 * Null: the whole connection.
 */
tag: number | null, tagName: string | null, fromMs: number, toMs: number, reason: GapReasonView, 
/**
 * How many values, where that is known.
 */
lost: number | null, 
/**
 * Values read afterwards from the server's history.
 */
filled: number, 
/**
 * Tags whose history covered it.
 */
tagsFilled: number, 
/**
 * Tags without a history.
 */
tagsWithout: number, };

export type GapReasonView = "linkDown" | "serverOverflow" | "clientOverflow" | "lostNotification" | "notRunning" | "notRecorded" | "silent";

export type RefusedView = { tag: number, name: string, node: string, status: number, };

export type ExplainRequest = { epoch: number, tag: number, };

export type Explanation = { tag: number, name: string, node: string, connection: number, connectionName: string, trust: Trust, 
/**
 * As received.
 */
status: number, 
/**
 * The server's answer to our request to monitor the node.
 */
itemStatus: number, link: LinkView, 
/**
 * When Lineside took the value in; null before the first.
 */
receivedMs: number | null, sourceMs: number | null, serverMs: number | null, maxAgeMs: number | null, 
/**
 * A value has come since the present subscription was made.
 */
confirmed: boolean, clockSkewMs: number | null, 
/**
 * The unit that the server names, where it is not the configured one.
 */
serverUnit: string | null, 
/**
 * The plant's time now.
 */
atMs: number, };

export type DiscoverRequest = { 
/**
 * `host`, `host:port`, or `opc.tcp://host:port/path`.
 */
address: string, };

export type Discovery = { 
/**
 * The URL that was asked in the end.
 */
url: string, servers: Array<ServerOffer>, 
/**
 * What went wrong, where something did; the rest still holds.
 */
problems: Array<Problem>, };

export type ServerOffer = { name: string, applicationUri: string, productUri: string, 
/**
 * Strongest first.
 */
endpoints: Array<EndpointOffer>, certificate: CertificateView | null, 
/**
 * Lineside's own simulated plant.
 */
simulated: boolean, };

export type EndpointOffer = { 
/**
 * As Lineside would use it: the host and port that were typed.
 */
url: string, 
/**
 * As the server says it, where that is something else.
 */
advertisedUrl: string | null, 
/**
 * `Basic256Sha256/SignAndEncrypt` or `None`: what `security` in plant.toml takes.
 */
security: string, grade: EndpointGrade, 
/**
 * The one that `security = "best"` takes.
 */
recommended: boolean, users: Array<UserOffer>, };

export type EndpointGrade = "strong" | "accepted" | "weak" | "none";

export type UserOffer = { kind: UserKind, safe: boolean, };

export type UserKind = "anonymous" | "name" | "certificate" | "issued";

export type CertificateView = { 
/**
 * SHA-1 in hex, as OPC UA tools show it.
 */
thumbprint: string, sha256: string, subject: string, issuer: string, selfSigned: boolean, notBeforeMs: number, notAfterMs: number, 
/**
 * Whole days left; negative: expired.
 */
daysLeft: number, hostNames: Array<string>, applicationUri: string, keyBits: number, signature: string, place: CertificatePlace, findings: Array<CertificateFinding>, };

export type CertificatePlace = "own" | "trusted" | "issuer" | "rejected" | "unknown";

export type CertificateFinding = { 
/**
 * OPC UA status code, e.g. BadCertificateTimeInvalid.
 */
status: number, side: FindingSide, problem: string, remedy: string, 
/**
 * Nothing is sent to the server as long as this holds.
 */
blocks: boolean, };

export type FindingSide = "server" | "lineside";

export type TrustRequest = { thumbprint: string, decision: TrustDecision, };

export type TrustDecision = "trust" | "reject" | "remove";

export type ImportRequest = { 
/**
 * Base64 of a certificate or revocation list, DER or PEM.
 */
data: string, place: CertificatePlace, };

export type CertificatesView = { own: CertificateView, 
/**
 * For import into servers.
 */
ownPem: string, 
/**
 * The same as DER, Base64.
 */
ownDer: string, 
/**
 * The file on this PC.
 */
ownFile: string, trusted: Array<CertificateView>, issuers: Array<CertificateView>, rejected: Array<CertificateView>, revocationLists: Array<RevocationView>, };

export type RevocationView = { issuer: string, file: string, nextUpdateMs: number | null, revoked: number, };

export type ExploreRequest = { connection: number | null, draft: ConnectionDraft | null, };

export type ConnectionDraft = { name: string, endpoint: string, 
/**
 * `best`, `none`, or policy and mode.
 */
security: string, user: UserDraft, };

export type UserDraft = { kind: UserKind, name: string, 
/**
 * Kept in a file for this user of the PC only, never in plant.toml. Null: as stored before.
 */
password: string | null, 
/**
 * Files in the folder for user certificates.
 */
certificate: string, key: string, };

export type Explored = { session: number, product: string, security: string, namespaces: Array<string>, };

export type SessionRequest = { session: number, };

export type BrowseRequest = { session: number, 
/**
 * Null: the Objects folder.
 */
node: string | null, 
/**
 * From the page before.
 */
more: string | null, };

export type BrowsePage = { nodes: Array<NodeView>, more: string | null, };

export type NodeView = { 
/**
 * `nsu=<uri>;s=…`
 */
node: string, name: string, class: NodeClassView, 
/**
 * Name of the type definition.
 */
typeName: string, 
/**
 * May have children; unknown counts as yes.
 */
children: boolean, recognised: Recognised | null, 
/**
 * Names from the Objects folder to here; filled by `search`.
 */
path: Array<string>, 
/**
 * The tag that reads it already.
 */
tag: string | null, };

export type NodeClassView = "object" | "variable" | "method" | "view" | "other";

export type Recognised = "packmlMachine" | "machineryItem" | "machineryComponent" | "jobControl" | "analog" | "twoState" | "multiState" | "enumeration" | "counter";

export type NodeRequest = { session: number, node: string, };

export type NodeDetails = { node: string, name: string, attributes: Array<NodeAttribute>, value: PreviewValue, };

export type NodeAttribute = { name: string, text: string, status: number, };

export type PreviewRequest = { session: number, nodes: Array<string>, };

export type Preview = { values: Array<PreviewValue>, };

export type PreviewValue = { node: string, text: string, unit: string, status: number, sourceMs: number | null, };

export type SearchRequest = { session: number, text: string, 
/**
 * Null: everywhere.
 */
under: string | null, 
/**
 * From the answer before.
 */
more: string | null, };

export type SearchPage = { found: Array<NodeView>, 
/**
 * Nodes looked at so far.
 */
visited: number, 
/**
 * Goes on where this stopped; null: everything was looked at.
 */
more: string | null, };

export type ProposeRequest = { session: number, 
/**
 * Variables, or objects with everything under them.
 */
nodes: Array<string>, };

export type Proposal = { units: Array<UnitProposal>, tags: Array<TagProposal>, notes: Array<string>, };

export type TagProposal = { name: string, node: string, description: string, unit: string, range: [number, number] | null, 
/**
 * Shown = raw * gain + offset; null: as received.
 */
scale: TagScale | null, texts: Array<TagText>, dataType: string, recognised: Recognised | null, 
/**
 * Why it is proposed so, in one sentence.
 */
why: string, 
/**
 * From names alone: look twice.
 */
guess: boolean, 
/**
 * It is in plant.toml already.
 */
known: boolean, };

export type TagScale = { gain: number, offset: number, };

export type UnitProposal = { name: string, 
/**
 * The model by which it was recognised: `PackML (OPC 30050)`.
 */
model: string, state: MapProposal | null, mode: MapProposal | null, 
/**
 * Tags by the names proposed.
 */
speed: string | null, idealRate: number | null, good: CounterProposal | null, reject: CounterProposal | null, why: string, guess: boolean, known: boolean, };

export type MapProposal = { tag: string, entries: Array<MapEntry>, };

export type MapEntry = { value: string, meaning: string, };

export type CounterProposal = { tag: string, rollover: number | null, };

export type PlantDraft = { site: string, area: string, line: string, 
/**
 * What is counted, in the plural.
 */
product: string, 
/**
 * IANA name; empty: that of this computer.
 */
timeZone: string, };

export type ApplyRequest = { 
/**
 * Used only where there is no plant.toml yet.
 */
plant: PlantDraft | null, 
/**
 * A new connection, or null where `connection` is configured already.
 */
draft: ConnectionDraft | null, connection: number | null, units: Array<UnitProposal>, tags: Array<TagProposal>, 
/**
 * Only say what would be written.
 */
dryRun: boolean, };

export type Applied = { 
/**
 * The file that is, or would be, written.
 */
path: string, 
/**
 * Lines added.
 */
added: Array<string>, 
/**
 * Why nothing was written; empty: it was, or would be.
 */
problems: Array<Problem>, };

export type ApiError = { code: ErrorCode, message: string, };

export type ErrorCode = "stale" | "badRequest" | "refused" | "internal";

export type ShiftList = { 
/**
 * Newest first.
 */
shifts: Array<ShiftInfo>, 
/**
 * Files in the folder that look like recordings and cannot be read.
 */
unreadable: Array<Problem>, folder: string, 
/**
 * Bytes of all of them.
 */
bytes: number, retention: RetentionView, };

export type RetentionView = { keepDays: number | null, keepBytes: number | null, 
/**
 * The last ones that were removed, newest first.
 */
removed: Array<RemovedView>, };

export type RemovedView = { file: string, atMs: number, bytes: number, };

export type ShiftInfo = { 
/**
 * Names it in requests.
 */
id: string, file: string, path: string, line: string, 
/**
 * IANA name of the plant's time zone.
 */
timeZone: string, 
/**
 * Local date on which the shift began, as in `2026-11-21`.
 */
date: string, 
/**
 * Name of the shift; empty for a stretch outside the calendar.
 */
shift: string, scheduled: boolean, crew: string | null, shiftStartMs: number, shiftEndMs: number, 
/**
 * What is recorded.
 */
fromMs: number, toMs: number, bytes: number, state: ShiftState, 
/**
 * What is wrong with it, where something is.
 */
problem: string, 
/**
 * Lowest version of the format that a program must know.
 */
format: number, 
/**
 * Stretches without values, with a reason. Null: the file has no index of events.
 */
gaps: number | null, 
/**
 * Stops of the line (of the constraint unit).
 */
stops: number | null, marks: number, 
/**
 * Kept whatever its age.
 */
pinned: boolean, 
/**
 * Only some of the shift: what of it, in words.
 */
clip: string | null, 
/**
 * It lies outside of the library's folder (opened by a double click).
 */
outside: boolean, };

export type ShiftState = "recording" | "complete" | "interrupted" | "damaged";

export type ShiftRequest = { shift: string, };

export type PinRequest = { shift: string, pinned: boolean, };

export type VerifyView = { 
/**
 * Nothing is missing and nothing differs.
 */
intact: boolean, batches: number, inputs: number, blocks: number, keyframes: number, 
/**
 * States of the live session that replay reached too, of those recorded.
 */
digestsEqual: number, digests: number, 
/**
 * The first state that replay does not reach; null: none.
 */
differsAtMs: number | null, damaged: Array<DamageView>, 
/**
 * What SQLite says beyond that, and rows beside the inputs that cannot be read (events, marks, attachments).
 */
structure: Array<string>, tookMs: number, };

export type DamageView = { fromMs: number | null, toMs: number | null, inputs: number, reason: string, };

export type ExportRequest = { shift: string, fromMs: number, toMs: number, 
/**
 * Empty: all.
 */
tags: Array<number>, format: ExportFormat, };

export type ExportFormat = "shift" | "parquet" | "csv" | "xlsx";

export type Exported = { file: string, 
/**
 * Where it lies on the PC that runs Lineside.
 */
path: string, 
/**
 * Where a browser gets it; null in the desktop window.
 */
url: string | null, bytes: number, 
/**
 * Values written.
 */
rows: number, };

export type ImportStart = { name: string, bytes: number, };

export type ImportTicket = { import: number, };

export type ImportEnd = { import: number, };

export type Imported = { shift: ShiftInfo, 
/**
 * It was in the library before.
 */
known: boolean, };

export type MarkRequest = { epoch: number, atMs: number, untilMs: number | null, text: string, author: string | null, };

export type UnmarkRequest = { epoch: number, mark: number, };

export type MarkView = { id: number, atMs: number, untilMs: number | null, text: string, author: string | null, madeMs: number, };

export type OpenRequest = { shift: string, 
/**
 * Where to stand; null: at its beginning.
 */
atMs: number | null, };

export type Opened = { epoch: number, shift: string, };

export type PlayRequest = { epoch: number, action: PlayAction, 
/**
 * Play: times real time (0: as fast as it can). Seek: instant, ms. Step: by how much, ms, signed. Loop: from, ms.
 */
value: number | null, 
/**
 * Loop: until, ms.
 */
untilMs: number | null, };

export type PlayAction = "play" | "pause" | "seek" | "step" | "stepChange" | "loop" | "unloop" | "follow";

export type ReplayView = { positionMs: number, fromMs: number, toMs: number, playing: boolean, 
/**
 * As asked for; 0: as fast as it can.
 */
speed: number, 
/**
 * As reached, when that is less than asked for.
 */
reachedSpeed: number | null, following: boolean, loopFromMs: number | null, loopToMs: number | null, 
/**
 * Grows when the state was replaced instead of continued: what was drawn along the way is void.
 */
jump: number, 
/**
 * The file is still being written.
 */
growing: boolean, shift: string, file: string, 
/**
 * States of the live session that replay reached too, so far.
 */
digestsEqual: number, 
/**
 * Where replay first differed from the live session; null: nowhere so far.
 */
differsAtMs: number | null, 
/**
 * Damaged stretches met so far.
 */
damaged: number, doubt: ReplayDoubt, 
/**
 * Why the file could not be read on; the replay is paused then.
 */
failure: string | null, };

export type ReplayDoubt = "none" | "damaged" | "notRecorded";

export type TimelineView = { fromMs: number, toMs: number, shift: ShiftView | null, 
/**
 * The whole of the recording, by unit.
 */
strips: Array<StripView>, gaps: Array<GapSpanView>, 
/**
 * Oldest first.
 */
notices: Array<Notice>, noticesDropped: number, marks: Array<MarkView>, 
/**
 * False while it is still being found from a file without an index.
 */
complete: boolean, 
/**
 * 0 to 1 while it is not.
 */
progress: number, };

export type GapSpanView = { fromMs: number, toMs: number, 
/**
 * Null: of the whole plant, or of the tag.
 */
connection: number | null, tag: number | null, kind: NoticeKind, };

export type LaneRequest = { epoch: number, tag: number, fromMs: number, toMs: number, columns: number, };

export type LaneView = { tag: number, fromMs: number, toMs: number, first: Array<number | null>, min: Array<number | null>, max: Array<number | null>, last: Array<number | null>, 
/**
 * Columns in which a value was bad or missing.
 */
doubtful: Array<boolean>, };

export type FindRequest = { epoch: number, fromMs: number, forward: boolean, what: FindWhat, 
/**
 * Notice: which kinds; empty: any.
 */
kinds: Array<NoticeKind>, 
/**
 * Stop: of this unit; null: of the line (its constraint unit).
 */
unit: number | null, 
/**
 * Change: of this tag.
 */
tag: number | null, condition: Condition | null, };

export type FindWhat = "notice" | "gap" | "mark" | "stop" | "change" | "condition";

export type Condition = { tag: number, op: ConditionOp, value: number, forMs: number, };

export type ConditionOp = "below" | "above" | "equal" | "notEqual";

export type Found = { 
/**
 * Null: there is none in this direction.
 */
atMs: number | null, notice: Notice | null, mark: MarkView | null, };

export type CompareRequest = { epoch: number, aMs: number, bMs: number, };

export type Comparison = { aMs: number, bMs: number, units: Array<UnitDifference>, tags: Array<TagDifference>, 
/**
 * Tags that differ beyond those listed.
 */
moreTags: number, 
/**
 * Tags that are the same at both.
 */
sameTags: number, links: Array<LinkDifference>, 
/**
 * Between the two moments, oldest first.
 */
notices: Array<Notice>, };

export type UnitDifference = { unit: number, aState: string, bState: string, aRate: number | null, bRate: number | null, aGood: number | null, bGood: number | null, aReject: number | null, bReject: number | null, 
/**
 * When its state first changed after the earlier moment; null: it did not.
 */
firstChangedMs: number | null, };

export type TagDifference = { tag: number, a: ValueAt, b: ValueAt, firstChangedMs: number | null, 
/**
 * Samples between the two moments.
 */
samples: number, };

export type ValueAt = { value: number | null, text: string | null, status: number, trust: Trust, sourceMs: number | null, };

export type LinkDifference = { connection: number, aUp: boolean, bUp: boolean, firstChangedMs: number | null, };

export type WhatIfParameters = { parameters: Array<ParameterView>, };

export type ParameterView = { 
/**
 * Names it in the request.
 */
path: string, 
/**
 * The tag or unit that it belongs to; empty: the line.
 */
subject: string, kind: ParameterKind, 
/**
 * As recorded; null: not configured.
 */
value: number | null, };

export type ParameterKind = "maxAgeS" | "idealRate" | "bandLow" | "bandHigh" | "maxRate" | "maxRateReject" | "targetRate" | "minorStopS";

export type WhatIfRequest = { epoch: number, changes: Array<ParameterChange>, };

export type ParameterChange = { path: string, value: number | null, };

export type WhatIfResult = { figures: Array<FigurePair>, 
/**
 * What would not have happened.
 */
noticesGone: Array<Notice>, 
/**
 * What would have happened besides.
 */
noticesNew: Array<Notice>, 
/**
 * Notices that are the same in both.
 */
noticesSame: number, 
/**
 * Why the second run is not wholly one under the changed parameters.
 */
caveats: Array<CaveatView>, inputs: number, tookMs: number, };

export type CaveatView = { kind: CaveatKind, atMs: number | null, };

export type CaveatKind = "startState" | "takenOver" | "damaged";

export type FigurePair = { kind: FigureKind, 
/**
 * Null: of the line.
 */
unit: number | null, recorded: number | null, whatIf: number | null, };

export type FigureKind = "runningS" | "stoppedS" | "unknownS" | "stops" | "shortStops" | "good" | "reject" | "meanRate" | "rateAgainstIdeal" | "outsideBandS" | "lateS" | "outputAgainstTarget";

export type Commands = {
  hello: { request: HelloRequest | null, response: Hello },
  tags: { request: TagsRequest, response: TagPage },
  connections: { request: EpochRequest, response: ConnectionsView },
  explain: { request: ExplainRequest, response: Explanation },
  discover: { request: DiscoverRequest, response: Discovery },
  certificates: { request: null, response: CertificatesView },
  trust: { request: TrustRequest, response: CertificatesView },
  import_certificate: { request: ImportRequest, response: CertificatesView },
  explore: { request: ExploreRequest, response: Explored },
  close_exploration: { request: SessionRequest, response: null },
  browse: { request: BrowseRequest, response: BrowsePage },
  node: { request: NodeRequest, response: NodeDetails },
  preview: { request: PreviewRequest, response: Preview },
  search: { request: SearchRequest, response: SearchPage },
  propose: { request: ProposeRequest, response: Proposal },
  apply: { request: ApplyRequest, response: Applied },
  shifts: { request: null, response: ShiftList },
  pin: { request: PinRequest, response: ShiftList },
  import: { request: ImportStart, response: ImportTicket },
  open: { request: OpenRequest, response: Opened },
  close: { request: EpochRequest, response: null },
  play: { request: PlayRequest, response: ReplayView },
  timeline: { request: EpochRequest, response: TimelineView },
  lane: { request: LaneRequest, response: LaneView },
  find: { request: FindRequest, response: Found },
  compare: { request: CompareRequest, response: Comparison },
  mark: { request: MarkRequest, response: MarkView },
  unmark: { request: UnmarkRequest, response: null },
  parameters: { request: EpochRequest, response: WhatIfParameters },
  verify: { request: ShiftRequest, response: VerifyView },
  export: { request: ExportRequest, response: Exported },
  import_end: { request: ImportEnd, response: Imported },
  what_if: { request: WhatIfRequest, response: WhatIfResult },
};
