//! Whose duty a thing is under the shared responsibility model.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// The cloud customer.
    Customer,
    /// Both, each for a part.
    Shared,
    /// The cloud provider.
    Provider,
}

/// How much of the stack the provider runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceModel {
    /// The customer's own data centre, for comparison.
    OnPrem,
    /// Infrastructure as a service.
    Iaas,
    /// Platform as a service.
    Paas,
    /// Function as a service.
    Faas,
    /// Software as a service.
    Saas,
}

/// What a duty is about: the seven areas of the CIS and Microsoft matrices, and configuration, which the providers' current pages list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// What the data is, and who may read it.
    DataClassificationAccountability,
    /// The devices people work on.
    ClientEndpointProtection,
    /// Who exists and may do what.
    IdentityAccessManagement,
    /// What the application itself must do.
    ApplicationLevelControls,
    /// Paths between machines.
    NetworkControls,
    /// The machines under the application.
    HostInfrastructure,
    /// Buildings, hardware.
    PhysicalSecurity,
    /// Settings of the service: logging, retention, backups.
    ConfigurationAndSettings,
}

/// One cell of the responsibility matrix, as a finding names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// What it is about.
    pub area: Area,
    /// The service's row in the matrix: `S3`.
    pub service: String,
    /// How much the provider runs of that service.
    pub model: ServiceModel,
    /// Whose duty the area is for such a service.
    pub owner: Party,
}

macro_rules! names {
    ($type:ty { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in rules and output.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names!(Party { Customer => "customer", Shared => "shared", Provider => "provider" });
names!(ServiceModel { OnPrem => "onprem", Iaas => "iaas", Paas => "paas", Faas => "faas", Saas => "saas" });
names!(Area {
    DataClassificationAccountability => "data_classification_accountability",
    ClientEndpointProtection => "client_endpoint_protection",
    IdentityAccessManagement => "identity_access_management",
    ApplicationLevelControls => "application_level_controls",
    NetworkControls => "network_controls",
    HostInfrastructure => "host_infrastructure",
    PhysicalSecurity => "physical_security",
    ConfigurationAndSettings => "configuration_and_settings",
});
