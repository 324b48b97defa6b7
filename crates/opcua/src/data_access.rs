//! What the properties of a variable hold: unit, range, texts of states (OPC 10000-8 Data Access 5.3 and 5.6;
//! enumerations: OPC 10000-3 5.8.3 and 8.50). The explorer and the adapter understand them here, alike.
//!
//! Promises: what is not of its type says nothing; texts and their number are bounded; an empty text is none.
//! It reads nothing.

use opcua::types::{EUInformation, EnumDefinition, EnumValueType, Range, UAString, Variant};
use std::collections::BTreeMap;

/// `EUInformation.namespaceUri` of units of UNECE Recommendation 20 (OPC 10000-8, 5.6.4.3).
const UNECE: &str = "http://www.opcfoundation.org/UA/units/un/cefact";
/// Texts of one variable, at most.
pub(crate) const TEXTS_MAX: usize = 1_000;
/// Characters of one text, at most.
const TEXT_MAX: usize = 200;

/// Texts by number; 0 and 1 for a Boolean.
pub(crate) type Texts = BTreeMap<i64, String>;

/// A unit of measure (OPC 10000-8, 5.6.4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineeringUnit {
    /// As shown: `°C`.
    pub symbol: String,
    /// In words: `degree Celsius`.
    pub name: String,
    /// -1: not known.
    pub unit_id: i32,
    /// The UNECE common code that the id stands for, e.g. `CEL`; `None` for units of other lists.
    pub code: Option<String>,
}

/// `EngineeringUnits`.
pub(crate) fn unit(value: &Variant) -> Option<EngineeringUnit> {
    let Variant::ExtensionObject(object) = value else { return None };
    let unit = object.inner_as::<EUInformation>()?;
    let code = (unit.namespace_uri.as_ref() == UNECE).then(|| common_code(unit.unit_id)).flatten();
    let known = EngineeringUnit {
        symbol: bounded(&unit.display_name.text),
        name: bounded(&unit.description.text),
        unit_id: unit.unit_id,
        code,
    };
    (!known.symbol.is_empty() || known.code.is_some()).then_some(known)
}

/// `EURange`, `InstrumentRange`: low and high; none where they enclose nothing.
pub(crate) fn range(value: &Variant) -> Option<(f64, f64)> {
    let Variant::ExtensionObject(object) = value else { return None };
    let range = object.inner_as::<Range>()?;
    (range.low.is_finite() && range.high.is_finite() && range.low < range.high).then_some((range.low, range.high))
}

/// Takes the property `name` into `texts` where it names states; `EnumValues` says more than `EnumStrings`.
pub(crate) fn take_texts(texts: &mut Texts, name: &str, value: &Variant) {
    match name {
        "EnumStrings" if texts.is_empty() => *texts = strings(value),
        "EnumValues" => *texts = values(value),
        "TrueState" => texts.extend(localized(value).map(|text| (1, text))),
        "FalseState" => texts.extend(localized(value).map(|text| (0, text))),
        _ => {}
    }
}

/// The DataTypeDefinition of an enumeration; none where it is no such definition.
pub(crate) fn enumeration(definition: &Variant) -> Option<Texts> {
    let Variant::ExtensionObject(object) = definition else { return None };
    let fields = object.inner_as::<EnumDefinition>()?.fields.iter().flatten().take(TEXTS_MAX);
    let shown = |shown: String, name: &UAString| if shown.is_empty() { bounded(name) } else { shown };
    Some(fields.map(|field| (field.value, shown(bounded(&field.display_name.text), &field.name))).collect())
}

/// A text for people.
pub(crate) fn localized(value: &Variant) -> Option<String> {
    match value {
        Variant::LocalizedText(text) if !text.text.is_empty() => Some(bounded(&text.text)),
        _ => None,
    }
}

/// A number of any kind.
pub(crate) fn number(value: &Variant) -> Option<f64> {
    match value {
        Variant::Double(number) => Some(*number),
        Variant::Float(number) => Some(f64::from(*number)),
        Variant::SByte(number) => Some(f64::from(*number)),
        Variant::Byte(number) => Some(f64::from(*number)),
        Variant::Int16(number) => Some(f64::from(*number)),
        Variant::UInt16(number) => Some(f64::from(*number)),
        Variant::Int32(number) => Some(f64::from(*number)),
        Variant::UInt32(number) => Some(f64::from(*number)),
        _ => None,
    }
}

/// The text, cut where it is too long to be one for people.
pub(crate) fn bounded(text: &UAString) -> String {
    text.as_ref().chars().take(TEXT_MAX).collect()
}

fn strings(value: &Variant) -> Texts {
    let Variant::Array(array) = value else { return Texts::new() };
    let texts = (0..).zip(array.values.iter().take(TEXTS_MAX));
    texts.filter_map(|(number, value)| Some((number, localized(value)?))).collect()
}

fn values(value: &Variant) -> Texts {
    let Variant::Array(array) = value else { return Texts::new() };
    let known = array.values.iter().take(TEXTS_MAX).filter_map(|value| match value {
        Variant::ExtensionObject(object) => object.inner_as::<EnumValueType>(),
        _ => None,
    });
    let named = known.filter(|known| !known.display_name.text.is_empty());
    named.map(|known| (known.value, bounded(&known.display_name.text))).collect()
}

/// The UNECE common code: its ASCII bytes are the id, the last one lowest (OPC 10000-8, 5.6.4.3).
fn common_code(unit_id: i32) -> Option<String> {
    let bytes: Vec<u8> = unit_id.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let is_code = (1..=3).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_alphanumeric);
    is_code.then(|| bytes.into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::{DynEncodable, EnumField, ExtensionObject, LocalizedText};

    fn object<T: DynEncodable + 'static>(value: T) -> Variant {
        Variant::from(ExtensionObject::from_message(value))
    }

    #[test]
    fn a_unit_id_is_its_code() {
        let check = |id: i32, code: Option<&str>| assert_eq!(common_code(id).as_deref(), code, "{id}");
        check(4_408_652, Some("CEL"));
        check(20_529, Some("P1"));
        check(4_403_766, Some("C26"));
        check(5_457_219, Some("SEC"));
        check(5_067_859, Some("MTS"));
        check(4_404_786, Some("C62"));
        check(-1, None);
        check(0, None);
        check(7, None);
        check(i32::MAX, None);
    }

    #[test]
    fn ranges_that_are_none_are_not_shown() {
        let check = |low, high, expected| assert_eq!(range(&object(Range { low, high })), expected, "{low} {high}");
        check(0.0, 700.0, Some((0.0, 700.0)));
        check(0.0, 0.0, None);
        check(0.0, f64::INFINITY, None);
        assert_eq!(range(&Variant::Empty), None);
    }

    #[test]
    fn a_unit_has_a_symbol_or_a_code() {
        let check = |symbol: &str, id, expected: Option<(&str, Option<&str>)>| {
            let information = EUInformation {
                namespace_uri: UNECE.into(),
                unit_id: id,
                display_name: symbol.into(),
                description: LocalizedText::null(),
            };
            let unit = unit(&object(information));
            assert_eq!(unit.as_ref().map(|unit| (unit.symbol.as_str(), unit.code.as_deref())), expected);
        };
        check("°C", 4_408_652, Some(("°C", Some("CEL"))));
        check("", 4_408_652, Some(("", Some("CEL"))));
        check("bottles", -1, Some(("bottles", None)));
        check("", -1, None);
        assert_eq!(unit(&Variant::from(5_i32)), None);
    }

    #[test]
    fn texts_of_states_are_the_same_by_whichever_property() {
        let named = |value, name: &str| {
            let text = EnumValueType { value, display_name: name.into(), description: LocalizedText::null() };
            ExtensionObject::from_message(text)
        };
        let strings = || Variant::from(["off", "on", ""].map(LocalizedText::from).to_vec());
        let values = || Variant::from(vec![named(0, "off"), named(1, "on"), named(2, "")]);
        let state = |name: &str| Variant::from(LocalizedText::from(name));
        let check = |properties: Vec<(&str, Variant)>, expected: &[(i64, &str)]| {
            let mut texts = Texts::new();
            properties.iter().for_each(|(name, value)| take_texts(&mut texts, name, value));
            let expected: Texts = expected.iter().map(|(number, text)| (*number, (*text).to_string())).collect();
            assert_eq!(texts, expected, "{properties:?}");
        };
        let both = [(0, "off"), (1, "on")];
        check(vec![("EnumStrings", strings())], &both);
        check(vec![("EnumValues", values())], &both);
        check(vec![("TrueState", state("on")), ("FalseState", state("off"))], &both);
        check(
            vec![("EnumValues", Variant::from(vec![named(7, "seven")])), ("EnumStrings", strings())],
            &[(7, "seven")],
        );
        check(vec![("EnumStrings", 5_i32.into()), ("TrueState", 5_i32.into()), ("else", strings())], &[]);
        check(vec![("TrueState", state(&"x".repeat(201)))], &[(1, &"x".repeat(200))]);
    }

    #[test]
    fn an_enumeration_names_its_values() {
        let field = |value, shown: &str, name: &str| EnumField {
            value,
            display_name: shown.into(),
            description: LocalizedText::null(),
            name: name.into(),
        };
        let definition = EnumDefinition { fields: Some(vec![field(1, "läuft", "Running"), field(4, "", "Held")]) };
        let expected = Texts::from([(1, "läuft".to_string()), (4, "Held".to_string())]);
        assert_eq!(enumeration(&object(definition)), Some(expected));
        assert_eq!(enumeration(&object(Range { low: 0.0, high: 1.0 })), None);
    }
}
