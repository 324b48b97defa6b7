import { afterEach, describe, expect, it } from 'vitest';
import { catalogues, type Key, LANGUAGES, pickLanguage, setLanguage, t, tn } from './index';
import { severityOf, statusWords } from './status';

afterEach(() => setLanguage('en'));

const parameters = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();

describe('catalogue', () => {
  const keys = Object.keys(catalogues.en) as Key[];

  it.each(LANGUAGES)('%s has every key, the same parameters, and no empty text', (language) => {
    const catalogue = catalogues[language];
    expect(Object.keys(catalogue).sort()).toEqual([...keys].sort());
    for (const key of keys) {
      expect(catalogue[key], key).not.toBe('');
      // A singular may do without its number.
      if (!key.endsWith('.one')) expect(parameters(catalogue[key]), key).toEqual(parameters(catalogues.en[key]));
    }
  });

  it('fills in parameters and chooses singular and plural', () => {
    expect(t('banner.since', { time: '10:12' })).toBe('since 10:12');
    expect([tn('condition.refused', 1, { link: 'a' }), tn('condition.refused', 2, { link: 'a' })]).toEqual(['a: 1 tag refused', 'a: 2 tags refused']);
    setLanguage('de');
    expect(tn('condition.refused', 2, { link: 'a' })).toBe('a: 2 Werte abgelehnt');
  });

  it.each([[['de-AT', 'en'], 'de'], [['fr', 'de'], 'de'], [['fr'], 'en'], [[], 'en']] as const)('picks a language from %j', (wanted, language) => {
    expect(pickLanguage(wanted)).toBe(language);
  });
});

describe('statusWords', () => {
  it.each([
    [0x00000000, 'Good', 'good', 'Good 0x00000000', 'good'],
    [0x00960000, 'Forced', 'forced by hand on the server', 'GoodLocalOverride 0x00960000', 'good'],
    [0x00000500, 'Good', 'good, at its low limit', 'Good 0x00000500', 'good'],
    [0x00000480, 'Good', 'good, values before it were lost (queue full)', 'Good 0x00000480', 'good'],
    [0x00004000, 'Good', 'good, its unit, range or texts were changed on the server', 'Good 0x00004000', 'good'],
    [0x00008580, 'Good', 'good, at its low limit, values before it were lost (queue full), its structure was changed on the server', 'Good 0x00008580', 'good'],
    [0x801d0000, 'No right', 'the certificate was revoked by its issuer', 'BadCertificateRevoked 0x801D0000', 'bad'],
    [0x809d0000, 'Bad', 'values were lost and cannot be had any more', 'BadDataLost 0x809D0000', 'bad'],
    // Without the info type "data value" the same bits mean nothing.
    [0x00000180, 'Good', 'good', 'Good 0x00000180', 'good'],
    [0x40940600, 'Doubtful', 'outside the range of the sensor, at its high limit', 'UncertainEngineeringUnitsExceeded 0x40940600', 'uncertain'],
    [0x408f0700, 'Last known', 'the source stopped sending; this is the last value, held constant', 'UncertainNoCommunicationLastUsableValue 0x408F0700', 'uncertain'],
    [0x808c0000, 'Sensor fault', 'the sensor reports a fault', 'BadSensorFailure 0x808C0000', 'bad'],
    [0x80310000, 'No connection', 'the server has no connection to the device', 'BadNoCommunication 0x80310000', 'bad'],
    [0x80340000, 'Not configured', 'the server does not know this node', 'BadNodeIdUnknown 0x80340000', 'bad'],
    [0x801f0000, 'No right', 'the user may not read it', 'BadUserAccessDenied 0x801F0000', 'bad'],
    [0x80ff0000, 'Bad', 'code 0x80FF0000', '0x80FF0000', 'bad'],
    [0x41230000, 'Doubtful', 'code 0x41230000', '0x41230000', 'uncertain'],
  ])('0x%s', (status, quality, reason, code, severity) => {
    expect(statusWords(status)).toMatchObject({ quality, reason, code, severity });
  });

  it('takes the reserved severity for bad', () => {
    expect(severityOf(0xc0000000)).toBe('bad');
  });
});
