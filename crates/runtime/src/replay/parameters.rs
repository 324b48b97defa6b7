//! What of a configuration can be changed in a what-if: everything that changes an outcome and no input.

use lineside_model::config::{CounterConfig, Unit};
use lineside_model::{PlantConfig, Span};

/// Something that can be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Names it: `tag/Filler.Level/max_age`, `unit/Filler/ideal_rate`, `line/target_rate`.
    pub path: String,
    /// The tag or unit that it belongs to; empty: the line.
    pub subject: String,
    pub kind: ParameterKind,
    /// Seconds, or products per minute; `None`: not configured.
    pub value: Option<f64>,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    MaxAge,
    IdealRate,
    BandLow,
    BandHigh,
    /// Of the counter of good products.
    MaxRateGood,
    /// Of the counter of rejects.
    MaxRateReject,
    TargetRate,
    MinorStop,
}

/// Another value for a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterChange {
    pub path: String,
    /// `None`: as if it were not configured.
    pub value: Option<f64>,
}

/// Why a parameter cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    #[error("this recording has no parameter `{0}`")]
    Unknown(String),
    #[error("`{0}` needs a number above zero")]
    NotPositive(String),
    #[error("`{0}` cannot be left out; give it a number")]
    Needed(String),
    #[error("the normal band of `{0}` needs a low end below its high end, or neither")]
    Band(String),
}

/// All parameters of a configuration, in its order.
pub fn parameters(config: &PlantConfig) -> Vec<Parameter> {
    let line = [(ParameterKind::TargetRate, config.line.target_rate_per_min), {
        (ParameterKind::MinorStop, Some(config.line.minor_stop.as_secs_f64()))
    }];
    let line = line.map(|(kind, value)| parameter("line", "", kind, value));
    let units = config.units.iter().flat_map(|unit| of_unit(unit).into_iter());
    let tags = config
        .tags
        .iter()
        .map(|tag| parameter("tag", &tag.name, ParameterKind::MaxAge, tag.max_age.map(Span::as_secs_f64)));
    line.into_iter().chain(units).chain(tags).collect()
}

/// The configuration with these changes.
pub fn changed(config: &PlantConfig, changes: &[ParameterChange]) -> Result<PlantConfig, ParameterError> {
    let mut changed = config.clone();
    let known = parameters(config);
    let mut bands: Vec<Band> = config.units.iter().map(|unit| split(unit.rate_band)).collect();
    for change in changes {
        let parameter = known.iter().find(|parameter| parameter.path == change.path);
        let parameter = parameter.ok_or_else(|| ParameterError::Unknown(change.path.clone()))?;
        if change.value.is_some_and(|value| !(value.is_finite() && value > 0.0)) {
            return Err(ParameterError::NotPositive(change.path.clone()));
        }
        set(&mut changed, &mut bands, parameter, change.value)?;
    }
    for (unit, band) in changed.units.iter_mut().zip(bands) {
        unit.rate_band = match band {
            (Some(low), Some(high)) if low < high => Some((low, high)),
            (None, None) => None,
            _ => return Err(ParameterError::Band(unit.name.clone())),
        };
    }
    Ok(changed)
}

type Band = (Option<f64>, Option<f64>);

fn split(band: Option<(f64, f64)>) -> Band {
    (band.map(|(low, _)| low), band.map(|(_, high)| high))
}

fn of_unit(unit: &Unit) -> Vec<Parameter> {
    let max_rate = |counter: Option<CounterConfig>| counter.map(|counter| counter.max_rate_per_min);
    let (low, high) = split(unit.rate_band);
    let one = |kind, value| parameter("unit", &unit.name, kind, value);
    let rates = [
        one(ParameterKind::IdealRate, unit.ideal_rate_per_min),
        one(ParameterKind::BandLow, low),
        one(ParameterKind::BandHigh, high),
    ];
    // A counter that is not there has no greatest rate.
    let counters = [(ParameterKind::MaxRateGood, unit.good), (ParameterKind::MaxRateReject, unit.reject)];
    let counters = counters.into_iter().filter(|(_, counter)| counter.is_some());
    rates.into_iter().chain(counters.map(|(kind, counter)| one(kind, max_rate(counter)))).collect()
}

fn parameter(scope: &str, subject: &str, kind: ParameterKind, value: Option<f64>) -> Parameter {
    let name = match kind {
        ParameterKind::MaxAge => "max_age",
        ParameterKind::IdealRate => "ideal_rate",
        ParameterKind::BandLow => "rate_band.low",
        ParameterKind::BandHigh => "rate_band.high",
        ParameterKind::MaxRateGood => "good.max_rate",
        ParameterKind::MaxRateReject => "reject.max_rate",
        ParameterKind::TargetRate => "target_rate",
        ParameterKind::MinorStop => "minor_stop",
    };
    let path = if subject.is_empty() { format!("{scope}/{name}") } else { format!("{scope}/{subject}/{name}") };
    Parameter { path, subject: subject.to_owned(), kind, value }
}

fn set(
    config: &mut PlantConfig,
    bands: &mut [Band],
    parameter: &Parameter,
    value: Option<f64>,
) -> Result<(), ParameterError> {
    let needed = || value.ok_or_else(|| ParameterError::Needed(parameter.path.clone()));
    let span = |seconds: f64| Span((seconds * 1e9) as i64);
    let place = config.units.iter().position(|unit| unit.name == parameter.subject);
    let unit = place.and_then(|place| config.units.get_mut(place));
    let band = place.and_then(|place| bands.get_mut(place));
    match (parameter.kind, unit, band) {
        (ParameterKind::TargetRate, ..) => config.line.target_rate_per_min = value,
        (ParameterKind::MinorStop, ..) => config.line.minor_stop = span(needed()?),
        (ParameterKind::MaxAge, ..) => {
            let tag = config.tags.iter_mut().find(|tag| tag.name == parameter.subject);
            tag.into_iter().for_each(|tag| tag.max_age = value.map(span));
        }
        (ParameterKind::IdealRate, Some(unit), _) => unit.ideal_rate_per_min = value,
        (ParameterKind::BandLow, _, Some(band)) => band.0 = value,
        (ParameterKind::BandHigh, _, Some(band)) => band.1 = value,
        (ParameterKind::MaxRateGood, Some(unit), _) => {
            let rate = needed()?;
            unit.good.iter_mut().for_each(|counter| counter.max_rate_per_min = rate);
        }
        (ParameterKind::MaxRateReject, Some(unit), _) => {
            let rate = needed()?;
            unit.reject.iter_mut().for_each(|counter| counter.max_rate_per_min = rate);
        }
        _ => return Err(ParameterError::Unknown(parameter.path.clone())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::TagId;

    fn plant() -> PlantConfig {
        let counter = CounterConfig { tag: TagId(0), modulus: None, max_rate_per_min: 900.0 };
        let unit = Unit { name: "F".to_owned(), good: Some(counter), rate_band: Some((1.0, 2.0)), ..Unit::default() };
        PlantConfig { units: vec![unit], ..PlantConfig::default() }
    }

    #[test]
    fn changes() {
        let band = |name: &str| Err(ParameterError::Band(name.to_owned()));
        let positive = |path: &str| Err(ParameterError::NotPositive(path.to_owned()));
        type Row = (&'static [(&'static str, Option<f64>)], Result<(), ParameterError>);
        let rows: [Row; 11] = [
            (&[], Ok(())),
            (&[("line/target_rate", Some(100.0))], Ok(())),
            (&[("line/target_rate", None)], Ok(())),
            (&[("line/minor_stop", None)], Err(ParameterError::Needed("line/minor_stop".to_owned()))),
            (&[("unit/F/good.max_rate", Some(1.0))], Ok(())),
            (
                &[("unit/F/reject.max_rate", Some(1.0))],
                Err(ParameterError::Unknown("unit/F/reject.max_rate".to_owned())),
            ),
            (&[("unit/F/ideal_rate", Some(0.0))], positive("unit/F/ideal_rate")),
            (&[("unit/F/ideal_rate", Some(f64::NAN))], positive("unit/F/ideal_rate")),
            (&[("unit/F/rate_band.low", Some(3.0))], band("F")),
            (&[("unit/F/rate_band.low", Some(3.0)), ("unit/F/rate_band.high", Some(4.0))], Ok(())),
            (&[("unit/F/rate_band.low", None), ("unit/F/rate_band.high", None)], Ok(())),
        ];
        for (given, expected) in rows {
            let changes: Vec<ParameterChange> =
                given.iter().map(|(path, value)| ParameterChange { path: (*path).to_owned(), value: *value }).collect();
            let got = changed(&plant(), &changes);
            assert_eq!(got.as_ref().map(|_| ()).map_err(Clone::clone), expected, "{given:?}");
            let Ok(config) = got else { continue };
            for change in changes {
                let is = parameters(&config).into_iter().find(|parameter| parameter.path == change.path);
                assert_eq!(is.expect("it is there").value, change.value, "{}", change.path);
            }
        }
    }
}
