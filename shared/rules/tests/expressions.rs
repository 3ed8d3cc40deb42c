//! What expressions mean: members that are missing, functions, doubts, mistakes.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "this is a test")]

use std::collections::BTreeMap;

use onus_core::{Change, Effects, Image, Outcome, State, Verdict};
use onus_rules::{Catalog, LoadErrors, Settings, evaluate};
use onus_sources::Decoded;
use onus_sources::aws::cloudtrail;
use proptest::prelude::*;
use serde_json::{Value, json};

fn rule_text(when: &str, more: &str) -> String {
    let when = when.replace('\'', "''");
    format!(
        "title: t\nstatus: draft\nseverity: low\nduty: {{ area: configuration_and_settings, service: S3 }}\nwhy: w\n\
         respond: [r]\nwatch: {{ source: aws.cloudtrail, actions: ['*:*'] }}\nwhen: '{when}'\n{more}"
    )
}

fn load(text: String) -> Result<Catalog, LoadErrors> {
    Catalog::load([("aws/s3/tested.yaml".to_owned(), text)])
}

fn record(request: &Value) -> String {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser", "principalId": "AIDACKCEVSQ6C2EXAMPLE", "accountId": "111122223333",
            "arn": "arn:aws:iam::111122223333:user/alice", "userName": "alice",
        },
        "eventTime": "2026-01-02T03:04:05Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutBucketLifecycle",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli",
        "requestParameters": request,
        "responseElements": null,
        "requestID": "R1",
        "eventID": "c0ffee00-0000-4000-8000-000000000001",
        "readOnly": false,
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    })
    .to_string()
}

/// The verdict of an expression on a request, or the error's text.
fn verdict_on(when: &str, more: &str, request: &Value, state: Option<&State>) -> Result<Verdict, String> {
    let catalog = load(rule_text(when, more)).map_err(|errors| errors.to_string())?;
    let rule = catalog.rule("aws.s3.tested").expect("the rule was loaded");
    let text = record(request);
    let settings = Settings { trusted_accounts: ["444455556666".to_owned()].into() };
    let change = change(&text);
    evaluate(rule, &change, state, &settings).map_err(|error| error.to_string())
}

fn change(text: &str) -> Change<'_> {
    match cloudtrail::decode(text) {
        Ok(Decoded::Change(change)) => *change,
        other => panic!("the record does not decode: {other:?}"),
    }
}

fn request() -> Value {
    json!({
        "bucketName": "logs", "port": 22, "portText": "22", "ratio": 1.5, "open": "True", "closed": false, "empty": "",
        "DBName": "main", "acl": ["private"], "none": null,
        "one": { "items": { "cidrIp": "0.0.0.0/0" } },
        "many": { "items": [{ "cidrIp": "0.0.0.0/1" }, { "cidrIp": "128.0.0.0/1" }] },
        "nothing": {}, "wrapped": { "content": "fl-1", "tag": 1 },
        "policy": "{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\"}]}",
        "broken": "{\"Statement\":[", "arn": "arn:aws:iam::444455556666:role/x",
    })
}

#[test]
fn a_change_that_has_only_begun_asks_for_state_where_it_would_fire() {
    let state = State { image: Image::default(), effects: Effects::none() };
    let cases = [("true", None, "needs state"), ("false", None, "silent"), ("true", Some(&state), "fires")];
    for (when, state, expected) in cases {
        let catalog = load(rule_text(when, "")).unwrap_or_else(|errors| panic!("{errors}"));
        let text = record(&request());
        let mut begun = change(&text);
        begun.outcome = Outcome::Begun;
        let rule = catalog.rule("aws.s3.tested").expect("the rule was loaded");
        let verdict = evaluate(rule, &begun, state, &Settings::default());
        let got = match verdict.expect("it is evaluated") {
            Verdict::Fires => "fires",
            Verdict::Silent => "silent",
            Verdict::NeedsState(_) => "needs state",
        };
        assert_eq!(got, expected, "{when}, state read: {}", state.is_some());
    }
}

#[test]
fn expressions_mean_what_the_readme_says() {
    let cases = [
        // A member that is not there, and one that is null.
        ("request.missing == null && request.none == null", true),
        ("null == request.missing", true),
        ("request.missing.deeper.still == null", true),
        ("request.missing == 'x' || request.missing == 0 || request.missing == false", false),
        ("request.missing != 'x'", true),
        ("request.missing < 5 || request.missing > 5 || 5 <= request.missing || 5 >= request.missing", false),
        ("request.missing.exists(x, true) || 'a' in request.missing", false),
        ("request.missing.all(x, false)", true),
        ("size(request.missing) == 0 && request.missing.size() == 0", true),
        ("request.missing.startsWith('a') || request.missing.contains('a') || request.missing.endsWith('a')", false),
        ("has(request.bucketName) && !has(request.missing) && !has(request.none)", true),
        ("request.empty.deeper == null", true),
        ("request.acl[7] == null && request.acl[0] == 'private'", true),
        // Selection: exact first, then whatever the case.
        ("request.dBName == 'main' && request['dbname'] == 'main'", true),
        ("'dbname' in request", true),
        // Numbers and truth values that were written as text.
        ("request.portText == 22", false),
        ("int_of(request.portText) == 22 && int_of(request.port) == 22", true),
        ("int_of(request.bucketName) == null && int_of(request.missing) == null", true),
        ("request.port > 21.5 && request.ratio < 2", true),
        ("truthy(request.open) && falsy(request.closed)", true),
        ("truthy(request.missing) || falsy(request.missing)", false),
        // Text.
        ("text(request.acl) == 'private' && text(request.port) == '22' && text(request.missing) == ''", true),
        ("text(request.wrapped) == 'fl-1'", true),
        ("lower(request.open) == 'true'", true),
        ("glob(request.bucketName, 'L*g?') && !glob(request.bucketName, 'l?') && !glob(request.missing, '*')", true),
        ("regex(request.bucketName, '^l[a-z]{3}$') && !regex(request.missing, '')", true),
        ("any_ci(request.acl, 'PRIVATE') && any_ci(request.bucketName, ['x', 'LOGS'])", true),
        ("any_ci(request.missing, 'x')", false),
        // One or many.
        ("size(list(request.one)) == 1 && size(list(request.many)) == 2", true),
        (
            "size(list(request.nothing)) == 0 && size(list(request.missing)) == 0 && size(list(request.empty)) == 0",
            true,
        ),
        ("list(request.bucketName) == ['logs'] && ['private'] == request.acl", true),
        ("is_internet(list(request.many).map(r, r.cidrIp))", true),
        ("is_internet(list(request.many).filter(r, r.cidrIp == '0.0.0.0/1').map(r, r.cidrIp)) ", true),
        ("is_internet(['10.0.0.0/8', 'nonsense'])", false),
        ("[request.empty, request.missing, request.nothing].all(x, x.deeper == null && !has(x['deeper'].still))", true),
        ("list(request.one).exists(r, r.cidrIp == '0.0.0.0/0')", true),
        // JSON in a text.
        (
            "json(request.policy).Statement.exists(s, s.effect == 'Allow' && list(s.Action).exists(a, a == 's3:*'))",
            true,
        ),
        ("json(request.policy).Statement[0].Effect == 'Allow'", true),
        ("json(request.one).items.cidrIp == '0.0.0.0/0'", true),
        // Accounts and settings.
        ("account_of(request.arn) == '444455556666' && account_of('nonsense') == ''", true),
        ("account_of('/Subscriptions/s-1/resourceGroups/g') == 's-1' && account_of('/tenants/t') == ''", true),
        ("account_of(request.arn) in settings.trusted_accounts", true),
        // The fixed variables.
        ("change.service == 's3' && change.action == 'PutBucketLifecycle' && change.cloud == 'aws'", true),
        ("change.outcome == 'succeeded' && change.error_code == null && !change.read_only", true),
        ("actor.kind == 'IAMUser' && actor.account == change.account && actor.invoked_by == null", true),
        ("origin.address == '198.51.100.7' && change.time.startsWith('2026-01-02')", true),
        ("resources.exists(r, r.name == 'logs') || size(resources) == 0", true),
        ("record.eventName == 'PutBucketLifecycle' && record.userIdentity.type == 'IAMUser'", true),
        ("size(grants) == 0 && size(openings) == 0 && size(exposures) == 0 && state == null", true),
        // Standard CEL.
        ("request.port in [22, 3389] && request.bucketName + 's' == 'logss' && 1 + 1 == 2", true),
        ("type(request.bucketName) == string && string(request.port) == '22'", true),
        ("[1, 2, 3].exists_one(x, x == 2) && (request.port == 22 ? true : false)", true),
    ];
    let mut wrong = Vec::new();
    for (when, expected) in cases {
        let expected = if expected { Verdict::Fires } else { Verdict::Silent };
        let was = verdict_on(when, "", &request(), None);
        if was.as_ref() != Ok(&expected) {
            wrong.push(format!("{when}\n    should be {expected:?}, was {was:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} expressions disagree:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_expression_that_fails_is_never_silent() {
    let cases = [
        ("request.missing", "gives a null, not true or false"),
        ("request.bucketName", "gives a string, not true or false"),
        ("request.missing && true", "`request.missing` gives a null, not true or false"),
        ("!request.open", "`request.open` gives a string, not true or false"),
        ("[true].exists(x, !request.open)", "got 'string', want 'bool'"),
        ("request.bucketName < 5", "'_<_' applied to '(string, int)'"),
        ("request.bucketName.deeper == 1", "cannot select `deeper` of `request.bucketName`, which is a text"),
        ("request.acl.first == 1", "cannot select `first` of `request.acl`, which is a list"),
        (
            "grants.exists(r, true) || list(request.many).exists(r, r.cidrIp.deeper == 1)",
            "`: cannot select `deeper` of what is a string in",
        ),
        ("resources.exists(r, r.nonsense == 1)", "`: no member `nonsense` in"),
        ("[request.acl].exists(l, l.first == 1)", "`: cannot select `first` of what is a list in"),
        ("request.port + 'a' == 'b'", "Unsupported binary operator"),
    ];
    let mut wrong = Vec::new();
    for (when, reason) in cases {
        match verdict_on(when, "", &request(), None) {
            Err(error) if error.contains(reason) && error.contains("`aws.s3.tested`") && !error.contains('@') => {}
            other => wrong.push(format!("{when}\n    should say `{reason}`, was {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} expressions disagree:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_the_log_left_out_is_in_doubt_only_for_those_who_look() {
    let omitted = json!({ "reason": "requestParameters too large", "omitted": true, "originalSize": "149893" });
    let on = |when: &str| verdict_on(when, "", &omitted, None).expect(when);
    assert!(matches!(on("request.bucketName == 'logs'"), Verdict::NeedsState(_)));
    assert!(matches!(on("request.bucketName.deeper.still"), Verdict::NeedsState(_)), "also when it fails");
    assert_eq!(on("change.service == 'ec2' && request.bucketName == 'logs'"), Verdict::Silent, "not looked at");
    assert_eq!(on("change.service == 's3' || request.bucketName == 'logs'"), Verdict::Fires);
    assert_eq!(on("request.bucketName == null"), Verdict::Fires, "what fires does not doubt");
    let Verdict::NeedsState(doubts) = on("request.a.b == 1 || request.a.b == 2") else { panic!("undecided") };
    assert_eq!(doubts.iter().map(|doubt| doubt.about.as_str()).collect::<Vec<_>>(), ["request.a.b"]);
}

#[test]
fn json_that_cannot_be_read_is_in_doubt() {
    let verdict = verdict_on("json(request.broken).Statement != null", "", &request(), None).expect("evaluates");
    assert!(matches!(verdict, Verdict::NeedsState(_)), "{verdict:?}");
}

#[test]
fn state_settles_what_the_record_leaves_open() {
    let more = "state: AWS::S3::Bucket\n";
    let when = "unknown('the record never tells')";
    let Ok(Verdict::NeedsState(doubts)) = verdict_on(when, more, &request(), None) else { panic!("undecided") };
    assert_eq!(doubts.first().map(|doubt| doubt.reason.as_str()), Some("the record never tells"));

    let image = Image([("GetBucketLogging".to_owned(), json!({ "LoggingEnabled": { "TargetBucket": "b" } }))].into());
    let state = State { image, effects: Effects::none() };
    assert_eq!(verdict_on(when, more, &request(), Some(&state)), Ok(Verdict::Silent));
    let with_state = |state_when: &str| {
        verdict_on(when, &format!("{more}state_when: {state_when}\n"), &request(), Some(&state)).expect(state_when)
    };
    assert_eq!(with_state("state.GetBucketLogging.LoggingEnabled.TargetBucket == 'b'"), Verdict::Fires);
    assert_eq!(with_state("state.GetBucketPolicy != null"), Verdict::Silent);

    let unsure = State { effects: Effects::unknown("prefix list pl-1", "is not read"), ..state.clone() };
    let when = "grants.exists(g, g.audience == 'public')";
    assert_eq!(verdict_on(when, more, &request(), Some(&state)), Ok(Verdict::Silent));
    assert!(matches!(verdict_on(when, more, &request(), Some(&unsure)), Ok(Verdict::NeedsState(_))));
}

#[test]
fn mistakes_in_expressions_are_told_at_their_place() {
    let cases = [
        ("grant.exists(g, true)", "`grant` is no variable", "did you mean `grants`?"),
        ("actor.nme == 1", "`actor` has no member `nme`", "it has kind"),
        ("actor == 1", "`actor` is no value by itself", "it has kind"),
        ("grants.audience == 1", "`grants` is a list", "exists"),
        ("request.x.matches('a')", "`matches` is no function here", "regex"),
        ("trutly(request.x)", "`trutly` is no function here", "did you mean `truthy`?"),
        ("int_off(request.x) == 1", "`int_off` is no function here", "did you mean `int_of`?"),
        ("_hidden(request.x)", "`_hidden` is no function here", ""),
        ("math.greatest(1, 2) == 2", "`greatest` is no function here", ""),
        ("glob(request.x)", "`glob` takes 2 arguments, not 1", ""),
        ("regex(request.x, '(')", "`(` is no regular expression", ""),
        ("regex('a', request.x)", "`regex` needs a text written out", ""),
        ("request.exists(request, true)", "`request` has a meaning already", ""),
        ("request.?x == 1", "optional selection", "without `?`"),
        ("unknown('x')", "`unknown` in a rule without `state`", "as its provider writes it"),
        ("request.x ==", "", ""),
        ("true && 1 = 2", "", ""),
    ];
    let mut wrong = Vec::new();
    for (when, message, hint) in cases {
        let Err(errors) = load(rule_text(when, "")) else {
            wrong.push(format!("{when}: loads"));
            continue;
        };
        let told = errors.0.iter().any(|error| {
            error.message.contains(message)
                && error.hint.as_deref().unwrap_or_default().contains(hint)
                && error.line == 8
        });
        if !told {
            wrong.push(format!("{when}: {errors}"));
        }
    }
    assert!(wrong.is_empty(), "{} mistakes are told otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is evaluated without the interpreter when it stands by itself, and by it inside `exists`.
const FRAMED: [&str; 24] = [
    "request.a == 1",
    "request.a == 'x'",
    "request.a != 'x'",
    "request.a == true",
    "request.a == null",
    "null != request.a",
    "has(request.a.b)",
    "request.a in [1, 'x', true, null]",
    "truthy(request.a)",
    "falsy(request.a)",
    "int_of(request.a) < 7",
    "int_of(request.a) >= 7",
    "glob(request.a, 'x*')",
    "regex(request.a, '^[x-z0-9]+$')",
    "any_ci(request.a, 'X')",
    "any_ci(request.a, ['X', '1'])",
    "request.a.exists(e, e == 'x')",
    "request.a.all(e, e == 'x')",
    "list(request.a).exists(e, e == 'x')",
    "list(request.a).all(e, e != 'x')",
    "!(request.a == 'x') && request.a.b == null || request.a",
    "request.a && request.a == 'x'",
    "list(request.a).exists(e, e.b == null)",
    "request.a['b'].c == null",
];

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..12).prop_map(Value::from),
        Just(json!(1.0)),
        Just(json!(6.5)),
        Just(json!(u64::MAX)),
        "(x|X|xy|1|07|true|False|)".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("(b|B|items|item|content|c)", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_frame_means_what_the_interpreter_means(value in json_value()) {
        let request = json!({ "a": value });
        let framed = catalog_of(&FRAMED.map(str::to_owned));
        let interpreted = catalog_of(&FRAMED.map(|when| format!("[1].exists(y, {when})")));
        for (when, (left, right)) in FRAMED.iter().zip(framed.rules().zip(interpreted.rules())) {
            let text = record(&request);
            let change = change(&text);
            let of = |rule| evaluate(rule, &change, None, &Settings::default()).map_err(|_| "fails");
            prop_assert_eq!(of(left), of(right), "{} on {}", when, &request);
        }
    }
}

/// The rules of some expressions, compiled once.
fn catalog_of(conditions: &[String]) -> Catalog {
    static KNOWN: std::sync::Mutex<BTreeMap<String, Catalog>> = std::sync::Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().expect("nobody panics with the lock");
    let key = conditions.join("\n");
    let files = conditions.iter().enumerate();
    let load = || Catalog::load(files.map(|(n, when)| (format!("aws/s3/rule_{n:02}.yaml"), rule_text(when, ""))));
    known.entry(key).or_insert_with(|| load().unwrap_or_else(|errors| panic!("{errors}"))).clone()
}
