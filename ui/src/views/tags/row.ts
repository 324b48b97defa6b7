// One row of the list in words: value, quality, age, why it is not good and what to do.

import type { LinkView, TagInfo, Trust } from '../../generated/api';
import { formatDuration, formatMeasured, formatNumber, formatSpan } from '../../kit/format';
import type { PlantTime } from '../../kit/plant-time';
import { t } from '../../messages';
import { statusWords } from '../../messages/status';
import { withLink } from '../../session/tag-filter';
import type { TagValue } from '../../session/values';
import type { Shown } from '../../shell/screen.svelte';
import { type FigureLook, figureLook } from '../words';

export interface Row {
  /** Null: the value has not been asked for yet. */
  readonly trust: Shown | null;
  readonly look: FigureLook;
  readonly value: string;
  /** The value is a number of the process: drawn in the data colour. */
  readonly numeric: boolean;
  readonly quality: string;
  /** OPC name and number of the status; empty where nothing is to be said. */
  readonly code: string;
  readonly sourceTime: string;
  readonly age: string;
  readonly why: string;
}

export interface RowContext {
  /** ms of plant time */
  readonly now: number;
  readonly silent: boolean;
  readonly link: LinkView | undefined;
  readonly time: PlantTime;
}

export function rowOf(tag: TagInfo, value: TagValue | null, context: RowContext): Row {
  if (value === null) {
    const empty = { value: '', numeric: false, code: '', sourceTime: '', age: '', why: '' };
    return { ...empty, trust: null, look: 'none', quality: t('quality.unknown') };
  }
  const { now, time } = context;
  const trust = shownTrust(value.trust, context);
  const look = figureLook(trust);
  const status = statusWords(value.status);
  const shownTime = Number.isNaN(value.sourceTime) ? value.received : value.sourceTime;
  return {
    trust,
    look,
    value: look === 'none' ? t('value.none') : valueText(tag, value, now, time),
    numeric: value.kind === 'signed' || value.kind === 'unsigned' || value.kind === 'float',
    quality: qualityOf(trust, status.quality),
    code: value.status === 0 ? '' : status.code,
    sourceTime: Number.isNaN(value.sourceTime) ? '' : time.near(value.sourceTime, now),
    age: Number.isNaN(shownTime) ? '' : formatDuration(now - shownTime),
    why: whyOf(tag, value, trust, context),
  };
}

/** The value as text, with the name of an enumeration value beside its number. */
export function valueText(tag: TagInfo, value: TagValue, now: number, time: PlantTime): string {
  const name = tag.texts.find((entry) => entry.value === value.value)?.text;
  switch (value.kind) {
    case 'empty':
      return t('value.none');
    case 'boolean':
      return name ?? t(value.value === 0 ? 'value.false' : 'value.true');
    case 'signed':
    case 'unsigned': {
      const digits = value.text ?? formatWhole(tag, value.value);
      return name === undefined ? digits : `${name} (${digits})`;
    }
    case 'float':
      return name ?? (Number.isNaN(value.value) ? 'NaN' : formatMeasured(value.value, tag.range));
    case 'time':
      // Times come as milliseconds in text.
      return value.text === null || Number.isNaN(Number(value.text)) ? t('value.none') : time.near(Number(value.text), now);
    default:
      return value.text ?? t('value.none');
  }
}

/** Scaling can give an integer decimals. */
function formatWhole(tag: TagInfo, value: number): string {
  return Number.isInteger(value) ? formatNumber(value) : formatMeasured(value, tag.range);
}

function shownTrust(told: Trust, { silent, link }: RowContext): Shown {
  if (silent) return 'noAnswer';
  const trust = withLink(told, link);
  return trust === 'silent' && link?.subscription === 'frozen' ? 'frozen' : trust;
}

function qualityOf(trust: Shown, status: string): string {
  switch (trust) {
    case 'live':
    case 'uncertain':
    case 'bad':
      return status;
    case 'late':
      return t('quality.late');
    case 'refused':
      return t('quality.refused');
    case 'unusable':
      return t('quality.unusable');
    case 'waiting':
    case 'absent':
      return t('quality.waiting');
    case 'frozen':
      return t('quality.frozen');
    default:
      return t('quality.silent');
  }
}

function lateWords(age: string, maxAgeMs: number | null): string {
  return maxAgeMs === null ? t('why.old', { age }) : t('why.late', { age, max: formatSpan(maxAgeMs) });
}

function whyOf(tag: TagInfo, value: TagValue, trust: Shown, { now, link, time }: RowContext): string {
  const status = statusWords(value.status);
  switch (trust) {
    case 'live':
      return status.group === 'forced' ? t('why.forced') : status.remarks;
    case 'late':
      return lateWords(formatDuration(now - value.received), tag.maxAgeMs);
    case 'silent':
      return link === undefined ? '' : t('why.silent', { time: time.near(link.subscriptionSinceMs, now) });
    case 'frozen':
      return link === undefined ? '' : t('why.frozen', { time: time.near(link.subscriptionSinceMs, now) });
    case 'linkDown':
      return link === undefined ? '' : t('why.linkDown', { link: link.name, time: time.near(link.sinceMs, now) });
    case 'refused':
      return t('why.refused', { reason: status.reason });
    case 'waiting':
    case 'absent':
      return t('why.waiting');
    case 'unusable':
      return t('why.unusable');
    case 'noAnswer':
      return t('why.noAnswer');
    default:
      return t('why.server', { reason: status.reason });
  }
}
