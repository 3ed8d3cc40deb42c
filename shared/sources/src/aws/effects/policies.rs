//! Resource and trust policies that are one document in one field of the request.
//!
//! Source of the fields: the API reference of each service; CloudTrail lower-cases their first letter.

use onus_core::{Effects, Json};

use super::seen::Seen;
use crate::aws::policy::{self, Context, PolicyKind};

/// Where an operation has its policy document.
pub(super) struct Row {
    service: &'static str,
    action: &'static str,
    /// Dotted paths of the document, of which the first that is there counts.
    document: &'static [&'static str],
    kind: PolicyKind,
    /// Whether the call may come without one. Then nothing is granted; otherwise it is a doubt.
    optional: bool,
    /// Members that name the resource, for records of which the decoder could not tell.
    names: &'static [&'static str],
}

const fn row(
    service: &'static str,
    action: &'static str,
    document: &'static [&'static str],
    names: &'static [&'static str],
) -> Row {
    Row { service, action, document, kind: PolicyKind::Resource, optional: false, names }
}

impl Row {
    const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    const fn trust(mut self) -> Self {
        self.kind = PolicyKind::Trust;
        self
    }

    /// `service:Action`.
    #[cfg(test)]
    pub(super) fn operation(&self) -> String {
        format!("{}:{}", self.service, self.action)
    }
}

/// See [`Row`].
pub(super) const TABLE: &[Row] = &[
    row("s3", "PutBucketPolicy", &["bucketPolicy"], &["bucketName"]),
    row("s3", "PutAccessPointPolicy", &["policy"], &["name"]),
    row("s3", "PutMultiRegionAccessPointPolicy", &["details.policy"], &["details.name"]),
    row("s3express", "PutBucketPolicy", &["bucketPolicy"], &["bucketName"]),
    row("sns", "CreateTopic", &["attributes.Policy"], &["name"]).optional(),
    row("sqs", "CreateQueue", &["attributes.Policy", "attribute.Policy"], &["queueName"]).optional(),
    row("sqs", "SetQueueAttributes", &["attributes.Policy", "attribute.Policy"], &["queueUrl"]).optional(),
    row("kms", "PutKeyPolicy", &["policy"], &["keyId"]),
    row("kms", "CreateKey", &["policy"], &[]).optional(),
    row("kms", "ReplicateKey", &["policy"], &["keyId"]).optional(),
    row("secretsmanager", "PutResourcePolicy", &["resourcePolicy"], &["secretId"]),
    row("ecr", "SetRepositoryPolicy", &["policyText"], &["repositoryName"]),
    row("ecr", "PutRegistryPolicy", &["policyText"], &["registryId"]),
    row("ecr-public", "SetRepositoryPolicy", &["policyText"], &["repositoryName"]),
    row("iam", "CreateRole", &["assumeRolePolicyDocument"], &["roleName"]).trust(),
    row("iam", "UpdateAssumeRolePolicy", &["policyDocument"], &["roleName"]).trust(),
    row("acm-pca", "PutPolicy", &["policy"], &["resourceArn"]),
    row("backup", "PutBackupVaultAccessPolicy", &["policy"], &["backupVaultName"]),
    row("codeartifact", "PutDomainPermissionsPolicy", &["policyDocument"], &["domain"]),
    row("codeartifact", "PutRepositoryPermissionsPolicy", &["policyDocument"], &["repository"]),
    row("dynamodb", "PutResourcePolicy", &["policy"], &["resourceArn"]),
    row("elasticfilesystem", "PutFileSystemPolicy", &["policy"], &["fileSystemId"]),
    row("es", "CreateDomain", &["accessPolicies"], &["domainName"]).optional(),
    row("es", "CreateElasticsearchDomain", &["accessPolicies"], &["domainName"]).optional(),
    row("es", "UpdateDomainConfig", &["accessPolicies"], &["domainName"]).optional(),
    row("es", "UpdateElasticsearchDomainConfig", &["accessPolicies"], &["domainName"]).optional(),
    row("glacier", "SetVaultAccessPolicy", &["policy.policy", "policy"], &["vaultName"]),
    row("glue", "PutResourcePolicy", &["policyInJson"], &["resourceArn"]),
    row("kinesis", "PutResourcePolicy", &["policy"], &["resourceARN"]),
    row("logs", "PutDestinationPolicy", &["accessPolicy"], &["destinationName"]),
    row("logs", "PutResourcePolicy", &["policyDocument"], &["policyName"]),
    row("redshift", "PutResourcePolicy", &["policy"], &["resourceArn"]),
    row("schemas", "PutResourcePolicy", &["policy"], &["registryName"]),
    row("ses", "CreateEmailIdentityPolicy", &["policy"], &["emailIdentity"]),
    row("ses", "PutIdentityPolicy", &["policy"], &["identity"]),
    row("ses", "UpdateEmailIdentityPolicy", &["policy"], &["emailIdentity"]),
    row("ssm", "PutResourcePolicy", &["policy"], &["resourceArn"]),
    row("vpc-lattice", "PutAuthPolicy", &["policy"], &["resourceIdentifier"]),
    row("vpc-lattice", "PutResourcePolicy", &["policy"], &["resourceArn"]),
];

/// The row of an operation.
pub(super) fn row_of(service: &str, action: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.service == service && row.action == action)
}

/// What the policy of one row grants.
pub(super) fn derive(seen: &Seen<'_, '_>, row: &Row) -> Effects {
    let document = seen.any(row.document);
    let field = row.document.first().copied().unwrap_or_default();
    // An empty string takes a queue's policy away.
    if document.is_null() || document.as_str() == Some("") {
        return if row.optional { Effects::none() } else { absent(field) };
    }
    judged(seen, field, document, &seen.resource(row.names), row.kind)
}

/// What one document grants; unreadable, a doubt about the field that says what is wrong with it.
pub(super) fn judged(
    seen: &Seen<'_, '_>,
    field: &str,
    document: &Json<'_>,
    resource: &str,
    kind: PolicyKind,
) -> Effects {
    let context = Context { account: &seen.change.account, resource, kind };
    match policy::judge(document, &context) {
        Ok(statements) => {
            let mut effects = Effects::none();
            for statement in statements {
                effects.grants.extend(statement.grants);
                effects.doubts.extend(statement.doubts);
            }
            effects
        }
        Err(error) => Effects::unknown(format!("request.{field}"), format!("cannot be judged: {error}")),
    }
}

/// A doubt about a field that the call must have had.
pub(super) fn absent(field: &str) -> Effects {
    Effects::unknown(format!("request.{field}"), "is not part of the record")
}

/// A permission that a service makes a statement of: who may do what under which `(operator, key, value)` conditions.
pub(super) struct Permission<'p> {
    /// As the service takes it: `*`, an account id, an ARN, or a service's name.
    pub(super) principal: &'p str,
    /// With the service's prefix.
    pub(super) actions: Vec<String>,
    pub(super) conditions: Vec<(&'static str, &'p str, &'p str)>,
}

impl Permission<'_> {
    /// The statement that the service makes of it.
    fn statement(self) -> Json<'static> {
        let text = |text: &str| Json::String(text.to_owned().into());
        let object = |name: &str, value: Json<'static>| Json::Object(vec![(name.to_owned().into(), value)]);
        let is_service = self.principal.contains('.') && !self.principal.starts_with("arn:");
        let principal = match self.principal {
            "*" => text("*"),
            service if is_service => object("Service", text(service)),
            account => object("AWS", text(account)),
        };
        let mut operators: Vec<(std::borrow::Cow<'static, str>, Json<'static>)> = Vec::new();
        for (operator, key, value) in self.conditions {
            let member = (key.to_owned().into(), text(value));
            match operators.iter_mut().find(|(name, _)| name == operator) {
                Some((_, Json::Object(keys))) => keys.push(member),
                _ => operators.push((operator.into(), Json::Object(vec![member]))),
            }
        }
        let statement = Json::Object(vec![
            ("Effect".into(), text("Allow")),
            ("Principal".into(), principal),
            ("Action".into(), Json::Array(self.actions.iter().map(|action| text(action)).collect())),
            ("Condition".into(), Json::Object(operators)),
        ]);
        object("Statement", statement)
    }

    /// What the permission grants, held by `via` under the name `part`.
    pub(super) fn judged(self, seen: &Seen<'_, '_>, resource: &str, via: &str, part: Option<&str>) -> Effects {
        let mut effects = judged(seen, "principal", &self.statement(), resource, PolicyKind::Resource);
        for grant in &mut effects.grants {
            via.clone_into(&mut grant.via);
            grant.part = part.map(str::to_owned);
        }
        effects
    }
}
