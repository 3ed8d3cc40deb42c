//! Where each operation names its resources.
//!
//! A row: operations (exact, or a beginning followed by `*`), CloudFormation type, the places of the name in order of preference, and a
//! pattern for the ARN. ARN formats are those of the Service Authorization Reference
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/>). Several rows may know one operation: the first names what it
//! acts on. Rows for `*` alone are asked when no other row knows the operation, and never for calls that only read.

mod compute;
mod data;
mod identity;
mod network;
mod oversight;

/// One row. See the [module's words](self).
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Operations without API dates.
    pub(super) actions: &'static [&'static str],
    /// The CloudFormation type, or a name in its manner where CloudFormation has none.
    pub(super) kind: &'static str,
    /// Places of the name: the first that holds any counts.
    pub(super) names: &'static [&'static str],
    /// Places where the ARN itself is logged, for operations on one resource.
    pub(super) arns: &'static [&'static str],
    /// How to build the ARN. Empty: the name is all there is.
    pub(super) arn: &'static str,
}

const fn row(
    actions: &'static [&'static str],
    kind: &'static str,
    names: &'static [&'static str],
    arn: &'static str,
) -> Row {
    Row { actions, kind, names, arns: &[], arn }
}

impl Row {
    /// Adds places where the ARN is logged.
    const fn logged(mut self, arns: &'static [&'static str]) -> Self {
        self.arns = arns;
        self
    }

    /// Whether the row names the operation, by more than `*`.
    fn knows(&self, action: &str) -> bool {
        self.actions.iter().any(|known| match known.strip_suffix('*') {
            Some("") => false,
            Some(start) => action.starts_with(start),
            None => *known == action,
        })
    }
}

/// The rows that know an operation, in order.
pub(super) fn rows(service: &str, action: &str, read_only: bool) -> impl Iterator<Item = &'static Row> {
    let found = SERVICES.binary_search_by(|(name, _)| (*name).cmp(service)).ok();
    let rows = found.and_then(|at| SERVICES.get(at)).map_or(&[][..], |(_, rows)| *rows);
    let known = rows.iter().any(|row| row.knows(action));
    rows.iter().filter(move |row| if known { row.knows(action) } else { !read_only && row.actions == ["*"] })
}

/// The rows of each service, by the prefix of their event source, in its order.
pub(super) static SERVICES: &[(&str, &[Row])] = &[
    ("access-analyzer", oversight::ACCESS_ANALYZER),
    ("account", identity::ACCOUNT),
    ("acm-pca", identity::ACM_PCA),
    ("apigateway", network::API_GATEWAY),
    ("autoscaling", compute::AUTO_SCALING),
    ("backup", data::BACKUP),
    ("bedrock", compute::BEDROCK),
    ("cloudfront", network::CLOUD_FRONT),
    ("cloudtrail", oversight::CLOUD_TRAIL),
    ("codeartifact", data::CODE_ARTIFACT),
    ("codebuild", compute::CODE_BUILD),
    ("cognito-identity", identity::COGNITO_IDENTITY),
    ("cognito-idp", identity::COGNITO_IDP),
    ("config", oversight::CONFIG),
    ("dynamodb", data::DYNAMO_DB),
    ("ec2", network::EC2),
    ("ecr", compute::ECR),
    ("ecr-public", compute::ECR_PUBLIC),
    ("ecs", compute::ECS),
    ("eks", compute::EKS),
    ("elasticache", data::ELASTI_CACHE),
    ("elasticfilesystem", data::EFS),
    ("elasticloadbalancing", network::ELB),
    ("elasticmapreduce", compute::EMR),
    ("es", data::OPEN_SEARCH),
    ("events", oversight::EVENTS),
    ("glacier", data::GLACIER),
    ("glue", data::GLUE),
    ("guardduty", oversight::GUARD_DUTY),
    ("iam", identity::IAM),
    ("inspector2", oversight::INSPECTOR),
    ("kinesis", data::KINESIS),
    ("kms", data::KMS),
    ("lambda", compute::LAMBDA),
    ("logs", oversight::LOGS),
    ("macie2", oversight::MACIE),
    ("monitoring", oversight::CLOUD_WATCH),
    ("organizations", identity::ORGANIZATIONS),
    ("ram", identity::RAM),
    ("rds", data::RDS),
    ("redshift", data::REDSHIFT),
    ("rolesanywhere", identity::ROLES_ANYWHERE),
    ("route53", network::ROUTE_53),
    ("route53domains", network::ROUTE_53_DOMAINS),
    ("route53resolver", network::ROUTE_53_RESOLVER),
    ("s3", data::S3),
    ("s3express", data::S3_EXPRESS),
    ("sagemaker", compute::SAGE_MAKER),
    ("schemas", data::SCHEMAS),
    ("secretsmanager", data::SECRETS_MANAGER),
    ("securityhub", oversight::SECURITY_HUB),
    ("ses", data::SES),
    ("signin", identity::SIGN_IN),
    ("sns", data::SNS),
    ("sqs", data::SQS),
    ("ssm", compute::SSM),
    ("sso", identity::SSO),
    ("sts", identity::STS),
    ("vpc-lattice", network::VPC_LATTICE),
    ("waf", network::WAF),
    ("waf-regional", network::WAF),
    ("wafv2", network::WAF_V2),
];
