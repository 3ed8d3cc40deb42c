//! The marked blocks of infra/aws/template.yaml.

use std::fmt::Write as _;

use serde_json::Value;

use super::MissingBlock;

/// A template with one block written anew.
pub(super) fn fill(template: &str, block: &'static str, lines: &str) -> Result<String, MissingBlock> {
    let (open, close) = (format!("  # generated: {block}\n"), format!("  # end generated: {block}\n"));
    let missing = || MissingBlock { block };
    let (before, rest) = template.split_once(&open).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&close).ok_or_else(missing)?;
    Ok(format!("{before}{open}{lines}{close}{after}"))
}

/// One `EventBridge` rule, and the permission to invoke the function, for each pattern.
pub(super) fn rules(patterns: &[Value]) -> String {
    let mut yaml = String::new();
    for (number, pattern) in (1..).zip(patterns) {
        let detail = pattern.get("detail").map(|detail| format!("        detail: {detail}\n")).unwrap_or_default();
        let types = pattern.get("detail-type").unwrap_or(&Value::Null);
        // Writing to a string cannot fail.
        let _ = write!(
            yaml,
            "  AuditRule{number}:
    Type: AWS::Events::Rule
    Properties:
      Description: Changes that Onus audits, part {number} of {count}
      EventBusName: !Ref EventBusName
      EventPattern:
        source: [{{ prefix: !Ref EventSourcePrefix }}]
        detail-type: {types}
{detail}      Targets:
        - Id: audit
          Arn: !GetAtt Audit.Arn
          DeadLetterConfig: {{ Arn: !GetAtt AuditDeadLetters.Arn }}
          RetryPolicy: {{ MaximumEventAgeInSeconds: 86400, MaximumRetryAttempts: 185 }}

  AuditRule{number}Invokes:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Audit
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceArn: !GetAtt AuditRule{number}.Arn

",
            count = patterns.len(),
        );
    }
    yaml
}

pub(super) fn audit(document: &Value) -> String {
    policy("AuditReads", "reads", "", "[!Ref AuditRole, !Ref SweepRole]", document)
}

pub(super) fn respond(document: &Value) -> String {
    policy("RespondTakesBack", "takes-back", "    Condition: Responds\n", "[!Ref RespondRole]", document)
}

fn policy(resource: &str, name: &str, condition: &str, roles: &str, document: &Value) -> String {
    let mut yaml = format!(
        "  {resource}:
    Type: AWS::IAM::Policy
{condition}    Properties:
      PolicyName: {name}
      Roles: {roles}
      PolicyDocument:
        Version: \"2012-10-17\"
        Statement:
"
    );
    for statement in document.get("Statement").and_then(Value::as_array).into_iter().flatten() {
        let text = |key: &str| statement.get(key).and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(
            yaml,
            "          - Sid: {}\n            Effect: {}\n            Action:",
            text("Sid"),
            text("Effect")
        );
        for action in statement.get("Action").and_then(Value::as_array).into_iter().flatten() {
            let _ = writeln!(yaml, "              - {}", action.as_str().unwrap_or_default());
        }
        // What is JSON is YAML too.
        for member in ["Resource", "Condition"] {
            if let Some(value) = statement.get(member) {
                let _ = writeln!(yaml, "            {member}: {value}");
            }
        }
    }
    yaml.push('\n');
    yaml
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let template = "a\n  # generated: rules\nold\n  # end generated: rules\nb\n";
        let filled = fill(template, "rules", "new\n").unwrap();
        assert_eq!(filled, "a\n  # generated: rules\nnew\n  # end generated: rules\nb\n");
        assert_eq!(fill(&filled, "rules", "new\n").unwrap(), filled);
        assert_eq!(fill("a\n", "rules", "new\n"), Err(MissingBlock { block: "rules" }));
    }
}
