//! Stores of data, queues, topics and keys.

use super::{Row, row};

const BUCKET: &str = "arn:{partition}:s3:::{name}";
const OBJECT_ACTIONS: &[&str] =
    &["PutObject*", "DeleteObject*", "CopyObject", "RestoreObject", "CompleteMultipartUpload", "CreateMultipartUpload"];

pub(super) const S3: &[Row] = &[
    row(
        &["PutAccountPublicAccessBlock", "DeleteAccountPublicAccessBlock"],
        "AWS::S3::AccountPublicAccessBlock",
        &["account"],
        "",
    ),
    row(
        &["CreateAccessPoint*", "PutAccessPoint*", "DeleteAccessPoint*"],
        "AWS::S3::AccessPoint",
        &["request.name", "request.accessPointName"],
        "arn:{partition}:s3:{region}:{account}:accesspoint/{name}",
    )
    .logged(&["response.accessPointArn"]),
    row(&["CreateAccessPoint*"], "AWS::S3::Bucket", &["request.bucket", "request.bucketName"], BUCKET),
    row(
        &["CreateMultiRegionAccessPoint", "PutMultiRegionAccessPointPolicy", "DeleteMultiRegionAccessPoint"],
        "AWS::S3::MultiRegionAccessPoint",
        &["request.details.name"],
        "",
    ),
    row(OBJECT_ACTIONS, "AWS::S3::Object", &["request.key"], "arn:{partition}:s3:::{request.bucketName}/{name}"),
    row(OBJECT_ACTIONS, "AWS::S3::Bucket", &["request.bucketName"], BUCKET),
    row(&["*"], "AWS::S3::Bucket", &["request.bucketName"], BUCKET),
];

const DB_INSTANCE: &str = "arn:{partition}:rds:{region}:{account}:db:{name}";
const DB_CLUSTER: &str = "arn:{partition}:rds:{region}:{account}:cluster:{name}";
const DB_SNAPSHOT: &str = "arn:{partition}:rds:{region}:{account}:snapshot:{name}";
const CLUSTER_SNAPSHOT: &str = "arn:{partition}:rds:{region}:{account}:cluster-snapshot:{name}";

pub(super) const RDS: &[Row] = &[
    row(
        &["ModifyDBSnapshot*", "DeleteDBSnapshot", "CreateDBSnapshot", "CopyDBSnapshot"],
        "AWS::RDS::DBSnapshot",
        &["request.dBSnapshotIdentifier", "request.targetDBSnapshotIdentifier", "response.dBSnapshotIdentifier"],
        DB_SNAPSHOT,
    )
    .logged(&["response.dBSnapshotArn"]),
    row(
        &["ModifyDBClusterSnapshot*", "DeleteDBClusterSnapshot", "CreateDBClusterSnapshot", "CopyDBClusterSnapshot"],
        "AWS::RDS::DBClusterSnapshot",
        &[
            "request.dBClusterSnapshotIdentifier",
            "request.targetDBClusterSnapshotIdentifier",
            "response.dBClusterSnapshotIdentifier",
        ],
        CLUSTER_SNAPSHOT,
    )
    .logged(&["response.dBClusterSnapshotArn"]),
    row(
        &["CreateDBCluster", "ModifyDBCluster", "DeleteDBCluster", "RestoreDBCluster*"],
        "AWS::RDS::DBCluster",
        &["request.dBClusterIdentifier", "response.dBClusterIdentifier"],
        DB_CLUSTER,
    )
    .logged(&["response.dBClusterArn"]),
    row(
        &["RestoreDBInstanceToPointInTime"],
        "AWS::RDS::DBInstance",
        &["request.targetDBInstanceIdentifier"],
        DB_INSTANCE,
    )
    .logged(&["response.dBInstanceArn"]),
    row(
        &["StartActivityStream", "StopActivityStream", "ModifyActivityStream"],
        "AWS::RDS::DBCluster",
        &["request.resourceArn"],
        "",
    ),
    row(
        &["CreateGlobalCluster", "ModifyGlobalCluster", "DeleteGlobalCluster"],
        "AWS::RDS::GlobalCluster",
        &["request.globalClusterIdentifier"],
        "arn:{partition}:rds::{account}:global-cluster:{name}",
    ),
    row(&["StartExportTask"], "AWS::RDS::DBSnapshot", &["request.sourceArn"], ""),
    row(
        &["*"],
        "AWS::RDS::DBInstance",
        &["request.dBInstanceIdentifier", "response.dBInstanceIdentifier"],
        DB_INSTANCE,
    )
    .logged(&["response.dBInstanceArn"]),
    row(&["*"], "AWS::RDS::DBCluster", &["request.dBClusterIdentifier"], DB_CLUSTER),
];

pub(super) const S3_EXPRESS: &[Row] = &[row(
    &["*"],
    "AWS::S3Express::DirectoryBucket",
    &["request.bucketName"],
    "arn:{partition}:s3express:{region}:{account}:bucket/{name}",
)];

pub(super) const GLACIER: &[Row] = &[row(
    &["*"],
    "AWS::Glacier::Vault",
    &["request.vaultName"],
    "arn:{partition}:glacier:{region}:{account}:vaults/{name}",
)];

pub(super) const KINESIS: &[Row] = &[
    row(&["PutResourcePolicy", "DeleteResourcePolicy"], "AWS::Kinesis::Stream", &["request.resourceARN"], ""),
    row(
        &["*"],
        "AWS::Kinesis::Stream",
        &["request.streamName", "request.streamARN"],
        "arn:{partition}:kinesis:{region}:{account}:stream/{name}",
    ),
];

pub(super) const SCHEMAS: &[Row] = &[row(
    &["*"],
    "AWS::EventSchemas::Registry",
    &["request.registryName"],
    "arn:{partition}:schemas:{region}:{account}:registry/{name}",
)];

pub(super) const CODE_ARTIFACT: &[Row] = &[
    row(
        &[
            "PutRepositoryPermissionsPolicy",
            "DeleteRepositoryPermissionsPolicy",
            "CreateRepository",
            "DeleteRepository",
        ],
        "AWS::CodeArtifact::Repository",
        &["request.repository"],
        "arn:{partition}:codeartifact:{region}:{account}:repository/{request.domain}/{name}",
    ),
    row(
        &["*"],
        "AWS::CodeArtifact::Domain",
        &["request.domain"],
        "arn:{partition}:codeartifact:{region}:{account}:domain/{name}",
    ),
];

pub(super) const SES: &[Row] = &[row(
    &["*"],
    "AWS::SES::EmailIdentity",
    &["request.emailIdentity", "request.identity"],
    "arn:{partition}:ses:{region}:{account}:identity/{name}",
)];

pub(super) const REDSHIFT: &[Row] = &[
    row(
        &["PutResourcePolicy", "DeleteResourcePolicy"],
        "AWS::RedshiftServerless::Namespace",
        &["request.resourceArn"],
        "",
    ),
    row(
        &["AuthorizeSnapshotAccess", "RevokeSnapshotAccess"],
        "AWS::Redshift::ClusterSnapshot",
        &["request.snapshotIdentifier", "request.snapshotArn"],
        "arn:{partition}:redshift:{region}:{account}:snapshot:{request.snapshotClusterIdentifier}/{name}",
    ),
    row(
        &["*"],
        "AWS::Redshift::Cluster",
        &["request.clusterIdentifier"],
        "arn:{partition}:redshift:{region}:{account}:cluster:{name}",
    ),
];

pub(super) const DYNAMO_DB: &[Row] = &[
    row(
        &["PutResourcePolicy", "DeleteResourcePolicy", "TagResource", "UntagResource"],
        "AWS::DynamoDB::Table",
        &["request.resourceArn"],
        "",
    ),
    row(
        &["*"],
        "AWS::DynamoDB::Table",
        &["request.tableName", "request.targetTableName", "request.globalTableName"],
        "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    )
    .logged(&["response.tableDescription.tableArn"]),
];

pub(super) const ELASTI_CACHE: &[Row] = &[
    row(
        &["*"],
        "AWS::ElastiCache::ReplicationGroup",
        &["request.replicationGroupId"],
        "arn:{partition}:elasticache:{region}:{account}:replicationgroup:{name}",
    )
    .logged(&["response.aRN"]),
    row(
        &["*"],
        "AWS::ElastiCache::CacheCluster",
        &["request.cacheClusterId"],
        "arn:{partition}:elasticache:{region}:{account}:cluster:{name}",
    ),
];

pub(super) const EFS: &[Row] = &[
    row(
        &["DeleteMountTarget", "ModifyMountTargetSecurityGroups"],
        "AWS::EFS::MountTarget",
        &["request.mountTargetId"],
        "",
    ),
    row(
        &["*"],
        "AWS::EFS::FileSystem",
        &["request.fileSystemId", "response.fileSystemId"],
        "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{name}",
    )
    .logged(&["response.fileSystemArn"]),
];

pub(super) const OPEN_SEARCH: &[Row] = &[row(
    &["*"],
    "AWS::OpenSearchService::Domain",
    &["request.domainName"],
    "arn:{partition}:es:{region}:{account}:domain/{name}",
)
.logged(&["response.domainStatus.aRN"])];

pub(super) const GLUE: &[Row] = &[
    row(
        &["PutResourcePolicy", "DeleteResourcePolicy", "PutDataCatalogEncryptionSettings"],
        "AWS::Glue::DataCatalog",
        &["request.resourceArn", "request.catalogId", "account"],
        "arn:{partition}:glue:{region}:{account}:catalog",
    ),
    row(
        &["CreateDevEndpoint", "UpdateDevEndpoint", "DeleteDevEndpoint"],
        "AWS::Glue::DevEndpoint",
        &["request.endpointName"],
        "arn:{partition}:glue:{region}:{account}:devEndpoint/{name}",
    ),
];

const VAULT: &str = "arn:{partition}:backup:{region}:{account}:backup-vault:{name}";

pub(super) const BACKUP: &[Row] = &[
    row(&["DeleteRecoveryPoint"], "AWS::Backup::BackupVault", &["request.backupVaultName"], VAULT),
    row(&["DeleteRecoveryPoint"], "AWS::Backup::RecoveryPoint", &["request.recoveryPointArn"], ""),
    row(&["*"], "AWS::Backup::BackupVault", &["request.backupVaultName"], VAULT).logged(&["response.backupVaultArn"]),
];

const KEY: &str = "arn:{partition}:kms:{region}:{account}:key/{name}";

pub(super) const KMS: &[Row] = &[
    row(&["CreateKey"], "AWS::KMS::Key", &["response.keyMetadata.keyId"], KEY)
        .logged(&["response.keyMetadata.arn", "response.keyMetadata.aRN"]),
    row(&["ReplicateKey"], "AWS::KMS::Key", &["response.replicaKeyMetadata.keyId", "request.keyId"], KEY)
        .logged(&["response.replicaKeyMetadata.arn", "response.replicaKeyMetadata.aRN"]),
    row(&["CreateAlias", "UpdateAlias"], "AWS::KMS::Key", &["request.targetKeyId"], KEY),
    row(
        &["CreateAlias", "UpdateAlias", "DeleteAlias"],
        "AWS::KMS::Alias",
        &["request.aliasName"],
        "arn:{partition}:kms:{region}:{account}:{name}",
    ),
    row(&["CreateGrant", "RetireGrant", "RevokeGrant"], "AWS::KMS::Key", &["request.keyId", "response.keyId"], KEY),
    row(
        &["CreateGrant", "RetireGrant", "RevokeGrant"],
        "AWS::KMS::Grant",
        &["response.grantId", "request.grantId"],
        "",
    ),
    row(&["*"], "AWS::KMS::Key", &["request.keyId", "response.keyId"], KEY),
];

pub(super) const SECRETS_MANAGER: &[Row] = &[
    row(&["CreateSecret"], "AWS::SecretsManager::Secret", &["response.arn", "request.name"], ""),
    // A secret's ARN ends in six random characters, so none is built from a name.
    row(&["*"], "AWS::SecretsManager::Secret", &["request.secretId"], "").logged(&["response.arn"]),
];

pub(super) const SQS: &[Row] = &[
    row(&["CreateQueue"], "AWS::SQS::Queue", &["response.queueUrl"], "arn:{partition}:sqs:{region}:{owner}:{queue}"),
    row(&["*"], "AWS::SQS::Queue", &["request.queueUrl"], "arn:{partition}:sqs:{region}:{owner}:{queue}"),
];

pub(super) const SNS: &[Row] = &[
    row(
        &["CreateTopic"],
        "AWS::SNS::Topic",
        &["response.topicArn", "request.name"],
        "arn:{partition}:sns:{region}:{account}:{name}",
    ),
    row(&["Subscribe", "ConfirmSubscription"], "AWS::SNS::Topic", &["request.topicArn"], ""),
    row(&["Subscribe", "ConfirmSubscription"], "AWS::SNS::Subscription", &["response.subscriptionArn"], ""),
    row(&["*"], "AWS::SNS::Topic", &["request.topicArn", "request.resourceArn"], ""),
];
