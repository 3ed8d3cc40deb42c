//! Functions, containers, and other things that run code.

use super::{Row, row};

pub(super) const LAMBDA: &[Row] = &[
    row(
        &["CreateEventSourceMapping", "UpdateEventSourceMapping", "DeleteEventSourceMapping"],
        "AWS::Lambda::EventSourceMapping",
        &["request.uUID", "response.uUID"],
        "arn:{partition}:lambda:{region}:{account}:event-source-mapping:{name}",
    ),
    row(
        &["AddLayerVersionPermission", "RemoveLayerVersionPermission", "PublishLayerVersion", "DeleteLayerVersion"],
        "AWS::Lambda::LayerVersion",
        &["request.layerName"],
        "arn:{partition}:lambda:{region}:{account}:layer:{name}",
    )
    .logged(&["response.layerVersionArn"]),
    // Not `logged`: a URL's or a version's ARN has a qualifier that the function's has not.
    row(
        &["*"],
        "AWS::Lambda::Function",
        &["request.functionName", "response.functionName"],
        "arn:{partition}:lambda:{region}:{account}:function:{name}",
    ),
];

pub(super) const ECR: &[Row] = &[
    row(
        &["PutRegistryPolicy", "DeleteRegistryPolicy", "PutReplicationConfiguration"],
        "AWS::ECR::RegistryPolicy",
        &["response.registryId", "account"],
        "",
    ),
    row(
        &["*"],
        "AWS::ECR::Repository",
        &["request.repositoryName"],
        "arn:{partition}:ecr:{region}:{account}:repository/{name}",
    )
    .logged(&["response.repository.repositoryArn"]),
];

pub(super) const ECR_PUBLIC: &[Row] = &[row(
    &["*"],
    "AWS::ECR::PublicRepository",
    &["request.repositoryName"],
    "arn:{partition}:ecr-public::{account}:repository/{name}",
)];

pub(super) const ECS: &[Row] = &[
    row(
        &["RegisterTaskDefinition"],
        "AWS::ECS::TaskDefinition",
        &["response.taskDefinition.taskDefinitionArn", "request.family"],
        "",
    ),
    row(&["DeregisterTaskDefinition"], "AWS::ECS::TaskDefinition", &["request.taskDefinition"], ""),
    row(
        &["CreateService", "UpdateService", "DeleteService"],
        "AWS::ECS::Service",
        &["request.serviceName", "request.service"],
        "",
    )
    .logged(&["response.service.serviceArn"]),
    row(
        &["*"],
        "AWS::ECS::Cluster",
        &["request.clusterName", "request.cluster"],
        "arn:{partition}:ecs:{region}:{account}:cluster/{name}",
    ),
];

const CLUSTER: &str = "arn:{partition}:eks:{region}:{account}:cluster/{name}";
const ENTRIES: &[&str] = &[
    "CreateAccessEntry",
    "UpdateAccessEntry",
    "DeleteAccessEntry",
    "AssociateAccessPolicy",
    "DisassociateAccessPolicy",
];

pub(super) const EKS: &[Row] = &[
    row(ENTRIES, "AWS::EKS::Cluster", &["request.clusterName", "request.name"], CLUSTER),
    row(ENTRIES, "AWS::EKS::AccessEntry", &["request.principalArn"], ""),
    row(&["*"], "AWS::EKS::Cluster", &["request.clusterName", "request.name"], CLUSTER)
        .logged(&["response.cluster.arn"]),
];

pub(super) const EMR: &[Row] = &[
    row(&["PutBlockPublicAccessConfiguration"], "AWS::EMR::BlockPublicAccess", &["account"], ""),
    row(
        &["*"],
        "AWS::EMR::Cluster",
        &["request.jobFlowId", "request.clusterId", "response.jobFlowId"],
        "arn:{partition}:elasticmapreduce:{region}:{account}:cluster/{name}",
    ),
];

pub(super) const AUTO_SCALING: &[Row] = &[
    row(&["*"], "AWS::AutoScaling::AutoScalingGroup", &["request.autoScalingGroupName"], ""),
    row(&["*"], "AWS::AutoScaling::LaunchConfiguration", &["request.launchConfigurationName"], ""),
];

pub(super) const CODE_BUILD: &[Row] = &[
    row(&["UpdateProjectVisibility"], "AWS::CodeBuild::Project", &["request.projectArn"], ""),
    row(&["PutResourcePolicy", "DeleteResourcePolicy"], "AWS::CodeBuild::Project", &["request.resourceArn"], ""),
    row(
        &["*"],
        "AWS::CodeBuild::Project",
        &["request.name", "request.projectName"],
        "arn:{partition}:codebuild:{region}:{account}:project/{name}",
    )
    .logged(&["response.project.arn"]),
];

pub(super) const SAGE_MAKER: &[Row] = &[row(
    &["*"],
    "AWS::SageMaker::NotebookInstance",
    &["request.notebookInstanceName"],
    "arn:{partition}:sagemaker:{region}:{account}:notebook-instance/{name}",
)
.logged(&["response.notebookInstanceArn"])];

pub(super) const BEDROCK: &[Row] = &[
    row(
        &["PutModelInvocationLoggingConfiguration", "DeleteModelInvocationLoggingConfiguration"],
        "AWS::Bedrock::ModelInvocationLogging",
        &["account"],
        "",
    ),
    row(
        &["CreateGuardrail*", "UpdateGuardrail", "DeleteGuardrail"],
        "AWS::Bedrock::Guardrail",
        &["request.guardrailIdentifier", "response.guardrailId"],
        "arn:{partition}:bedrock:{region}:{account}:guardrail/{name}",
    )
    .logged(&["response.guardrailArn"]),
];

pub(super) const SSM: &[Row] = &[
    row(
        &["UpdateServiceSetting", "ResetServiceSetting"],
        "AWS::SSM::ServiceSetting",
        &["request.settingId"],
        "arn:{partition}:ssm:{region}:{account}:servicesetting{name}",
    ),
    row(&["PutResourcePolicy", "DeleteResourcePolicy"], "AWS::SSM::Resource", &["request.resourceArn"], ""),
    row(
        &["ModifyDocumentPermission", "CreateDocument", "UpdateDocument*", "DeleteDocument"],
        "AWS::SSM::Document",
        &["request.name"],
        "arn:{partition}:ssm:{region}:{account}:document/{name}",
    ),
    row(&["PutParameter", "DeleteParameter", "LabelParameterVersion"], "AWS::SSM::Parameter", &["request.name"], ""),
    row(
        &["SendCommand", "StartSession", "ResumeSession"],
        "AWS::EC2::Instance",
        &["request.instanceIds", "request.target"],
        "arn:{partition}:ec2:{region}:{account}:instance/{name}",
    ),
    row(
        &["SendCommand", "StartSession"],
        "AWS::SSM::Document",
        &["request.documentName"],
        "arn:{partition}:ssm:{region}:{account}:document/{name}",
    ),
];
