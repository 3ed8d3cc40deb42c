//! Identities, and what says what they may do.

use super::{Row, row};

const USER: &str = "arn:{partition}:iam::{account}:user/{name}";
const ROLE: &str = "arn:{partition}:iam::{account}:role/{name}";
const GROUP: &str = "arn:{partition}:iam::{account}:group/{name}";

const ACCESS_KEYS: &[&str] = &["CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey"];
const MFA_DEVICES: &[&str] = &["DeactivateMFADevice", "DeleteVirtualMFADevice", "EnableMFADevice", "ResyncMFADevice"];
const ATTACHMENTS: &[&str] = &[
    "AttachUserPolicy",
    "AttachRolePolicy",
    "AttachGroupPolicy",
    "DetachUserPolicy",
    "DetachRolePolicy",
    "DetachGroupPolicy",
];

// IAM paths are not part of what the API takes, so an ARN built from a name is right for path `/` only; where the answer logs
// the ARN, that one is used.
pub(super) const IAM: &[Row] = &[
    row(ACCESS_KEYS, "AWS::IAM::User", &["request.userName", "response.accessKey.userName", "user.name"], USER),
    row(ACCESS_KEYS, "AWS::IAM::AccessKey", &["request.accessKeyId", "response.accessKey.accessKeyId"], ""),
    row(MFA_DEVICES, "AWS::IAM::User", &["request.userName"], USER),
    row(MFA_DEVICES, "AWS::IAM::VirtualMFADevice", &["request.serialNumber"], ""),
    row(&["CreateVirtualMFADevice"], "AWS::IAM::VirtualMFADevice", &["response.virtualMFADevice.serialNumber"], ""),
    row(&["ChangePassword"], "AWS::IAM::User", &["request.userName", "user.name"], USER).logged(&["user.arn"]),
    row(ATTACHMENTS, "AWS::IAM::User", &["request.userName"], USER),
    row(ATTACHMENTS, "AWS::IAM::Role", &["request.roleName"], ROLE),
    row(ATTACHMENTS, "AWS::IAM::Group", &["request.groupName"], GROUP),
    row(ATTACHMENTS, "AWS::IAM::ManagedPolicy", &["request.policyArn"], ""),
    row(&["CreatePolicy"], "AWS::IAM::ManagedPolicy", &["response.policy.arn"], ""),
    row(
        &["CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy"],
        "AWS::IAM::ManagedPolicy",
        &["request.policyArn"],
        "",
    ),
    row(&["AddUserToGroup", "RemoveUserFromGroup"], "AWS::IAM::User", &["request.userName"], USER),
    row(&["AddUserToGroup", "RemoveUserFromGroup"], "AWS::IAM::Group", &["request.groupName"], GROUP),
    row(
        &["AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"],
        "AWS::IAM::InstanceProfile",
        &["request.instanceProfileName"],
        "arn:{partition}:iam::{account}:instance-profile/{name}",
    ),
    row(&["AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"], "AWS::IAM::Role", &["request.roleName"], ROLE),
    row(
        &["UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"],
        "AWS::IAM::AccountPasswordPolicy",
        &["account"],
        "",
    ),
    row(&["CreateAccountAlias", "DeleteAccountAlias"], "AWS::IAM::AccountAlias", &["request.accountAlias"], ""),
    row(
        &["CreateSAMLProvider", "UpdateSAMLProvider", "DeleteSAMLProvider"],
        "AWS::IAM::SAMLProvider",
        &["request.sAMLProviderArn", "response.sAMLProviderArn"],
        "",
    ),
    row(
        &[
            "CreateOpenIDConnectProvider",
            "DeleteOpenIDConnectProvider",
            "UpdateOpenIDConnectProviderThumbprint",
            "AddClientIDToOpenIDConnectProvider",
            "RemoveClientIDFromOpenIDConnectProvider",
        ],
        "AWS::IAM::OIDCProvider",
        &["request.openIDConnectProviderArn", "response.openIDConnectProviderArn"],
        "",
    ),
    row(&["*"], "AWS::IAM::User", &["request.userName"], USER).logged(&["response.user.arn"]),
    row(&["*"], "AWS::IAM::Role", &["request.roleName", "response.role.roleName"], ROLE).logged(&["response.role.arn"]),
    row(&["*"], "AWS::IAM::Group", &["request.groupName"], GROUP).logged(&["response.group.arn"]),
    row(
        &["*"],
        "AWS::IAM::InstanceProfile",
        &["request.instanceProfileName"],
        "arn:{partition}:iam::{account}:instance-profile/{name}",
    ),
];

const SIGN_INS: &[&str] = &["ConsoleLogin", "CheckMfa", "SwitchRole", "ExitRole"];

pub(super) const SIGN_IN: &[Row] = &[
    row(SIGN_INS, "AWS::IAM::User", &["user.name"], USER).logged(&["user.arn"]),
    row(SIGN_INS, "AWS::IAM::RootUser", &["user.root"], "arn:{partition}:iam::{account}:root"),
    row(SIGN_INS, "AWS::STS::Session", &["user.session"], ""),
];

pub(super) const STS: &[Row] = &[row(&["AssumeRole*"], "AWS::IAM::Role", &["request.roleArn"], "")];

pub(super) const ROLES_ANYWHERE: &[Row] = &[
    row(
        &["CreateProfile", "UpdateProfile", "DeleteProfile", "EnableProfile", "DisableProfile"],
        "AWS::RolesAnywhere::Profile",
        &["request.profileId", "response.profile.profileId"],
        "arn:{partition}:rolesanywhere:{region}:{account}:profile/{name}",
    )
    .logged(&["response.profile.profileArn"]),
    row(
        &["*"],
        "AWS::RolesAnywhere::TrustAnchor",
        &["request.trustAnchorId", "response.trustAnchor.trustAnchorId"],
        "arn:{partition}:rolesanywhere:{region}:{account}:trust-anchor/{name}",
    )
    .logged(&["response.trustAnchor.trustAnchorArn"]),
];

pub(super) const SSO: &[Row] = &[
    row(
        &["CreateAccountAssignment", "DeleteAccountAssignment"],
        "AWS::SSO::Assignment",
        &["request.permissionSetArn"],
        "",
    ),
    row(
        &["*"],
        "AWS::SSO::PermissionSet",
        &["request.permissionSetArn", "response.permissionSet.permissionSetArn"],
        "",
    ),
    row(&["*"], "AWS::SSO::Instance", &["request.instanceArn"], ""),
];

pub(super) const ORGANIZATIONS: &[Row] = &[
    row(&["LeaveOrganization"], "AWS::Organizations::Account", &["account"], ""),
    row(
        &["RemoveAccountFromOrganization", "CloseAccount", "MoveAccount"],
        "AWS::Organizations::Account",
        &["request.accountId"],
        "",
    ),
    row(&["DisablePolicyType", "EnablePolicyType"], "AWS::Organizations::Root", &["request.rootId"], ""),
    row(&["CreatePolicy"], "AWS::Organizations::Policy", &["response.policy.policySummary.id"], "")
        .logged(&["response.policy.policySummary.arn"]),
    row(
        &["AttachPolicy", "DetachPolicy", "UpdatePolicy", "DeletePolicy"],
        "AWS::Organizations::Policy",
        &["request.policyId"],
        "",
    )
    .logged(&["response.policy.policySummary.arn"]),
    row(&["AttachPolicy", "DetachPolicy"], "AWS::Organizations::Target", &["request.targetId"], ""),
];

pub(super) const COGNITO_IDENTITY: &[Row] = &[row(
    &["*"],
    "AWS::Cognito::IdentityPool",
    &["request.identityPoolId", "response.identityPoolId"],
    "arn:{partition}:cognito-identity:{region}:{account}:identitypool/{name}",
)];

pub(super) const COGNITO_IDP: &[Row] = &[row(
    &["*"],
    "AWS::Cognito::UserPool",
    &["request.userPoolId", "response.userPool.id"],
    "arn:{partition}:cognito-idp:{region}:{account}:userpool/{name}",
)];

pub(super) const ACM_PCA: &[Row] = &[
    row(&["PutPolicy", "DeletePolicy"], "AWS::ACMPCA::CertificateAuthority", &["request.resourceArn"], ""),
    row(
        &["*"],
        "AWS::ACMPCA::CertificateAuthority",
        &["request.certificateAuthorityArn", "response.certificateAuthorityArn"],
        "",
    ),
];

pub(super) const ACCOUNT: &[Row] = &[row(&["*"], "AWS::Organizations::Account", &["request.accountId", "account"], "")];

pub(super) const RAM: &[Row] = &[row(
    &["*"],
    "AWS::RAM::ResourceShare",
    &["request.resourceShareArn", "response.resourceShare.resourceShareArn", "request.name"],
    "",
)];
