//! Networks, machines in them, and what faces the internet.

use super::{Row, row};

const GROUP: &str = "arn:{partition}:ec2:{region}:{account}:security-group/{name}";
const ACL: &str = "arn:{partition}:ec2:{region}:{account}:network-acl/{name}";
const INSTANCE: &str = "arn:{partition}:ec2:{region}:{account}:instance/{name}";
const SUBNET: &str = "arn:{partition}:ec2:{region}:{account}:subnet/{name}";
const VOLUME: &str = "arn:{partition}:ec2:{region}:{account}:volume/{name}";
const TABLE: &str = "arn:{partition}:ec2:{region}:{account}:route-table/{name}";
const VPC: &str = "arn:{partition}:ec2:{region}:{account}:vpc/{name}";
const GATEWAY: &str = "arn:{partition}:ec2:{region}:{account}:internet-gateway/{name}";
const FLOW_LOG: &str = "arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{name}";
// Snapshots and images have no account in their ARN.
const SNAPSHOT: &str = "arn:{partition}:ec2:{region}::snapshot/{name}";
const IMAGE: &str = "arn:{partition}:ec2:{region}::image/{name}";

const RULES: &[&str] = &[
    "AuthorizeSecurityGroup*",
    "RevokeSecurityGroup*",
    "ModifySecurityGroupRules",
    "UpdateSecurityGroupRuleDescriptions*",
    "CreateSecurityGroup",
    "DeleteSecurityGroup",
];
const LAUNCHES: &[&str] = &["RunInstances", "StartInstances", "StopInstances", "TerminateInstances", "RebootInstances"];
const GATEWAYS: &[&str] =
    &["AttachInternetGateway", "DetachInternetGateway", "CreateInternetGateway", "DeleteInternetGateway"];
const PEERINGS: &[&str] = &["CreateVpcPeeringConnection", "AcceptVpcPeeringConnection", "DeleteVpcPeeringConnection"];

pub(super) const EC2: &[Row] = &[
    // `groupName` alone is how groups of EC2-Classic and of default VPCs are named; the answer has the id.
    row(
        RULES,
        "AWS::EC2::SecurityGroup",
        &["request.groupId", "response.groupId", "response.securityGroupRuleSet.items.groupId", "request.groupName"],
        GROUP,
    ),
    row(
        &["CreateNetworkAcl*", "ReplaceNetworkAclEntry", "DeleteNetworkAcl*"],
        "AWS::EC2::NetworkAcl",
        &["request.networkAclId", "response.networkAcl.networkAclId"],
        ACL,
    ),
    row(
        LAUNCHES,
        "AWS::EC2::Instance",
        &["response.instancesSet.items.instanceId", "request.instancesSet.items.instanceId"],
        INSTANCE,
    ),
    row(&["ModifyInstanceMetadataDefaults"], "AWS::EC2::InstanceMetadataDefaults", &["account"], ""),
    row(
        &["AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation", "DisassociateIamInstanceProfile"],
        "AWS::EC2::Instance",
        &["request.instanceId", "response.iamInstanceProfileAssociation.instanceId"],
        INSTANCE,
    ),
    row(
        &["ModifySnapshot*", "ResetSnapshotAttribute", "CreateSnapshot*", "DeleteSnapshot", "CopySnapshot"],
        "AWS::EC2::Snapshot",
        &["request.snapshotId", "response.snapshotId", "response.snapshotSet.items.snapshotId"],
        SNAPSHOT,
    ),
    row(
        &[
            "ModifyImageAttribute",
            "ResetImageAttribute",
            "DeregisterImage",
            "RegisterImage",
            "CreateImage",
            "CopyImage",
        ],
        "AWS::EC2::Image",
        &["request.imageId", "response.imageId"],
        IMAGE,
    ),
    row(
        &["CreateVolume", "DeleteVolume", "ModifyVolume*", "AttachVolume", "DetachVolume"],
        "AWS::EC2::Volume",
        &["request.volumeId", "response.volumeId"],
        VOLUME,
    ),
    row(
        &["EnableEbsEncryptionByDefault", "DisableEbsEncryptionByDefault"],
        "AWS::EC2::EBSEncryptionByDefault",
        &["account"],
        "",
    ),
    row(
        &["EnableSnapshotBlockPublicAccess", "DisableSnapshotBlockPublicAccess"],
        "AWS::EC2::SnapshotBlockPublicAccess",
        &["account"],
        "",
    ),
    row(
        &["EnableImageBlockPublicAccess", "DisableImageBlockPublicAccess"],
        "AWS::EC2::ImageBlockPublicAccess",
        &["account"],
        "",
    ),
    row(
        &["EnableSerialConsoleAccess", "DisableSerialConsoleAccess"],
        "AWS::EC2::SerialConsoleAccess",
        &["account"],
        "",
    ),
    row(
        &["CreateFlowLogs", "DeleteFlowLogs"],
        "AWS::EC2::FlowLog",
        &["request.flowLogId", "request.flowLogIds.items", "response.flowLogIdSet.item", "response.flowLogIdSet.items"],
        FLOW_LOG,
    ),
    row(
        &["CreateRoute", "ReplaceRoute", "DeleteRoute", "CreateRouteTable", "DeleteRouteTable", "AssociateRouteTable"],
        "AWS::EC2::RouteTable",
        &["request.routeTableId", "response.routeTable.routeTableId"],
        TABLE,
    ),
    row(
        GATEWAYS,
        "AWS::EC2::InternetGateway",
        &["request.internetGatewayId", "response.internetGateway.internetGatewayId"],
        GATEWAY,
    ),
    row(GATEWAYS, "AWS::EC2::VPC", &["request.vpcId"], VPC),
    row(&["ModifyVpcBlockPublicAccessOptions"], "AWS::EC2::VPCBlockPublicAccessOptions", &["account"], ""),
    row(
        &[
            "CreateVpcBlockPublicAccessExclusion",
            "ModifyVpcBlockPublicAccessExclusion",
            "DeleteVpcBlockPublicAccessExclusion",
        ],
        "AWS::EC2::VPCBlockPublicAccessExclusion",
        &[
            "request.exclusionId",
            "response.vpcBlockPublicAccessExclusion.exclusionId",
            "request.vpcId",
            "request.subnetId",
        ],
        "",
    ),
    row(
        PEERINGS,
        "AWS::EC2::VPCPeeringConnection",
        &["request.vpcPeeringConnectionId", "response.vpcPeeringConnection.vpcPeeringConnectionId"],
        "arn:{partition}:ec2:{region}:{account}:vpc-peering-connection/{name}",
    ),
    row(
        &["CreateTrafficMirrorSession", "ModifyTrafficMirrorSession", "DeleteTrafficMirrorSession"],
        "AWS::EC2::TrafficMirrorSession",
        &["request.trafficMirrorSessionId", "response.trafficMirrorSession.trafficMirrorSessionId"],
        "arn:{partition}:ec2:{region}:{account}:traffic-mirror-session/{name}",
    ),
    row(
        &["ModifySubnetAttribute", "CreateSubnet", "DeleteSubnet"],
        "AWS::EC2::Subnet",
        &["request.subnetId", "response.subnet.subnetId"],
        SUBNET,
    ),
    row(
        &["CreateVpc", "DeleteVpc", "ModifyVpcAttribute"],
        "AWS::EC2::VPC",
        &["request.vpcId", "response.vpc.vpcId"],
        VPC,
    ),
    row(
        &["ModifyVpcEndpointServicePermissions"],
        "AWS::EC2::VPCEndpointService",
        &["request.serviceId"],
        "arn:{partition}:ec2:{region}:{account}:vpc-endpoint-service/{name}",
    ),
    row(
        &["ModifyFpgaImageAttribute"],
        "AWS::EC2::FpgaImage",
        &["request.fpgaImageId"],
        "arn:{partition}:ec2:{region}::fpga-image/{name}",
    ),
    row(&["SharedSnapshot*"], "AWS::EC2::Snapshot", &["service.snapshotId"], SNAPSHOT),
    row(&["CreateTags", "DeleteTags"], "", &["request.resourcesSet.items.resourceId"], ""),
    row(&["*"], "AWS::EC2::Instance", &["request.instanceId", "request.instancesSet.items.instanceId"], INSTANCE),
    row(&["*"], "AWS::EC2::SecurityGroup", &["request.groupId"], GROUP),
    row(&["*"], "AWS::EC2::Subnet", &["request.subnetId"], SUBNET),
    row(&["*"], "AWS::EC2::VPC", &["request.vpcId"], VPC),
];

pub(super) const ELB: &[Row] = &[
    row(
        &["CreateListener", "ModifyListener", "DeleteListener"],
        "AWS::ElasticLoadBalancingV2::Listener",
        &["request.listenerArn", "response.listeners.listenerArn"],
        "",
    ),
    row(&["CreateListener"], "AWS::ElasticLoadBalancingV2::LoadBalancer", &["request.loadBalancerArn"], ""),
    row(
        &["*"],
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        &["request.loadBalancerArn", "response.loadBalancers.loadBalancerArn"],
        "",
    ),
    row(
        &["*"],
        "AWS::ElasticLoadBalancing::LoadBalancer",
        &["request.loadBalancerName"],
        "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{name}",
    ),
];

pub(super) const CLOUD_FRONT: &[Row] = &[
    row(
        &["CreateDistribution*", "UpdateDistribution*", "DeleteDistribution*"],
        "AWS::CloudFront::Distribution",
        &["request.id", "response.distribution.id"],
        "arn:{partition}:cloudfront::{account}:distribution/{name}",
    )
    .logged(&["response.distribution.aRN"]),
    row(&["TagResource", "UntagResource"], "AWS::CloudFront::Distribution", &["request.resource"], ""),
];

pub(super) const API_GATEWAY: &[Row] = &[
    row(
        &["CreateRoute", "UpdateRoute", "DeleteRoute", "CreateApi", "UpdateApi", "DeleteApi"],
        "AWS::ApiGatewayV2::Api",
        &["request.apiId", "response.apiId"],
        "arn:{partition}:apigateway:{region}::/apis/{name}",
    ),
    row(
        &["CreateRoute", "UpdateRoute"],
        "AWS::ApiGatewayV2::Route",
        &["request.routeId", "response.routeId", "request.routeKey"],
        "",
    ),
    row(
        &["*"],
        "AWS::ApiGateway::RestApi",
        &["request.restApiId", "response.id"],
        "arn:{partition}:apigateway:{region}::/restapis/{name}",
    ),
    row(&["*"], "AWS::ApiGatewayV2::Api", &["request.apiId"], "arn:{partition}:apigateway:{region}::/apis/{name}"),
    row(&["TagResource", "UntagResource"], "AWS::ApiGateway::RestApi", &["request.resourceArn"], ""),
];

pub(super) const ROUTE_53: &[Row] =
    &[row(&["*"], "AWS::Route53::HostedZone", &["request.hostedZoneId", "request.id", "response.hostedZone.id"], "")];

pub(super) const ROUTE_53_DOMAINS: &[Row] = &[row(&["*"], "AWS::Route53Domains::Domain", &["request.domainName"], "")];

pub(super) const ROUTE_53_RESOLVER: &[Row] = &[row(
    &["*"],
    "AWS::Route53Resolver::ResolverQueryLoggingConfig",
    &["request.resolverQueryLogConfigId", "response.resolverQueryLogConfig.id"],
    "arn:{partition}:route53resolver:{region}:{account}:resolver-query-log-config/{name}",
)
.logged(&["response.resolverQueryLogConfig.arn"])];

pub(super) const WAF_V2: &[Row] = &[
    row(&["AssociateWebACL", "DisassociateWebACL"], "AWS::WAFv2::WebACLAssociation", &["request.resourceArn"], ""),
    row(
        &["PutLoggingConfiguration", "DeleteLoggingConfiguration"],
        "AWS::WAFv2::WebACL",
        &["request.loggingConfiguration.resourceArn", "request.resourceArn"],
        "",
    ),
    row(&["CreateRuleGroup", "UpdateRuleGroup", "DeleteRuleGroup"], "AWS::WAFv2::RuleGroup", &["request.name"], "")
        .logged(&["response.summary.aRN"]),
    row(&["CreateIPSet", "UpdateIPSet", "DeleteIPSet"], "AWS::WAFv2::IPSet", &["request.name"], "")
        .logged(&["response.summary.aRN"]),
    row(&["*"], "AWS::WAFv2::WebACL", &["request.name"], "").logged(&["response.summary.aRN"]),
];

pub(super) const WAF: &[Row] = &[
    row(
        &["AssociateWebACL", "DisassociateWebACL"],
        "AWS::WAFRegional::WebACLAssociation",
        &["request.resourceArn"],
        "",
    ),
    row(&["*"], "AWS::WAF::WebACL", &["request.webACLId", "response.webACL.webACLId"], ""),
];

pub(super) const VPC_LATTICE: &[Row] = &[row(
    &["PutAuthPolicy", "PutResourcePolicy", "DeleteAuthPolicy", "DeleteResourcePolicy"],
    "AWS::VpcLattice::Service",
    &["request.resourceIdentifier", "request.resourceArn"],
    "",
)];
