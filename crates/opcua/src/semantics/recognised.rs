//! The types of the standards that mean something here.

use crate::browse::UA;
use crate::browse::types::TypeChain;

/// OPC 30050 (PackML).
pub(crate) const PACKML: &str = "http://opcfoundation.org/UA/PackML/";
/// OPC 40001-1 (Machinery basic building blocks).
pub(crate) const MACHINERY: &str = "http://opcfoundation.org/UA/Machinery/";
/// OPC 10031-4 (ISA-95 job control), version 2 and the one before.
const JOB_CONTROL: &str = "http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/";
const JOB_CONTROL_1: &str = "http://opcfoundation.org/UA/ISA95-JOBCONTROL/";
/// OPC 40001-3 (Machinery jobs).
const MACHINERY_JOBS: &str = "http://opcfoundation.org/UA/Machinery/Jobs/";

/// A node whose type is of a standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recognised {
    /// OPC 30050, PackMLBaseObjectType: a machine.
    PackMlMachine,
    /// OPC 30050, PackMLBaseStateMachineType.
    PackMlStateMachine,
    /// OPC 30050, PackMLStatusObjectType.
    PackMlStatus,
    /// OPC 30050, PackMLAdminObjectType.
    PackMlAdmin,
    /// OPC 40001-1, MachineIdentificationType and its like for components.
    MachineIdentification,
    /// OPC 40001-1 clause 12.2, MachineryItemState_StateMachineType.
    MachineryItemState,
    /// OPC 40001-1 clause 13, MachineryOperationModeStateMachineType.
    MachineryOperationMode,
    /// OPC 40001-1, MachineryOperationCounterType.
    MachineryOperationCounter,
    /// OPC 40001-1, MachineryLifetimeCounterType.
    MachineryLifetimeCounter,
    /// OPC 40001-1, MonitoringType.
    MachineryMonitoring,
    /// OPC 40001-3, JobManagementType.
    JobManagement,
    /// OPC 10031-4, ISA95JobOrderReceiverObjectType.
    JobOrderReceiver,
    /// OPC 10031-4, ISA95JobResponseProviderObjectType.
    JobResponseProvider,
    /// OPC 10000-8 5.3.2, BaseAnalogType, AnalogItemType, AnalogUnitType.
    Analog,
    /// OPC 10000-8 5.3.3.2, TwoStateDiscreteType.
    TwoState,
    /// OPC 10000-8 5.3.3.3, MultiStateDiscreteType.
    MultiState,
    /// OPC 10000-8 5.3.3.4, MultiStateValueDiscreteType.
    MultiStateValue,
    /// OPC 10000-8 5.3.1, DataItemType and no more special type.
    DataItem,
}

/// The first that fits counts: subtypes before their supertypes.
const TYPES: [(&str, &str, Recognised); 20] = [
    (PACKML, "PackMLBaseObjectType", Recognised::PackMlMachine),
    (PACKML, "PackMLBaseStateMachineType", Recognised::PackMlStateMachine),
    (PACKML, "PackMLStatusObjectType", Recognised::PackMlStatus),
    (PACKML, "PackMLAdminObjectType", Recognised::PackMlAdmin),
    (MACHINERY, "MachineryItemIdentificationType", Recognised::MachineIdentification),
    (MACHINERY, "MachineryItemState_StateMachineType", Recognised::MachineryItemState),
    (MACHINERY, "MachineryOperationModeStateMachineType", Recognised::MachineryOperationMode),
    (MACHINERY, "MachineryOperationCounterType", Recognised::MachineryOperationCounter),
    (MACHINERY, "MachineryLifetimeCounterType", Recognised::MachineryLifetimeCounter),
    (MACHINERY, "MonitoringType", Recognised::MachineryMonitoring),
    (MACHINERY_JOBS, "JobManagementType", Recognised::JobManagement),
    (JOB_CONTROL, "ISA95JobOrderReceiverObjectType", Recognised::JobOrderReceiver),
    (JOB_CONTROL, "ISA95JobResponseProviderObjectType", Recognised::JobResponseProvider),
    (JOB_CONTROL_1, "ISA95JobOrderReceiverObjectType", Recognised::JobOrderReceiver),
    (UA, "BaseAnalogType", Recognised::Analog),
    (UA, "AnalogItemType", Recognised::Analog),
    (UA, "TwoStateDiscreteType", Recognised::TwoState),
    (UA, "MultiStateValueDiscreteType", Recognised::MultiStateValue),
    (UA, "MultiStateDiscreteType", Recognised::MultiState),
    (UA, "DataItemType", Recognised::DataItem),
];

impl Recognised {
    /// What the type, or one of its supertypes, is.
    pub(crate) fn of(chain: &TypeChain) -> Option<Recognised> {
        TYPES.iter().find(|(uri, name, _)| chain.is(uri, name)).map(|(_, _, known)| *known)
    }

    /// What it is, in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Recognised::PackMlMachine => "PackML machine",
            Recognised::PackMlStateMachine => "PackML state machine",
            Recognised::PackMlStatus => "PackML status tags",
            Recognised::PackMlAdmin => "PackML administration tags",
            Recognised::MachineIdentification => "machine identification",
            Recognised::MachineryItemState => "state of a machine",
            Recognised::MachineryOperationMode => "operation mode of a machine",
            Recognised::MachineryOperationCounter => "operation counters",
            Recognised::MachineryLifetimeCounter => "lifetime counter",
            Recognised::MachineryMonitoring => "monitored values of a machine",
            Recognised::JobManagement => "job management",
            Recognised::JobOrderReceiver => "receiver of job orders",
            Recognised::JobResponseProvider => "provider of job responses",
            Recognised::Analog => "analog value",
            Recognised::TwoState => "value with two states",
            Recognised::MultiState => "value with numbered states",
            Recognised::MultiStateValue => "value with named numbers",
            Recognised::DataItem => "process value",
        }
    }

    /// The specification that defines it.
    pub fn source(self) -> &'static str {
        match self {
            Recognised::PackMlMachine
            | Recognised::PackMlStateMachine
            | Recognised::PackMlStatus
            | Recognised::PackMlAdmin => "OPC 30050",
            Recognised::MachineIdentification
            | Recognised::MachineryItemState
            | Recognised::MachineryOperationMode
            | Recognised::MachineryOperationCounter
            | Recognised::MachineryLifetimeCounter
            | Recognised::MachineryMonitoring => "OPC 40001-1",
            Recognised::JobManagement => "OPC 40001-3",
            Recognised::JobOrderReceiver | Recognised::JobResponseProvider => "OPC 10031-4",
            Recognised::Analog
            | Recognised::TwoState
            | Recognised::MultiState
            | Recognised::MultiStateValue
            | Recognised::DataItem => "OPC 10000-8",
        }
    }

    /// Why a person may want to know of it although nothing is proposed for it.
    pub(crate) fn note(self) -> Option<&'static str> {
        match self {
            Recognised::JobManagement | Recognised::JobOrderReceiver | Recognised::JobResponseProvider => Some(
                "The server takes and reports job orders. Its variables can be shown as tags; orders are not taken \
                 from it.",
            ),
            Recognised::MachineryOperationCounter => {
                Some("These counters are never reset: they serve to check the run time, not to count products.")
            }
            Recognised::MachineIdentification => Some("Says which machine this is; it does not change."),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browse::types::TypeName;

    #[test]
    fn a_type_is_known_by_name_and_namespace_and_by_its_supertypes() {
        let check = |chain: &[(&str, &str)], expected: Option<Recognised>| {
            let names = chain.iter().map(|(uri, name)| TypeName { uri: (*uri).into(), name: (*name).into() });
            assert_eq!(Recognised::of(&TypeChain(names.collect())), expected, "{chain:?}");
        };
        check(&[(PACKML, "PackMLBaseObjectType"), (UA, "BaseObjectType")], Some(Recognised::PackMlMachine));
        check(&[("urn:vendor", "FillerType"), (PACKML, "PackMLBaseObjectType")], Some(Recognised::PackMlMachine));
        check(&[("urn:vendor", "PackMLBaseObjectType")], None);
        check(
            &[(UA, "AnalogUnitRangeType"), (UA, "AnalogItemType"), (UA, "BaseAnalogType"), (UA, "DataItemType")],
            Some(Recognised::Analog),
        );
        check(&[(UA, "AnalogItemType"), (UA, "DataItemType")], Some(Recognised::Analog));
        check(&[(UA, "MultiStateDiscreteType"), (UA, "DiscreteItemType")], Some(Recognised::MultiState));
        check(&[(UA, "BaseDataVariableType")], None);
        check(&[], None);
    }
}
