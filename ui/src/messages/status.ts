// OPC UA status codes in words: what the operator reads, and the code for who repairs it.
//
// Codes and bits: OPC 10000-4, 7.39. Information bits are masked before a code is looked up, otherwise a
// limit or overflow bit would hide the reason.

import { t, type Key } from './index';

type After<Prefix extends string> = Key extends infer K ? (K extends `${Prefix}.${infer Rest}` ? Rest : never) : never;
type Group = After<'status.group'>;
type Why = After<'status.why'>;

export interface StatusWords {
  readonly group: Group;
  readonly why: Why;
  /** One or two words for a column: `Sensor fault`. */
  readonly quality: string;
  /** The reason as part of a sentence, with limit and overflow bits. */
  readonly reason: string;
  /** The limit and overflow bits alone; empty where there are none. */
  readonly remarks: string;
  /** OPC name and number: `BadSensorFailure 0x808C0000`. */
  readonly code: string;
  readonly severity: 'good' | 'uncertain' | 'bad';
}

export function statusWords(status: number): StatusWords {
  const severity = severityOf(status);
  const known = table.get((status & 0xffff0000) >>> 0);
  const hex = `0x${(status >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;
  const [name, group, why] = known ?? ([null, FALLBACK[severity], 'other'] as const);
  const reason = t(`status.why.${why}`, { code: hex });
  return {
    group,
    why,
    quality: t(`status.group.${group}`),
    reason: [reason, ...remarks(status)].join(', '),
    remarks: remarks(status).join(', '),
    code: name === null ? hex : `${name} ${hex}`,
    severity,
  };
}

/** Bits 31:30; the reserved fourth pattern counts as bad. */
export function severityOf(status: number): StatusWords['severity'] {
  return (['good', 'uncertain', 'bad', 'bad'] as const)[status >>> 30];
}

/** What the information bits add; they mean something only where the type says "data value". */
function remarks(status: number): string[] {
  if ((status & DATA_VALUE) === 0) return [];
  const limit = ([null, 'status.limit.low', 'status.limit.high', 'status.limit.constant'] as const)[(status >> 8) & 3];
  return [
    ...(limit === null ? [] : [t(limit)]),
    ...((status & OVERFLOW) === 0 ? [] : [t('status.overflow')]),
  ];
}

const DATA_VALUE = 0x0400;
const OVERFLOW = 0x0080;
const FALLBACK = { good: 'good', uncertain: 'doubtful', bad: 'bad' } as const satisfies Record<string, Group>;

const CODES: readonly (readonly [code: number, name: string, group: Group, why: Why])[] = [
  [0x00000000, 'Good', 'good', 'good'],
  [0x00300000, 'GoodClamped', 'clamped', 'clamped'],
  [0x00960000, 'GoodLocalOverride', 'forced', 'forced'],
  [0x002f0000, 'GoodOverload', 'good', 'good'],
  [0x00a50000, 'GoodNoData', 'good', 'noData'],
  [0x002e0000, 'GoodCompletesAsynchronously', 'good', 'good'],
  [0x40000000, 'Uncertain', 'doubtful', 'doubtful'],
  [0x408f0000, 'UncertainNoCommunicationLastUsableValue', 'old', 'old'],
  [0x40900000, 'UncertainLastUsableValue', 'old', 'old'],
  [0x40910000, 'UncertainSubstituteValue', 'substituted', 'substituted'],
  [0x40920000, 'UncertainInitialValue', 'old', 'initial'],
  [0x40930000, 'UncertainSensorNotAccurate', 'doubtful', 'inaccurate'],
  [0x40940000, 'UncertainEngineeringUnitsExceeded', 'doubtful', 'range'],
  [0x40950000, 'UncertainSubNormal', 'doubtful', 'subnormal'],
  [0x40a40000, 'UncertainDataSubNormal', 'doubtful', 'subnormal'],
  [0x42090000, 'UncertainSimulatedValue', 'simulated', 'simulated'],
  [0x420a0000, 'UncertainSensorCalibration', 'doubtful', 'calibration'],
  [0x42080000, 'UncertainTransducerInManual', 'manual', 'manual'],
  [0x80000000, 'Bad', 'bad', 'bad'],
  [0x80010000, 'BadUnexpectedError', 'server', 'internal'],
  [0x80020000, 'BadInternalError', 'server', 'internal'],
  [0x80030000, 'BadOutOfMemory', 'server', 'internal'],
  [0x80820000, 'BadTcpInternalError', 'server', 'internal'],
  [0x80060000, 'BadEncodingError', 'server', 'internal'],
  [0x80070000, 'BadDecodingError', 'server', 'internal'],
  [0x80af0000, 'BadInvalidState', 'server', 'internal'],
  [0x80ab0000, 'BadInvalidArgument', 'server', 'internal'],
  [0x80040000, 'BadResourceUnavailable', 'server', 'limit'],
  [0x80100000, 'BadTooManyOperations', 'server', 'limit'],
  [0x80560000, 'BadTooManySessions', 'server', 'limit'],
  [0x80770000, 'BadTooManySubscriptions', 'server', 'limit'],
  [0x807d0000, 'BadTcpServerTooBusy', 'server', 'limit'],
  [0x80db0000, 'BadTooManyMonitoredItems', 'server', 'limit'],
  [0x80b70000, 'BadMaxConnectionsReached', 'server', 'limit'],
  [0x80080000, 'BadEncodingLimitsExceeded', 'server', 'size'],
  [0x80800000, 'BadTcpMessageTooLarge', 'server', 'size'],
  [0x80b90000, 'BadResponseTooLarge', 'server', 'size'],
  [0x80050000, 'BadCommunicationError', 'comms', 'comms'],
  [0x80310000, 'BadNoCommunication', 'comms', 'comms'],
  [0x808a0000, 'BadNotConnected', 'comms', 'comms'],
  [0x800a0000, 'BadTimeout', 'comms', 'timeout'],
  [0x80850000, 'BadRequestTimeout', 'comms', 'timeout'],
  [0x800b0000, 'BadServiceUnsupported', 'config', 'unsupported'],
  [0x803d0000, 'BadNotSupported', 'config', 'unsupported'],
  [0x80400000, 'BadNotImplemented', 'config', 'unsupported'],
  [0x800c0000, 'BadShutdown', 'comms', 'shutdown'],
  [0x800e0000, 'BadServerHalted', 'comms', 'shutdown'],
  [0x800d0000, 'BadServerNotConnected', 'comms', 'closed'],
  [0x80220000, 'BadSecureChannelIdInvalid', 'comms', 'closed'],
  [0x80250000, 'BadSessionIdInvalid', 'comms', 'closed'],
  [0x80260000, 'BadSessionClosed', 'comms', 'closed'],
  [0x80270000, 'BadSessionNotActivated', 'comms', 'closed'],
  [0x80280000, 'BadSubscriptionIdInvalid', 'comms', 'closed'],
  [0x80860000, 'BadSecureChannelClosed', 'comms', 'closed'],
  [0x80ad0000, 'BadDisconnect', 'comms', 'closed'],
  [0x80ae0000, 'BadConnectionClosed', 'comms', 'closed'],
  [0x80ac0000, 'BadConnectionRejected', 'comms', 'closed'],
  [0x80120000, 'BadCertificateInvalid', 'rights', 'certificate'],
  [0x80130000, 'BadSecurityChecksFailed', 'rights', 'certificate'],
  [0x80140000, 'BadCertificateTimeInvalid', 'rights', 'certificate'],
  [0x80160000, 'BadCertificateHostNameInvalid', 'rights', 'certificate'],
  [0x80170000, 'BadCertificateUriInvalid', 'rights', 'certificate'],
  [0x801a0000, 'BadCertificateUntrusted', 'rights', 'certificate'],
  [0x801d0000, 'BadCertificateRevoked', 'rights', 'certificate'],
  [0x810d0000, 'BadCertificateChainIncomplete', 'rights', 'certificate'],
  [0x80540000, 'BadSecurityModeRejected', 'rights', 'security'],
  [0x80550000, 'BadSecurityPolicyRejected', 'rights', 'security'],
  [0x80e60000, 'BadSecurityModeInsufficient', 'rights', 'security'],
  [0x801f0000, 'BadUserAccessDenied', 'rights', 'rights'],
  [0x80200000, 'BadIdentityTokenInvalid', 'rights', 'login'],
  [0x80210000, 'BadIdentityTokenRejected', 'rights', 'login'],
  [0x80320000, 'BadWaitingForInitialData', 'waiting', 'waiting'],
  [0x80330000, 'BadNodeIdInvalid', 'config', 'unknownNode'],
  [0x80340000, 'BadNodeIdUnknown', 'config', 'unknownNode'],
  [0x803e0000, 'BadNotFound', 'config', 'unknownNode'],
  [0x803f0000, 'BadObjectDeleted', 'config', 'unknownNode'],
  [0x80350000, 'BadAttributeIdInvalid', 'config', 'noValue'],
  [0x803a0000, 'BadNotReadable', 'rights', 'rights'],
  [0x80740000, 'BadTypeMismatch', 'config', 'type'],
  [0x803c0000, 'BadOutOfRange', 'config', 'type'],
  [0x80440000, 'BadMonitoredItemFilterUnsupported', 'config', 'filter'],
  [0x80450000, 'BadFilterNotAllowed', 'config', 'filter'],
  [0x80830000, 'BadTcpEndpointUrlInvalid', 'config', 'address'],
  [0x80890000, 'BadConfigurationError', 'config', 'config'],
  [0x808b0000, 'BadDeviceFailure', 'device', 'device'],
  [0x808c0000, 'BadSensorFailure', 'device', 'sensor'],
  [0x808d0000, 'BadOutOfService', 'outOfService', 'outOfService'],
  [0x809e0000, 'BadDataUnavailable', 'bad', 'noData'],
  [0x809b0000, 'BadNoData', 'bad', 'noData'],
  [0x80e10000, 'BadDominantValueChanged', 'bad', 'unit'],
];

const table = new Map(CODES.map(([code, name, group, why]) => [code, [name, group, why] as const]));
