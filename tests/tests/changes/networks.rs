//! What was opened to networks, and shared with accounts.

use onus_tests::client::Client;
use onus_tests::cloudtrail::record;
use serde_json::{Value, json};

use super::Case;

pub fn open_port(aws: &Client, number: u32) -> Case {
    let group = json!({ "GroupName": format!("bastion-{number}"), "Description": "x" });
    let group = aws.call("ec2", "CreateSecurityGroup", group)["GroupId"].clone();
    let permission = |network: &str| json!({ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{ "CidrIp": network }] });
    let authorize = |network: &str| json!({ "GroupId": group, "IpPermissions": [permission(network)] });
    aws.call("ec2", "AuthorizeSecurityGroupIngress", authorize("10.0.0.0/8"));
    let answer = aws.call("ec2", "AuthorizeSecurityGroupIngress", authorize("0.0.0.0/0"));
    let rule = &answer["SecurityGroupRules"][0];
    let request = json!({ "groupId": group, "ipPermissions": { "items": [{
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": { "items": [{ "cidrIp": "0.0.0.0/0" }] },
        "ipv6Ranges": {}, "prefixListIds": {},
    }] } });
    let response = json!({ "_return": true, "securityGroupRuleSet": { "items": [{
        "groupId": group, "securityGroupRuleId": rule["SecurityGroupRuleId"], "isEgress": false, "ipProtocol": "tcp",
        "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0",
    }] } });
    let record = record(&format!("port-{number}"), "ec2", "AuthorizeSecurityGroupIngress", request, response);
    let other_change = authorize("192.168.0.0/16");
    let read = move |aws: &Client| {
        let asked = json!({ "GroupIds": [group] });
        let groups = aws.call("ec2", "DescribeSecurityGroups", asked);
        let permissions = groups["SecurityGroups"][0]["IpPermissions"].as_array().expect("permissions").iter();
        let ranges = permissions.flat_map(|permission| permission["IpRanges"].as_array().expect("ranges"));
        let mut networks: Vec<_> =
            ranges.map(|range| range["CidrIp"].as_str().expect("a network").to_owned()).collect();
        networks.sort();
        json!(networks)
    };
    let moves = move |aws: &Client| drop(aws.call("ec2", "AuthorizeSecurityGroupIngress", other_change.clone()));
    let remedy = "aws.ec2.revoke_security_group_rules";
    Case { remedy, record, read: Box::new(read), good: json!(["10.0.0.0/8"]), moves: Box::new(moves) }
}

/// Accounts and groups that something is shared with, sorted.
fn shared(list: &Value) -> Value {
    let entries = list.as_array().expect("a list").iter();
    let mut names: Vec<_> = entries
        .map(|entry| entry["UserId"].as_str().or(entry["Group"].as_str()).expect("an account or a group").to_owned())
        .collect();
    names.sort();
    json!(names)
}

pub fn shared_snapshot(aws: &Client, number: u32) -> Case {
    let volume = json!({ "AvailabilityZone": "us-east-1a", "Size": 1 });
    let volume = aws.call("ec2", "CreateVolume", volume)["VolumeId"].clone();
    let id = aws.call("ec2", "CreateSnapshot", json!({ "VolumeId": volume }))["SnapshotId"].clone();
    let attribute = "createVolumePermission";
    let add = |key: &str, value: &str| json!({ "SnapshotId": id, "Attribute": attribute, "OperationType": "add", key: [value] });
    aws.call("ec2", "ModifySnapshotAttribute", add("UserIds", "111122223333"));
    aws.call("ec2", "ModifySnapshotAttribute", add("GroupNames", "all"));
    let request = json!({ "snapshotId": id, "attributeType": "CREATE_VOLUME_PERMISSION",
        "createVolumePermission": { "add": { "items": [{ "group": "all" }] } } });
    let record =
        record(&format!("snapshot-{number}"), "ec2", "ModifySnapshotAttribute", request, json!({ "_return": true }));
    let other_change = add("UserIds", "444455556666");
    let read = move |aws: &Client| {
        let asked = json!({ "SnapshotId": id, "Attribute": attribute });
        shared(&aws.call("ec2", "DescribeSnapshotAttribute", asked)["CreateVolumePermissions"])
    };
    let moves = move |aws: &Client| drop(aws.call("ec2", "ModifySnapshotAttribute", other_change.clone()));
    let remedy = "aws.ec2.unshare_snapshot";
    Case { remedy, record, read: Box::new(read), good: json!(["111122223333"]), moves: Box::new(moves) }
}

pub fn shared_image(aws: &Client, number: u32) -> Case {
    let images = aws.call("ec2", "DescribeImages", json!({ "Owners": ["amazon"] }));
    let image = images["Images"][0]["ImageId"].clone();
    let run = json!({ "ImageId": image, "MinCount": 1, "MaxCount": 1 });
    let instance = aws.call("ec2", "RunInstances", run)["Instances"][0]["InstanceId"].clone();
    let made = json!({ "InstanceId": instance, "Name": format!("golden-{number}") });
    let id = aws.call("ec2", "CreateImage", made)["ImageId"].clone();
    let add = |entry: Value| json!({ "ImageId": id, "LaunchPermission": { "Add": [entry] } });
    aws.call("ec2", "ModifyImageAttribute", add(json!({ "UserId": "111122223333" })));
    aws.call("ec2", "ModifyImageAttribute", add(json!({ "Group": "all" })));
    let request = json!({ "imageId": id, "attributeType": "launchPermission",
        "launchPermission": { "add": { "items": [{ "group": "all" }] } } });
    let record = record(&format!("image-{number}"), "ec2", "ModifyImageAttribute", request, json!({ "_return": true }));
    let other_change = add(json!({ "UserId": "444455556666" }));
    let read = move |aws: &Client| {
        let asked = json!({ "ImageId": id, "Attribute": "launchPermission" });
        shared(&aws.call("ec2", "DescribeImageAttribute", asked)["LaunchPermissions"])
    };
    let moves = move |aws: &Client| drop(aws.call("ec2", "ModifyImageAttribute", other_change.clone()));
    let remedy = "aws.ec2.unshare_image";
    Case { remedy, record, read: Box::new(read), good: json!(["111122223333"]), moves: Box::new(moves) }
}

pub fn shared_database_snapshot(aws: &Client, number: u32) -> Case {
    let (database, id) = (format!("orders-{number}"), format!("orders-{number}-today"));
    let made = json!({ "DBInstanceIdentifier": database, "DBInstanceClass": "db.t4g.micro", "Engine": "postgres",
        "MasterUsername": "owner", "MasterUserPassword": "correct-horse", "AllocatedStorage": 20 });
    aws.call("rds", "CreateDBInstance", made);
    let snapshot = json!({ "DBSnapshotIdentifier": id, "DBInstanceIdentifier": database });
    aws.call("rds", "CreateDBSnapshot", snapshot);
    let share = |with: &str| json!({ "DBSnapshotIdentifier": id, "AttributeName": "restore", "ValuesToAdd": [with] });
    aws.call("rds", "ModifyDBSnapshotAttribute", share("111122223333"));
    aws.call("rds", "ModifyDBSnapshotAttribute", share("all"));
    let request = json!({ "dBSnapshotIdentifier": id, "attributeName": "restore", "valuesToAdd": ["all"] });
    let response = json!({ "dBSnapshotIdentifier": id,
        "dBSnapshotAttributes": [{ "attributeName": "restore", "attributeValues": ["111122223333", "all"] }] });
    let record = record(&format!("database-{number}"), "rds", "ModifyDBSnapshotAttribute", request, response);
    let other_change = share("444455556666");
    let read = move |aws: &Client| {
        let asked = json!({ "DBSnapshotIdentifier": id });
        let answer = aws.call("rds", "DescribeDBSnapshotAttributes", asked);
        let attributes =
            answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"].as_array().expect("a list").iter();
        let restore = attributes.filter(|attribute| attribute["AttributeName"] == "restore");
        let values = restore.flat_map(|attribute| attribute["AttributeValues"].as_array().expect("a list"));
        let mut values: Vec<_> = values.map(|value| value.as_str().expect("an account").to_owned()).collect();
        values.sort();
        json!(values)
    };
    let moves = move |aws: &Client| drop(aws.call("rds", "ModifyDBSnapshotAttribute", other_change.clone()));
    let remedy = "aws.rds.unshare_snapshot";
    Case { remedy, record, read: Box::new(read), good: json!(["111122223333"]), moves: Box::new(moves) }
}

pub fn open_network_acl(aws: &Client, number: u32) -> Case {
    let vpc = aws.call("ec2", "CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["Vpc"]["VpcId"].clone();
    let id = aws.call("ec2", "CreateNetworkAcl", json!({ "VpcId": vpc }))["NetworkAcl"]["NetworkAclId"].clone();
    let entry = |position: u32, network: &str| {
        json!({ "NetworkAclId": id, "RuleNumber": position, "Egress": false,
        "RuleAction": "allow", "Protocol": "6", "CidrBlock": network, "PortRange": { "From": 22, "To": 22 } })
    };
    aws.call("ec2", "CreateNetworkAclEntry", entry(100, "10.0.0.0/8"));
    aws.call("ec2", "CreateNetworkAclEntry", entry(50, "0.0.0.0/0"));
    let request = json!({ "networkAclId": id, "ruleNumber": 50, "egress": false, "ruleAction": "allow", "aclProtocol": "6",
        "cidrBlock": "0.0.0.0/0", "icmpTypeCode": {}, "portRange": { "from": 22, "to": 22 } });
    let record = record(&format!("acl-{number}"), "ec2", "CreateNetworkAclEntry", request, json!({ "_return": true }));
    let other_change = entry(60, "192.168.0.0/16");
    let read = move |aws: &Client| {
        let acls = aws.call("ec2", "DescribeNetworkAcls", json!({ "NetworkAclIds": [id] }));
        let entries = acls["NetworkAcls"][0]["Entries"].as_array().expect("entries").iter();
        let inbound = entries.filter(|entry| entry["Egress"] == false && entry["RuleAction"] == "allow");
        let mut numbers: Vec<_> = inbound.map(|entry| entry["RuleNumber"].as_i64().expect("a number")).collect();
        numbers.sort_unstable();
        json!(numbers)
    };
    let moves = move |aws: &Client| drop(aws.call("ec2", "CreateNetworkAclEntry", other_change.clone()));
    let remedy = "aws.ec2.delete_network_acl_entry";
    Case { remedy, record, read: Box::new(read), good: json!([100]), moves: Box::new(moves) }
}
