//! Where each operation names its resources.
//!
//! A row: operations (exact, or a beginning followed by `*`), CloudFormation type, the places of the name in order of preference, and a
//! pattern for the ARN (ARN formats: the Service Authorization Reference). `arns` are places where the ARN itself is logged.
//! Rows whose only operation is `*` are asked when no other row knows the operation, and never for calls that only read.

/// One row. See the [module's words](self).
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) actions: &'static [&'static str],
    pub(super) kind: &'static str,
    pub(super) names: &'static [&'static str],
    pub(super) arns: &'static [&'static str],
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
    const fn logged(mut self, arns: &'static [&'static str]) -> Self {
        self.arns = arns;
        self
    }

    fn knows(&self, action: &str) -> bool {
        self.actions.iter().any(|known| match known.strip_suffix('*') {
            Some("") | None => *known == action,
            Some(start) => action.starts_with(start),
        })
    }
}

/// The rows that know an operation, in order.
pub(super) fn rows(service: &str, action: &str, read_only: bool) -> impl Iterator<Item = &'static Row> {
    let rows = SERVICES.iter().find(|(name, _)| *name == service).map_or(&[][..], |(_, rows)| *rows);
    let known = rows.iter().any(|row| row.knows(action));
    rows.iter().filter(move |row| if known { row.knows(action) } else { !read_only && row.actions == ["*"] })
}

static SERVICES: &[(&str, &[Row])] = &[("s3", S3)];

const S3: &[Row] = &[row(&["*"], "AWS::S3::Bucket", &["request.bucketName"], "arn:{partition}:s3:::{name}")];
