//! The table of policies. A row gives what is particular about its statements; the rest is filled in from where the
//! policy hangs. Owner is 111122223333.

use onus_core::{Audience, Json, Level};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const OWNER: &str = "111122223333";

#[derive(Debug, Clone, Copy)]
enum On {
    Bucket,
    AccessPoint,
    Queue,
    Key,
    Function,
    Role,
}
use On::{AccessPoint, Bucket, Function, Key, Queue, Role};

impl On {
    fn context(self) -> Context<'static> {
        let (resource, kind) = match self {
            Bucket => ("arn:aws:s3:::example", PolicyKind::Resource),
            AccessPoint => ("arn:aws:s3:eu-west-1:111122223333:accesspoint/example", PolicyKind::Resource),
            Queue => ("arn:aws:sqs:eu-west-1:111122223333:example", PolicyKind::Resource),
            Key => ("arn:aws:kms:eu-west-1:111122223333:key/example", PolicyKind::Resource),
            Function => ("arn:aws:lambda:eu-west-1:111122223333:function:example", PolicyKind::Resource),
            Role => ("arn:aws:iam::111122223333:role/example", PolicyKind::Trust),
        };
        Context { account: OWNER, resource, kind }
    }

    fn defaults(self) -> Value {
        match self {
            Bucket => json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::example/*"}),
            AccessPoint => json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}),
            Queue => json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}),
            Key => json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}),
            Function => json!({"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": "*"}),
            Role => json!({"Effect": "Allow", "Action": "sts:AssumeRole"}),
        }
    }

    /// A whole document out of a row: `P` is short for Principal, `N` for `NotPrincipal`, `C` for Condition.
    fn document(self, row: &str) -> Value {
        let given: Value = serde_json::from_str(row).unwrap_or_else(|error| panic!("{row}: {error}"));
        let statements: Vec<Value> = match given {
            Value::Array(list) => list,
            one => vec![one],
        };
        let filled = statements.into_iter().map(|statement| {
            let mut whole = self.defaults();
            for (name, value) in statement.as_object().expect("an object") {
                let name = match name.as_str() {
                    "P" => "Principal",
                    "N" => "NotPrincipal",
                    "C" => "Condition",
                    other => other,
                };
                whole[name] = value.clone();
            }
            whole
        });
        json!({"Version": "2012-10-17", "Statement": filled.collect::<Vec<_>>()})
    }
}

/// The widest audience of a document, with the account where one is told: `external 444455556666`.
fn widest(on: On, document: &Value) -> String {
    let judged =
        judge(&Json::from_value(document), &on.context()).unwrap_or_else(|error| panic!("{document}: {error}"));
    let grants = judged.iter().flat_map(|j| &j.grants);
    match grants.min_by_key(|grant| (grant.audience, grant.account.clone())) {
        None => "nobody".to_owned(),
        Some(grant) => match &grant.account {
            Some(account) if grant.audience == Audience::External => format!("external {account}"),
            _ => grant.audience.as_str().to_owned(),
        },
    }
}

#[rustfmt::skip]
const TABLE: &[(&str, On, &str, &str)] = &[
    // Who is named.
    ("everyone as a star",               Bucket, r#"{"P":"*"}"#, "public"),
    ("everyone as AWS star",             Bucket, r#"{"P":{"AWS":"*"}}"#, "public"),
    ("everyone in a list",               Bucket, r#"{"P":{"AWS":["arn:aws:iam::111122223333:root","*"]}}"#, "public"),
    ("everyone on a queue",              Queue,  r#"{"P":"*"}"#, "public"),
    ("everyone on a key",                Key,    r#"{"P":{"AWS":"*"}}"#, "public"),
    ("everyone may assume",              Role,   r#"{"P":{"AWS":"*"}}"#, "public"),
    ("everyone but one",                 Bucket, r#"{"N":{"AWS":"arn:aws:iam::111122223333:user/a"}}"#, "public"),
    ("a wildcard for the account",       Bucket, r#"{"P":{"AWS":"arn:aws:iam::*:root"}}"#, "public"),
    ("the owner's root",                 Bucket, r#"{"P":{"AWS":"arn:aws:iam::111122223333:root"}}"#, "internal"),
    ("the owner as a bare id",           Bucket, r#"{"P":{"AWS":"111122223333"}}"#, "internal"),
    ("a role of the owner",              Role,   r#"{"P":{"AWS":"arn:aws:iam::111122223333:role/a"}}"#, "internal"),
    ("another account's root",           Bucket, r#"{"P":{"AWS":"arn:aws:iam::444455556666:root"}}"#, "external 444455556666"),
    ("another account as a bare id",     Queue,  r#"{"P":{"AWS":["444455556666"]}}"#, "external 444455556666"),
    ("another account's session",        Key,    r#"{"P":{"AWS":"arn:aws:sts::444455556666:assumed-role/a/b"}}"#, "external 444455556666"),
    ("another partition's account",      Bucket, r#"{"P":{"AWS":"arn:aws-cn:iam::444455556666:root"}}"#, "external 444455556666"),
    ("a unique id",                      Bucket, r#"{"P":{"AWS":"AROAEXAMPLEEXAMPLE123"}}"#, "external"),
    ("a canonical user",                 Bucket, r#"{"P":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}}"#, "external"),
    ("an origin access identity",        Bucket, r#"{"P":{"AWS":"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE"}}"#, "service"),
    ("nobody in the list",               Bucket, r#"{"P":{"AWS":[]}}"#, "nobody"),
    ("a service without a source",       Bucket, r#"{"P":{"Service":"cloudtrail.amazonaws.com"}}"#, "service"),
    ("a service for the owner",          Bucket, r#"{"P":{"Service":"cloudtrail.amazonaws.com"},"C":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}"#, "internal"),
    ("a service for a bucket",           Queue,  r#"{"P":{"Service":"s3.amazonaws.com"},"C":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::example"}}}"#, "internal"),
    ("a service for another account",    Queue,  r#"{"P":{"Service":"sns.amazonaws.com"},"C":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:444455556666:t"}}}"#, "external 444455556666"),
    ("a service for an organisation",    Queue,  r#"{"P":{"Service":"sns.amazonaws.com"},"C":{"StringEquals":{"aws:SourceOrgID":"o-a1b2c3d4e5"}}}"#, "internal"),
    ("a service for any source",         Queue,  r#"{"P":{"Service":"sns.amazonaws.com"},"C":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:*"}}}"#, "service"),
    ("tagging sessions is no access",    Role,   r#"{"P":{"AWS":"*"},"Action":"sts:TagSession"}"#, "nobody"),
    // Federated.
    ("Facebook, any app",                Bucket, r#"{"P":{"Federated":"graph.facebook.com"},"Action":"s3:PutObject"}"#, "public"),
    ("Facebook, one app",                Role,   r#"{"P":{"Federated":"graph.facebook.com"},"C":{"StringEquals":{"graph.facebook.com:app_id":"1"}}}"#, "external"),
    ("GitHub, only the audience",        Role,   r#"{"P":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","C":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}}"#, "public"),
    ("GitHub, any repository",           Role,   r#"{"P":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","C":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:*"}}}"#, "public"),
    ("GitHub, one organisation",         Role,   r#"{"P":{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","C":{"StringLike":{"token.actions.githubusercontent.com:sub":"repo:example/*"}}}"#, "external"),
    ("a cluster's own issuer",           Role,   r#"{"P":{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"},"Action":"sts:AssumeRoleWithWebIdentity"}"#, "internal"),
    ("an own SAML provider",             Role,   r#"{"P":{"Federated":"arn:aws:iam::111122223333:saml-provider/a"},"Action":"sts:AssumeRoleWithSAML"}"#, "internal"),
    ("a foreign SAML provider",          Role,   r#"{"P":{"Federated":"arn:aws:iam::444455556666:saml-provider/a"},"Action":"sts:AssumeRoleWithSAML"}"#, "external 444455556666"),
    // Fixed values.
    ("a fixed VPC",                      Bucket, r#"{"P":"*","C":{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}}"#, "external vpc-91237329"),
    ("any VPC",                          Bucket, r#"{"P":"*","C":{"StringLike":{"aws:SourceVpc":"vpc-*"}}}"#, "public"),
    ("a fixed VPC endpoint",             Bucket, r#"{"P":"*","C":{"StringEquals":{"aws:sourceVpce":"vpce-1a2b3c4d"}}}"#, "external vpce-1a2b3c4d"),
    ("one endpoint or any",              Bucket, r#"{"P":"*","C":{"StringLike":{"aws:SourceVpce":["vpce-1a2b3c4d","*"]}}}"#, "public"),
    ("one organisation",                 Bucket, r#"{"P":"*","C":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}"#, "external o-a1b2c3d4e5"),
    ("keys ignore case",                 Bucket, r#"{"P":"*","C":{"stringequals":{"AWS:principalorgid":"o-a1b2c3d4e5"}}}"#, "external o-a1b2c3d4e5"),
    ("any organisation",                 Bucket, r#"{"P":"*","C":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}}"#, "public"),
    ("a part of an organisation",        Bucket, r#"{"P":"*","C":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/r-ab12/*"}}}"#, "external o-a1b2c3d4e5"),
    ("the part of any organisation",     Bucket, r#"{"P":"*","C":{"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"o-*/r-ab12/*"}}}"#, "public"),
    ("the owner's identities",           Queue,  r#"{"P":"*","C":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}}"#, "internal"),
    ("two accounts' identities",         Queue,  r#"{"P":"*","C":{"StringEquals":{"aws:PrincipalAccount":["111122223333","444455556666"]}}}"#, "external 444455556666"),
    ("an account as a policy variable",  Queue,  r#"{"P":"*","C":{"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}}}"#, "public"),
    ("the default topic policy",         Queue,  r#"{"P":{"AWS":"*"},"C":{"StringEquals":{"AWS:SourceOwner":"111122223333"}}}"#, "internal"),
    ("a fixed topic",                    Queue,  r#"{"P":"*","C":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:t"}}}"#, "internal"),
    ("any topic of the owner",           Queue,  r#"{"P":"*","C":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}}}"#, "internal"),
    ("the same with a star over colons", Queue,  r#"{"P":"*","C":{"StringLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}}}"#, "public"),
    ("S3 takes the rule to the letter",  Bucket, r#"{"P":"*","C":{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}}}"#, "public"),
    ("a fixed bucket",                   Queue,  r#"{"P":"*","C":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:*:example"}}}"#, "external"),
    ("buckets by prefix",                Queue,  r#"{"P":"*","C":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::example*"}}}"#, "public"),
    ("an account cut off by a star",     Queue,  r#"{"P":"*","C":{"StringLike":{"aws:SourceArn":"arn:aws:sns:us-east-1:1111*"}}}"#, "public"),
    ("the owner's access points",        Bucket, r#"{"P":"*","C":{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:111122223333:accesspoint/*"}}}"#, "internal"),
    ("anybody's access points",          Bucket, r#"{"P":"*","C":{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:*:accesspoint/*"}}}"#, "public"),
    ("the same on an access point",      AccessPoint, r#"{"P":"*","C":{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:111122223333:accesspoint/*"}}}"#, "public"),
    ("an access point's account",        Bucket, r#"{"P":"*","C":{"StringEquals":{"s3:DataAccessPointAccount":"111122223333"}}}"#, "internal"),
    ("a role by its unique id",          Queue,  r#"{"P":"*","C":{"StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLE123:*"}}}"#, "external"),
    ("the same on a bucket",             Bucket, r#"{"P":"*","C":{"StringLike":{"aws:userid":"AROAEXAMPLEEXAMPLE123:*"}}}"#, "public"),
    ("a user by its unique id",          Bucket, r#"{"P":"*","C":{"StringEquals":{"aws:userid":"AIDAEXAMPLEEXAMPLE123"}}}"#, "external"),
    ("a caller's account of a key",      Key,    r#"{"P":{"AWS":"*"},"C":{"StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}"#, "internal"),
    ("through a service, from anywhere", Key,    r#"{"P":{"AWS":"*"},"C":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}}"#, "public"),
    ("a URL without credentials",        Function, r#"{"P":"*","C":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}}"#, "public"),
    ("a URL with credentials",           Function, r#"{"P":"*","C":{"StringEquals":{"lambda:FunctionUrlAuthType":"AWS_IAM"}}}"#, "any_authenticated"),
    ("only services",                    Queue,  r#"{"P":"*","C":{"Bool":{"aws:PrincipalIsAWSService":"true"}}}"#, "service"),
    // Addresses.
    ("one address",                      Bucket, r#"{"P":"*","C":{"IpAddress":{"aws:SourceIp":"54.240.143.188/32"}}}"#, "external"),
    ("a /8",                             Bucket, r#"{"P":"*","C":{"IpAddress":{"aws:SourceIp":"54.0.0.0/8"}}}"#, "external"),
    ("broader than a /8",                Bucket, r#"{"P":"*","C":{"IpAddress":{"aws:SourceIp":"54.0.0.0/7"}}}"#, "public"),
    ("half of the internet",             Bucket, r#"{"P":"*","C":{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","54.240.143.188"]}}}"#, "public"),
    ("a /32 of IPv6",                    Bucket, r#"{"P":"*","C":{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}}"#, "external"),
    ("broader than a /32 of IPv6",       Bucket, r#"{"P":"*","C":{"IpAddress":{"aws:SourceIp":"2001:d00::/24"}}}"#, "public"),
    ("all but some addresses",           Bucket, r#"{"P":"*","C":{"NotIpAddress":{"aws:SourceIp":"54.240.143.188/32"}}}"#, "public"),
    // Conditions that fix nothing.
    ("TLS",                              Bucket, r#"{"P":"*","C":{"Bool":{"aws:SecureTransport":"true"}}}"#, "public"),
    ("a referer",                        Bucket, r#"{"P":"*","C":{"StringLike":{"aws:Referer":"https://example.com/*"}}}"#, "public"),
    ("an external id",                   Role,   r#"{"P":{"AWS":"*"},"C":{"StringEquals":{"sts:ExternalId":"12345"}}}"#, "public"),
    ("a principal's tag",                Bucket, r#"{"P":"*","C":{"StringEquals":{"aws:PrincipalTag/team":"a"}}}"#, "public"),
    ("if the key exists",                Bucket, r#"{"P":"*","C":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}"#, "public"),
    ("if it exists, and it must",        Bucket, r#"{"P":"*","C":{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},"Null":{"aws:PrincipalOrgID":"false"}}}"#, "external o-a1b2c3d4e5"),
    ("it must exist, whatever it is",    Bucket, r#"{"P":"*","C":{"Null":{"aws:SourceVpc":"false"}}}"#, "public"),
    ("for all values, of which none",    Bucket, r#"{"P":"*","C":{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}"#, "public"),
    ("all but one organisation",         Bucket, r#"{"P":"*","C":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}"#, "public"),
    ("no value",                         Bucket, r#"{"P":"*","C":{"StringEquals":{"aws:PrincipalOrgID":[]}}}"#, "public"),
    ("a fixed and an open key",          Bucket, r#"{"P":"*","C":{"StringLike":{"aws:SourceVpc":"*","aws:SourceAccount":"111122223333"}}}"#, "internal"),
    // Deny.
    ("denied for everyone",              Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","Action":"s3:*"}]"#, "nobody"),
    ("denied first",                     Bucket, r#"[{"Effect":"Deny","P":{"AWS":"*"},"Action":"S3:Get*"},{"P":"*"}]"#, "nobody"),
    ("denied for other actions",         Bucket, r#"[{"P":"*","Action":["s3:GetObject","s3:PutObject"]},{"Effect":"Deny","P":"*","Action":"s3:PutObject"}]"#, "public"),
    ("denied for other objects",         Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","Resource":"arn:aws:s3:::example/private/*"}]"#, "public"),
    ("denied for all other actions",     Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","Action":null,"NotAction":"s3:GetObject"}]"#, "public"),
    ("denied with what is not spared",   Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","Action":null,"NotAction":"s3:PutObject"}]"#, "nobody"),
    ("denied to one account",            Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":{"AWS":"444455556666"}}]"#, "public"),
    ("denied to the very account",       Bucket, r#"[{"P":{"AWS":"444455556666"}},{"Effect":"Deny","P":{"AWS":"444455556666"}}]"#, "nobody"),
    ("denied to all but one account",    Bucket, r#"[{"P":"*"},{"Effect":"Deny","N":{"AWS":"arn:aws:iam::111122223333:root"}}]"#, "internal"),
    ("denied outside the organisation",  Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","Action":"s3:*","C":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}]"#, "external o-a1b2c3d4e5"),
    ("the same if it exists",            Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"StringNotEqualsIfExists":{"aws:PrincipalAccount":"111122223333"}}}]"#, "internal"),
    ("denied outside any organisation",  Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"StringNotLike":{"aws:PrincipalOrgID":"o-*"}}}]"#, "public"),
    ("denied outside a VPC, or plain",   Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"StringNotEquals":{"aws:SourceVpc":"vpc-1"},"Bool":{"aws:SecureTransport":"false"}}}]"#, "public"),
    ("denied outside, but for services", Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"StringNotEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"},"BoolIfExists":{"aws:PrincipalIsAWSService":"false"}}}]"#, "external o-a1b2c3d4e5"),
    ("denied without TLS",               Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"Bool":{"aws:SecureTransport":"false"}}}]"#, "public"),
    ("denied outside a network",         Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"NotIpAddress":{"aws:SourceIp":"54.240.143.0/24"}}}]"#, "external"),
    ("denied outside half the internet", Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"NotIpAddress":{"aws:SourceIp":"0.0.0.0/1"}}}]"#, "public"),
    ("denied to one organisation",       Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}]"#, "public"),
    ("denied for any value outside",     Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"ForAnyValue:StringNotLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}}}]"#, "public"),
    ("denied for all values outside",    Bucket, r#"[{"P":"*"},{"Effect":"Deny","P":"*","C":{"ForAllValues:StringNotLike":{"aws:PrincipalOrgPaths":"o-a1b2c3d4e5/*"}}}]"#, "external o-a1b2c3d4e5"),
    ("only a Deny",                      Bucket, r#"{"Effect":"Deny","P":"*"}"#, "nobody"),
    // Whatever else is granted, the widest counts.
    ("one good and one bad statement",   Bucket, r#"[{"P":{"AWS":"111122223333"}},{"P":"*"}]"#, "public"),
];

#[test]
fn every_policy_of_the_table_reaches_whom_it_says() {
    let wrong: Vec<String> = TABLE
        .iter()
        .filter_map(|(name, on, row, expected)| {
            let found = widest(*on, &on.document(row));
            (found != *expected).then(|| format!("{name}: expected {expected}, found {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(TABLE.len() >= 100, "{}", TABLE.len());
}

#[test]
fn every_spelling_of_a_document_is_read_alike() {
    let policy = Bucket.document(r#"{"Sid":"Open","P":"*"}"#);
    let text = policy.to_string();
    let encoded = percent_encoding::percent_encode(text.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string();
    let single = json!({"Statement": policy["Statement"][0]});
    let expected = judge(&Json::from_value(&policy), &Bucket.context()).unwrap();
    assert_eq!(expected[0].part(), "Open");
    for spelling in [json!(text), json!(encoded), single] {
        assert_eq!(judge(&Json::from_value(&spelling), &Bucket.context()).as_ref(), Ok(&expected), "{spelling}");
    }
}

#[test]
fn a_shared_sid_names_no_statement() {
    let policy = Bucket.document(r#"[{"Sid":"A","P":"*"},{"Sid":"A","P":"*"},{"Sid":"","P":"*"}]"#);
    let parts: Vec<String> =
        judge(&Json::from_value(&policy), &Bucket.context()).unwrap().iter().map(Judged::part).collect();
    assert_eq!(parts, ["#0", "#1", "#2"]);
}

#[test]
fn a_wrong_document_is_refused_with_its_path() {
    let cases = [
        (json!(null), "expected an object or JSON text, found null"),
        (json!("{"), "parsing policy document"),
        (json!("[]"), "found an array"),
        (json!({}), "`Statement`: missing"),
        (json!({"Statement": 1}), "`Statement`: expected an object or a list"),
        (json!({"Statement": [1]}), "`Statement[0]`"),
        (json!({"Statement": [{"Effect": "allow", "Principal": "*", "Action": "*"}]}), "`Statement[0].Effect`"),
        (json!({"Statement": [{"Effect": "Allow", "Principal": "*"}]}), "`Statement[0].Action`: missing"),
        (json!({"Statement": [{"Effect": "Allow", "Action": "*"}]}), "`Statement[0].Principal`: missing"),
        (json!({"Statement": {"Effect": "Allow", "Principal": "x", "Action": "*"}}), "expected `*` or an object"),
        (json!({"Statement": {"Effect": "Allow", "Principal": {"Aws:": "x"}, "Action": "*"}}), "Principal.Aws:`"),
        (json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": [1]}}), "`Statement[0].Action`"),
        (
            json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Condition": {"Bool": 1}}}),
            "`Statement[0].Condition.Bool`",
        ),
    ];
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(document, expected)| {
            let found = judge(&Json::from_value(document), &Bucket.context()).expect_err("a refusal").to_string();
            (!found.contains(expected)).then(|| format!("{document}: {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn administrators_are_who_can_give_themselves_anything() {
    let cases = [
        (json!({"Effect": "Allow", "Action": "*", "Resource": "*"}), true),
        (json!({"Effect": "Allow", "Action": "*:*", "Resource": "*"}), true),
        (json!({"Effect": "Allow", "Action": ["s3:GetObject", "iam:*"], "Resource": ["*"]}), true),
        (json!({"Effect": "Allow", "Action": "iam:Put*", "Resource": "arn:aws:iam::*:*"}), true),
        (
            json!({"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "arn:aws:iam::111122223333:user/*"}),
            true,
        ),
        (
            json!({"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "arn:aws:iam::111122223333:role/*"}),
            false,
        ),
        (
            json!({"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "arn:aws:iam::*:user/${aws:username}"}),
            false,
        ),
        (json!({"Effect": "Allow", "Action": "*", "Resource": "arn:*:*:*:*:*"}), true),
        (json!({"Effect": "Allow", "Action": "iam:attachuserpolicy", "Resource": "*"}), true),
        (json!({"Effect": "Allow", "NotAction": "aws-portal:*", "Resource": "*"}), true),
        (json!({"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}), false),
        (
            json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}),
            true,
        ),
        (json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}), false),
        (json!({"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}), false),
        (json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::example/*"}), false),
        (json!({"Effect": "Deny", "Action": "*", "Resource": "*"}), false),
        (
            json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}]),
            false,
        ),
        (
            json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "iam:Put*", "Resource": "*"}]),
            true,
        ),
    ];
    let wrong: Vec<&Value> = cases
        .iter()
        .filter(|(statement, yes)| is_admin(&Json::from_value(&json!({"Statement": statement})), OWNER) != Ok(*yes))
        .map(|(statement, _)| statement)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_level_is_the_most_that_the_actions_allow() {
    let cases = [
        (json!("s3:GetObject"), Level::Read),
        (json!(["s3:Get*", "s3:List*"]), Level::Read),
        (json!("sqs:ReceiveMessage"), Level::Read),
        (json!("kms:Decrypt"), Level::Read),
        (json!("lambda:InvokeFunction"), Level::Read),
        (json!(["s3:GetObject", "s3:PutObject"]), Level::Write),
        (json!("sqs:SendMessage"), Level::Write),
        (json!("s3:Delete*"), Level::Admin),
        (json!("s3:PutBucketPolicy"), Level::Admin),
        (json!("s3:Put*"), Level::Admin),
        (json!("kms:CreateGrant"), Level::Admin),
        (json!("sqs:*"), Level::Admin),
        (json!("*"), Level::Admin),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .filter(|(actions, level)| {
            let document = json!({"Statement": {"Effect": "Allow", "Principal": "*", "Action": actions}});
            judge(&Json::from_value(&document), &Bucket.context()).unwrap()[0].grants[0].level != *level
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn a_statement_gives_one_grant_for_each_principal_and_account() {
    let policy = Queue.document(
        r#"{"P":{"AWS":["444455556666","111122223333"],"Service":"sns.amazonaws.com"},"Action":["sqs:SendMessage"]}"#,
    );
    let judged = judge(&Json::from_value(&policy), &Queue.context()).unwrap();
    insta::assert_json_snapshot!(judged[0].grants[0], @r##"
    {
      "resource": "arn:aws:sqs:eu-west-1:111122223333:example",
      "audience": "external",
      "principal": "444455556666",
      "account": "444455556666",
      "actions": [
        "sqs:SendMessage"
      ],
      "level": "write",
      "via": "policy",
      "part": "#0"
    }
    "##);
    let audiences: Vec<Audience> = judged[0].grants.iter().map(|grant| grant.audience).collect();
    assert_eq!(audiences, [Audience::External, Audience::Internal, Audience::Service]);
}

#[test]
fn an_unknown_owner_is_a_doubt_where_it_matters() {
    let judged = |row: &str| {
        let context = Context { account: "", ..Bucket.context() };
        judge(&Json::from_value(&Bucket.document(row)), &context).unwrap().remove(0)
    };
    let named = judged(r#"{"P":{"AWS":"111122223333"}}"#);
    assert_eq!(named.audience, Some(Audience::External));
    assert_eq!(named.doubts.len(), 1);
    assert_eq!(judged(r#"{"P":"*"}"#).doubts, []);
}

#[test]
fn a_huge_policy_is_judged_in_bounded_work_and_space() {
    let many = |text: &str, count: usize| Value::Array((0..count).map(|n| json!(format!("{text}{n}"))).collect());
    let document = json!({"Statement": [
        {"Effect": "Allow", "Principal": {"AWS": many("arn:aws:iam::444455556666:role/", 2000)}, "Action": many("s3:Get", 8000)},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "a".repeat(50_000)},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": format!("*{}b", "a".repeat(50_000))},
    ]});
    let judged = judge(&Json::from_value(&document), &Bucket.context()).unwrap();
    assert_eq!(judged[0].grants.len(), 2000);
    assert_eq!(judged[0].grants[0].actions.last().unwrap(), "and 7900 more");
    assert_eq!(judged[1].audience, Some(Audience::Public));
}

#[test]
fn of_a_repeated_operator_only_the_last_counts() {
    let text = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Condition":{
        "StringEquals":{"aws:SourceVpc":"vpc-1"},"StringEquals":{"aws:Referer":"example.com"}}}}"#;
    let judged = judge(&Json::parse(text).unwrap(), &Bucket.context()).unwrap();
    assert_eq!(judged[0].audience, Some(Audience::Public));
}

fn element() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        Just(json!("*")),
        Just(json!("arn:aws:iam::111122223333:root")),
        Just(json!("444455556666")),
        Just(json!("s3:GetObject")),
        "[a-zA-Z0-9:*?${}/-]{0,24}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    text.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![
                    Just("AWS".to_owned()),
                    Just("Service".to_owned()),
                    Just("StringEquals".to_owned()),
                    Just("ForAllValues:StringLike".to_owned()),
                    Just("aws:SourceArn".to_owned()),
                    Just("aws:SourceIp".to_owned()),
                    "[a-zA-Z:]{0,8}",
                ],
                inner,
                0..3
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_statement() -> impl Strategy<Value = Value> {
    let names = ["Effect", "Sid", "Action", "NotAction", "Resource", "Principal", "NotPrincipal", "Condition"];
    prop::collection::vec((prop::sample::select(names.to_vec()), element()), 0..8).prop_map(|members| {
        let mut statement = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"});
        for (name, value) in members {
            statement[name] = value;
        }
        statement
    })
}

/// A statement that the grammar allows.
fn statement() -> impl Strategy<Value = Value> {
    let principal = prop::sample::select(vec![
        json!("*"),
        json!({"AWS": "111122223333"}),
        json!({"AWS": ["444455556666", "111122223333"]}),
        json!({"Service": "sns.amazonaws.com"}),
    ]);
    let action = prop::sample::select(vec![json!("sqs:SendMessage"), json!("sqs:*"), json!("*"), json!("sqs:Get*")]);
    let condition = prop::sample::select(vec![
        json!({}),
        json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}}),
        json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        json!({"StringNotEquals": {"aws:SourceAccount": ["111122223333", "444455556666"]}}),
        json!({"NotIpAddress": {"aws:SourceIp": "54.240.143.0/24"}}),
        json!({"Bool": {"aws:PrincipalIsAWSService": "false"}}),
        json!({"Bool": {"aws:SecureTransport": "false"}}),
    ]);
    (principal, action, condition, any::<bool>(), any::<bool>()).prop_map(
        |(principal, action, condition, allow, not)| {
            let whom = if not { "NotPrincipal" } else { "Principal" };
            json!({
                "Effect": if allow { "Allow" } else { "Deny" },
                (whom): if not { json!({"AWS": "111122223333"}) } else { principal },
                "Action": action, "Resource": "*", "Condition": condition,
            })
        },
    )
}

/// Each statement's audience; `None` last, as the narrowest.
fn audiences(statements: &[Value]) -> Vec<(bool, Option<Audience>)> {
    let document = json!({"Statement": statements});
    let judged = judge(&Json::from_value(&document), &Queue.context()).unwrap();
    judged.iter().map(|j| (j.audience.is_none(), j.audience)).collect()
}

proptest! {
    #[test]
    fn judging_never_panics(statements in prop::collection::vec(any_statement(), 0..4), text in ".{0,64}") {
        let document = json!({"Statement": statements});
        for on in [Bucket, AccessPoint, Queue, Key, Function, Role] {
            let _ = judge(&Json::from_value(&document), &on.context());
            let _ = judge(&Json::from_value(&json!(text)), &on.context());
        }
        let _ = is_admin(&Json::from_value(&document), OWNER);
    }

    #[test]
    fn one_more_deny_never_lets_more_in(
        statements in prop::collection::vec(statement(), 1..5), mut deny in statement(),
    ) {
        deny["Effect"] = json!("Deny");
        let before = audiences(&statements);
        let more: Vec<Value> = statements.into_iter().chain([deny]).collect();
        for (before, after) in before.iter().zip(audiences(&more)) {
            prop_assert!(after >= *before, "{before:?} became {after:?}");
        }
    }

    #[test]
    fn the_order_of_statements_does_not_matter(statements in prop::collection::vec(statement(), 1..6), by in 0usize..6) {
        let mut turned = statements.clone();
        let by = by % statements.len();
        turned.rotate_left(by);
        let mut expected = audiences(&statements);
        expected.rotate_left(by);
        prop_assert_eq!(audiences(&turned), expected);
    }
}
