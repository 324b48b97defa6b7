// Endpoints, certificates and findings in words.

import type { CertificateFinding, CertificateView, EndpointOffer, UserOffer } from '../../generated/api';
import { formatNumber } from '../../kit/format';
import { t, tn, tOr } from '../../messages';
import { statusWords } from '../../messages/status';

/** `Basic256Sha256/SignAndEncrypt` as what it does, and the name of the method. */
export function securityWords(security: string): { mode: string; policy: string } {
  const [policy, mode = 'None'] = security.split('/');
  if (policy === 'None') return { mode: t('security.mode.None'), policy: '' };
  return { mode: tOr(`security.mode.${mode}`, mode), policy };
}

/** Why an endpoint is of this grade. */
export function gradeWords({ grade, security }: EndpointOffer): { short: string; long: string } {
  const readable = grade !== 'weak' && security.endsWith('/Sign');
  return { short: t(`security.grade.${grade}`), long: readable ? t('security.sign.meaning') : t(`security.grade.${grade}.meaning`) };
}

/** How much of a proposal will be written. */
export function takenWords({ unitCount, tagCount }: { unitCount: number; tagCount: number }): string {
  const tags = tn('setup.tags', tagCount, {}, formatNumber(tagCount));
  return unitCount === 0 ? tags : `${tn('setup.units', unitCount, {}, formatNumber(unitCount))}, ${tags}`;
}

export function usersWords(users: readonly UserOffer[]): string {
  return users.map(({ kind }) => t(`user.${kind}`)).join(', ');
}

/** Why a way to log in cannot be chosen; null: it can. */
export function userProblem({ kind, safe }: UserOffer): string | null {
  if (kind === 'issued') return t('user.issued.not');
  return safe ? null : t('user.unsafe');
}

export interface FindingWords {
  /** Where it is to be put right; null: the title says so. */
  readonly side: string | null;
  readonly title: string;
  readonly todo: string;
  /** The adapter's own words, in English. */
  readonly detail: string;
}

/** What is wrong with a certificate, on which side, and what to do. */
export function findingWords(finding: CertificateFinding): FindingWords {
  const { why, reason } = statusWords(finding.status);
  const stem = `certificate.finding.${why}`;
  return {
    side: why === 'certificateTrust' ? null : t(`certificate.side.${finding.side}`),
    title: tOr(`${stem}.${finding.side}`, tOr(stem, capital(reason))),
    todo: tOr(`${stem}.${finding.side}.todo`, tOr(`${stem}.todo`, finding.remedy)),
    detail: finding.problem,
  };
}

/** The common name, or whatever there is. */
export function commonName(subject: string): string {
  return /(?:^|[,/]\s*)CN\s*=\s*([^,/]+)/i.exec(subject)?.[1].trim() ?? subject;
}

export function keyWords({ keyBits, signature }: CertificateView): string {
  return t('certificate.key.of', { bits: keyBits, signature });
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
